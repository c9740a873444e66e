"""Runs of a backfill: one holder at a time, windows, resuming, and an end that says what is missing."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from leadline.contracts.backfill import BackfillState
from services.queue_service.backfilling.runs import BackfillTaken, ImpossibleRange, WindowsMissing
from services.queue_service.intake import UnknownCampaign
from services.queue_service.operating import NotFound
from tests.services.queue_service.desk import TUESDAY_NOON, Desk
from tests.services.queue_service.histories import MONDAY, Backfill, listed
from tests.services.queue_service.web import Web

RANGE = {"starts_at": (MONDAY - timedelta(hours=2)).isoformat(), "ends_at": (MONDAY + timedelta(hours=2)).isoformat()}
HELD = {"holder": "b1", "lease_seconds": 60}


async def let_lapse(desk: Desk) -> None:
    await desk.pool.execute("UPDATE backfill_runs SET held_until = clock_timestamp() - interval '1 second'")


async def test_a_run_begins_with_all_its_windows(desk: Desk) -> None:
    run = await Backfill(desk).start(window=timedelta(minutes=90))
    assert (run.state, run.resumed, run.windows_waiting) == (BackfillState.LISTING, False, 3)
    rows = await desk.fetch("SELECT starts_at, ends_at FROM backfill_windows ORDER BY starts_at")
    assert rows[0]["starts_at"] == MONDAY - timedelta(hours=2)
    assert [a["ends_at"] for a in rows[:-1]] == [b["starts_at"] for b in rows[1:]]
    assert rows[-1]["ends_at"] == MONDAY + timedelta(hours=2)


async def test_the_end_is_moved_back_to_what_is_surely_listed(desk: Desk) -> None:
    run = await Backfill(desk).start(ends_at=TUESDAY_NOON + timedelta(days=3))
    late = TUESDAY_NOON - timedelta(minutes=10) - run.ends_at
    assert abs(late) < timedelta(minutes=1)


async def test_a_run_is_found_by_the_end_that_was_asked_for(desk: Desk) -> None:
    ends_at = TUESDAY_NOON + timedelta(days=3)
    first = await Backfill(desk).start(ends_at=ends_at)
    await desk.set_now(TUESDAY_NOON + timedelta(hours=5))
    again = await Backfill(desk).start(ends_at=ends_at)
    assert (again.id, again.ends_at, again.resumed) == (first.id, first.ends_at, True)


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "word"),
    [
        (MONDAY, MONDAY, "before it begins"),
        (MONDAY, MONDAY - timedelta(days=1), "before it begins"),
        (TUESDAY_NOON - timedelta(minutes=9), TUESDAY_NOON + timedelta(days=1), "surely listed"),
        (MONDAY.replace(year=1999), TUESDAY_NOON, "1999"),
        (MONDAY - timedelta(days=9000), MONDAY, "200000 windows"),
    ],
)
async def test_a_range_that_cannot_be_read(desk: Desk, starts_at: datetime, ends_at: datetime, word: str) -> None:
    with pytest.raises(ImpossibleRange, match=word):
        await Backfill(desk).start(starts_at, ends_at)
    assert await desk.fetch("SELECT FROM backfill_runs") == []


async def test_a_campaign_that_is_not_configured(desk: Desk) -> None:
    with pytest.raises(UnknownCampaign, match="configured are: awhealth"):
        await Backfill(desk).start(campaign="nobody")


async def test_a_second_holder_is_told_who_and_how_long(desk: Desk, web: Web) -> None:
    first, second = Backfill(desk), Backfill(desk, "b2")
    await first.start()
    body = {**RANGE, "window_seconds": 3600, "holder": "b2", "lease_seconds": 60}
    refused = await web.ask("POST", "/v1/backfill/runs", body, caller="backfill")
    assert (refused.status, refused.code) == (409, "backfill_taken")
    assert "b1 holds" in refused.body["detail"]
    assert " s more" in refused.body["detail"]
    second.run_id = first.run_id
    for request in (second.windows(), second.record(listed("a")), second.candidates(), second.finish()):
        with pytest.raises(BackfillTaken, match="b1 holds"):
            await request
    assert await desk.fetch("SELECT FROM attempts") == []


async def test_a_lease_that_lapsed_is_taken_over_and_its_holder_is_out(desk: Desk) -> None:
    first, second = Backfill(desk), Backfill(desk, "b2")
    await first.start()
    await let_lapse(desk)
    assert (await second.start()).id == first.run_id
    with pytest.raises(BackfillTaken, match="b2 holds"):
        await first.record(listed("a"))
    await let_lapse(desk)
    await second.windows()
    with pytest.raises(BackfillTaken, match="b2 holds"):
        await first.windows()


async def test_a_lapsed_lease_that_nobody_took_is_kept_by_asking(desk: Desk) -> None:
    run = Backfill(desk)
    await run.start()
    await let_lapse(desk)
    assert await run.windows()
    with pytest.raises(BackfillTaken):
        await Backfill(desk, "b2").start()


async def test_an_unknown_run(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no backfill run"):
        await Backfill(desk).windows()


async def test_windows_are_ended_once(desk: Desk) -> None:
    run = Backfill(desk)
    await run.start()
    first, second, *_ = await run.windows()
    assert await run.end(first, listed=7) == {"windows_done": 1}
    assert await run.end(first, listed=7) == {"windows_done": 0}
    assert await run.end(second, problem="500 five times") == {"windows_failed": 1}
    assert await run.end(second, problem="500 five times") == {"windows_failed": 0}
    assert await run.end(first, problem="late word of a dead copy") == {"windows_failed": 0}
    resumed = await run.start()
    assert (resumed.windows_done, resumed.windows_waiting, resumed.counters) == (1, 2, {"listed": 7})
    assert [window.problem for window in resumed.failed] == ["500 five times"]


async def test_a_window_is_halved_once(desk: Desk) -> None:
    run = Backfill(desk)
    await run.start()
    first, *_ = await run.windows()
    assert await run.end(first, halve=True) == {"windows_halved": 1}
    assert await run.end(first, halve=True) == {"windows_halved": 0}
    left, right, after = (await run.windows())[:3]
    assert (left.starts_at, left.ends_at, right.ends_at) == (first.starts_at, right.starts_at, first.ends_at)
    assert after.starts_at == first.ends_at


async def test_a_window_of_a_second_is_not_halved(desk: Desk) -> None:
    run = Backfill(desk)
    await run.start(MONDAY, MONDAY + timedelta(seconds=3), window=timedelta(seconds=1))
    (first, *_) = await run.windows()
    with pytest.raises(ImpossibleRange, match="two seconds"):
        await run.end(first, halve=True)


async def test_a_run_with_missing_windows_decides_nobody_and_ends_incomplete(desk: Desk) -> None:
    run = Backfill(desk)
    await run.start()
    await run.record(listed("a"))
    first, *others = await run.windows()
    with pytest.raises(WindowsMissing, match="4 windows"):
        await run.finish()
    await run.end(first, problem="timeout")
    for window in others:
        await run.end(window)
    assert await run.windows() == []
    with pytest.raises(WindowsMissing, match="1 windows of this run are missing"):
        await run.candidates()
    ended = await run.finish()
    assert (ended.state, [w.problem for w in ended.failed]) == (BackfillState.INCOMPLETE, ["timeout"])
    (lead,) = await desk.leads_of("+15615550123")
    assert (lead.status, lead.status_reason) == ("held", "backfill")


async def test_a_run_that_is_started_again_reads_only_what_failed_then_decides(desk: Desk) -> None:
    run = Backfill(desk)
    await run.start()
    await run.record(listed("a"))
    first, *others = await run.windows()
    await run.end(first, problem="timeout")
    for window in others:
        await run.end(window)
    incomplete = await run.finish()
    again = Backfill(desk, "b2")
    resumed = await again.start()
    assert (resumed.id, resumed.state, resumed.failed) == (incomplete.id, BackfillState.LISTING, [])
    assert await again.windows() == [first]
    await again.end_all()
    assert await again.decide_all() == {"added": 1}
    finished = await again.finish()
    assert (finished.state, (await again.finish()).state) == (BackfillState.FINISHED, BackfillState.FINISHED)
    assert finished.counters == {"listed": 0, "recorded": 1, "new_numbers": 1, "added": 1}
    fresh = await Backfill(desk, "b3").start()
    assert (fresh.resumed, fresh.id != finished.id) == (False, True)


async def test_two_starts_at_once_are_one_run(desk: Desk) -> None:
    first, second = Backfill(desk), Backfill(desk, "b2")
    await first.start()
    with pytest.raises(BackfillTaken):
        await second.start()
    assert len(await desk.fetch("SELECT FROM backfill_runs")) == 1


async def test_the_phase_changes_when_no_window_is_left(desk: Desk) -> None:
    run = Backfill(desk)
    await run.start()
    await run.end_all()
    assert (await run.start()).state is BackfillState.DECIDING


async def test_operators_see_the_runs(desk: Desk, web: Web) -> None:
    await Backfill(desk).start()
    await desk.set_now(TUESDAY_NOON + timedelta(hours=1))
    newest = await Backfill(desk).start(ends_at=MONDAY)
    answer = await web.ask("GET", "/v1/backfill/runs")
    assert answer.body["runs"][0]["id"] == str(newest.id)
    assert len(answer.body["runs"]) == 2
    assert (await web.ask("GET", "/v1/backfill/runs", caller="backfill")).status == 403


async def test_a_whole_run_over_http(desk: Desk, web: Web) -> None:
    started = await web.ask("POST", "/v1/backfill/runs", {**RANGE, **HELD, "window_seconds": 86400}, caller="backfill")
    path = f"/v1/backfill/runs/{started.body['id']}"

    async def ask(step: str, **body: object) -> dict[str, Any]:
        answer = await web.ask("POST", f"{path}/{step}", {**HELD, **body}, caller="backfill")
        assert answer.status == 200, answer
        return dict(answer.body)

    row = listed("a")
    calls = [{"call_id": "a", "phone_number": row["to"], "created_at": row["created_at"]}]
    windows = (await ask("windows/next", limit=10))["windows"]
    assert await ask("sift", calls=calls) == {"new": ["a"], "needs_details": []}
    recorded = await ask("calls", bodies=['{"call_id": "a", "to": "+15615550123", "completed": true}', "]["])
    assert recorded["counters"] == {"recorded": 1, "new_numbers": 1, "poison": 1}
    await ask("windows/finish", window=windows[0], listed=1)
    assert await ask("windows/next", limit=10) == {"windows": []}
    (candidate,) = (await ask("candidates", limit=10))["candidates"]
    decided = await ask("decisions", decisions=[{"lead_id": candidate["lead_id"], "learned": {"standing": "open"}}])
    assert decided["counters"] == {"added": 1}
    assert (await ask("finish"))["state"] == "finished"


async def test_a_time_without_an_offset_is_refused(web: Web) -> None:
    body = {**HELD, **RANGE, "starts_at": "2026-01-05T00:00:00", "window_seconds": 3600}
    answer = await web.ask("POST", "/v1/backfill/runs", body, caller="backfill")
    assert (answer.status, answer.code) == (400, "invalid_body")
    assert "starts_at" in str(answer.body["errors"])


async def test_flags_that_do_not_match_their_bodies_are_refused(desk: Desk, web: Web) -> None:
    run = Backfill(desk)
    await run.start()
    body = {**HELD, "bodies": ["{}", "{}"], "from_details": [True]}
    answer = await web.ask("POST", f"/v1/backfill/runs/{run.run_id}/calls", body, caller="backfill")
    assert (answer.status, answer.code) == (400, "invalid_body")


async def test_a_run_that_nobody_holds_for_a_day_is_seen(desk: Desk) -> None:
    run = Backfill(desk)
    await run.start()
    await run.record(listed("a"))
    assert (await desk.service.check_promises(10)).violations == []
    await desk.pool.execute("UPDATE backfill_runs SET held_until = clock_timestamp() - interval '25 hours'")
    (broken,) = (await desk.service.check_promises(10)).violations
    assert (broken.promise, broken.subject) == (8, str(run.run_id))
