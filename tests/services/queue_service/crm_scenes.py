"""Scenes with a CRM: marks that carry its word, statuses that it posts, and a sender of the outbox."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from leadline.contracts.crm import (
    Clearance,
    CrmStep,
    OutboxMessage,
    QuestionAnswer,
    Replayed,
    SendResult,
    SentMessage,
)
from leadline.contracts.events import EventSource, EventStored
from leadline.contracts.leases import Lease, SendMark, SendMarkRequest
from leadline.domain.crm import ClearanceMode, CrmStanding
from services.queue_service.crm import outbox, questions
from tests.services.queue_service.desk import CAMPAIGN, PHONE, TUESDAY_NOON, Desk
from tests.services.queue_service.scenes import SECOND, call, campaign, policy_with

WITH_CRM = policy_with(campaign(), clearance=ClearanceMode.AFTER_TRANSFER)
EVERY_DIAL = policy_with(campaign(), clearance=ClearanceMode.EVERY_DIAL)
TWO_WITH_CRM = policy_with(campaign(CAMPAIGN), campaign(SECOND), clearance=ClearanceMode.AFTER_TRANSFER)

AFTER_THE_REST = TUESDAY_NOON + timedelta(minutes=35)
TRANSFER: dict[str, Any] = {
    "status": "completed",
    "answered_by": "human",
    "warm_transfer_call": {"state": "MERGED"},
    "corrected_duration": "61",
}


async def transfer(desk: Desk, call_id: str = "call-1", until: datetime | None = AFTER_THE_REST) -> Lease:
    """The one due lead is called and transferred; then its number has rested."""
    lease = await call(desk, call_id, **TRANSFER)
    if until is not None:
        await desk.set_now(until)
    return lease


async def mark(
    desk: Desk, lease: Lease, standing: CrmStanding | None = None, operation_id: UUID | None = None, **learned: Any
) -> SendMark:
    """Ask `go?` with the CRM's word, or without."""
    word = [] if standing is None else [Clearance(attempt_id=lease.attempt_id, standing=standing, **learned)]
    request = SendMarkRequest(
        operation_id=operation_id or uuid4(), dialer="d1", attempt_ids=[lease.attempt_id], clearances=word
    )
    return (await desk.service.mark(request)).answers[0]


async def status(desk: Desk, code: str, **named: str) -> EventStored:
    """The CRM posts a status of a lead; of the number that all tests use, unless the test names it otherwise."""
    body = {"status": code, **(named or {"phone_number": PHONE.removeprefix("+1")})}
    return await desk.event(json.dumps(body).encode(), EventSource.CRM)


async def hold_for_crm(desk: Desk) -> UUID:
    """A lead whose number was transferred and of which the CRM then said nothing; its id."""
    lead_id = (await desk.post_lead()).id
    await transfer(desk)
    assert (await mark(desk, await desk.lease_one(), CrmStanding.UNKNOWN, problem="no answer")).answer == "no"
    return lead_id


async def take(desk: Desk, limit: int = 10, seconds: float = 60) -> list[OutboxMessage]:
    """What a sender gets."""
    return (await desk.service.transaction(lambda conn: outbox.take(conn, limit, seconds))).messages


async def sent(desk: Desk, *messages: OutboxMessage, as_: SendResult = SendResult.SENT, **more: Any) -> CrmStep:
    """What a sender reports."""
    results = [SentMessage(id=message.id, result=as_, **more) for message in messages]
    return await desk.service.transaction(lambda conn: outbox.report(conn, results))


async def replay(desk: Desk, *ids: int) -> Replayed:
    """An operator sends dead letters again."""
    return await desk.service.transaction(lambda conn: outbox.replay(conn, ids, "operator"))


async def try_again_now(desk: Desk) -> None:
    """Every back-off is over, and every sender's time too."""
    await desk.pool.execute("UPDATE crm_outbox SET next_try_at = clock_timestamp() - interval '1 second'")
    await desk.pool.execute("UPDATE crm_questions SET next_ask_at = clock_timestamp() - interval '1 second'")


async def states(desk: Desk) -> list[tuple[str, str | None, str]]:
    """The outbox: (kind, outcome, state) in order."""
    rows = await desk.fetch("SELECT kind, outcome, state FROM crm_outbox ORDER BY id")
    return [(row["kind"], row["outcome"], row["state"]) for row in rows]


async def asked(desk: Desk) -> list[UUID]:
    """The leads that are to be asked about now."""
    batch = await desk.service.transaction(lambda conn: questions.take(conn, 10, 60))
    return [question.lead_id for question in batch.questions]


async def answer(desk: Desk, lead_id: UUID, standing: CrmStanding, **learned: Any) -> dict[str, int]:
    """What the CRM said of a held lead."""
    said = [QuestionAnswer(lead_id=lead_id, standing=standing, **learned)]
    step = await desk.service.transaction(lambda conn: questions.answer(conn, desk.service.policy, said))
    desk.service.claimer.poke()
    return step.counters
