"""A stop finishes what is in flight, takes nothing more, and is bounded."""

import asyncio

from leadline.contracts.crm import SendResult
from tests.services.crm_sync.conftest import Stage, until


async def test_what_is_in_flight_is_finished_and_reported(stage: Stage) -> None:
    await stage.start(convoso_timeout_seconds=60, drain_seconds=30)
    await until(lambda: stage.queue.tables)
    stage.convoso.held = asyncio.Event()
    message, lead = stage.queue.add(), stage.queue.ask()
    await until(lambda: stage.convoso.in_flight == 2)
    draining = asyncio.create_task(stage.drain())
    await asyncio.sleep(0.05)
    late = stage.queue.add()
    stage.convoso.held.set()
    await draining
    assert [result.result for result in stage.queue.of(message)] == [SendResult.SENT]
    assert [answer.lead_id for answer in stage.queue.answers] == [lead]
    assert (stage.queue.of(late), [waiting.id for waiting in stage.queue.waiting]) == ([], [late])


async def test_a_crm_that_never_answers_does_not_keep_it(stage: Stage) -> None:
    await stage.start(convoso_timeout_seconds=60, drain_seconds=0.5)
    await until(lambda: stage.queue.tables)
    stage.convoso.held = asyncio.Event()
    message = stage.queue.add()
    await until(lambda: stage.convoso.in_flight)
    await stage.drain()
    assert (stage.queue.results, list(stage.queue.taken)) == ([], [message])


async def test_a_queue_service_that_never_answers_does_not_keep_it(stage: Stage) -> None:
    await stage.start(drain_seconds=1)
    stage.queue.failing["outbox/report"] = 503
    stage.queue.add()
    await until(lambda: stage.queue.failures)
    await stage.drain()
    assert stage.queue.results == []


async def test_idle_it_stops_at_once(stage: Stage) -> None:
    await stage.start(drain_seconds=100)
    await until(lambda: len(stage.queue.takes) > 2)
    await stage.drain()


async def test_it_stops_before_the_statuses_were_read(stage: Stage) -> None:
    stage.convoso.held = asyncio.Event()
    await stage.start(convoso_timeout_seconds=60, drain_seconds=100)
    await until(lambda: stage.convoso.in_flight)
    await stage.drain()
    assert await stage.reasons() == ["draining", "the account's statuses have not been read yet"]
