"""Services that are kept running: awaited until they are ready, started again when they end, stopped in time."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum

import aiohttp

from leadline.runtime.logging import get_logger
from services.cli.up.errors import UpError
from services.cli.up.processes import Program, Watchdog, end, how_it_ended, log_tail, spawn

Say = Callable[[str], None]
"""Tells the person at the terminal one line."""

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
STABLE_SECONDS = 60.0
"""Who ran so long starts again with the first wait."""
READY_SECONDS = 120.0
_POLL_SECONDS = 0.05
log = get_logger(__name__)


class ChildState(StrEnum):
    """What the board shows of a child."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    """It ended by itself and is started again in a moment."""
    STOPPED = "stopped"


class Child:
    """One service, kept running from `start` to `stop`.

    `probe` is a URL that answers 200 when it is ready. `on_ready` is awaited after each start of the process, the first
    one included, before `start` returns.
    """

    def __init__(
        self,
        program: Program,
        watchdog: Watchdog,
        say: Say,
        *,
        probe: str,
        grace_seconds: float = 10.0,
        on_ready: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.program = program
        self.state = ChildState.STOPPED
        self.restarts = 0
        self._watchdog = watchdog
        self._say = say
        self._probe = probe
        self._grace_seconds = grace_seconds
        self._on_ready = on_ready
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process that runs now."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Start it and wait until it is ready.

        Raises UpError with the end of its log if it ends before: at its first start something is wrong that a second
        one does not mend.
        """
        self._process = await self._start_process()
        ended = await self._wait_ready(self._process)
        if ended is not None:
            msg = f"{self.program.name} did not start ({how_it_ended(ended)}): {log_tail(self.program.log)}"
            raise UpError(msg)
        await self._greet()
        self.state = ChildState.RUNNING
        log.info("child_ready", child=self.program.name, pid=self._process.pid)
        self._keeper = asyncio.create_task(self._keep(), name=f"keep-{self.program.name}")

    async def stop(self) -> None:
        """SIGTERM, and wait for its end; SIGKILL after the grace time. Safe to call at any time, also twice."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
            self._keeper = None
        if self._process is not None:
            await end(self._process, grace_seconds=self._grace_seconds)
            self._watchdog.release(self._process.pid)
            log.info("child_stopped", child=self.program.name, code=self._process.returncode)
            self._process = None
        self.state = ChildState.STOPPED

    async def restart(self, program: Program) -> None:
        """Stop it, and start another program in its place."""
        await self.stop()
        self.program = program
        await self.start()

    async def _greet(self) -> None:
        if self._on_ready is not None:
            await self._on_ready()

    async def _start_process(self) -> asyncio.subprocess.Process:
        self.state = ChildState.STARTING
        spawning = asyncio.ensure_future(spawn(self.program, self._watchdog))
        try:
            return await asyncio.shield(spawning)
        except asyncio.CancelledError:
            self._process = await spawning  # so that `stop` finds it
            raise

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        wait_seconds, started_at = FIRST_WAIT_SECONDS, loop.time()
        while self._process is not None:
            code = await self._process.wait()
            self._watchdog.release(self._process.pid)
            if loop.time() - started_at > STABLE_SECONDS:
                wait_seconds = FIRST_WAIT_SECONDS
            self.state = ChildState.WAITING
            self.restarts += 1
            log.warning("child_ended", child=self.program.name, code=code, restarts=self.restarts)
            self._say(f"{self.program.name} {how_it_ended(code)}; starting it again in {wait_seconds:g} s")
            await asyncio.sleep(wait_seconds)
            wait_seconds = min(wait_seconds * 2, LONGEST_WAIT_SECONDS)
            started_at = loop.time()
            self._process = await self._start_process()
            if await self._is_ready_again(self._process):
                self.state = ChildState.RUNNING
                self._say(f"{self.program.name} is back")

    async def _is_ready_again(self, process: asyncio.subprocess.Process) -> bool:
        try:
            if await self._wait_ready(process) is not None:
                return False
            await self._greet()
        except UpError as error:
            self._say(str(error))
            await end(process, grace_seconds=self._grace_seconds)
            return False
        return True

    async def _wait_ready(self, process: asyncio.subprocess.Process) -> int | None:
        """None when it is ready, its exit code if it has ended."""
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while process.returncode is None:
                if await _answers(session, self._probe):
                    return None
                if asyncio.get_running_loop().time() > deadline:
                    await end(process, grace_seconds=1)
                    break
                await asyncio.sleep(_POLL_SECONDS)
        return process.returncode


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
