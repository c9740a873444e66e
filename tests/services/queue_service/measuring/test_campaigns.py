"""Gauges of each campaign: hours, switches, the lead that waits for longest, promised callbacks."""

from datetime import UTC, datetime, timedelta

import pytest

from leadline.domain.ids import CampaignName
from leadline.domain.rules.hours import parse_calling_hours
from leadline.runtime.postgres import Pool
from leadline.store import gate
from services.queue_service.measuring import campaigns
from services.queue_service.measuring.campaigns import (
    CALLBACKS_DUE,
    CALLBACKS_LOOKED_AT,
    CALLBACKS_OVERDUE,
    NEXT_OPENING,
    OLDEST_DUE,
    PAUSED,
    WINDOW_OPEN,
    next_opening,
)
from tests.services.queue_service.desk import CAMPAIGN, TUESDAY_NOON, Desk, desk_open, make_policy
from tests.services.queue_service.measuring.shown import fast, has_age, in_campaign, of, real
from tests.services.queue_service.scenes import ALWAYS, SECOND, TWO_CAMPAIGNS, call, campaign, due_lead, policy_with
from tests.support.phones import fresh_phones

OPENING = TUESDAY_NOON.replace(hour=16, minute=0)
"""In New York eleven o'clock, 72 minutes before the tests begin."""
TOMORROW = OPENING + timedelta(days=1)
CLOSING = OPENING + timedelta(hours=9)
PROMISED_AT = TUESDAY_NOON + timedelta(minutes=30)
WAITING = (OLDEST_DUE, CALLBACKS_DUE, CALLBACKS_OVERDUE)
MINUTE = 60.0
SLACK = 0.5
"""Both clocks are read in one row, a moment apart."""


async def promised(desk: Desk, phone_number: str) -> None:
    """A lead whose person is to be called back at PROMISED_AT."""
    await due_lead(desk, phone_number)
    variables = {"callback_requested": True, "callback_requested_at": PROMISED_AT.isoformat()}
    await call(desk, f"of-{phone_number}", status="completed", answered_by="human", variables=variables)


async def waits_since(desk: Desk, campaign: CampaignName = CAMPAIGN) -> None:
    """The lead that has been due for longest is shown with its age."""
    (row,) = await desk.fetch("SELECT min(due_at) AS at FROM due_leads WHERE campaign = $1", campaign)
    await has_age(desk, row["at"], OLDEST_DUE, campaign)


# ---------------------------------------------------------------- hours and switches


async def test_while_the_window_is_open_the_next_opening_is_tomorrows(desk: Desk) -> None:
    values = await fast(desk)
    assert in_campaign(values, (WINDOW_OPEN, PAUSED)) == [1, 0]
    assert of(values, NEXT_OPENING, CAMPAIGN) == pytest.approx(await real(desk, TOMORROW), abs=SLACK)


async def test_a_window_that_opens_soon(pool: Pool) -> None:
    async with desk_open(pool, make_policy(), OPENING - timedelta(hours=2)) as desk:
        await due_lead(desk)
        values = await fast(desk)
        assert in_campaign(values, (WINDOW_OPEN, *WAITING)) == [0, 0, 0, 0]
        assert of(values, NEXT_OPENING, CAMPAIGN) == pytest.approx(await real(desk, OPENING), abs=SLACK)


async def test_real_time_passes_sixty_times_slower_than_a_fast_business_day(pool: Pool) -> None:
    async with desk_open(pool, make_policy(), OPENING - timedelta(hours=2)) as desk:
        await desk.set_now(OPENING - timedelta(hours=1), speed=60)
        (clock,) = await desk.fetch("SELECT extract(epoch FROM real_at)::float8 AS real_at FROM clock")
        assert of(await fast(desk), NEXT_OPENING, CAMPAIGN) == pytest.approx(clock["real_at"] + MINUTE, abs=SLACK)


async def test_without_a_clock_of_its_own_business_time_is_real_time(pool: Pool) -> None:
    policy = policy_with(campaign(hours="Mon-Sun 00:00-00:01"))
    async with desk_open(pool, policy, None) as desk:
        opens_at = next_opening(policy.campaigns[CAMPAIGN].hours, datetime.now(UTC))
        assert opens_at is not None
        assert of(await fast(desk), NEXT_OPENING, CAMPAIGN) == pytest.approx(opens_at.timestamp(), abs=SLACK)


def test_hours_that_never_close_or_never_open_have_no_next_opening() -> None:
    always = parse_calling_hours(ALWAYS, "America/New_York")
    a_year = [TUESDAY_NOON.date() + timedelta(days=n) for n in range(-1, 800)]
    never = parse_calling_hours("Mon-Fri 11:00-20:00", "America/New_York", a_year)
    assert next_opening(always, TUESDAY_NOON) is None
    assert next_opening(never, TUESDAY_NOON) is None


async def test_hours_that_never_close_have_no_sample_of_it(pool: Pool) -> None:
    async with desk_open(pool, policy_with(campaign(hours=ALWAYS))) as desk:
        assert in_campaign(await fast(desk), (WINDOW_OPEN, NEXT_OPENING)) == [1, None]


