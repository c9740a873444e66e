"""Stopping: what was begun is finished, the rest is given back, and nothing takes longer than it may."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from leadline.contracts.leases import ReportKind
from tests.services.dialer.conftest import Stage, until
from tests.services.dialer.fake_bland import Told
from tests.services.dialer.fake_queue import TOKEN, go, wait
from tests.support.processes import ServiceProcess


async def test_posts_in_flight_are_finished_and_waiting_leases_given_back(stage: Stage) -> None:
    held = asyncio.Event()
    stage.bland.told = Told(held=held)
    stage.queue.marks_by_turn = [go(), wait(20_000)]
    await stage.start(provider_timeout_seconds=30)
    (sending,) = stage.queue.add()
    await until(lambda: stage.bland.posts)
    (waiting,) = stage.queue.add()
    await until(lambda: len(stage.queue.mark_requests) == 2)
    stage.stop.set()
    await until(lambda: stage.queue.reports_of(waiting))
    polls = len(stage.queue.lease_requests)
    held.set()
    await stage.drain()
    assert [report.kind for report in stage.queue.reports_of(waiting)] == [ReportKind.RETURNED]
    assert [report.kind for report in stage.queue.reports_of(sending)] == [ReportKind.PLACED]
    assert len(stage.queue.lease_requests) == polls
    assert len(stage.bland.posts) == 1


async def test_leases_that_are_on_their_way_when_it_is_told_to_stop_are_given_back(stage: Stage) -> None:
    """Nobody else knows that they were never read: their numbers would wait for the end of the lease."""

    async def stop_meanwhile() -> None:
        stage.stop.set()
        await asyncio.sleep(0.1)

    stage.queue.after_lease = stop_meanwhile
    await stage.start()
    attempts = stage.queue.add(3)
    assert stage.running is not None
    await stage.running
    assert [r.kind for attempt in attempts for r in stage.queue.reports_of(attempt)] == [ReportKind.RETURNED] * 3
    assert [request.slots for request in stage.queue.lease_requests if request.slots] == [10]
    assert stage.bland.posts == []


async def test_a_drain_that_must_be_cut_short_reports_doubt(stage: Stage) -> None:
    stage.bland.told = Told(held=asyncio.Event())
    await stage.start(drain_seconds=0.5, provider_timeout_seconds=30)
    (attempt,) = stage.queue.add()
    await until(lambda: stage.bland.posts)
    await stage.drain()
    assert [report.kind for report in stage.queue.reports_of(attempt)] == [ReportKind.DOUBT]


async def test_reports_are_flushed_when_the_queue_service_returns_in_time(stage: Stage) -> None:
    stage.queue.failing["reports"] = 503
    await stage.start(drain_seconds=20)
    stage.queue.add(3)
    await until(lambda: stage.queue.failures > 1)
    stage.stop.set()
    await asyncio.sleep(0.1)
    del stage.queue.failing["reports"]
    await stage.drain()
    assert stage.queue.kinds() == [ReportKind.PLACED] * 3


async def test_drain_ends_even_if_nobody_takes_the_reports(stage: Stage) -> None:
    stage.queue.failing["reports"] = 503
    await stage.start(drain_seconds=0.5)
    stage.queue.add(3)
    await until(lambda: len(stage.bland.posts) == 3)
    await stage.drain()
    assert stage.queue.reports == []


async def test_not_ready_while_draining(stage: Stage) -> None:
    stage.bland.told = Told(held=asyncio.Event())
    await stage.start(drain_seconds=1, provider_timeout_seconds=30)
    assert stage.dialer is not None
    assert await stage.dialer.not_ready_because() == []
    stage.queue.add()
    await until(lambda: stage.bland.posts)
    stage.stop.set()
    await asyncio.sleep(0.05)
    assert await stage.dialer.not_ready_because() == ["draining"]


@pytest.fixture
async def process(stage: Stage, tmp_path: Path) -> AsyncIterator[ServiceProcess]:
    """The dialer as a process of its own."""
    settings = {
        "LEADLINE_QUEUE_URL": stage.queue.url,
        "LEADLINE_QUEUE_TOKEN": TOKEN,
        "LEADLINE_BLAND_BASE_URL": stage.bland.url,
        "LEADLINE_BLAND_API_KEY": "key",
        "LEADLINE_PUBLIC_URL": "http://127.0.0.1:1",
        "LEADLINE_BLAND_TASK": "Say hello",
        "LEADLINE_DRAIN_SECONDS": "15",
    }
    async with ServiceProcess("services.dialer", settings, tmp_path) as process:
        await process.wait_ready()
        yield process


async def test_sigterm(stage: Stage, process: ServiceProcess) -> None:
    held = asyncio.Event()
    stage.bland.told = Told(held=held)
    (attempt,) = stage.queue.add()
    await until(lambda: stage.bland.posts)
    process.send(signal.SIGTERM)
    await until(lambda: "drain_started" in process.log_text())
    held.set()
    assert await process.wait() == 0
    assert [report.kind for report in stage.queue.reports_of(attempt)] == [ReportKind.PLACED]
    assert "+15615550123" not in process.log_text()


async def test_a_dialer_frozen_after_the_mark_sends_nothing_when_it_wakes(
    stage: Stage, process: ServiceProcess
) -> None:
    """Row 12: the gate is the process's own monotonic clock."""
    stage.queue.mark = go(send_after_ms=600, send_within_ms=1000)
    (attempt,) = stage.queue.add()
    await until(lambda: stage.queue.mark_requests)
    await asyncio.sleep(0.1)
    process.pause()
    await asyncio.sleep(1.5)
    process.resume()
    await until(lambda: stage.queue.reports)
    assert [(r.kind, r.message) for r in stage.queue.reports_of(attempt)] == [(ReportKind.NOT_SENT, "gate_closed")]
    assert stage.bland.posts == []


async def test_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    async with ServiceProcess("services.dialer", {"LEADLINE_QUEU_URL": "http://x"}, tmp_path) as process:
        assert await process.wait() == 2
        (line,) = process.log_text().splitlines()
        assert "LEADLINE_QUEUE_URL" in line
