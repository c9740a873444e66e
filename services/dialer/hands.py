"""One lease in the dialer's hand, from lease to report."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from leadline.clients.queue import QueueError
from leadline.contracts.campaigns import DiallingSettings
from leadline.contracts.leases import AttemptReport, Lease, MarkAnswer, ReportKind
from leadline.crm.port import Crm
from leadline.domain.ids import AttemptId, CampaignName, PhoneNumber
from leadline.domain.phone import masked
from leadline.runtime.logging import get_logger
from leadline.runtime.tracing import SpanKind, current_traceparent, describe, span
from leadline.telephony.port import CallRequest, Doubt, Gate, NotSent, PlaceAnswer, Placed, Rejected, Telephony
from services.dialer import figures
from services.dialer.breaker import Breaker, BreakerState
from services.dialer.clearing import Clearing
from services.dialer.halts import Halt
from services.dialer.marks import Marked, Marks

LEASE_MARGIN_SECONDS: Final = 1.0
LEAST_WAIT_SECONDS: Final = 0.01
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Dialling:
    """What every hand of a dialer shares."""

    telephony: Telephony
    crm: Crm
    marks: Marks
    breaker: Breaker
    halt: Halt
    """Set while unmarked leases are to be given back: the breaker is open, or the dialer drains."""
    campaigns: Mapping[CampaignName, DiallingSettings]

    def learn(self, answer: PlaceAnswer) -> None:
        """Tell the breaker, and wake whoever waits for a `go` if that opened it."""
        was_open = self.breaker.state is BreakerState.OPEN
        self.breaker.record(answer)
        if self.breaker.state is BreakerState.OPEN and not was_open:
            log.warning("breaker_opened", seconds=round(self.breaker.seconds_until_half_open, 1))
            self.halt.wake()


class Hand:
    """Carries one lease to its end. `carry_out` is to be run once, by a task of its own."""

    def __init__(self, lease: Lease, received_at: float, dialling: Dialling) -> None:
        """`received_at` is monotonic."""
        self.lease = lease
        self._dialling = dialling
        self._lease_ends_at = received_at + lease.lease_seconds - LEASE_MARGIN_SECONDS
        self._clearing = Clearing(lease, dialling.crm, dialling.halt)
        self._gate: Gate | None = None
        self._asked = False
        self._stopped = False
        self.answer: asyncio.Future[PlaceAnswer | None] = asyncio.get_running_loop().create_future()
        """What became of the request for a call; None if none was made."""

    def stop(self) -> None:
        """A stop order came: if nothing has been sent, nothing will be."""
        self._stopped = True
        self._clearing.stop()

    async def carry_out(self) -> AttemptReport | None:
        """Ask for permission and dial; what to report, None if there is nothing to say."""
        with span("dial", self.lease.traceparent, kind=SpanKind.CONSUMER) as dialling:
            report = await self._carry_out()
            lease = self.lease
            about = {"attempt_id": lease.attempt_id, "lead_id": lease.lead_id, "campaign": lease.campaign}
            describe(dialling, {**about, "attempt_no": lease.attempt_no, "report": report.kind if report else None})
            return report

    async def _carry_out(self) -> AttemptReport | None:
        try:
            settings = self._dialling.campaigns.get(CampaignName(self.lease.campaign))
            if settings is None:
                log.error("campaign_not_configured", attempt_id=self.lease.attempt_id, campaign=self.lease.campaign)
                return self._report(ReportKind.NOT_SENT, message="campaign_not_configured")
            permission = await self._permission()
            if not isinstance(permission, Marked):
                return permission
            return self._told(await self._dial(settings, permission))
        finally:
            if not self.answer.done():
                self.answer.set_result(None)

    def report_when_cancelled(self) -> AttemptReport:
        """What is known of an attempt whose task was cancelled: more than nothing may have been sent."""
        if self._gate is not None and self._gate.perhaps_sent:
            return self._report(ReportKind.DOUBT, message="cancelled")
        return self._report(ReportKind.NOT_SENT if self._asked else ReportKind.RETURNED, message="cancelled")

    async def _permission(self) -> Marked | AttemptReport | None:
        """Ask `go?` until it is yes or no, while the lease lives and nothing halts us; the CRM first if it must be."""
        while True:
            if (reason := self._reason_to_return()) is not None:
                return self._report(ReportKind.RETURNED, message=reason)
            if self._clearing.wanted:
                await self._clearing.ask(lease_ends_at=self._lease_ends_at)
                continue
            self._asked = True
            try:
                with span("ask for mark") as asking:
                    marked = await self._dialling.marks.ask(self.lease.attempt_id, self._clearing.word)
                    describe(asking, {"answer": marked.mark.answer, "reason": marked.mark.reason})
            except QueueError as error:
                # The mark may be set. Nothing was sent, and saying so is right either way.
                log.warning("mark_unanswered", attempt_id=self.lease.attempt_id, error=str(error))
                return self._report(ReportKind.NOT_SENT, message="mark_unanswered")
            if marked.mark.answer is MarkAnswer.GO:
                return marked
            if marked.mark.answer is MarkAnswer.NO:
                log.debug("mark_refused", attempt_id=self.lease.attempt_id, reason=marked.mark.reason)
                return None
            self._asked = False
            await self._dialling.halt.sleep(max(marked.mark.retry_after_ms / 1000, LEAST_WAIT_SECONDS))

    def _reason_to_return(self) -> str | None:
        if (reason := self._dialling.halt.reason) is not None:
            return reason
        if self._stopped:
            return "stop_order"
        return "lease_ran_out" if time.monotonic() >= self._lease_ends_at else None

    async def _dial(self, settings: DiallingSettings, marked: Marked) -> PlaceAnswer:
        self._gate = Gate(marked.asked_at + marked.mark.send_within_ms / 1000)
        await asyncio.sleep(max(0.0, marked.asked_at + marked.mark.send_after_ms / 1000 - time.monotonic()))
        answer = self._reason_not_to_send() or await self._place(settings, self._gate)
        self.answer.set_result(answer)
        return answer

    def _reason_not_to_send(self) -> NotSent | None:
        if self._stopped:
            return NotSent("stop_order")
        return NotSent("breaker_open") if self._dialling.breaker.state is BreakerState.OPEN else None

    async def _place(self, settings: DiallingSettings, gate: Gate) -> PlaceAnswer:
        request = CallRequest(
            attempt_id=AttemptId(self.lease.attempt_id),
            campaign=CampaignName(self.lease.campaign),
            phone_number=PhoneNumber(self.lease.phone_number),
            dialling=settings,
            request_data=self.lease.request_data,
            traceparent=current_traceparent() or self.lease.traceparent,
        )
        with figures.PLACE_SECONDS.time():
            answer = await self._dialling.telephony.place(request, gate)
        self._dialling.learn(answer)
        return answer

    def _told(self, answer: PlaceAnswer) -> AttemptReport:
        figures.ANSWERS.labels(_label(answer)).inc()
        report = self._report_of(answer)
        told = {
            "attempt_id": self.lease.attempt_id,
            "campaign": self.lease.campaign,
            "phone": masked(self.lease.phone_number),
            "call_id": report.call_id,
            "rejection": report.rejection,
            "http_status": report.http_status,
            # A rejection's text is the provider's and may hold the number.
            "reason": None if isinstance(answer, Rejected) else report.message,
        }
        say = log.info if isinstance(answer, Placed) else log.warning
        say(f"call_{report.kind}", **{key: value for key, value in told.items() if value is not None})
        return report

    def _report_of(self, answer: PlaceAnswer) -> AttemptReport:
        if isinstance(answer, Placed):
            return AttemptReport(attempt_id=self.lease.attempt_id, kind=ReportKind.PLACED, call_id=answer.call_id)
        if isinstance(answer, NotSent):
            return self._report(ReportKind.NOT_SENT, message=answer.reason)
        if isinstance(answer, Doubt):
            return self._report(ReportKind.DOUBT, message=answer.reason, http_status=answer.http_status)
        return AttemptReport(
            attempt_id=self.lease.attempt_id,
            kind=ReportKind.REJECTED,
            rejection=answer.rejection,
            http_status=answer.http_status,
            message=answer.message[:500],
            retry_after_seconds=answer.retry_after_seconds,
        )

    def _report(self, kind: ReportKind, *, message: str, http_status: int | None = None) -> AttemptReport:
        return AttemptReport(
            attempt_id=self.lease.attempt_id, kind=kind, message=message[:500], http_status=http_status
        )


def _label(answer: PlaceAnswer) -> str:
    if isinstance(answer, Rejected):
        return f"rejected_{answer.rejection}"
    return {Placed: "placed", NotSent: "not_sent", Doubt: "doubt"}[type(answer)]