async def test_a_paused_campaign_has_nothing_due_and_the_other_has(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await due_lead(desk)
        await desk.post_lead(campaign=SECOND)
        await desk.set_now(TUESDAY_NOON + timedelta(minutes=1))
        async with pool.acquire() as conn:
            await gate.pause_campaign(conn, CAMPAIGN, TUESDAY_NOON, "asked", automatic=False)
        values = await fast(desk)
        assert in_campaign(values, (PAUSED, OLDEST_DUE)) == [1, 0]
        assert of(values, PAUSED, SECOND) == 0
        await waits_since(desk, SECOND)


# ---------------------------------------------------------------- what is due


async def test_the_lead_that_waits_for_longest(desk: Desk) -> None:
    assert in_campaign(await fast(desk), WAITING) == [0, 0, 0]
    for phone in fresh_phones(3):
        await desk.post_lead(phone)
    await desk.pool.execute(
        "UPDATE due_leads SET band = 2, due_at = due_at - interval '5 minutes'"
        " WHERE lead_id = (SELECT lead_id FROM due_leads LIMIT 1)"
    )
    await waits_since(desk)
    assert (of(await fast(desk), OLDEST_DUE, CAMPAIGN) or 0) >= 5 * MINUTE


async def test_its_wait_is_real_time(desk: Desk) -> None:
    await due_lead(desk)
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=30), speed=60)
    await waits_since(desk)


async def test_a_lead_that_is_leased_or_not_due_yet_does_not_wait(desk: Desk) -> None:
    await due_lead(desk)
    await desk.lease_one()
    assert of(await fast(desk), OLDEST_DUE, CAMPAIGN) == 0


async def test_while_the_account_is_paused_nothing_waits(desk: Desk) -> None:
    await due_lead(desk)
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=1))
    async with desk.pool.acquire() as conn:
        await gate.pause_account(conn, TUESDAY_NOON, "no balance", automatic=True)
    assert of(await fast(desk), OLDEST_DUE, CAMPAIGN) == 0


async def test_what_was_left_over_at_closing_time_waits_again_from_the_opening_on(desk: Desk) -> None:
    await due_lead(desk)
    await desk.set_now(CLOSING)
    assert of(await fast(desk), OLDEST_DUE, CAMPAIGN) == 0
    await desk.set_now(TOMORROW)
    await waits_since(desk)


# ---------------------------------------------------------------- callbacks


async def test_callbacks_are_due_at_their_time_and_overdue_a_quarter_of_an_hour_later(desk: Desk) -> None:
    first, other, plain = fresh_phones(3)
    for phone in (first, other):
        await promised(desk, phone)
    assert in_campaign(await fast(desk), WAITING) == [0, 0, 0]
    await desk.set_now(PROMISED_AT)
    await due_lead(desk, plain)
    assert in_campaign(await fast(desk), (CALLBACKS_DUE, CALLBACKS_OVERDUE)) == [2, 0]
    await desk.set_now(PROMISED_AT + timedelta(minutes=15, seconds=1))
    assert in_campaign(await fast(desk), (CALLBACKS_DUE, CALLBACKS_OVERDUE)) == [2, 2]
    (row,) = await desk.fetch(
        "SELECT count(*) FILTER (WHERE l.scheduled_callback_at <= business_now() - interval '15 minutes') AS n"
        " FROM due_leads d JOIN leads l ON l.id = d.lead_id WHERE l.status = 'rescheduled' AND NOT d.calling"
    )
    assert row["n"] == 2
    assert len((await desk.lease(1, 2)).leases) == 1
    assert in_campaign(await fast(desk), (CALLBACKS_DUE, CALLBACKS_OVERDUE)) == [1, 1]


async def test_a_callback_in_a_closed_campaign_is_not_due(desk: Desk) -> None:
    await promised(desk, fresh_phones(1)[0])
    await desk.set_now(CLOSING)
    assert in_campaign(await fast(desk), (CALLBACKS_DUE, CALLBACKS_OVERDUE)) == [0, 0]


async def test_callbacks_are_looked_for_among_the_fresh_leads_that_are_due_longest(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CALLBACKS_LOOKED_AT >= 1000
    monkeypatch.setattr(campaigns, "CALLBACKS_LOOKED_AT", 3)
    await promised(desk, fresh_phones(1)[0])
    for phone in fresh_phones(4):
        await due_lead(desk, phone)
    await desk.set_now(PROMISED_AT + timedelta(hours=1))
    assert of(await fast(desk), CALLBACKS_DUE, CAMPAIGN) == 0
    await desk.lease(2, 2)
    assert of(await fast(desk), CALLBACKS_DUE, CAMPAIGN) == 1


async def test_a_campaign_that_is_no_longer_configured_is_not_shown(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await desk.post_lead(campaign=SECOND)
        values = await fast(desk, make_policy())
        assert {name[1] for name in values if name[0] == OLDEST_DUE.name} == {CAMPAIGN}
