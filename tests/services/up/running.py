"""`leadline up` as a process under test, and what can be seen of it from outside."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.environment import clean_environ

START_SECONDS = 120.0
STOP_SECONDS = 90.0


class Up:
    """One `leadline up` in a data folder, on any free ports, at the head of a process group as from a shell."""

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        self.folder = folder
        self._arguments = [*arguments, "--data-dir", str(folder)]
        ports = {f"LEADLINE_{name}_PORT": "0" for name in ("GATEWAY", "QUEUE", "SIMULATOR")}
        self._environ = clean_environ(ports | settings)
        self._process: asyncio.subprocess.Process | None = None
        self._started_at = 0.0
        self._output = folder.parent / f"{folder.name}-output.txt"

    async def start(self) -> None:
        """Start it, and wait for nothing."""
        self._started_at = time.time()
        with self._output.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "services.cli.main", "up", *self._arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if "--json" in self._arguments else output,
                stderr=output,
                env=self._environ,
                start_new_session=True,
            )

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The process that was started."""
        assert self._process is not None
        return self._process

    async def ready(self) -> dict[str, str]:
        """Until it runs; what it tells the command line."""
        path = self.folder / "connection.json"
        await self.until(lambda: path.exists() and path.stat().st_mtime > self._started_at, START_SECONDS)
        connection: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return connection

    async def until(self, condition: Callable[[], object], seconds: float = 60.0) -> None:
        """Until something holds, while it runs."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    assert self.process.returncode is None, self.output()
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(self.output()) from None

    async def interrupt(self) -> int:
        """Ctrl-C on the terminal: the whole process group; the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return await self.wait()

    async def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Its exit code."""
        try:
            return await asyncio.wait_for(self.process.wait(), seconds)
        except TimeoutError:
            raise AssertionError(self.output()) from None

    async def kill(self) -> None:
        """SIGKILL, if it still runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def output(self) -> str:
        """All that it printed, and what is in its own log."""
        log = self.folder / "logs" / "up.log"
        printed = self._output.read_text(encoding="utf-8") if self._output.exists() else ""
        return printed[-8000:] + (log.read_text(encoding="utf-8")[-4000:] if log.exists() else "")

    def children(self) -> dict[int, str]:
        """Its own child processes: id -> command line."""
        return {pid: command for pid, parent, command in processes() if parent == self.process.pid}

    def child(self, part: str) -> int:
        """The one child whose command line holds this; 0 if there is none now."""
        return next((pid for pid, command in self.children().items() if part in command), 0)


def processes() -> list[tuple[int, int, str]]:
    """Every process of the machine that has not ended: id, parent, command line."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            state, parent = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[:2]
            command = (folder / "cmdline").read_text(encoding="utf-8", errors="replace").replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            found.append((int(folder.name), int(parent), command))
    return found


def that_run(pids: set[int]) -> dict[int, str]:
    """Which of these processes are still there."""
    return {pid: command for pid, _, command in processes() if pid in pids}


async def ask(connection: dict[str, str], path: str) -> Any:
    """A question to the queue-service of a running `up`, as its operator."""
    headers = {"Authorization": f"Bearer {connection['operator_token']}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(connection["queue_url"] + path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def post_lead(connection: dict[str, str], phone_number: str) -> str:
    """Post a lead as Zapier would; the answer's status."""
    url = f"{connection['gateway_url']}/webhooks/awhealth-outbound"
    body = {"phone_number": phone_number, "lead_id": "1", "list_id": "2"}
    headers = {"X-Api-Key": connection["api_key"]}
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url, data=body) as answer:
        assert answer.status == 202, await answer.text()
        return str((await answer.json())["status"])
