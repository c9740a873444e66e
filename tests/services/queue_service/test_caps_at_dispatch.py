"""Caps, spacing and rests hold when a call is dispatched, not only when it was planned."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadline.contracts.leases import MarkAnswer
from leadline.runtime.postgres import Pool
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.scenes import SECOND, TWO_CAMPAIGNS, call, campaign, due_lead, policy_with

NEXT_OPENING = datetime(2026, 1, 7, 16, 0, tzinfo=UTC)
ELSEWHERE = """
INSERT INTO attempts (id, lead_id, campaign, phone_number, origin, attempt_no, state, leased_at, closed_at, outcome)
SELECT gen_random_uuid(), l.id, l.campaign, l.phone_number, 'elsewhere', 1, 'ended', business_now(), business_now(),
       'NO_ANSWER'
FROM leads l, generate_series(1, $1) WHERE l.campaign = 'awhealth'
"""
"""Calls that were made elsewhere while a lease was out."""


async def test_the_life_of_eight_calls(desk: Desk) -> None:
    """The spec's example: every wait counts from the end of the call before, and calls take no time here."""
    lead_id = await due_lead(desk)
    for minute in (0, 1, 6, 16, 46, 106, 226, 346):
        at = TUESDAY_NOON + timedelta(minutes=minute, seconds=5)
        if minute:
            await desk.set_now(at - timedelta(seconds=30))
            assert (await desk.lease(1, 0.1)).leases == []
        await desk.set_now(at)
        lease = await desk.place(f"call-{minute}")
        ended = (TUESDAY_NOON + timedelta(minutes=minute)).isoformat()
        await desk.event(result(lease.attempt_id, f"call-{minute}", end_at=ended))
        await desk.pool.execute("UPDATE due_leads SET due_at = date_trunc('minute', due_at)")
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason, lead.attempts) == ("completed", "exhausted", 8)


async def test_a_lead_that_used_up_its_day_comes_again_on_the_next_opening_day(pool: Pool) -> None:
    async with desk_open(pool, policy_with(campaign(max_daily_attempts=2))) as desk:
        lead_id = await due_lead(desk)
        await call(desk, "call-1")
        await desk.set_now(TUESDAY_NOON + timedelta(minutes=5))
        await call(desk, "call-2")
        lead = await desk.lead(lead_id)
        assert (lead.status, lead.attempts_today, lead.next_redial_at) == ("pending", 2, NEXT_OPENING)


@pytest.mark.parametrize(
    ("rules", "calls", "reason", "status"),
    [
        ({"max_attempts": 3}, 3, "life_cap_reached", "completed"),
        ({"max_daily_attempts": 3}, 3, "day_cap_reached", "pending"),
    ],
)
async def test_a_cap_that_fills_up_after_the_lease_refuses_the_mark(
    pool: Pool, rules: dict[str, Any], calls: int, reason: str, status: str
) -> None:
    async with desk_open(pool, policy_with(campaign(**rules))) as desk:
        lead_id = await due_lead(desk)
        lease = await desk.lease_one()
        await desk.pool.execute(ELSEWHERE, calls)
        (answer,) = await desk.mark(lease.attempt_id)
        assert (answer.answer, answer.reason) == (MarkAnswer.NO, reason)
        lead = await desk.lead(lead_id)
        assert lead.status == status
        assert lead.next_redial_at == (None if status == "completed" else NEXT_OPENING)


async def test_the_day_cap_is_the_numbers_over_all_campaigns(pool: Pool) -> None:
    policy = policy_with(campaign(max_daily_attempts=2), campaign(SECOND, max_daily_attempts=2))
    async with desk_open(pool, policy) as desk:
        await desk.post_lead()
        await desk.post_lead(campaign=SECOND)
        called = []
        for n in range(2):
            lease = await call(desk, f"call-{n}")
            called.append(lease.campaign)
            await desk.set_now(TUESDAY_NOON + timedelta(minutes=2 + 10 * n))
        assert sorted(called) == ["awhealth", "second"]
        assert (await desk.lease(1, 0.5)).leases == []
        due = [lead.next_redial_at for lead in await desk.leads_of(PHONE)]
        assert due == [NEXT_OPENING, NEXT_OPENING]


