"""Tells the CRM what stands in the outbox: results of calls, and numbers that said stop."""

from collections.abc import Sequence
from typing import Final

from leadline.clients.queue_crm import CrmQueue
from leadline.contracts.crm import OutboxKind, OutboxMessage, OutboxReport, SendResult, SentMessage, TakeRequest
from leadline.crm.port import CallNews, Crm, Told
from leadline.domain.ids import PhoneNumber
from leadline.domain.outcome import Outcome
from leadline.domain.phone import masked
from leadline.runtime.logging import get_logger
from services.crm_sync import figures
from services.crm_sync.carrying import Job
from services.crm_sync.patience import Patience

NO_LEAD: Final = "the lead has no id of the CRM"
log = get_logger(__name__)


class Telling:
    """The outbox's work."""

    def __init__(self, crm: Crm, queue: CrmQueue, patience: Patience) -> None:
        """`patience` learns from every answer of the CRM."""
        self._crm = crm
        self._queue = queue
        self._patience = patience

    def job(self) -> Job[OutboxMessage, SentMessage]:
        """For a carrier."""
        return Job("messages", self._take, self._tell, self._report)

    async def _take(self, request: TakeRequest) -> Sequence[OutboxMessage]:
        return (await self._queue.take_outbox(request)).messages

    async def _report(self, results: list[SentMessage]) -> None:
        await self._queue.report_outbox(OutboxReport(results=results))

    async def _tell(self, message: OutboxMessage) -> SentMessage:
        told = _cannot_be_told(message)
        if told is None:
            told = await self._ask(message)
            later = told.result is SendResult.LATER
            self._patience.note(later=later, retry_after_seconds=told.retry_after_seconds)
        figures.MESSAGES.labels(message.kind, told.result).inc()
        say = log.info if told.result is SendResult.SENT else log.warning
        say(
            "crm_message_told",
            message_id=message.id,
            kind=message.kind,
            outcome=message.outcome,
            phone=masked(message.phone_number),
            result=told.result,
            problem=told.problem,
            tries=message.tries,
        )
        return SentMessage(
            id=message.id,
            result=told.result,
            problem=None if told.problem is None else told.problem[:500],
            retry_after_seconds=told.retry_after_seconds,
        )

    async def _ask(self, message: OutboxMessage) -> Told:
        phone_number = PhoneNumber(message.phone_number)
        if message.kind is OutboxKind.SUPPRESSION:
            return await self._crm.suppress(phone_number, message.reason or "stop")
        assert message.crm_lead_id is not None
        assert message.outcome is not None
        return await self._crm.tell_result(
            CallNews(
                crm_lead_id=message.crm_lead_id,
                crm_list_id=message.crm_list_id,
                phone_number=phone_number,
                outcome=Outcome(message.outcome),
                fields=message.fields,
                keeps_status=message.keeps_status,
            )
        )


def _cannot_be_told(message: OutboxMessage) -> Told | None:
    """Why the CRM need not be asked; None if it is to be."""
    if message.kind is OutboxKind.SUPPRESSION:
        return None
    if not message.crm_lead_id:
        return Told(SendResult.REFUSED, NO_LEAD)
    if message.outcome is None:
        return Told(SendResult.REFUSED, "the message has no outcome")
    if message.outcome not in Outcome.__members__.values():
        # A newer queue-service knows more outcomes; the sync that comes with it will tell this one.
        return Told(SendResult.LATER, f"this version knows no outcome {message.outcome[:40]}")
    return None
