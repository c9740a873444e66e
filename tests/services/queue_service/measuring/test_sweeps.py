"""Gauges of the sweep: its last run, its last success, what it found, and the promises as it last checked them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import product

import pytest

from leadline.store.promises import PROMISES
from services.queue_service.measuring import sweeps
from services.queue_service.measuring.sweeps import (
    BROKEN,
    CHECKED,
    FINDINGS,
    LAST_RUN,
    LAST_SUCCESS,
    VIOLATED,
    findings,
)
from services.sweep.counts import Count, Miss, Step
from tests.services.queue_service.desk import TUESDAY_NOON, Desk
from tests.services.queue_service.measuring.shown import fast, of, real, spread
from tests.services.queue_service.scenes import due_lead
from tests.services.queue_service.web import Web
from tests.support.phones import fresh_phones

ENDED = "SELECT extract(epoch FROM finished_at)::float8 AS at FROM sweep_runs ORDER BY started_at DESC LIMIT 1"
SLACK = 0.5
"""Both clocks are read in one row, a moment apart."""


async def run(web: Web, *, succeeded: bool = True, check: bool = False, **counters: int) -> None:
    """A sweep, as it tells the queue-service what it did."""
    run_id = (await web.ask("POST", "/v1/sweep/runs", caller="sweep")).body["run_id"]
    told: dict[str, int] = {name.replace("__", "."): number for name, number in counters.items()}
    if check:
        found = (await web.ask("POST", "/v1/sweep/check-promises", caller="sweep")).body
        told |= {CHECKED: len(found["checked"])}
        told |= {VIOLATED: len(found["violations"])} if found["violations"] else {}
    body = {"counters": told, "succeeded": succeeded}
    assert (await web.ask("POST", f"/v1/sweep/runs/{run_id}/finish", body, caller="sweep")).status == 200


async def by_force(desk: Desk, statement: str) -> None:
    async with desk.pool.acquire() as conn, conn.transaction():
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute(statement)


async def test_before_the_first_sweep_there_is_nothing_to_show(web: Web) -> None:
    values = await fast(web.desk)
    assert [of(values, gauge) for gauge in (LAST_RUN, LAST_SUCCESS)] == [None, None]
    assert (spread(values, FINDINGS), of(values, BROKEN, "1")) == ({}, None)


async def test_a_run_that_has_not_finished_is_none(web: Web) -> None:
    await web.ask("POST", "/v1/sweep/runs", caller="sweep")
    assert of(await fast(web.desk), LAST_RUN) is None


@pytest.mark.parametrize("speed", [1.0, 60.0])
async def test_the_last_run_and_the_last_success(web: Web, speed: float) -> None:
    desk = web.desk
    await run(web, plan__missed_callbacks=2)
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=10))
    await run(web, succeeded=False, doubtful__unreachable=3, expire__leases_expired=1)
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=20), speed=speed)
    values = await fast(desk)
    first, last = [row["finished_at"] for row in await desk.fetch("SELECT finished_at FROM sweep_runs ORDER BY 1")]
    assert of(values, LAST_RUN) == pytest.approx(await real(desk, last), abs=SLACK)
    assert of(values, LAST_SUCCESS) == pytest.approx(await real(desk, first), abs=SLACK)
    assert spread(values, FINDINGS) == {"doubtful.unreachable": 3, "expire.leases_expired": 1}


async def test_on_the_wall_clock_the_times_are_those_of_the_runs(web: Web) -> None:
    await web.desk.pool.execute("ALTER TABLE clock DISABLE TRIGGER USER")
    await web.desk.pool.execute("DELETE FROM clock")
    await web.desk.pool.execute("ALTER TABLE clock ENABLE TRIGGER USER")
    await run(web)
    (row,) = await web.desk.fetch(ENDED)
    values = await fast(web.desk)
    assert of(values, LAST_RUN) == of(values, LAST_SUCCESS) == pytest.approx(row["at"], abs=SLACK)


async def test_a_success_is_looked_for_among_the_last_runs_alone(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "RUNS_LOOKED_AT", 2)
    await run(web)
    for _ in range(2):
        await run(web, succeeded=False)
    values = await fast(web.desk)
    assert (of(values, LAST_RUN) is None, of(values, LAST_SUCCESS)) == (False, None)


# ---------------------------------------------------------------- promises


async def test_kept_promises_are_shown_as_kept(web: Web) -> None:
    await run(web, check=True)
    values = await fast(web.desk)
    assert [of(values, BROKEN, str(promise.number)) for promise in PROMISES] == [0] * 9


async def test_broken_promises_are_what_the_last_check_found(web: Web) -> None:
    desk = web.desk
    for phone in fresh_phones(3):
        await due_lead(desk, phone)
    await by_force(desk, "DELETE FROM due_leads WHERE lead_id IN (SELECT lead_id FROM due_leads LIMIT 2)")
    await run(web, check=True)
    (counted,) = await desk.fetch("SELECT counters FROM sweep_runs")
    assert spread(await fast(desk), BROKEN) == {"4": 2}
    assert counted["counters"][VIOLATED] == 2
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=5))
    await by_force(desk, "UPDATE leads SET due_lead_id = DEFAULT, status = 'paused'")
    await by_force(desk, "DELETE FROM due_leads")
    await run(web, check=True)
    values = await fast(desk)
    assert spread(values, BROKEN) == {}
    assert of(values, BROKEN, "4") == 0


async def test_a_run_whose_check_broke_off_leaves_the_check_before_it(web: Web) -> None:
    desk = web.desk
    await due_lead(desk)
    await by_force(desk, "DELETE FROM due_leads")
    await run(web, check=True)
    await run(web, succeeded=False, promises__step_failed=1)
    assert spread(await fast(desk), BROKEN) == {"4": 1}


# ---------------------------------------------------------------- findings


def all_counts() -> Iterator[str]:
    yield from Count
    yield from (f"{step}.{miss}" for step, miss in product(Step, Miss))


def found(counters: Mapping[str, int]) -> dict[str, float]:
    return {sample.labels[0]: sample.value for sample in findings(counters)}


def test_everything_that_a_sweep_counts_can_be_shown() -> None:
    counters = dict.fromkeys(all_counts(), 1)
    assert found(counters) == counters
    assert len(counters) < sweeps.MOST_FINDINGS


def test_what_is_no_name_of_a_count_is_shown_as_one() -> None:
    assert found({"+15615550123": 1, "Jane.Doe": 2, "plan.missed_callbacks": 3}) == {
        "plan.missed_callbacks": 3,
        "other": 3,
    }
    many = Counter({f"plan.{'x' * n}": 1 for n in range(1, 61)}) + Counter(
        {f"{'y' * n}.{'x' * k}": 1 for n in range(1, 20) for k in range(1, 20)}
    )
    assert len(found(many)) == sweeps.MOST_FINDINGS + 1
    assert sum(found(many).values()) == many.total()