async def test_the_day_is_the_dialling_campaigns_own(pool: Pool) -> None:
    """Midnight in New York ends the day, whatever the day of UTC."""
    policy = policy_with(campaign(hours="Mon-Sun 00:00-24:00", max_daily_attempts=1, legal_profile="none"))
    late = datetime(2026, 1, 7, 4, 50, tzinfo=UTC)
    async with desk_open(pool, policy, late) as desk:
        lead_id = await due_lead(desk)
        await call(desk, "call-1")
        assert (await desk.lead(lead_id)).next_redial_at == datetime(2026, 1, 7, 5, 0, tzinfo=UTC)


async def test_two_calls_to_one_number_keep_their_distance(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await desk.post_lead()
        await desk.post_lead(campaign=SECOND)
        first = await call(desk, "call-1")
        assert (await desk.lease(1, 0.5)).leases == []
        (row,) = await desk.fetch("SELECT last_sent_by FROM phones")
        due = [lead.next_redial_at for lead in await desk.leads_of(PHONE) if lead.campaign != first.campaign]
        assert due == [row["last_sent_by"] + timedelta(seconds=10)]
        await desk.set_now(TUESDAY_NOON + timedelta(seconds=20))
        assert (await desk.lease_one()).campaign != first.campaign


async def test_a_number_rests_after_a_transfer_for_every_campaign(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await desk.post_lead()
        first = await call(desk, warm_transfer_call={"state": "MERGED"}, answered_by="human")
        rest = (await desk.fetch("SELECT rest_until FROM phones"))[0]["rest_until"]
        assert rest - TUESDAY_NOON >= timedelta(minutes=30)
        other = await desk.post_lead(campaign=SECOND)
        assert first.campaign != SECOND
        assert (await desk.lead(other.id)).next_redial_at == rest
        await desk.set_now(TUESDAY_NOON + timedelta(minutes=29))
        assert (await desk.lease(1, 0.3)).leases == []


async def test_a_rest_that_begins_after_the_lease_refuses_the_mark(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await desk.pool.execute("UPDATE phones SET rest_until = $1", TUESDAY_NOON + timedelta(minutes=30))
    (answer,) = await desk.mark(lease.attempt_id)
    assert (answer.answer, answer.reason) == (MarkAnswer.NO, "number_rests")


async def test_a_number_in_a_call_is_not_called_for_another_campaign(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await desk.post_lead()
        await desk.post_lead(campaign=SECOND)
        first = await desk.place()
        await desk.set_now(TUESDAY_NOON + timedelta(minutes=1))
        assert (await desk.lease(1, 0.5)).leases == []
        due = [lead.next_redial_at for lead in await desk.leads_of(PHONE) if lead.campaign != first.campaign]
        assert due[0] is not None
        assert due[0] > TUESDAY_NOON + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (datetime(2026, 1, 7, 0, 59, 59, tzinfo=UTC), None),
        (datetime(2026, 1, 7, 1, 0, tzinfo=UTC), datetime(2026, 1, 7, 16, 0, tzinfo=UTC)),
        (datetime(2026, 1, 10, 17, 0, tzinfo=UTC), datetime(2026, 1, 12, 16, 0, tzinfo=UTC)),
        (datetime(2026, 1, 6, 15, 59, tzinfo=UTC), datetime(2026, 1, 6, 16, 0, tzinfo=UTC)),
    ],
    ids=["a second before closing", "at closing", "on Saturday", "before opening"],
)
async def test_a_lead_that_comes_outside_calling_hours_waits_for_the_opening(
    pool: Pool, at: datetime, due: datetime | None
) -> None:
    async with desk_open(pool, policy_with(), at) as desk:
        lead_id = await due_lead(desk)
        found = (await desk.lead(lead_id)).next_redial_at
        assert found is not None
        assert (found <= at + timedelta(seconds=1)) if due is None else found == due


async def test_the_law_of_the_person_called_holds_beside_the_campaigns_hours(pool: Pool) -> None:
    always = policy_with(campaign(hours="Mon-Sun 00:00-24:00"))
    seven_in_the_morning = datetime(2026, 1, 6, 12, 0, tzinfo=UTC)
    async with desk_open(pool, always, seven_in_the_morning) as desk:
        lead_id = await due_lead(desk)
        assert (await desk.lead(lead_id)).next_redial_at == datetime(2026, 1, 6, 13, 0, tzinfo=UTC)
        western = await due_lead(desk, "+15615550124", state="CA")
        assert (await desk.lead(western)).next_redial_at == datetime(2026, 1, 6, 16, 0, tzinfo=UTC)
