"""Processes under test: start them, wait until they are ready, kill them in every way there is, read what they said."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from tests.support.environment import clean_environ
from tests.support.ports import free_port

READY_SECONDS = 60.0
STOP_SECONDS = 60.0
_POLL_SECONDS = 0.05


class ProcessDied(AssertionError):
    """A process ended, or did not get ready; the message holds the end of its log."""


class ServiceProcess:
    """`python -m services.<name>` with these settings and no others.

    As a context manager it is started on entering and killed on leaving, if it still runs. It gets a metrics port of
    its own unless `settings` names one. Its output goes to `<folder>/<label>.log`.
    """

    def __init__(
        self,
        module: str,
        settings: Mapping[str, str],
        folder: Path,
        *,
        arguments: Sequence[str] = (),
        label: str | None = None,
    ) -> None:
        self.metrics_port = int(settings.get("LEADLINE_METRICS_PORT", 0)) or free_port()
        self.log_path = folder / f"{label or module.rsplit('.', 1)[-1]}.log"
        self._command = [sys.executable, "-m", module, *arguments]
        self._environ = clean_environ(
            {"LEADLINE_LOG_FORMAT": "json", **settings, "LEADLINE_METRICS_PORT": str(self.metrics_port)}
        )
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ProcessDied("not started")
        return self._process

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start (again); the log is appended to."""
        with self.log_path.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environ,
                start_new_session=True,
            )

    async def wait_ready(self, url: str | None = None) -> None:
        """Until `url` (default: /readyz on the metrics port) answers 200. Raises ProcessDied if it ends before."""
        target = url or f"http://127.0.0.1:{self.metrics_port}/readyz"
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while asyncio.get_running_loop().time() < deadline:
                if not self.running:
                    raise ProcessDied(f"ended with code {self.process.returncode}: {self.log_tail()}")
                try:
                    async with session.get(target) as response:
                        if response.status == 200:
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(_POLL_SECONDS)
        raise ProcessDied(f"{target} is not ready after {READY_SECONDS:g} s: {self.log_tail()}")

    async def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Until it ends by itself; its exit code. Raises ProcessDied if it has not by then."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self.running:
            if asyncio.get_running_loop().time() >= deadline:
                raise ProcessDied(f"still runs after {seconds:g} s: {self.log_tail()}")
            await asyncio.sleep(_POLL_SECONDS)
        return self.process.returncode

    async def terminate(self) -> int:
        """SIGTERM, and wait for the end; the exit code."""
        self.send(signal.SIGTERM)
        return await self.wait()

    async def kill(self) -> None:
        """SIGKILL for it and its children, and wait for the end. Works on a paused one and on one that ended."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            await self.wait()

    def pause(self) -> None:
        """SIGSTOP: the process is there and does nothing. Returns when it has stopped."""
        self.send(signal.SIGSTOP)
        stat = Path(f"/proc/{self.process.pid}/stat")
        while self.running and stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "T":
            time.sleep(0.001)

    def resume(self) -> None:
        """SIGCONT."""
        self.send(signal.SIGCONT)

    def send(self, number: signal.Signals) -> None:
        """Any signal."""
        self.process.send_signal(number)

    def log_text(self) -> str:
        """All that it wrote to stdout and stderr, over all its starts."""
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def log_tail(self) -> str:
        """The end of its log, for messages."""
        return self.log_text()[-3000:]
