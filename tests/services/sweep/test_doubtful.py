"""Step c: what becomes of attempts whose fate nobody knows."""

import time
from uuid import uuid4

import pytest

from leadline.contracts.leases import ReportKind
from services.simulator.settings import SimulatedWorldPart
from tests.services.sweep.fake_queue import FakeAttempt
from tests.services.sweep.support import NUMBER, Scene


@pytest.fixture
def attempt(scene: Scene) -> FakeAttempt:
    return scene.queue.add(FakeAttempt(NUMBER))


async def test_a_running_call_is_reported_placed(scene: Scene, attempt: FakeAttempt) -> None:
    call_id = await scene.bland.call(attempt)
    result = await scene.sweep()
    assert (attempt.state, attempt.call_id) == ("placed", call_id)
    assert scene.queue.kinds(attempt) == [ReportKind.PLACED]
    assert result.counters["doubtful.found"] == 1
    assert "doubtful.ended" not in result.counters
    assert not result.partial


async def test_a_call_that_is_over_is_reported_placed_and_its_result_stored(scene: Scene, attempt: FakeAttempt) -> None:
    call_id = await scene.bland.call(attempt)
    await scene.bland.end_all()
    result = await scene.sweep()
    assert (attempt.state, attempt.call_id, attempt.results) == ("ended", call_id, 1)
    assert scene.queue.kinds(attempt) == [ReportKind.PLACED]
    assert result.counters["doubtful.ended"] == 1


async def test_two_calls_of_one_attempt_are_both_reported(scene: Scene, attempt: FakeAttempt) -> None:
    first, second = await scene.bland.call(attempt), await scene.bland.call(attempt)
    result = await scene.sweep()
    assert attempt.call_id == first
    assert attempt.other_calls == {second}
    assert result.counters["doubtful.found"] == 1


async def test_nothing_found_after_the_quiet_time_is_absent(scene: Scene, attempt: FakeAttempt) -> None:
    result = await scene.sweep()
    assert attempt.state == "not_placed"
    assert result.counters["doubtful.absent"] == 1


async def test_nothing_found_before_the_quiet_time_proves_nothing(scene: Scene, attempt: FakeAttempt) -> None:
    attempt.quiet_until = time.monotonic() + 3600
    result = await scene.sweep()
    assert attempt.state == "unknown"
    assert scene.queue.kinds(attempt) == [ReportKind.INCONCLUSIVE]
    assert result.counters["doubtful.too_early"] == 1
    assert not result.partial


async def test_a_look_up_that_began_before_the_quiet_time_was_over_proves_nothing(
    scene: Scene, attempt: FakeAttempt
) -> None:
    """The report arrives after the quiet time, but the provider was asked before: the call may have come between."""
    attempt.quiet_until = time.monotonic() + 2
    await scene.bland.fault("list", "latency", seconds=3)
    await scene.sweep()
    assert attempt.quiet_until < time.monotonic()
    assert attempt.state == "unknown"


async def test_a_candidate_that_cannot_be_read_proves_nothing(scene: Scene, attempt: FakeAttempt) -> None:
    await scene.bland.call(uuid4())
    await scene.bland.fault("details", status=500)
    result = await scene.sweep()
    assert attempt.state == "unknown"
    assert result.counters["doubtful.inconclusive"] == 1


async def test_a_listed_call_without_details_proves_nothing(scene: Scene, attempt: FakeAttempt) -> None:
    await scene.bland.call(uuid4())
    await scene.bland.fault("details", status=404, body={"status": "error", "message": "Call not found."})
    await scene.sweep()
    assert scene.queue.kinds(attempt) == [ReportKind.INCONCLUSIVE]


async def test_calls_that_are_surely_others_do_not_hinder_absence(scene: Scene, attempt: FakeAttempt) -> None:
    await scene.bland.call(uuid4())
    await scene.bland.call(None, metadata={"order": "42"})
    await scene.bland.inbound()
    await scene.sweep()
    assert attempt.state == "not_placed"


