"""Step d: calls that were placed and whose result has not come (crash matrix, row 7)."""

from typing import Any

import pytest

from leadline.contracts.leases import ReportKind
from tests.services.sweep.fake_queue import FakeAttempt
from tests.services.sweep.support import NUMBER, Scene

NOTHING_RUNS: dict[str, Any] = {"data": [], "errors": None}


async def placed(scene: Scene, *, overdue: bool = False) -> FakeAttempt:
    """An attempt whose call rings at Bland."""
    attempt = scene.queue.add(FakeAttempt(NUMBER, state="placed", overdue=overdue))
    attempt.call_id = await scene.bland.call(attempt)
    return attempt


def invented(scene: Scene, *, overdue: bool = False, seconds_ago: float = 60.0) -> FakeAttempt:
    """An attempt whose call Bland does not know."""
    attempt = FakeAttempt(NUMBER, "placed", "no-such-call", overdue=overdue, placed_seconds_ago=seconds_ago)
    return scene.queue.add(attempt)


async def test_a_running_call_is_left_alone(scene: Scene) -> None:
    attempt = await placed(scene)
    result = await scene.sweep()
    assert result.counters["placed.active"] == 1
    assert attempt.state == "placed"
    assert scene.queue.reports == []


async def test_a_running_call_past_its_longest_end_is_counted(scene: Scene) -> None:
    attempt = await placed(scene, overdue=True)
    result = await scene.sweep()
    assert result.counters["placed.overdue_active"] == 1
    assert attempt.state == "placed"


async def test_a_call_that_ended_without_an_event_is_ended(scene: Scene) -> None:
    attempt = await placed(scene)
    await scene.bland.end_all()
    result = await scene.sweep()
    assert result.counters["placed.ended"] == 1
    assert (attempt.state, attempt.results) == ("ended", 1)


async def test_a_call_placed_a_moment_ago_may_be_missing(scene: Scene) -> None:
    attempt = invented(scene, seconds_ago=1.0)
    result = await scene.sweep()
    assert result.counters["placed.young"] == 1
    assert attempt.state == "placed"


async def test_a_call_that_the_list_lacks_but_that_runs_goes_on(scene: Scene) -> None:
    attempt = await placed(scene)
    await scene.bland.fault("active", status=200, body=NOTHING_RUNS)
    result = await scene.sweep()
    assert result.counters["placed.running_unlisted"] == 1
    assert attempt.state == "placed"


async def test_a_call_unknown_to_the_provider_past_its_longest_end_is_lost(scene: Scene) -> None:
    attempt = invented(scene, overdue=True)
    result = await scene.sweep()
    assert scene.queue.kinds(attempt) == [ReportKind.LOST]
    assert attempt.state == "ended"
    assert result.counters["placed.lost"] == 1


async def test_a_call_unknown_to_the_provider_before_that_is_asked_again(scene: Scene) -> None:
    attempt = invented(scene)
    result = await scene.sweep()
    assert result.counters["placed.not_known"] == 1
    assert attempt.state == "placed"


@pytest.mark.parametrize("status", [500, 401])
async def test_a_call_that_cannot_be_read_is_never_lost(scene: Scene, status: int) -> None:
    attempt = await placed(scene, overdue=True)
    await scene.bland.end_all()
    await scene.bland.fault("details", status=status)
    result = await scene.sweep()
    assert result.counters["placed.unreadable"] == 1
    assert attempt.state == "placed"
    assert result.partial


async def test_without_the_list_of_running_calls_details_still_end_calls(scene: Scene) -> None:
    over = await placed(scene)
    await scene.bland.end_all()
    unknown = invented(scene, overdue=True)
    await scene.bland.fault("active", status=500)
    result = await scene.sweep()
    assert over.state == "ended"
    assert unknown.state == "placed", "a call is lost only if the running calls could be read"
    assert result.counters["placed.not_known"] == 1
    assert result.partial


async def test_a_result_that_could_not_be_applied_is_stored_again_by_the_next_pass(scene: Scene) -> None:
    attempt = await placed(scene)
    await scene.bland.end_all()
    scene.queue.unappliable = True
    result = await scene.sweep()
    assert result.counters["placed.not_reported"] == 1
    assert result.partial
    scene.queue.unappliable = False
    await scene.sweep()
    assert attempt.state == "ended"
