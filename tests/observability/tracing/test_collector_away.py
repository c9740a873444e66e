"""Tracing that is off, and a collector that is dead: calls go on as if nothing were."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from functools import partial

import pytest

from tests.support.phones import fresh_phones
from tests.support.processes import ServiceProcess
from tests.support.simulated import ANYBODY, step
from tests.support.stack import Stack
from tests.support.system import System, running, system_open
from tests.support.waiting import until_true


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Takes connections and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=64)) as server:
        yield server.getsockname()[1]


def _events(process: ServiceProcess) -> list[str]:
    return [json.loads(line)["event"] for line in process.log_text().splitlines() if line.startswith('{"at"')]


def _has_given_up(process: ServiceProcess) -> bool:
    return "traces_not_delivered" in _events(process)


@asynccontextmanager
async def _calling(stack: Stack) -> AsyncIterator[tuple[System, ServiceProcess]]:
    async with system_open(stack) as system, system.dialer() as dialer:
        await system.simulator.script(ANYBODY, step("NO_ANSWER", times=1000))
        phones = fresh_phones(3)
        await system.add_leads(phones)
        await asyncio.gather(*(system.until_state(phone, "ended") for phone in phones))
        yield system, dialer


async def test_without_an_endpoint_ids_are_made_and_nothing_is_said_of_traces(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def run() -> None:
        with running(Stack(database_url, tmp_path_factory.mktemp("off"))) as stack:
            asyncio.run(_without(stack))

    await asyncio.to_thread(run)


async def _without(stack: Stack) -> None:
    async with _calling(stack) as (system, dialer):
        traceparents = [row[0] for row in await system.db.fetch("SELECT traceparent FROM attempts")]
        ended = await system.count("SELECT count(*) FROM attempts WHERE state = 'ended'")
    assert ended == 3
    assert all(traceparent and int(traceparent[-2:], 16) & 1 == 0 for traceparent in traceparents), "not sampled"
    for process in (stack.gateway, *stack.queues, dialer):
        assert not [event for event in _events(process) if event.startswith("traces_")]


@pytest.mark.slow
async def test_a_dead_collector_holds_nothing_up_and_is_told_of_once(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, silent_port: int
) -> None:
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{silent_port}"}

    def run() -> None:
        with running(Stack(database_url, tmp_path_factory.mktemp("dead"), settings)) as stack:
            asyncio.run(_with_a_dead_one(stack))

    await asyncio.to_thread(run)


async def _with_a_dead_one(stack: Stack) -> None:
    async with _calling(stack) as (system, dialer):
        processes = (stack.gateway, *stack.queues, dialer)
        for process in processes:
            await until_true(partial(_has_given_up, process), "the first batch is given up")
        await system.jump(timedelta(minutes=61))
        await until_true(lambda: _events(dialer).count("call_placed") == 6, "everybody was called again")
        for process in processes:
            assert await process.terminate() == 0
        assert await system.count("SELECT count(*) FROM attempts WHERE state = 'unknown'") == 0
    for process in processes:
        events = _events(process)
        assert events.count("traces_not_delivered") == 1
        assert "library_said" not in events
