"""Gauges of the provider's account: gates, caps, pace, the clock, and attempts that are open."""

from datetime import timedelta

import pytest

from leadline.domain.attempt import OPEN_STATES, AttemptState
from leadline.runtime.postgres import Pool
from leadline.store import gate
from services.queue_service.measuring.account import (
    CAP_LIMIT,
    CAP_USED,
    GATE_CLOSED,
    OLDEST_OPEN,
    OPEN,
    PACE,
    SPEED,
)
from services.queue_service.policy import PLAN_CAPS
from tests.services.queue_service.desk import TUESDAY_NOON, Desk, desk_open, make_policy
from tests.services.queue_service.measuring.shown import fast, has_age, of, spread
from tests.services.queue_service.scenes import bring_to, due_lead, lease_all
from tests.support.phones import fresh_phones

OTHER_SYSTEM = "UPDATE dispatch_gate SET system_identifier = system_identifier - 1"
OPEN_BY_STATE = "SELECT a.state, count(*) AS n FROM open_attempts o JOIN attempts a ON a.id = o.attempt_id GROUP BY 1"
SINCE = """
SELECT min(marked_at) FILTER (WHERE state = 'unknown') AS unknown,
       min(placed_at) FILTER (WHERE state = 'placed') AS placed FROM attempts
"""
SENT = """
SELECT count(*) AS n FROM attempts
WHERE counted AND state <> 'leased' AND coalesce(marked_at, leased_at) > business_now() - $1::interval
"""


async def attempts_in(desk: Desk, *states: AttemptState) -> None:
    """One attempt in each state, each of a lead of its own."""
    phones = fresh_phones(len(states))
    for phone in phones:
        await due_lead(desk, phone)
    leases = await lease_all(desk, len(phones))
    for phone, state in zip(phones, states, strict=True):
        await bring_to(desk, leases[phone], state)


# ---------------------------------------------------------------- gates


async def test_what_holds_all_dialling(desk: Desk) -> None:
    assert spread(await fast(desk), GATE_CLOSED) == {}
    async with desk.pool.acquire() as conn:
        await gate.pause_account(conn, TUESDAY_NOON, "no balance", automatic=True)
    values = await fast(desk)
    assert (of(values, GATE_CLOSED, "account_pause"), of(values, GATE_CLOSED, "dispatch_hold")) == (1, 0)


async def test_a_failover_holds_dispatch_before_and_after_it_is_noticed(desk: Desk) -> None:
    await desk.pool.execute(OTHER_SYSTEM)
    assert of(await fast(desk), GATE_CLOSED, "dispatch_hold") == 1
    async with desk.pool.acquire() as conn:
        await gate.hold_dispatch(conn, TUESDAY_NOON, "failover")
    assert of(await fast(desk), GATE_CLOSED, "dispatch_hold") == 1


# ---------------------------------------------------------------- pace and clock


@pytest.mark.parametrize("speed", [1.0, 60.0])
async def test_the_pace_is_of_real_seconds(pool: Pool, speed: float) -> None:
    async with desk_open(pool, make_policy(calls_per_second=5.0)) as desk:
        await desk.set_now(TUESDAY_NOON + timedelta(minutes=1), speed=speed)
        values = await fast(desk)
        assert (of(values, PACE), of(values, SPEED)) == (5 * speed, speed)


# ---------------------------------------------------------------- open attempts


async def test_open_attempts_by_state(desk: Desk) -> None:
    assert {state: of(await fast(desk), OPEN, state) for state in OPEN_STATES} == dict.fromkeys(OPEN_STATES, 0)
    await attempts_in(
        desk,
        AttemptState.LEASED,
        AttemptState.SENDING,
        AttemptState.PLACED,
        AttemptState.PLACED,
        AttemptState.UNKNOWN,
        AttemptState.ENDED,
        AttemptState.RELEASED,
        AttemptState.REJECTED,
        AttemptState.ABANDONED,
    )
    in_sql = {row["state"]: row["n"] for row in await desk.fetch(OPEN_BY_STATE)}
    assert spread(await fast(desk), OPEN) == in_sql == {"leased": 1, "sending": 1, "placed": 2, "unknown": 1}


@pytest.mark.parametrize("speed", [1.0, 60.0])
async def test_the_oldest_open_attempt_of_a_state(desk: Desk, speed: float) -> None:
    await attempts_in(desk, AttemptState.UNKNOWN)
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=5))
    await attempts_in(desk, AttemptState.UNKNOWN, AttemptState.PLACED)
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=10), speed=speed)
    (row,) = await desk.fetch(SINCE)
    await has_age(desk, row["unknown"], OLDEST_OPEN, "unknown")
    await has_age(desk, row["placed"], OLDEST_OPEN, "placed")
    assert of(await fast(desk), OLDEST_OPEN, "leased") == 0


# ---------------------------------------------------------------- caps


async def test_a_plan_without_caps_has_no_samples_of_them(desk: Desk) -> None:
    values = await fast(desk)
    assert (spread(values, CAP_LIMIT), spread(values, CAP_USED)) == ({}, {})


async def test_the_smallest_plans_caps_and_what_counts_against_them(pool: Pool) -> None:
    async with desk_open(pool, make_policy(caps=PLAN_CAPS["start"])) as desk:
        values = await fast(desk)
        assert spread(values, CAP_LIMIT) == {"concurrent": 10, "hour": 100, "day": 100}
        assert [of(values, CAP_USED, cap) for cap in ("concurrent", "hour", "day")] == [0, 0, 0]
        await attempts_in(desk, AttemptState.ENDED, AttemptState.ENDED, AttemptState.RELEASED)
        await desk.pool.execute("UPDATE due_leads SET due_at = due_at + interval '1 day'")
        await desk.set_now(TUESDAY_NOON + timedelta(hours=2))
        await attempts_in(desk, AttemptState.PLACED, AttemptState.SENDING, AttemptState.REJECTED)
        assert spread(await fast(desk), CAP_USED) == {"concurrent": 2, "hour": 2, "day": 4}
        for hours, used in ((1, 2), (24, 4)):
            (row,) = await desk.fetch(SENT, timedelta(hours=hours))
            assert row["n"] == used


async def test_a_lease_is_no_call_yet(pool: Pool) -> None:
    async with desk_open(pool, make_policy(caps=PLAN_CAPS["start"])) as desk:
        await attempts_in(desk, AttemptState.LEASED)
        assert of(await fast(desk), CAP_USED, "concurrent") == 0
