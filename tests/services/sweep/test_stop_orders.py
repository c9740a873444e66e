"""Step f: stop orders that nobody has confirmed (crash matrix, row 10)."""

from uuid import uuid4

import pytest

from leadline.contracts.leases import ReportKind, StopResult
from tests.services.sweep.fake_queue import FakeAttempt
from tests.services.sweep.support import NUMBER, Scene


@pytest.fixture
def attempt(scene: Scene) -> FakeAttempt:
    return scene.queue.add(FakeAttempt(NUMBER, state="placed"))


async def test_a_running_call_is_stopped(scene: Scene, attempt: FakeAttempt) -> None:
    attempt.call_id = await scene.bland.call(attempt)
    order = scene.queue.order_stop(attempt, attempt.call_id)
    result = await scene.sweep()
    assert await scene.bland.live() == set()
    assert order.confirmed
    assert order.reports[0].call_id == attempt.call_id
    assert result.counters["stop_orders.stopped"] == 1


async def test_an_order_without_a_call_id_finds_its_call_among_the_running(scene: Scene) -> None:
    attempt = scene.queue.add(FakeAttempt(NUMBER))
    other = await scene.bland.call(uuid4())
    call_id = await scene.bland.call(attempt)
    order = scene.queue.order_stop(attempt)
    await scene.sweep()
    assert await scene.bland.live() == {other}
    assert order.confirmed
    assert attempt.call_id == call_id
    assert scene.queue.kinds(attempt)[0] is ReportKind.PLACED


async def test_an_order_whose_call_does_not_run_is_not_confirmed(scene: Scene) -> None:
    attempt = scene.queue.add(FakeAttempt(NUMBER))
    await scene.bland.call(uuid4())
    order = scene.queue.order_stop(attempt)
    result = await scene.sweep()
    assert [report.result for report in order.reports] == [StopResult.NOT_FOUND]
    assert not order.confirmed
    assert result.counters["stop_orders.not_found"] == 1


async def test_a_call_that_names_nobody_is_not_stopped_and_not_taken_for_absent(scene: Scene) -> None:
    attempt = scene.queue.add(FakeAttempt(NUMBER))
    call_id = await scene.bland.call(None)
    order = scene.queue.order_stop(attempt)
    result = await scene.sweep()
    assert await scene.bland.live() == {call_id}
    assert [report.result for report in order.reports] == [StopResult.FAILED]
    assert result.counters["stop_orders.failed"] == 1


async def test_a_call_that_is_over_confirms_the_order(scene: Scene, attempt: FakeAttempt) -> None:
    attempt.call_id = await scene.bland.call(attempt)
    order = scene.queue.order_stop(attempt, attempt.call_id)
    await scene.bland.end_all()
    result = await scene.sweep()
    assert attempt.state == "ended"
    assert [report.result for report in order.reports] == [StopResult.NOT_FOUND]
    assert order.confirmed
    assert result.counters["stop_orders.ended"] == 1


async def test_a_stop_that_fails_is_repeated_by_the_next_pass(scene: Scene, attempt: FakeAttempt) -> None:
    attempt.call_id = await scene.bland.call(attempt)
    order = scene.queue.order_stop(attempt, attempt.call_id)
    await scene.bland.fault("stop", status=500, count=1)
    result = await scene.sweep()
    assert [report.result for report in order.reports] == [StopResult.FAILED]
    assert result.partial
    await scene.sweep()
    assert order.confirmed
    assert await scene.bland.live() == set()


@pytest.mark.parametrize("place", ["active", "details"])
async def test_an_order_that_cannot_be_looked_up_fails(scene: Scene, place: str) -> None:
    attempt = scene.queue.add(FakeAttempt(NUMBER))
    await scene.bland.call(attempt)
    order = scene.queue.order_stop(attempt)
    await scene.bland.fault(place, status=500)
    await scene.sweep()
    assert order.reports[0].result is StopResult.FAILED
    assert "could not be read" in (order.reports[0].message or "")


async def test_a_stopped_call_whose_attempt_was_doubtful_is_resolved_in_the_same_pass(scene: Scene) -> None:
    attempt = scene.queue.add(FakeAttempt(NUMBER))
    await scene.bland.call(attempt)
    scene.queue.order_stop(attempt)
    await scene.sweep()
    await scene.sweep()
    assert attempt.state == "ended"
