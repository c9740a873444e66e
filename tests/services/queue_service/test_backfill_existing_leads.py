"""Leads that were there before a backfill: old calls count, but never change newer state."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadline.domain.attempt import AttemptState
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk
from tests.services.queue_service.histories import MONDAY, Backfill, listed, said
from tests.services.queue_service.scenes import call, due_lead, state_of

TUESDAY = TUESDAY_NOON - timedelta(minutes=30)


@pytest.fixture
async def run(desk: Desk) -> Backfill:
    """A run over the hours around Monday noon."""
    begun = Backfill(desk)
    await begun.start()
    return begun


async def test_caps_are_counted_from_history(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    run = Backfill(desk)
    await run.start(TUESDAY_NOON - timedelta(hours=3), TUESDAY_NOON)
    earlier = [listed(f"c{n}", TUESDAY_NOON - timedelta(minutes=20 + n)) for n in range(8)]
    await run.record(*earlier)
    lead = await desk.lead(lead_id)
    assert (lead.attempts, lead.attempts_today, lead.status) == (8, 8, "pending")
    assert (await desk.lease()).leases == []


async def test_an_existing_lead_is_not_planned_anew_by_older_calls(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await call(desk)
    before = await desk.lead(lead_id)
    run = Backfill(desk)
    await run.start(MONDAY - timedelta(hours=5), TUESDAY_NOON - timedelta(minutes=15))
    calls = [said("a", "NOT_INTERESTED"), said("b", "CALLBACK", TUESDAY, callback_requested_at="2026-01-08T15:00:00Z")]
    await run.record(*calls, listed("c", TUESDAY, error_message="not in service", completed=True), details=True)
    await run.end_all()
    assert await run.candidates() == []
    after = await desk.lead(lead_id)
    assert (after.status, after.next_redial_at, after.status_reason) == ("pending", before.next_redial_at, None)
    assert (before.attempts, after.attempts) == (1, 4)


async def test_a_newer_call_of_an_existing_lead_settles_when_all_is_read(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await desk.set_now(TUESDAY_NOON + timedelta(hours=3))
    run = Backfill(desk)
    await run.start(TUESDAY_NOON, TUESDAY_NOON + timedelta(hours=2))
    at = TUESDAY_NOON + timedelta(hours=1)
    wants = {"callback_requested": True, "callback_requested_at": "2026-01-07T15:30:00-05:00"}
    await run.record(said("a", "", at, variables=wants), details=True)
    assert (await desk.lead(lead_id)).status == "pending"
    await run.end_all()
    (candidate,) = await run.candidates()
    assert (candidate.lead_id, candidate.ask_crm) == (lead_id, False)
    assert await run.decide_all(None) == {"replanned": 1}
    lead = await desk.lead(lead_id)
    assert lead.status == "rescheduled"
    assert lead.scheduled_callback_at == datetime(2026, 1, 7, 20, 30, tzinfo=UTC)
    assert await run.candidates() == []


async def test_a_newer_no_ends_an_existing_lead_at_once(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.lease_one()
    await desk.set_now(TUESDAY_NOON + timedelta(hours=3))
    run = Backfill(desk)
    await run.start(TUESDAY_NOON - timedelta(hours=1), TUESDAY_NOON + timedelta(hours=2))
    await run.record(said("a", "NOT_INTERESTED", TUESDAY_NOON + timedelta(hours=1)), details=True)
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason) == ("completed", "not_interested")
    assert await state_of(desk, lease.attempt_id) is AttemptState.RELEASED


async def test_a_newer_bad_call_is_no_last_word_if_a_later_one_reached_the_person(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await desk.set_now(TUESDAY_NOON + timedelta(hours=3))
    run = Backfill(desk)
    await run.start(TUESDAY_NOON, TUESDAY_NOON + timedelta(hours=2))
    bad: dict[str, Any] = {
        "completed": True,
        "status": "failed",
        "error_message": "The number you dialed is not in service.",
    }
    await run.record(listed("a", TUESDAY_NOON + timedelta(hours=1), **bad), details=True)
    await run.record(listed("b", TUESDAY_NOON + timedelta(minutes=90)), details=True)
    await run.end_all()
    await run.decide_all()
    assert (await desk.lead(lead_id)).status == "pending"
    assert await desk.fetch("SELECT FROM phones WHERE bad_number_reason IS NOT NULL") == []


async def test_an_old_stop_suppresses_and_an_old_sale_ends(desk: Desk, run: Backfill) -> None:
    other = "+15615550124"
    stopped, sold = await due_lead(desk), await due_lead(desk, other)
    step = await run.record(said("a", "DNC"), said("b", "SALE", to=other), details=True)
    assert step.counters == {"recorded": 2, "suppressed": 1, "sold": 1}
    assert [(await desk.lead(x)).status_reason for x in (stopped, sold)] == ["dnc", "sale"]


@pytest.mark.parametrize(("lifted_after", "status"), [(1, "pending"), (-1, "completed")])
async def test_a_stop_holds_unless_an_operator_lifted_one_since(
    desk: Desk, run: Backfill, lifted_after: int, status: str
) -> None:
    lead_id = await due_lead(desk)
    await desk.pool.execute(
        "INSERT INTO audit_log (at, actor, verb, phone_number) VALUES ($1, 'ann', 'suppression_removed', $2)",
        MONDAY + timedelta(hours=lifted_after),
        PHONE,
    )
    await run.record(said("a", "DNC"), details=True)
    suppressed = await desk.fetch("SELECT FROM suppressions")
    assert ((await desk.lead(lead_id)).status, len(suppressed)) == (status, int(status == "completed"))


async def test_a_sale_from_before_a_lead_was_reopened_is_history(desk: Desk, run: Backfill) -> None:
    lead_id = await due_lead(desk)
    await desk.pool.execute("UPDATE leads SET life_started_at = $1", TUESDAY_NOON)
    await run.record(said("a", "SALE"), details=True)
    assert (await desk.lead(lead_id)).status == "pending"
    assert await desk.fetch("SELECT FROM phones WHERE sold_outcome IS NOT NULL") == []


@pytest.mark.parametrize(
    ("covered_until", "left"),
    [(MONDAY + timedelta(hours=1), (1, 0)), (MONDAY - timedelta(minutes=30), (2, 1)), (None, (3, 2))],
)
async def test_an_imported_attempt_that_turns_up_is_counted_once(
    desk: Desk, run: Backfill, covered_until: datetime | None, left: tuple[int, int]
) -> None:
    lead_id = await due_lead(desk)
    await desk.pool.execute(
        "UPDATE leads SET attempts_before = 3, attempts_before_on = '2026-01-05', attempts_before_that_day = 2,"
        " attempts_before_until = $1",
        covered_until,
    )
    await run.record(listed("a", MONDAY - timedelta(hours=1)), listed("b", MONDAY))
    (row,) = await desk.fetch("SELECT attempts_before, attempts_before_that_day FROM leads")
    assert tuple(row) == left
    assert (await desk.lead(lead_id)).attempts == 2 + left[0]


async def test_imported_attempts_are_never_fewer_than_none(desk: Desk, run: Backfill) -> None:
    lead_id = await due_lead(desk)
    await desk.pool.execute("UPDATE leads SET attempts_before = 1, attempts_before_until = $1", MONDAY)
    await run.record(*(listed(f"c{n}", MONDAY - timedelta(minutes=n)) for n in range(4)))
    assert (await desk.lead(lead_id)).attempts == 4


async def test_an_imported_lead_knows_only_what_was_imported(desk: Desk, run: Backfill) -> None:
    lead_id = await due_lead(desk)
    await desk.pool.execute("UPDATE leads SET attempts_before_until = $1", MONDAY - timedelta(hours=1))
    await run.record(said("a", "NOT_INTERESTED"), details=True)
    assert (await desk.lead(lead_id)).status_reason == "not_interested"
