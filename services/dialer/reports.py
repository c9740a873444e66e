"""Delivers reports in groups, again and again until the queue-service accepts them. Slots bound their number."""

import asyncio
import random
from typing import Final

from leadline.clients.queue import QueueClient, QueueError, QueueRefused
from leadline.contracts.leases import MAX_GROUP, AttemptReport, ReportBatch, ReportRequest
from leadline.runtime.logging import get_logger
from leadline.runtime.tracing import describe, span
from services.dialer import figures

GATHER_SECONDS: Final = 0.005
FIRST_WAIT_SECONDS: Final = 0.1
LONGEST_WAIT_SECONDS: Final = 5.0
log = get_logger(__name__)


class Reports:
    """The reports of one dialer. `run` must be running for anything to be delivered."""

    def __init__(self, queue: QueueClient, reporter: str) -> None:
        self._queue = queue
        self._reporter = reporter
        self._waiting: list[tuple[AttemptReport, asyncio.Future[None]]] = []
        self._some = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def deliver(self, report: AttemptReport) -> None:
        """Return when the report is accepted (or refused for good, which is logged)."""
        await self._enqueue(report)

    def post(self, report: AttemptReport) -> None:
        """Put a report on its way without waiting for its acceptance."""
        self._enqueue(report).add_done_callback(lambda _: None)

    def _enqueue(self, report: AttemptReport) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((report, future))
        figures.REPORTS_WAITING.inc()
        self._idle.clear()
        self._some.set()
        return future

    async def flushed(self) -> None:
        """Return when nothing waits any more."""
        await self._idle.wait()

    @property
    def waiting(self) -> int:
        """How many reports are not accepted yet."""
        return len(self._waiting)

    async def run(self) -> None:
        """Deliver until cancelled."""
        failures = 0
        while True:
            await self._some.wait()
            await asyncio.sleep(GATHER_SECONDS)
            if await self._deliver_group(self._waiting[:MAX_GROUP]):
                failures = 0
                continue
            failures += 1
            wait = min(FIRST_WAIT_SECONDS * 2**failures, LONGEST_WAIT_SECONDS)
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 -- jitter, no secret

    async def _deliver_group(self, group: list[tuple[AttemptReport, asyncio.Future[None]]]) -> bool:
        try:
            with span("deliver reports", root=True) as delivering:
                describe(delivering, {"count": len(group)})
                batch = await self._queue.report(ReportRequest(reporter=self._reporter, reports=[r for r, _ in group]))
        except QueueRefused as refused:
            return await self._after_refusal(group, refused)
        except QueueError as error:
            log.warning("reports_not_delivered", count=len(group), waiting=self.waiting, error=str(error))
            return False
        _log_alarms(batch)
        self._accept(group)
        return True

    async def _after_refusal(
        self, group: list[tuple[AttemptReport, asyncio.Future[None]]], refused: QueueRefused
    ) -> bool:
        """One report that the contract does not allow must not keep the others back."""
        if refused.problem.status in {401, 403, 404, 405, 408, 429}:
            log.error("reports_refused", code=refused.problem.code, status=refused.problem.status)
            return False
        if len(group) == 1:
            report = group[0][0]
            log.error("report_refused", attempt_id=report.attempt_id, kind=report.kind, code=refused.problem.code)
            self._accept(group)
            return True
        return all([await self._deliver_group([one]) for one in group])

    def _accept(self, group: list[tuple[AttemptReport, asyncio.Future[None]]]) -> None:
        done = {id(future) for _, future in group}
        self._waiting = [item for item in self._waiting if id(item[1]) not in done]
        figures.REPORTS_WAITING.dec(len(group))
        for _, future in group:
            if not future.done():
                future.set_result(None)
        if not self._waiting:
            self._some.clear()
            self._idle.set()


def _log_alarms(batch: ReportBatch) -> None:
    for answer in batch.answers:
        if answer.alarm or answer.state is None:
            log.warning(
                "report_raised_alarm",
                attempt_id=answer.attempt_id,
                state=answer.state,
                alarm=answer.alarm or "not_ours",
            )
