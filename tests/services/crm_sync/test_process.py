"""The sync as a process: settings, health, and what it leaves behind."""

import signal
from pathlib import Path

import aiohttp
import pytest

from tests.services.crm_sync.conftest import Stage, until
from tests.services.crm_sync.fake_queue import NUMBER, TOKEN
from tests.support.fake_convoso import CONVOSO_TOKEN
from tests.support.processes import ServiceProcess


def settings(stage: Stage) -> dict[str, str]:
    return {
        "LEADLINE_QUEUE_URL": stage.queue.url,
        "LEADLINE_QUEUE_TOKEN": TOKEN,
        "LEADLINE_CONVOSO_BASE_URL": f"http://127.0.0.1:{stage.convoso.port}/v1",
        "LEADLINE_CONVOSO_AUTH_TOKEN": CONVOSO_TOKEN,
        "LEADLINE_CONVOSO_REQUESTS_PER_SECOND": "0",
        "LEADLINE_CRM_SYNC_POLL_SECONDS": "0.05",
    }


async def test_a_process_tells_asks_and_stops(stage: Stage, tmp_path: Path) -> None:
    stage.convoso.lead(NUMBER, "SALE")
    async with ServiceProcess("services.crm_sync", settings(stage), tmp_path) as process:
        await process.wait_ready()
        stage.queue.add()
        stage.queue.ask()
        await until(lambda: stage.queue.results and stage.queue.answers)
        url = f"http://127.0.0.1:{process.metrics_port}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            figures = await response.text()
        assert 'leadline_crm_sync_messages_total{kind="result",result="sent"} 1.0' in figures
        assert 'leadline_crm_sync_questions_total{standing="sale"} 1.0' in figures
        assert f"leadline_crm_sync_statuses {len(stage.convoso.statuses)}.0" in figures
        process.send(signal.SIGTERM)
        assert await process.wait() == 0
        log = process.log_text()
    assert CONVOSO_TOKEN not in log
    assert NUMBER.removeprefix("+1") not in log


async def test_a_killed_process_loses_nothing(stage: Stage, tmp_path: Path) -> None:
    async with ServiceProcess("services.crm_sync", settings(stage), tmp_path) as process:
        await process.wait_ready()
        stage.convoso.failing = 503
        message = stage.queue.add()
        await until(lambda: stage.queue.taken or stage.queue.results)
        await process.kill()
        stage.convoso.failing = 0
        stage.queue.come_back()
        process.start()
        await until(lambda: any(result.result == "sent" for result in stage.queue.of(message)))


async def test_a_refused_token_is_not_ready_and_says_so(stage: Stage, tmp_path: Path) -> None:
    stage.convoso.token = "another"
    async with (
        ServiceProcess("services.crm_sync", settings(stage), tmp_path) as process,
        aiohttp.ClientSession() as session,
    ):
        await until(lambda: stage.convoso.forms("status/search"))
        await until(lambda: "crm_refuses_token" in process.log_text())
        async with session.get(f"http://127.0.0.1:{process.metrics_port}/readyz") as response:
            assert response.status == 503
            assert "refuses our token" in await response.text()
        assert process.running


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"LEADLINE_CONVOSO_AUTH_TOKEN": ""}, "LEADLINE_CONVOSO_AUTH_TOKEN: is not set"),
        ({"LEADLINE_QUEUE_TOKEN": ""}, "LEADLINE_QUEUE_TOKEN: is not set"),
        ({"LEADLINE_CRM_SYNC_BATCH": "0"}, "LEADLINE_CRM_SYNC_BATCH='0'"),
        ({"LEADLINE_CONVOSO_STATUSES": "SOLD=SALE"}, "LEADLINE_CONVOSO_STATUSES"),
    ],
)
async def test_a_wrong_setting_is_one_line(stage: Stage, tmp_path: Path, changes: dict[str, str], words: str) -> None:
    async with ServiceProcess("services.crm_sync", settings(stage) | changes, tmp_path) as process:
        assert await process.wait() == 2
        (line,) = process.log_text().splitlines()
        assert line.startswith("crm-sync: ")
        assert words in line
