"""The number that dialers are scaled by: what counts, how far, and what is shown without a reading."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from leadline.contracts.leases import ReportKind
from leadline.domain.attempt import AttemptState
from leadline.domain.rules.scaling import CallsWanted, Work
from leadline.runtime.postgres import Pool, create_pool
from leadline.runtime.settings.parts import DatabasePart
from leadline.store import gate
from services.queue_service.measuring.readings import KEPT_SECONDS
from services.queue_service.policy import PlanCaps, Policy
from services.queue_service.scaling import Reading, ScaleFigures, keep_figures, read_work
from tests.services.queue_service.desk import CAMPAIGN, PHONE, TUESDAY_NOON, Desk, desk_open, make_policy
from tests.services.queue_service.scenes import (
    SECOND,
    TWO_CAMPAIGNS,
    bring_to,
    call,
    due_lead,
    go,
    lease_all,
)
from tests.services.queue_service.web import Web
from tests.support.phones import fresh_phones
from tests.support.waiting import until_true

NINE = TUESDAY_NOON.replace(hour=14, minute=0)
"""In New York, two hours before calls begin."""
OPENING = TUESDAY_NOON.replace(hour=16, minute=0)
CLOSING = TUESDAY_NOON.replace(hour=1, minute=0) + timedelta(days=1)
OTHER_SYSTEM = "UPDATE dispatch_gate SET system_identifier = system_identifier - 1"
NAMES = {
    "leadline_calls_wanted",
    "leadline_calls_wanted_bound",
    "leadline_leads_due_now",
    "leadline_leads_due_soon",
    "leadline_attempts_in_hand",
}
READ_AT = "leadline_calls_wanted_timestamp_seconds"


async def read(desk: Desk, policy: Policy | None = None) -> Reading:
    async with desk.pool.acquire() as conn:
        return await read_work(conn, policy or desk.service.policy)


async def counted(desk: Desk, policy: Policy | None = None) -> tuple[int, int, int]:
    """(due now, due soon, in hand), which nothing bounds here: together they are what is wanted."""
    reading = await read(desk, policy)
    work = reading.work
    assert reading.wanted.wanted == work.due_now + work.due_soon + work.in_hand
    return work.due_now, work.due_soon, work.in_hand


async def post(desk: Desk, count: int) -> Sequence[str]:
    phones = fresh_phones(count)
    for phone in phones:
        await desk.post_lead(phone)
    return phones


# ---------------------------------------------------------------- which leads and attempts count


async def test_nothing_to_do(desk: Desk) -> None:
    assert await counted(desk) == (0, 0, 0)


async def test_what_counts_as_due_is_what_is_leased_and_leasing_changes_nothing(desk: Desk) -> None:
    await post(desk, 7)
    assert await counted(desk) == (7, 0, 0)
    assert len((await desk.lease(3, 2)).leases) == 3
    assert await counted(desk) == (4, 0, 3)
    await lease_all(desk, 4)
    assert await counted(desk) == (0, 0, 7)


@pytest.mark.parametrize(
    ("state", "in_hand", "due_soon"),
    [
        (AttemptState.LEASED, 1, 0),
        (AttemptState.SENDING, 1, 0),
        (AttemptState.PLACED, 0, 0),
        (AttemptState.UNKNOWN, 0, 0),
        (AttemptState.ENDED, 0, 1),
        (AttemptState.ABANDONED, 0, 0),
    ],
)
async def test_an_attempt_is_in_hand_until_it_is_reported(
    desk: Desk, state: AttemptState, in_hand: int, due_soon: int
) -> None:
    """The second call comes a minute after the first one's end; an abandoned one's lead is held."""
    await due_lead(desk)
    await bring_to(desk, await desk.lease_one(), state)
    assert await counted(desk) == (0, due_soon, in_hand)


async def test_a_lease_that_is_given_back_is_due_again_at_once(desk: Desk) -> None:
    await due_lead(desk)
    await bring_to(desk, await desk.lease_one(), AttemptState.RELEASED)
    assert await counted(desk) == (1, 0, 0)


@pytest.mark.parametrize(("look_ahead_seconds", "due_soon"), [(290, 0), (310, 1)])
async def test_leads_that_fall_due_within_the_look_ahead(desk: Desk, look_ahead_seconds: int, due_soon: int) -> None:
    await due_lead(desk)
    await call(desk)
    await desk.pool.execute("UPDATE due_leads SET due_at = business_now() + interval '300 seconds'")
    look_ahead = timedelta(seconds=look_ahead_seconds)
    assert await counted(desk, replace(desk.service.policy, scale_look_ahead=look_ahead)) == (0, due_soon, 0)


@pytest.mark.parametrize("verb", ["pause", "complete"])
async def test_leads_that_an_operator_took_out(web: Web, verb: str) -> None:
    lead_id = await due_lead(web.desk)
    assert await counted(web.desk) == (1, 0, 0)
    assert (await web.verb(lead_id, verb)).status == 200
    assert await counted(web.desk) == (0, 0, 0)


async def test_suppressed_numbers(web: Web) -> None:
    await due_lead(web.desk)
    assert (await web.change("PUT", f"/v1/suppressions/{PHONE}")).status == 200
    assert await counted(web.desk) == (0, 0, 0)


async def test_a_paused_campaign(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await post(desk, 3)
        await desk.post_lead(campaign=SECOND)
        assert await counted(desk) == (4, 0, 0)
        async with pool.acquire() as conn:
            await gate.pause_campaign(conn, CAMPAIGN, TUESDAY_NOON, "asked", automatic=False)
        assert await counted(desk) == (1, 0, 0)


async def test_a_campaign_that_is_no_longer_configured(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await desk.post_lead(campaign=SECOND)
        assert await counted(desk, make_policy()) == (0, 0, 0)


async def test_a_paused_account_gives_out_nothing_and_still_has_what_it_has(desk: Desk) -> None:
    await post(desk, 3)
    assert len((await desk.lease(2, 2)).leases) == 2
    async with desk.pool.acquire() as conn:
        await gate.pause_account(conn, TUESDAY_NOON, "no balance", automatic=True)
    assert await counted(desk) == (0, 0, 2)


async def test_after_a_failover_nothing_is_given_out(desk: Desk) -> None:
    await post(desk, 3)
    await desk.pool.execute(OTHER_SYSTEM)
    assert await counted(desk) == (0, 0, 0)
    async with desk.pool.acquire() as conn:
        await gate.hold_dispatch(conn, TUESDAY_NOON, "failover")
    assert await counted(desk) == (0, 0, 0)


async def test_dialers_are_wanted_a_look_ahead_before_the_campaign_opens(pool: Pool) -> None:
    async with desk_open(pool, make_policy(), NINE) as desk:
        await post(desk, 3)
        assert await counted(desk) == (0, 0, 0)
        await desk.set_now(OPENING - timedelta(seconds=65))
        assert await counted(desk) == (0, 0, 0)
        await desk.set_now(OPENING - timedelta(seconds=55))
        assert await counted(desk) == (0, 3, 0)
        await desk.set_now(OPENING)
        assert await counted(desk) == (3, 0, 0)


async def test_what_was_not_called_before_closing_time_counts_no_more(desk: Desk) -> None:
    await post(desk, 3)
    await desk.set_now(CLOSING - timedelta(seconds=20))
    assert await counted(desk) == (3, 0, 0)
    await desk.set_now(CLOSING)
    assert await counted(desk) == (0, 0, 0)
    await desk.set_now(OPENING + timedelta(days=1, seconds=-30))
    assert await counted(desk) == (0, 3, 0), "nobody asked for them, so they are still due since yesterday"


# ---------------------------------------------------------------- how far it is counted


async def test_the_pace_bounds_what_is_wanted_and_what_is_counted(desk: Desk) -> None:
    paced = replace(desk.service.policy, calls_per_second=5.0)
    await post(desk, 30)
    reading = await read(desk, paced)
    assert (reading.work.due_now, reading.wanted) == (18, CallsWanted(18, 18))
    await lease_all(desk, 10)
    reading = await read(desk, paced)
    assert (reading.work.due_now, reading.work.in_hand, reading.wanted) == (18, 10, CallsWanted(18, 18))
    await lease_all(desk, 20)
    assert (await read(desk, paced)).wanted == CallsWanted(30, 30), "what is in hand is never cut off"


async def test_a_faster_business_clock_has_a_faster_pace(desk: Desk) -> None:
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=1), speed=10)
    assert (await read(desk, replace(desk.service.policy, calls_per_second=5.0))).wanted.bound == 175


async def test_the_plans_concurrency_bounds_what_is_wanted(pool: Pool) -> None:
    async with desk_open(pool, make_policy(caps=PlanCaps(concurrent=3))) as desk:
        await post(desk, 5)
        assert (await read(desk)).wanted == CallsWanted(3, 3)
        leases = list((await lease_all(desk, 3)).values())
        assert (await read(desk)).wanted == CallsWanted(3, 3)
        for lease in leases[:2]:
            await go(desk, lease)
            await desk.report(lease.attempt_id, ReportKind.PLACED, call_id=str(lease.attempt_id))
        assert (await read(desk)).wanted == CallsWanted(1, 1), "two ring, and no dialer is needed for that"


@pytest.mark.parametrize("cap", ["per_hour", "per_day"])
async def test_a_plan_that_is_used_up_needs_no_dialers(pool: Pool, cap: str) -> None:
    async with desk_open(pool, make_policy(caps=PlanCaps(**{cap: 1}))) as desk:
        await post(desk, 3)
        assert (await read(desk)).wanted.wanted == 1
        await desk.place()
        assert (await read(desk)).wanted.wanted == 0


# ---------------------------------------------------------------- what is shown


def shown(figures: ScaleFigures) -> dict[str, float]:
    """Samples by name, as a scrape gets them."""
    registry = CollectorRegistry()
    registry.register(figures)
    return {sample.name: sample.value for family in registry.collect() for sample in family.samples}


def test_without_a_reading_there_is_no_sample_and_with_an_old_one_its_time_alone() -> None:
    now = 1000.0
    figures = ScaleFigures(lambda: now)
    assert shown(figures) == {}
    figures.note(Reading(Work(2, 3, 4, 50), CallsWanted(9, 50), read_at=now, read_at_unix=1.7e9))
    now += KEPT_SECONDS
    assert shown(figures) == {
        "leadline_calls_wanted": 9,
        "leadline_calls_wanted_bound": 50,
        "leadline_leads_due_now": 2,
        "leadline_leads_due_soon": 3,
        "leadline_attempts_in_hand": 4,
        READ_AT: 1.7e9,
    }
    now += 0.1
    assert shown(figures) == {READ_AT: 1.7e9}


def test_a_gauge_without_a_sample_is_still_described() -> None:
    registry = CollectorRegistry()
    registry.register(ScaleFigures())
    text = generate_latest(registry).decode()
    assert all(f"# HELP {name} " in text for name in (*NAMES, READ_AT))
    assert [line for line in text.splitlines() if not line.startswith("#")] == []


async def test_replicas_say_the_same_and_a_database_that_is_away_leaves_the_last_word(
    desk: Desk, database_part: DatabasePart
) -> None:
    await post(desk, 4)
    await desk.lease(1, 2)
    policy = replace(desk.service.policy, scale_read_seconds=0.05)
    one, other = ScaleFigures(), ScaleFigures()
    async with await create_pool(database_part, application_name="other") as pool:
        tasks = [
            asyncio.create_task(keep_figures(desk.pool, policy, one)),
            asyncio.create_task(keep_figures(pool, policy, other)),
        ]
        try:
            await until_true(lambda: shown(one) and shown(other), "both have read")
            assert {name: shown(one)[name] for name in NAMES} == {name: shown(other)[name] for name in NAMES}
            assert shown(one)["leadline_calls_wanted"] == 4
            pool.terminate()
            before = shown(one)[READ_AT]
            await desk.lease(3, 2)
            await desk.post_lead()
            await until_true(lambda: shown(one)["leadline_calls_wanted"] == 5, "the one goes on reading")
            assert shown(one)[READ_AT] > before
            assert shown(other)["leadline_calls_wanted"] == 4, "for a minute the last word is good enough"
            assert not tasks[1].done()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    assert (shown(one), shown(other)) == ({}, {})


async def test_a_failing_read_does_not_end_the_reading(desk: Desk) -> None:
    policy = replace(desk.service.policy, scale_read_seconds=0.05)
    figures = ScaleFigures()
    task = asyncio.create_task(keep_figures(desk.pool, policy, figures))
    try:
        await until_true(lambda: shown(figures), "it has read")
        await desk.pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'leadline-test'"
        )
        before = shown(figures)[READ_AT]
        await until_true(lambda: shown(figures)[READ_AT] > before + 0.3, "it reads again")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
