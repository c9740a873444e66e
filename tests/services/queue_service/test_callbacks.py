"""Callbacks: at the time that the person named, outside the cadence, inside hours and caps."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadline.contracts.leases import ReportKind
from leadline.runtime.postgres import Pool
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.scenes import call, campaign, due_lead, policy_with

TOMORROW = "2026-01-07T15:30:00-05:00"
TOMORROW_AT = datetime(2026, 1, 7, 20, 30, tzinfo=UTC)


def asked(at: str | None = None, **fields: Any) -> dict[str, Any]:
    """The person asked to be called back, at a time or without one."""
    variables = {"callback_requested": True} | ({"callback_requested_at": at} if at else {})
    return {"status": "completed", "answered_by": "human", "variables": variables, **fields}


async def test_it_is_called_at_the_time_that_was_named(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await call(desk, **asked(TOMORROW))
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.next_redial_at, lead.scheduled_callback_at) == ("rescheduled", TOMORROW_AT, TOMORROW_AT)
    await desk.set_now(TOMORROW_AT - timedelta(minutes=1))
    assert (await desk.lease(1, 0.3)).leases == []
    await desk.set_now(TOMORROW_AT)
    assert (await desk.lease_one()).phone_number == PHONE


async def test_after_it_the_cadence_goes_on(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await call(desk, **asked(TOMORROW))
    await desk.set_now(TOMORROW_AT)
    await call(desk, "call-2")
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.scheduled_callback_at, lead.attempts) == ("pending", None, 2)
    assert lead.next_redial_at is not None
    assert timedelta(minutes=4) < lead.next_redial_at - TOMORROW_AT < timedelta(minutes=7)


@pytest.mark.parametrize("said", [None, "whenever", "tomorrow", "2026-01-07", "2020-01-01T10:00"])
async def test_without_a_usable_time_the_cadence_goes_on_and_it_is_counted(desk: Desk, said: str | None) -> None:
    lead_id = await due_lead(desk)
    await call(desk, **asked(said))
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.attempts, lead.last_outcome) == ("pending", 1, "CALLBACK")


async def test_a_time_between_the_end_of_the_call_and_now_is_due_at_once(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.place()
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=30))
    ended = TUESDAY_NOON + timedelta(minutes=2)
    wanted = (TUESDAY_NOON + timedelta(minutes=20)).isoformat()
    await desk.event(result(lease.attempt_id, **asked(wanted, end_at=ended.isoformat())))
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.scheduled_callback_at) == ("rescheduled", TUESDAY_NOON + timedelta(minutes=20))
    assert (await desk.lease_one()).lead_id == lead_id


async def test_a_wish_outside_calling_hours_moves_to_the_next_opening(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await call(desk, **asked("2026-01-06T21:30:00"))
    lead = await desk.lead(lead_id)
    assert lead.scheduled_callback_at == datetime(2026, 1, 7, 2, 30, tzinfo=UTC)
    assert lead.next_redial_at == datetime(2026, 1, 7, 16, 0, tzinfo=UTC)


async def test_a_time_without_an_offset_is_the_numbers_own(desk: Desk) -> None:
    los_angeles = "+12135550123"
    lead_id = await due_lead(desk, los_angeles)
    await call(desk, **asked("2026-01-07T10:30:00"))
    assert (await desk.lead(lead_id)).next_redial_at == datetime(2026, 1, 7, 18, 30, tzinfo=UTC)


async def test_one_promised_on_the_last_attempt_gets_one_attempt_more_and_no_more(pool: Pool) -> None:
    async with desk_open(pool, policy_with(campaign(max_attempts=1))) as desk:
        lead_id = await due_lead(desk)
        await call(desk, **asked(TOMORROW))
        assert (await desk.lead(lead_id)).status == "rescheduled"
        await desk.set_now(TOMORROW_AT)
        await call(desk, "call-2", **asked("2026-01-08T15:30:00-05:00"))
        lead = await desk.lead(lead_id)
        assert (lead.status, lead.status_reason, lead.attempts) == ("completed", "exhausted", 2)


async def test_the_extra_attempt_is_a_setting(pool: Pool) -> None:
    async with desk_open(pool, policy_with(campaign(max_attempts=1, extra_callback_attempt=False))) as desk:
        lead_id = await due_lead(desk)
        await call(desk, **asked(TOMORROW))
        assert (await desk.lead(lead_id)).status_reason == "exhausted"


@pytest.mark.parametrize("how", ["refused", "not_sent", "returned", "expired"])
async def test_a_promise_outlives_a_call_that_came_to_nothing(desk: Desk, how: str) -> None:
    lead_id = await due_lead(desk)
    await call(desk, **asked(TOMORROW))
    await desk.set_now(TOMORROW_AT)
    lease = await desk.lease_one()
    if how == "refused":
        await desk.pool.execute("UPDATE phones SET rest_until = $1", TOMORROW_AT + timedelta(minutes=10))
        await desk.mark(lease.attempt_id)
    elif how == "expired":
        await desk.pool.execute("UPDATE open_attempts SET deadline_at = '-infinity'")
        await desk.service.expire()
    else:
        await desk.report(lease.attempt_id, ReportKind(how))
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.scheduled_callback_at) == ("rescheduled", TOMORROW_AT)


async def test_a_wish_is_kept_whatever_the_outcome_unless_it_is_final(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.place()
    merged = {"warm_transfer_call": {"state": "MERGED"}}
    stored = await desk.event(result(lease.attempt_id, **asked(TOMORROW, **merged)))
    assert stored.outcome == "TRANSFERRED"
    assert (await desk.lead(lead_id)).status == "rescheduled"
    await desk.event(result(lease.attempt_id, **asked(TOMORROW, disposition_tag="SALE")))
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason, lead.scheduled_callback_at) == ("completed", "sale", None)
