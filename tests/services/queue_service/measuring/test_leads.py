"""Gauges that count whole tables equal what SQL says of them, in a scene with some of everything."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from leadline.domain.ids import PhoneNumber
from leadline.domain.lead import HeldReason, LeadStatus
from leadline.runtime.postgres import Pool
from services.queue_service import operating
from services.queue_service.measuring.leads import (
    ATTEMPTS,
    BY_ATTEMPTS,
    DUE_LATER,
    HELD,
    LEADS,
    OLDEST_HELD,
    SUPPRESSIONS,
    WITHIN,
)
from tests.services.queue_service.desk import CAMPAIGN, PHONE, TUESDAY_NOON, Desk, desk_open, make_policy, result
from tests.services.queue_service.measuring.shown import Shown, has_age, of, slow, spread
from tests.services.queue_service.scenes import SECOND, TWO_CAMPAIGNS, call, due_lead
from tests.support.phones import fresh_phones


@pytest.fixture
async def desk(pool: Pool) -> AsyncIterator[Desk]:
    async with desk_open(pool, TWO_CAMPAIGNS) as opened:
        yield opened


async def in_sql(desk: Desk, query: str) -> dict[tuple[str, ...], float]:
    """Counts by all columns but the last."""
    return {tuple(str(value) for value in list(row)[:-1]): float(list(row)[-1]) for row in await desk.fetch(query)}


def counted(values: Shown, name: str) -> dict[tuple[str, ...], float]:
    """Labels and values of a gauge, but those that are 0."""
    return {found[1:]: value for found, value in values.items() if found[0] == name and value}


async def busy(desk: Desk) -> None:
    """Leads of every kind: sold, stopped, called up to twice, met elsewhere, planned for later, of two campaigns."""
    sold, stopped, again, foreign, plain, other = fresh_phones(6)
    await due_lead(desk, sold)
    await call(desk, "sold", status="completed", answered_by="human", disposition_tag="SALE")
    await due_lead(desk, again)
    await call(desk, "again-1")
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=10))
    await call(desk, "again-2")
    await desk.event(result(None, "foreign", to=foreign))
    await due_lead(desk, stopped)
    await desk.service.transaction(
        lambda conn: operating.suppress(
            conn, desk.service.policy, PhoneNumber(stopped), "asked by mail", "operator", "operator"
        )
    )
    await due_lead(desk, plain)
    await desk.post_lead(other, campaign=SECOND)


async def test_an_empty_system_is_all_zeros(desk: Desk) -> None:
    values = await slow(desk)
    assert [of(values, LEADS, c, s) for c in (CAMPAIGN, SECOND) for s in LeadStatus] == [0] * 10
    assert [of(values, BY_ATTEMPTS, c, n) for c in (CAMPAIGN, SECOND) for n in ATTEMPTS] == [0] * 20
    assert [of(values, DUE_LATER, c, w) for c in (CAMPAIGN, SECOND) for w in WITHIN] == [0] * 6
    assert [of(values, HELD, reason) for reason in HeldReason] == [0] * len(HeldReason)
    assert [of(values, OLDEST_HELD, reason) for reason in HeldReason] == [0] * len(HeldReason)
    assert of(values, SUPPRESSIONS) == 0


async def test_a_busy_one_is_what_sql_says(desk: Desk) -> None:
    await busy(desk)
    values = await slow(desk)
    leads = counted(values, LEADS.name)
    assert leads == await in_sql(desk, "SELECT campaign, status, count(*) FROM leads GROUP BY 1, 2")
    assert leads == {
        (CAMPAIGN, "completed"): 2,
        (CAMPAIGN, "pending"): 2,
        (CAMPAIGN, "held"): 1,
        (SECOND, "pending"): 1,
    }
    held = "SELECT status_reason, count(*) FROM leads WHERE status = 'held' GROUP BY 1"
    assert counted(values, HELD.name) == await in_sql(desk, held) == {("foreign",): 1}
    assert of(values, SUPPRESSIONS) == (await desk.fetch("SELECT count(*) AS n FROM suppressions"))[0]["n"] == 1


async def test_leads_by_their_attempts(desk: Desk) -> None:
    await busy(desk)
    by_attempts: dict[tuple[str, ...], float] = {
        (CAMPAIGN, "0"): 2,
        (CAMPAIGN, "1"): 2,
        (CAMPAIGN, "2"): 1,
        (SECOND, "0"): 1,
    }
    assert counted(await slow(desk), BY_ATTEMPTS.name) == by_attempts
    for lead_id, *_ in await desk.fetch("SELECT id FROM leads"):
        attempts = (await desk.lead(lead_id)).attempts
        by_attempts[(await desk.lead(lead_id)).campaign, str(attempts)] -= 1
    assert not any(by_attempts.values())


async def test_attempts_without_a_record_count_and_those_of_an_earlier_life_do_not(desk: Desk) -> None:
    await due_lead(desk)
    await call(desk)
    await desk.pool.execute("UPDATE leads SET attempts_before = 8")
    assert counted(await slow(desk), BY_ATTEMPTS.name) == {(CAMPAIGN, "9+"): 1}
    await desk.pool.execute("UPDATE leads SET attempts_before = 30")
    assert counted(await slow(desk), BY_ATTEMPTS.name) == {(CAMPAIGN, "9+"): 1}
    await desk.pool.execute("UPDATE leads SET attempts_before = 0, life_started_at = business_now()")
    assert counted(await slow(desk), BY_ATTEMPTS.name) == {(CAMPAIGN, "0"): 1}


async def test_leads_that_fall_due_later(desk: Desk) -> None:
    for minutes, phone in zip((-1, 30, 61, 23 * 60, 25 * 60), fresh_phones(5), strict=True):
        lead_id = await due_lead(desk, phone)
        await desk.pool.execute(
            "UPDATE due_leads SET due_at = $2 WHERE lead_id = $1",
            lead_id,
            TUESDAY_NOON + timedelta(minutes=minutes),
        )
    assert counted(await slow(desk), DUE_LATER.name) == {
        (CAMPAIGN, "hour"): 1,
        (CAMPAIGN, "day"): 2,
        (CAMPAIGN, "more"): 1,
    }


@pytest.mark.parametrize("speed", [1.0, 60.0])
async def test_how_long_the_oldest_has_been_held(desk: Desk, speed: float) -> None:
    first, other = fresh_phones(2)
    await desk.event(result(None, "a", to=first))
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=40))
    await desk.event(result(None, "b", to=other))
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=60), speed=speed)
    assert spread(await slow(desk), HELD) == {"foreign": 2}
    (row,) = await desk.fetch("SELECT min(updated_at) AS at FROM leads")
    await has_age(desk, row["at"], OLDEST_HELD, "foreign", read=slow)


async def test_campaigns_that_are_no_longer_configured_are_shown_as_one(desk: Desk) -> None:
    await due_lead(desk, PHONE)
    await desk.post_lead("+15615550124", campaign=SECOND)
    values = await slow(desk, make_policy())
    assert counted(values, LEADS.name) == {(CAMPAIGN, "pending"): 1, ("other", "pending"): 1}
    assert counted(values, BY_ATTEMPTS.name) == {(CAMPAIGN, "0"): 1, ("other", "0"): 1}
