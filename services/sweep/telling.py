"""What a pass tells the queue-service: reports of attempts, and what the provider said, byte for byte."""

from uuid import UUID

from leadline.clients.queue import QueueClient
from leadline.contracts.events import EventDisposition, EventSource
from leadline.contracts.leases import AttemptReport, ReportKind, ReportRequest, StopReport
from leadline.contracts.operators import Reason
from leadline.contracts.sweep import SweepPlan
from leadline.domain.ids import CallId
from leadline.runtime.logging import get_logger
from leadline.telephony.port import CallDetails

log = get_logger(__name__)


class Telling:
    """The queue-service as the steps of a pass speak to it. Everything may be said twice; errors are the client's."""

    def __init__(self, queue: QueueClient, reporter: str) -> None:
        """`reporter` names this sweep in the reports."""
        self._queue = queue
        self._reporter = reporter

    async def report(self, attempt_id: UUID, kind: ReportKind, call_id: CallId | None = None) -> None:
        """Report what is known of one attempt, at once: a pass that is killed has told what it knew."""
        report = AttemptReport(attempt_id=attempt_id, kind=kind, call_id=call_id)
        batch = await self._queue.report(ReportRequest(reporter=self._reporter, reports=[report]))
        for answer in batch.answers:
            if answer.alarm:
                log.warning("report_raised_alarm", attempt_id=attempt_id, kind=kind, alarm=answer.alarm)

    async def store(self, details: CallDetails) -> bool:
        """Hand on the details of a call as an event; whether they are dealt with (also if known, or quarantined)."""
        stored = await self._queue.post_event(details.raw, EventSource.LOOKUP)
        if stored.disposition in {EventDisposition.UNAPPLIED, EventDisposition.QUARANTINED}:
            log.warning("details_not_applied", call_id=details.parsed.call_id, disposition=stored.disposition)
        return stored.disposition is not EventDisposition.UNAPPLIED

    async def report_stop(self, order_id: UUID, report: StopReport) -> None:
        """Say what became of a stop order."""
        await self._queue.report_stop(order_id, report)

    async def resume_account(self, reason: str) -> None:
        """The provider answers for the account again."""
        await self._queue.resume_account(Reason(reason=reason))

    async def read_plan(self) -> SweepPlan:
        """The plan once more, for what may have changed since the pass began; its lists are cut to one item."""
        return await self._queue.sweep_plan(limit=1)

    async def release_dispatch(self, reason: str) -> None:
        """The provider's history is reconciled."""
        await self._queue.release_dispatch(Reason(reason=reason))
