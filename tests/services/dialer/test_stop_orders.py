"""Stop orders are carried out at once, whatever is known of the call."""

import asyncio

from leadline.contracts.leases import ReportKind, StopResult
from leadline.runtime.ids import new_uuid7
from tests.services.dialer.conftest import Stage, until
from tests.services.dialer.fake_bland import Told
from tests.services.dialer.fake_queue import NUMBER, go


async def test_with_a_call_id(stage: Stage) -> None:
    stage.bland.run_call("call-9", NUMBER, None)
    await stage.start()
    order = stage.queue.order_stop(new_uuid7(), "call-9")
    await until(lambda: stage.queue.stop_reports)
    assert stage.queue.stop_reports[order.id].result is StopResult.STOPPED
    assert stage.queue.stop_reports[order.id].call_id == "call-9"
    assert stage.bland.stops == ["call-9"]


async def test_while_full(stage: Stage) -> None:
    stage.bland.told = Told(held=asyncio.Event())
    stage.queue.add()
    await stage.start(concurrency=1, provider_timeout_seconds=30)
    await until(lambda: stage.bland.posts)
    stage.bland.run_call("call-9", NUMBER, None)
    stage.queue.order_stop(new_uuid7(), "call-9")
    await until(lambda: stage.bland.stops)
    assert any(request.slots == 0 for request in stage.queue.lease_requests)


async def test_without_a_call_id_it_is_found_by_number_and_metadata(stage: Stage) -> None:
    attempt = new_uuid7()
    stage.bland.run_call("foreign", NUMBER, str(new_uuid7()))
    stage.bland.run_call("nameless", NUMBER, None)
    stage.bland.run_call("elsewhere", "+18135550142", str(attempt))
    stage.bland.run_call("ours", NUMBER.removeprefix("+1"), str(attempt))
    await stage.start()
    order = stage.queue.order_stop(attempt)
    await until(lambda: stage.queue.stop_reports)
    assert stage.bland.stops == ["ours"]
    assert stage.queue.stop_reports[order.id].call_id == "ours"
    await until(lambda: stage.queue.reports)
    assert [(r.kind, r.call_id) for r in stage.queue.reports_of(attempt)] == [(ReportKind.PLACED, "ours")]


async def test_a_call_that_is_listed_late(stage: Stage) -> None:
    attempt = new_uuid7()
    await stage.start()
    stage.queue.order_stop(attempt)
    await asyncio.sleep(0.3)
    stage.bland.run_call("late", NUMBER, str(attempt))
    await until(lambda: stage.bland.stops)
    assert stage.bland.stops == ["late"]


async def test_not_running(stage: Stage) -> None:
    await stage.start()
    order = stage.queue.order_stop(new_uuid7())
    await until(lambda: stage.queue.stop_reports)
    assert stage.queue.stop_reports[order.id].result is StopResult.NOT_FOUND
    assert stage.bland.stops == []


async def test_the_list_cannot_be_read(stage: Stage) -> None:
    stage.bland.broken_lists = True
    await stage.start()
    order = stage.queue.order_stop(new_uuid7())
    await until(lambda: stage.queue.stop_reports)
    assert stage.queue.stop_reports[order.id].result is StopResult.FAILED


async def test_before_the_request_nothing_is_sent(stage: Stage) -> None:
    stage.queue.mark = go(send_after_ms=400)
    await stage.start()
    (attempt,) = stage.queue.add()
    await until(lambda: stage.queue.mark_requests)
    order = stage.queue.order_stop(attempt)
    await until(lambda: stage.queue.stop_reports)
    await until(lambda: stage.queue.reports)
    assert stage.bland.posts == []
    assert stage.queue.stop_reports[order.id].result is StopResult.NOT_FOUND
    assert (stage.queue.reports[0].kind, stage.queue.reports[0].message) == (ReportKind.NOT_SENT, "stop_order")


async def test_during_the_request_the_call_is_ended_as_soon_as_it_has_an_id(stage: Stage) -> None:
    held = asyncio.Event()
    stage.bland.told = Told(held=held)
    await stage.start(provider_timeout_seconds=30)
    (attempt,) = stage.queue.add()
    await until(lambda: stage.bland.posts)
    order = stage.queue.order_stop(attempt)
    await asyncio.sleep(0.1)
    held.set()
    await until(lambda: stage.queue.stop_reports)
    assert stage.bland.stops == ["call-1"]
    assert stage.queue.stop_reports[order.id].result is StopResult.STOPPED


async def test_after_a_doubtful_answer_the_running_calls_tell(stage: Stage) -> None:
    held = asyncio.Event()
    stage.bland.told = Told(500, held=held)
    await stage.start(provider_timeout_seconds=30)
    (attempt,) = stage.queue.add()
    await until(lambda: stage.bland.posts)
    stage.queue.order_stop(attempt)
    stage.bland.run_call("accepted-after-all", NUMBER, str(attempt))
    await asyncio.sleep(0.1)
    held.set()
    await until(lambda: stage.bland.stops)
    assert stage.bland.stops == ["accepted-after-all"]
