"""The way of one attempt through the queue-service, and what is not allowed on it."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from leadline.contracts.leases import MarkAnswer, ReportKind
from leadline.store.clock import set_clock
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, result


async def test_a_lead_is_called_at_once_and_redialled_by_the_cadence(desk: Desk) -> None:
    accepted = await desk.post_lead(first_name="Maria", state="fl")
    assert accepted.status == "queued"
    lease = await desk.place()
    assert lease.phone_number == PHONE
    assert lease.request_data == {"first_name": "Maria", "lead_id": "410233", "list_id": "1029"}
    assert (await desk.lead(accepted.id)).status == "calling"
    stored = await desk.event(result(lease.attempt_id))
    assert (stored.disposition, stored.kind, stored.outcome) == ("applied", "result", "NO_ANSWER")
    lead = await desk.lead(accepted.id)
    assert (lead.status, lead.attempts, lead.outcomes) == ("pending", 1, ["NO_ANSWER"])
    assert lead.next_redial_at is not None
    assert timedelta(seconds=59) < lead.next_redial_at - TUESDAY_NOON < timedelta(seconds=90)
    assert (await desk.lease(1, 0)).leases == []


async def test_a_lead_is_answered_the_moment_it_falls_due(desk: Desk) -> None:
    waiting = asyncio.create_task(desk.lease(1, 10))
    await asyncio.sleep(0.05)
    await desk.post_lead()
    batch = await asyncio.wait_for(waiting, 5)
    assert len(batch.leases) == 1


async def test_the_same_operation_id_gets_the_same_go(desk: Desk) -> None:
    await desk.post_lead()
    lease = await desk.lease_one()
    operation = uuid4()
    first = await desk.mark(lease.attempt_id, operation_id=operation)
    again = await desk.mark(lease.attempt_id, operation_id=operation)
    other = await desk.mark(lease.attempt_id)
    assert first == again
    assert first[0].answer is MarkAnswer.GO
    assert other[0].answer is MarkAnswer.NO


async def test_an_expired_lease_is_released_and_its_lead_is_due_again(desk: Desk) -> None:
    await desk.post_lead()
    lease = await desk.lease_one()
    await desk.pool.execute("UPDATE open_attempts SET deadline_at = clock_timestamp() - interval '1 second'")
    (late,) = await desk.mark(lease.attempt_id)
    assert (late.answer, late.reason) == (MarkAnswer.NO, "lease_expired")
    assert (await desk.lease_one()).attempt_id != lease.attempt_id


async def test_silence_after_the_mark_is_doubt_and_never_a_second_call(desk: Desk) -> None:
    await desk.post_lead()
    lease = await desk.lease_one()
    await desk.mark(lease.attempt_id)
    await desk.pool.execute("UPDATE open_attempts SET deadline_at = clock_timestamp() - interval '1 second'")
    assert await desk.service.expire() == {"leases_expired": 0, "sends_silent": 1}
    assert (await desk.lease(1, 0.2)).leases == []
    early = await desk.report(lease.attempt_id, ReportKind.ABSENT)
    assert (early.state, early.changed) == ("unknown", False)
    await desk.pool.execute("UPDATE open_attempts SET quiet_until = clock_timestamp() - interval '1 second'")
    proven = await desk.report(lease.attempt_id, ReportKind.ABSENT)
    assert proven.state == "not_placed"
    (row,) = await desk.fetch("SELECT due_at FROM due_leads")
    assert row["due_at"] >= TUESDAY_NOON + timedelta(seconds=60)


async def test_the_database_refuses_a_second_live_attempt(desk: Desk) -> None:
    await desk.post_lead()
    await desk.lease_one()
    with pytest.raises(asyncpg.UniqueViolationError):
        await desk.pool.execute(
            "INSERT INTO open_attempts (phone_number, attempt_id, deadline_at) VALUES ($1, $2, now())", PHONE, uuid4()
        )


async def test_the_database_refuses_arrows_that_are_not_drawn(desk: Desk) -> None:
    await desk.post_lead()
    lease = await desk.place()
    await desk.event(result(lease.attempt_id))
    for state in ("leased", "sending", "released", "placed"):
        with pytest.raises(asyncpg.CheckViolationError):
            await desk.pool.execute("UPDATE attempts SET state = $1, outcome = NULL, closed_at = NULL", state)
    with pytest.raises(asyncpg.CheckViolationError):
        await desk.pool.execute("DELETE FROM attempts")


async def test_a_planned_lead_without_a_due_time_does_not_commit(desk: Desk) -> None:
    await desk.post_lead()
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await desk.pool.execute("DELETE FROM due_leads")


async def test_business_time_never_runs_backwards(desk: Desk) -> None:
    async with desk.pool.acquire() as conn:
        with pytest.raises(Exception, match="cannot go back"):
            await set_clock(conn, TUESDAY_NOON - timedelta(hours=1), 1)
        with pytest.raises(asyncpg.CheckViolationError):
            await conn.execute("UPDATE clock SET business_at = business_at - interval '1 hour'")
