"""Takes work from the queue-service, carries it out, and tells what came of it: at least once, and keeps nothing.

What was taken and is not told in its time comes back by itself: a crash costs a repetition and loses nothing.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from leadline.clients.queue_http import QueueError, QueueRefused
from leadline.contracts.crm import MAX_CRM_GROUP, TakeRequest
from leadline.runtime.logging import get_logger
from leadline.runtime.tracing import span
from services.crm_sync import figures
from services.crm_sync.patience import Patience

TAKEN_SECONDS: Final = 300.0
"""Real time for which what was taken is ours."""
SETTLE_SECONDS: Final = 30.0
"""Kept of it for the report: nothing is told to the CRM after somebody else may have begun to."""
GATHER_SECONDS: Final = 0.05
FIRST_WAIT_SECONDS: Final = 0.2
LONGEST_WAIT_SECONDS: Final = 5.0
LAST_REPORTS_SECONDS: Final = 2.0
"""Kept of the drain for reports of what has ended by then."""
_WRONG_ITEM: Final = frozenset({400, 404, 413, 422})
"""Refusals that one item of a group can be the cause of."""
log = get_logger(__name__)

Item = TypeVar("Item")
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Job(Generic[Item, Done]):
    """One kind of work."""

    name: str
    take: Callable[[TakeRequest], Awaitable[Sequence[Item]]]
    carry_out: Callable[[Item], Awaitable[Done]]
    """May be cancelled at any moment."""
    report: Callable[[list[Done]], Awaitable[object]]
    """May be repeated."""


class Carrier(Generic[Item, Done]):
    """Carries out one kind of work, up to `most` items between their taking and the acceptance of their report."""

    def __init__(
        self, job: Job[Item, Done], *, most: int, poll_seconds: float, patience: Patience | None = None
    ) -> None:
        """`poll_seconds` pass between two questions for work while there is none."""
        self._job = job
        self._most = most
        self._poll_seconds = poll_seconds
        self._patience = patience or Patience()
        self._tasks: set[asyncio.Task[None]] = set()
        self._done: list[Done] = []
        self._freed = asyncio.Event()
        self._some_done = asyncio.Event()
        self._all_reported = asyncio.Event()
        self._all_reported.set()
        self.failing_since: float | None = None
        """Monotonic; None while the queue-service answers."""

    @property
    def in_flight(self) -> int:
        """Items that were taken and not reported."""
        return len(self._tasks) + len(self._done)

    async def run(self, stop: asyncio.Event, *, drain_seconds: float) -> None:
        """Take and report until `stop` is set; then finish what is in flight within `drain_seconds`."""
        async with asyncio.TaskGroup() as group:
            reporting = group.create_task(self._report_all())
            taking = group.create_task(self._take_until(stop))
            await stop.wait()
            self._freed.set()
            await self._drain(taking, drain_seconds)
            reporting.cancel()

    async def _drain(self, taking: asyncio.Task[None], seconds: float) -> None:
        ends_at = time.monotonic() + seconds
        work_ends_at = ends_at - min(LAST_REPORTS_SECONDS, seconds / 4)
        # What a question for work in flight brings is finished too: cut off, it would be nobody's for minutes.
        for tasks in ({taking}, self._tasks):
            await _ended(tasks, work_ends_at)
        if not await _ended({taking, *self._tasks}, time.monotonic()):
            log.warning("crm_work_left_behind", what=self._job.name, count=len(self._tasks))
        for task in (taking, *self._tasks):
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, ends_at - time.monotonic())):
                await self._all_reported.wait()
        if self._done:
            log.warning("crm_reports_left_behind", what=self._job.name, count=len(self._done))

    # taking

    async def _take_until(self, stop: asyncio.Event) -> None:
        failures = 0
        while free := await self._free(stop):
            taken_at = time.monotonic()
            try:
                items = await self._job.take(TakeRequest(limit=free, seconds=TAKEN_SECONDS))
            except QueueError as error:
                failures += 1
                self._note_failure(error, failures)
                await _sleep(_pause(failures), stop)
                continue
            failures, self.failing_since = 0, None
            for item in items:
                self._begin(item, taken_at + TAKEN_SECONDS - SETTLE_SECONDS)
            if not items:
                await _sleep(self._poll_seconds, stop)

    async def _free(self, stop: asyncio.Event) -> int:
        """Wait until it is worth asking: a quarter is free, and the CRM is not to be left alone. 0 after `stop`."""
        while not stop.is_set():
            self._freed.clear()
            free = min(self._patience.most(self._most - self.in_flight, self.in_flight), MAX_CRM_GROUP)
            if free and (free > self._most // 4 or not self.in_flight):
                return free
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience.seconds or None):
                    await self._freed.wait()
        return 0

    def _begin(self, item: Item, ends_at: float) -> None:
        task = asyncio.get_running_loop().create_task(self._carry_out(item, ends_at))
        self._tasks.add(task)
        task.add_done_callback(self._after)
        self._count()

    def _after(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._freed.set()
        self._count()

    async def _carry_out(self, item: Item, ends_at: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, ends_at - time.monotonic())):
                with span(f"carry {self._job.name}", root=True):
                    done = await self._job.carry_out(item)
        except TimeoutError:
            log.warning("crm_work_took_too_long", what=self._job.name)
        except Exception:
            log.exception("crm_work_crashed", what=self._job.name)
        else:
            self._done.append(done)
            self._all_reported.clear()
            self._some_done.set()

    # reporting

    async def _report_all(self) -> None:
        failures = 0
        while True:
            await self._some_done.wait()
            await asyncio.sleep(GATHER_SECONDS)
            group = self._done[:MAX_CRM_GROUP]
            try:
                await self._report(group)
            except QueueError as error:
                failures += 1
                self._note_failure(error, failures)
                await asyncio.sleep(_pause(failures))
                continue
            failures = 0
            self._accept(len(group))

    async def _report(self, group: list[Done]) -> None:
        try:
            await self._job.report(group)
        except QueueRefused as refused:
            if refused.problem.status in _WRONG_ITEM and len(group) > 1:
                for one in group:
                    await self._report([one])
                return
            # It comes back when its time is over; kept here it would hold back all others.
            log.error("crm_report_refused", what=self._job.name, count=len(group), code=refused.problem.code)

    def _accept(self, count: int) -> None:
        del self._done[:count]
        self._freed.set()
        self._count()
        if not self._done:
            self._some_done.clear()
            self._all_reported.set()

    def _note_failure(self, error: QueueError, failures: int) -> None:
        if self.failing_since is None:
            self.failing_since = time.monotonic()
        log.warning(
            "queue_service_not_asked", what=self._job.name, code=error.code, error=str(error), failures=failures
        )

    def _count(self) -> None:
        figures.IN_FLIGHT.labels(self._job.name).set(self.in_flight)


def _pause(failures: int) -> float:
    longest = min(FIRST_WAIT_SECONDS * (1 << min(failures, 10)), LONGEST_WAIT_SECONDS)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 -- jitter, no secret


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    """Sleep, or less if `stop` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


async def _ended(tasks: Collection[asyncio.Task[None]], moment: float) -> bool:
    """Wait for tasks until a monotonic moment; whether all have ended."""
    pending = {task for task in tasks if not task.done()}
    if pending:
        _, pending = await asyncio.wait(pending, timeout=max(0.0, moment - time.monotonic()))
    return not pending
