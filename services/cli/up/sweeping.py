"""The sweep loop: what the CronJob is in a cluster. One pass at a time, each in a process of its own."""

import asyncio
from collections.abc import Callable

from services.cli.up.processes import Program, Watchdog, how_it_ended, log_tail, run_once
from services.cli.up.supervisor import ChildState, Say

LEAST_REAL_SECONDS = 2.0
"""However fast business time runs."""
_LOOK_SECONDS = 0.5
"""How soon a changed speed is noticed."""


class SweepLoop:
    """Runs passes from `start` to `stop`, every `business_seconds`; `speed` is asked before each wait."""

    def __init__(
        self, program: Program, watchdog: Watchdog, say: Say, *, business_seconds: float, speed: Callable[[], float]
    ) -> None:
        self.program = program
        self.state = ChildState.STOPPED
        self.passes = 0
        self._watchdog = watchdog
        self._say = say
        self._business_seconds = business_seconds
        self._speed = speed
        self._task: asyncio.Task[None] | None = None
        self._failing = False

    def start(self) -> None:
        """Begin; the first pass runs after one period."""
        self.state = ChildState.RUNNING
        self._task = asyncio.create_task(self._loop(), name="sweep-loop")

    async def stop(self) -> None:
        """End the loop; a pass under way is told to stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        self.state = ChildState.STOPPED

    async def _loop(self) -> None:
        while True:
            await self._wait()
            code = await run_once(self.program, self._watchdog)
            self.passes += 1
            self._tell(code)

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        since = loop.time()
        while (waited := loop.time() - since) < max(self._business_seconds / self._speed(), LEAST_REAL_SECONDS):
            left = max(self._business_seconds / self._speed(), LEAST_REAL_SECONDS) - waited
            await asyncio.sleep(min(left, _LOOK_SECONDS))

    def _tell(self, code: int) -> None:
        """Say that passes begin to fail, or work again; not at every pass."""
        failed = code != 0
        if failed and not self._failing:
            self._say(f"a sweep {how_it_ended(code)}: {log_tail(self.program.log)}")
        elif self._failing and not failed:
            self._say("the sweep works again")
        self._failing = failed
        self.state = ChildState.WAITING if failed else ChildState.RUNNING
