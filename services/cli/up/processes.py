"""Processes that cannot outlive us: how they are started, ended, and what they left behind."""

import asyncio
import contextlib
import os
import platform
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_TAIL_BYTES = 4000
_TAIL_LINES = 6
_HERE = Path(__file__).parent


class Watchdog:
    """Tells processes to stop when we are killed; see `watchdog.py`. Safe from one event loop."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start watching ourselves."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_HERE / "watchdog.py")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env={},
        )

    def guard(self, pid: int, number: signal.Signals) -> None:
        """Send the signal to this process if we die."""
        self._write(f"+{pid} {int(number)}")

    def release(self, pid: int) -> None:
        """It has ended."""
        self._write(f"-{pid}")

    async def stop(self) -> None:
        """We end in order: whoever is still guarded is told now."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()

    def _write(self, line: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(RuntimeError, ConnectionError):  # somebody killed it: the leash is still there
                self._process.stdin.write(f"{line}\n".encode())


@dataclass(frozen=True, slots=True)
class Program:
    """What is run: `python -m module` with this environment and no other."""

    name: str
    module: str
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    arguments: tuple[str, ...] = ()


async def spawn(program: Program, watchdog: Watchdog) -> asyncio.subprocess.Process:
    """Start it in a session of its own (Ctrl-C is for us, who stop it in order), its output appended to its log."""
    with program.log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *_command(program),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(program.environment),
            start_new_session=True,
        )
    watchdog.guard(process.pid, signal.SIGKILL)
    return process


def _command(program: Program) -> list[str]:
    if platform.system() == "Linux":
        leash = [sys.executable, "-I", "-S", str(_HERE / "leash.py"), str(os.getpid())]
        return [*leash, program.module, *program.arguments]
    return [sys.executable, "-m", program.module, *program.arguments]


async def run_once(program: Program, watchdog: Watchdog) -> int:
    """Start it and wait for its end; its exit code. A cancelled wait stops it first."""
    process = await spawn(program, watchdog)
    try:
        return await process.wait()
    finally:
        await end(process, grace_seconds=5)
        watchdog.release(process.pid)


async def end(process: asyncio.subprocess.Process, *, grace_seconds: float) -> None:
    """SIGTERM, and SIGKILL for what has not ended in time. Nothing to do for one that has ended."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), grace_seconds)
    except TimeoutError:
        await _kill(process)
    except asyncio.CancelledError:
        await _kill(process)
        raise


async def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def log_tail(path: Path) -> str:
    """The last lines of a log, on one line."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return "it left no log"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{' | '.join(lines[-_TAIL_LINES:]) or 'it said nothing'} (all of it: {path})"