async def test_a_call_that_names_nobody_may_be_ours(scene: Scene, attempt: FakeAttempt) -> None:
    await scene.bland.call(None)
    result = await scene.sweep()
    assert scene.queue.kinds(attempt) == [ReportKind.INCONCLUSIVE]
    assert result.counters["doubtful.inconclusive"] == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"total_count": 3, "count": 0, "calls": []}, id="fewer than its own count"),
        pytest.param({"status": "ok"}, id="no list"),
        pytest.param("<html>proxy</html>", id="no JSON"),
    ],
)
async def test_an_incomplete_or_unreadable_list_proves_nothing(
    scene: Scene, attempt: FakeAttempt, body: object
) -> None:
    await scene.bland.fault("list", status=200, body=body)
    result = await scene.sweep()
    assert scene.queue.kinds(attempt) == [ReportKind.INCONCLUSIVE]
    assert result.counters["doubtful.inconclusive"] == 1


@pytest.mark.parametrize("place", ["list", "active"])
@pytest.mark.parametrize("status", [500, 429, 401])
async def test_a_provider_that_does_not_answer_is_unreachable(
    scene: Scene, attempt: FakeAttempt, place: str, status: int
) -> None:
    await scene.bland.fault(place, status=status)
    result = await scene.sweep()
    assert scene.queue.kinds(attempt) == [ReportKind.UNREACHABLE]
    assert result.counters["doubtful.unreachable"] == 1
    assert result.partial


async def test_an_unreadable_list_of_running_calls_proves_nothing(scene: Scene, attempt: FakeAttempt) -> None:
    await scene.bland.fault("active", status=200, body={"data": [{"no": "id"}], "errors": None})
    await scene.sweep()
    assert scene.queue.kinds(attempt) == [ReportKind.INCONCLUSIVE]


async def test_a_call_is_found_although_running_calls_are_unreadable(scene: Scene, attempt: FakeAttempt) -> None:
    await scene.bland.call(attempt)
    await scene.bland.fault("active", status=500)
    await scene.sweep()
    assert attempt.state == "placed"


async def test_a_silent_provider_is_not_asked_again_and_again(scene: Scene) -> None:
    attempts = [scene.queue.add(FakeAttempt(f"+1561555{n:04}")) for n in range(100, 160)]
    await scene.bland.fault("list", status=503, count=1000)
    result = await scene.sweep(sweep_concurrency=2)
    assert result.counters["doubtful.unreachable"] == len(attempts)
    (rule,) = await scene.bland.ask("GET", "/simulator/faults")
    assert rule["count"] > 1000 - 10


async def test_what_exceeds_the_bound_is_left_for_the_next_pass(scene: Scene) -> None:
    attempts = [scene.queue.add(FakeAttempt(f"+1561555{n:04}")) for n in range(100, 105)]
    result = await scene.sweep(sweep_max_lookups=2)
    assert result.counters["doubtful.absent"] == 2
    assert result.counters["doubtful.left_over"] == 3
    assert not result.partial
    await scene.sweep()
    assert {attempt.state for attempt in attempts} == {"not_placed"}


async def test_a_report_that_is_not_taken_is_counted_and_made_again(scene: Scene, attempt: FakeAttempt) -> None:
    scene.queue.failing.add("/v1/reports")
    result = await scene.sweep()
    assert result.counters["doubtful.not_reported"] == 1
    assert result.partial
    scene.queue.failing.clear()
    await scene.sweep()
    assert attempt.state == "not_placed"


class TestSpelling:
    @pytest.fixture(params=[0.0, 1.0], ids=["with +1", "without +1"])
    def world(self, request: pytest.FixtureRequest) -> SimulatedWorldPart:
        return SimulatedWorldPart(national_form_share=request.param)

    async def test_a_call_is_found_in_either_spelling(self, scene: Scene, attempt: FakeAttempt) -> None:
        await scene.bland.call(attempt)
        await scene.sweep()
        assert attempt.state == "placed"


class TestBeforeTheListKnowsIt:
    @pytest.fixture
    def world(self) -> SimulatedWorldPart:
        return SimulatedWorldPart(listing_lag_seconds=3600)

    async def test_a_running_call_is_found_among_the_running(self, scene: Scene, attempt: FakeAttempt) -> None:
        call_id = await scene.bland.call(attempt)
        await scene.sweep()
        assert (attempt.state, attempt.call_id) == ("placed", call_id)


async def test_nothing_is_ever_dialled(scene: Scene, attempt: FakeAttempt) -> None:
    await scene.bland.call(attempt)
    scene.queue.add(FakeAttempt("+15615550144"))
    await scene.sweep()
    assert await scene.bland.posts() == 0
