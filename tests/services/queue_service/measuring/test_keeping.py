"""Reading in the background: what is shown and for how long, how often is read, and what a sick database does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from leadline.runtime.postgres import Pool, create_pool
from leadline.runtime.settings.parts import DatabasePart
from leadline.store import measures
from services.queue_service.app import COUNTING_POOL_SIZE
from services.queue_service.measuring import keeping
from services.queue_service.measuring.account import OPEN, SPEED
from services.queue_service.measuring.keeping import (
    LEAST_SLOW_PAUSE_SECONDS,
    LONGEST_PAUSE_AFTER_FAILURE_SECONDS,
    SLOW_KEPT_SECONDS,
    SLOW_PAUSE_RATIO,
    keep_fast,
    keep_figures,
    keep_slow,
    read_slow,
    slow_pause_seconds,
)
from services.queue_service.measuring.leads import BY_ATTEMPTS, LEADS, SUPPRESSIONS
from services.queue_service.measuring.readings import JITTER, KEPT_SECONDS
from services.queue_service.measuring.showing import FIGURES, GAUGES, READ_AT, Figures, Reading
from services.queue_service.scaling import ScaleFigures
from services.queue_service.scaling import keep_figures as keep_scaling
from tests.services.queue_service.desk import CAMPAIGN, Desk
from tests.services.queue_service.measuring.shown import Shown, of, shown
from tests.services.queue_service.scenes import due_lead
from tests.support.waiting import until_true

AT = 1.7e9
SLEEPING = "SELECT pg_sleep(600)"


@asynccontextmanager
async def kept(*tasks: asyncio.Task[None]) -> AsyncIterator[None]:
    """Tasks that are ended with the block."""
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def taken(values: Shown) -> dict[str, float]:
    """When each reading was taken."""
    return {name[1]: value for name, value in values.items() if name[0] == READ_AT.name}


# ---------------------------------------------------------------- what is shown


def test_a_reading_that_is_old_leaves_its_time_alone() -> None:
    now = 1000.0
    figures = Figures(lambda: now)
    assert shown(figures) == {}
    figures.fast.note(Reading([SPEED.of(1)], now, AT))
    figures.slow.note(Reading([SUPPRESSIONS.of(7)], now, AT + 1), SLOW_KEPT_SECONDS)
    now += KEPT_SECONDS
    times: Shown = {(READ_AT.name, "fast"): AT, (READ_AT.name, "slow"): AT + 1}
    assert shown(figures) == {(SPEED.name,): 1, (SUPPRESSIONS.name,): 7, **times}
    now += 0.1
    assert shown(figures) == {(SUPPRESSIONS.name,): 7, **times}
    now += SLOW_KEPT_SECONDS - KEPT_SECONDS
    assert shown(figures) == times


def test_every_gauge_is_described_without_a_reading() -> None:
    registry = CollectorRegistry()
    registry.register(Figures())
    text = generate_latest(registry).decode()
    gauges = [*GAUGES["fast"], *GAUGES["slow"], READ_AT]
    assert all(f"# HELP {gauge.name} " in text and f"# TYPE {gauge.name} gauge" in text for gauge in gauges)
    assert len({gauge.name for gauge in gauges}) == len(gauges)
    assert [line for line in text.splitlines() if not line.startswith("#")] == []


async def test_a_service_that_runs_shows_both(desk: Desk) -> None:
    await until_true(lambda: set(taken(shown(FIGURES))) == {"fast", "slow"}, "both were read")
    values = shown(FIGURES)
    without = {gauge.name for gauges in GAUGES.values() for gauge in gauges} - {name[0] for name in values}
    assert {name.removeprefix("leadline_") for name in without} == {
        "cap_limit",
        "cap_used",
        "sweep_last_run_timestamp_seconds",
        "sweep_last_success_timestamp_seconds",
        "sweep_findings",
        "promises_broken",
        "backfill_windows",
        "backfill_calls",
    }, "what there is nothing to say of"


# ---------------------------------------------------------------- how often


@pytest.mark.parametrize("took_seconds", [0.0, 0.01, 1.5, 10.0, 60.0])
def test_counting_whole_tables_takes_a_twentieth_of_the_time_at_most(took_seconds: float) -> None:
    for _ in range(100):
        pause = slow_pause_seconds(took_seconds)
        least = max(LEAST_SLOW_PAUSE_SECONDS, SLOW_PAUSE_RATIO * took_seconds)
        assert least <= pause <= least * (1 + JITTER)
    assert (LEAST_SLOW_PAUSE_SECONDS, SLOW_PAUSE_RATIO) == (30, 20)


def test_a_wait_for_a_database_that_is_away_is_not_taken_for_its_work() -> None:
    longest = LONGEST_PAUSE_AFTER_FAILURE_SECONDS * (1 + JITTER)
    assert LEAST_SLOW_PAUSE_SECONDS <= slow_pause_seconds(0.1, failed=True) <= longest
    assert LONGEST_PAUSE_AFTER_FAILURE_SECONDS <= slow_pause_seconds(130.0, failed=True) <= longest


async def test_a_slow_reading_waits_by_how_long_it_took_and_is_kept_until_the_next(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, pauses, figures = 1000.0, [], Figures(lambda: now)

    async def read(*_: object) -> Reading:
        return Reading([SUPPRESSIONS.of(7)], asyncio.get_running_loop().time() - 50, AT)

    def pause(took_seconds: float, **_: object) -> float:
        pauses.append(took_seconds)
        return 600

    monkeypatch.setattr(keeping, "read_slow", read)
    monkeypatch.setattr(keeping, "slow_pause_seconds", pause)
    async with kept(asyncio.create_task(keep_slow(desk.pool, desk.service.policy, figures))):
        await until_true(lambda: pauses, "it has read")
        now = asyncio.get_running_loop().time() - 50 + SLOW_PAUSE_RATIO * 50 + SLOW_KEPT_SECONDS / 2
        assert of(shown(figures), SUPPRESSIONS) == 7
        now += SLOW_PAUSE_RATIO * 50
        assert of(shown(figures), SUPPRESSIONS) is None
    assert pauses[0] < 30, "told is what this process waited"


async def test_both_are_read_again_and_again(desk: Desk) -> None:
    figures = Figures()
    policy = replace(desk.service.policy, scale_read_seconds=0.05)
    tasks = (
        asyncio.create_task(keep_fast(desk.pool, policy, figures)),
        asyncio.create_task(keep_slow(desk.pool, policy, figures, 0.05)),
    )
    async with kept(*tasks):
        await until_true(lambda: len(taken(shown(figures))) == 2, "both were read")
        await due_lead(desk)
        await until_true(lambda: of(shown(figures), LEADS, CAMPAIGN, "pending") == 1, "the slow one sees the lead")
        await desk.lease_one()
        await until_true(lambda: of(shown(figures), OPEN, "leased") == 1, "the fast one sees the lease")
    assert shown(figures) == {}


# ---------------------------------------------------------------- a sick database


async def test_a_database_that_is_away_leaves_the_last_word(desk: Desk, database_part: DatabasePart) -> None:
    figures = Figures()
    policy = replace(desk.service.policy, scale_read_seconds=0.05)
    async with await create_pool(database_part, application_name="other") as pool:
        tasks = (
            asyncio.create_task(keep_fast(pool, policy, figures)),
            asyncio.create_task(keep_slow(pool, policy, figures, 0.05)),
        )
        async with kept(*tasks):
            await until_true(lambda: len(taken(shown(figures))) == 2, "both were read")
            pool.terminate()
            await asyncio.sleep(0.3)
            before = shown(figures)
            await asyncio.sleep(0.3)
            assert shown(figures) == before
            assert before
            assert not any(task.done() for task in tasks)


async def test_reading_goes_on_when_the_database_is_back(desk: Desk) -> None:
    figures = Figures()
    policy = replace(desk.service.policy, scale_read_seconds=0.05)
    async with kept(asyncio.create_task(keep_fast(desk.pool, policy, figures))):
        await until_true(lambda: taken(shown(figures)), "it has read")
        await desk.pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'leadline-test'"
        )
        before = taken(shown(figures))["fast"]
        await until_true(lambda: taken(shown(figures))["fast"] > before + 0.3, "it reads again")


async def test_a_table_that_takes_too_long_is_left_out_and_the_rest_is_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await due_lead(desk)
    monkeypatch.setattr(
        measures, "COUNT_BY_ATTEMPTS", f"SELECT c.* FROM ({measures.COUNT_BY_ATTEMPTS}) c, pg_sleep(600)"
    )
    reading = await read_slow(desk.pool, desk.service.policy, statement_seconds=0.5)
    figures = Figures()
    figures.slow.note(reading)
    values = shown(figures)
    assert of(values, LEADS, CAMPAIGN, "pending") == 1
    assert of(values, BY_ATTEMPTS, CAMPAIGN, "0") is None


async def test_counting_that_takes_for_ever_keeps_neither_the_fast_gauges_nor_scaling_waiting(
    desk: Desk, database_part: DatabasePart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measures, "COUNT_LEADS", SLEEPING)
    figures, scale = Figures(), ScaleFigures()
    policy = replace(desk.service.policy, scale_read_seconds=0.05)
    size = COUNTING_POOL_SIZE
    async with await create_pool(database_part, application_name="counting", max_size=size) as pool:
        others = [asyncio.create_task(_hold(pool)) for _ in ("the board", "the promises")]
        tasks = (
            asyncio.create_task(keep_figures(pool, policy, figures)),
            asyncio.create_task(keep_scaling(pool, policy, scale)),
        )
        async with kept(*others, *tasks):
            await until_true(lambda: pool.get_size() == size and pool.get_idle_size() <= 1, "all are at work")
            before = taken(shown(figures)).get("fast", 0.0)
            await until_true(lambda: taken(shown(figures)).get("fast", 0.0) > before + 0.5, "the fast ones go on")
            assert list(taken(shown(figures))) == ["fast"]
            assert any(family.samples for family in scale.collect())


async def _hold(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await conn.execute(SLEEPING, timeout=600)
