"""Gauges of the newest backfill."""

from datetime import timedelta

from services.queue_service.measuring.backfills import CALLS, RUNNING, WINDOWS
from tests.services.queue_service.desk import Desk
from tests.services.queue_service.histories import MONDAY, Backfill, listed
from tests.services.queue_service.measuring.shown import fast, of, spread
from tests.support.phones import fresh_phones

BY_STATE = "SELECT state, count(*) AS n FROM backfill_windows WHERE run_id = $1 GROUP BY state"


async def test_without_a_backfill_none_is_running(desk: Desk) -> None:
    values = await fast(desk)
    assert (of(values, RUNNING), of(values, WINDOWS, "done"), of(values, CALLS, "recorded")) == (0, None, None)


async def test_how_far_the_newest_one_is(desk: Desk) -> None:
    backfill = Backfill(desk)
    await backfill.start()
    values = await fast(desk)
    assert (of(values, RUNNING), spread(values, WINDOWS), spread(values, CALLS)) == (1, {"waiting": 4}, {})
    first, second, *_ = await backfill.windows()
    one, other = fresh_phones(2)
    await backfill.record(listed("a", to=one), listed("b", to=other))
    await backfill.record(listed("a", to=one))  # known by now, and not counted again
    await backfill.end(first, listed=3)
    await backfill.end(second, problem="the provider did not answer")
    values = await fast(desk)
    (run,) = await desk.fetch("SELECT counters FROM backfill_runs")
    in_sql = {row["state"]: row["n"] for row in await desk.fetch(BY_STATE, backfill.run_id)}
    assert spread(values, WINDOWS) == in_sql == {"waiting": 2, "done": 1, "failed": 1}
    calls = spread(values, CALLS)
    assert calls == {name: run["counters"][name] for name in calls} == {"recorded": 2}


async def test_a_backfill_that_ended_runs_no_more_and_an_older_one_is_forgotten(desk: Desk) -> None:
    backfill = Backfill(desk)
    await backfill.start()
    for window in await backfill.windows():
        await backfill.end(window, problem="the provider did not answer")
    await backfill.finish()
    values = await fast(desk)
    assert (of(values, RUNNING), spread(values, WINDOWS)) == (0, {"failed": 4})
    await Backfill(desk, "b2").start(ends_at=MONDAY, window=timedelta(hours=2))
    values = await fast(desk)
    assert (of(values, RUNNING), spread(values, WINDOWS)) == (1, {"waiting": 1})
