"""A server as a process: is it there, which one is it, how does it stop."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

POLL_SECONDS = 0.03
STOP_SECONDS = 60.0


async def stop_process(pid: int, *, has_ended: Callable[[], bool]) -> None:
    """Fast shutdown (SIGINT); after a minute without end SIGQUIT, from which the next start recovers."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        _signal(pid, number)
        for _ in range(round(STOP_SECONDS / POLL_SECONDS)):
            if has_ended():
                return
            await asyncio.sleep(POLL_SECONDS)


def running_server(data: Path) -> int | None:
    """The process of the server that runs on `data`, whoever started it."""
    try:
        pid = int((data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        works_in = Path(f"/proc/{pid}/cwd").readlink()
    except (OSError, ValueError, IndexError):
        return None
    return pid if works_in == data.resolve() else None


def process_has_ended(pid: int) -> bool:
    """Whether there is no such process any more; one that its parent has not noticed yet has ended too."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return True
    return state == "Z"


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
