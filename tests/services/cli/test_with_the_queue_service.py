"""The operator's commands over the real queue-service and PostgreSQL: one lead's life by hand."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadline.clients.queue import QueueClient
from leadline.contracts.leads import LeadSubmission
from tests.services.cli.conftest import Cli
from tests.services.cli.fake_queue import NUMBER, TOKEN
from tests.support.ports import free_port
from tests.support.processes import ServiceProcess


@pytest.fixture
def real(database_url: str, tmp_path: Path) -> Iterator[Cli]:
    port = free_port()
    settings = {
        "LEADLINE_DATABASE_URL": database_url,
        "LEADLINE_QUEUE_PORT": str(port),
        "LEADLINE_QUEUE_TOKENS": f"operator:{TOKEN}",
        "LEADLINE_CALLING_HOURS": "Mon-Sun 00:00-24:00",
        "LEADLINE_BLAND_TASK": "Say hello.",
    }
    process = ServiceProcess("services.queue_service", settings, tmp_path)
    url = f"http://127.0.0.1:{port}"
    process.start()
    try:
        asyncio.run(process.wait_ready())
        asyncio.run(_submit(url))
        yield Cli({"LEADLINE_QUEUE_URL": url, "LEADLINE_QUEUE_TOKEN": TOKEN})
    finally:
        asyncio.run(process.kill())


async def _submit(url: str) -> None:
    lead = LeadSubmission(campaign="awhealth", phone_number=NUMBER, lead_id="77", list_id="1")
    async with QueueClient(url, TOKEN) as client:
        await client.submit_lead(lead)


def asked(cli: Cli, *arguments: str) -> Any:
    return json.loads(cli.done(*arguments, "--json"))


def test_one_leads_life(real: Cli) -> None:
    (shown,) = asked(real, "leads", "show", "(561) 555-0123")["leads"]
    assert shown["lead"]["status"] == "pending"
    lead_id = shown["lead"]["id"]
    assert asked(real, "leads", "pause", NUMBER, "-r", "in hospital")["status"] == "paused"
    assert "in hospital" in real.done("leads", "show", lead_id)
    (explained,) = asked(real, "leads", "explain", NUMBER)["explanations"]
    assert next(rule["rule"] for rule in explained["rules"] if not rule["allowed"]) == "status"
    assert asked(real, "leads", "resume", lead_id, "-r", "is back")["status"] == "pending"
    moved = asked(real, "leads", "reschedule", NUMBER, "--at", "2031-01-07T15:30-05:00", "-r", "asked")
    assert moved["next_redial_at"] == "2031-01-07T20:30:00Z"
    assert asked(real, "leads", "complete", NUMBER, "-r", "bought by mail")["status"] == "completed"
    assert asked(real, "leads", "reopen", NUMBER, "-r", "mistake", "--yes")["status"] == "pending"
    assert "reopen" in real.fails(1, "leads", "reopen", NUMBER, "-r", "again", "--yes").lower()


def test_a_number_is_suppressed_and_not_any_more(real: Cli) -> None:
    assert real("suppress", "check", NUMBER).exit_code == 3
    real.done("suppress", "add", NUMBER, "-r", "asked by mail")
    assert asked(real, "suppress", "check", NUMBER)["suppressed"] is True
    real.fails(1, "leads", "reopen", NUMBER, "-r", "x", "--yes")
    real.done("suppress", "remove", NUMBER, "-r", "typed wrong", "--yes")
    real.fails(3, "suppress", "remove", NUMBER, "-r", "typed wrong", "--yes")


def test_switches_and_status(real: Cli) -> None:
    real.done("campaigns", "pause", "awhealth", "-r", "script")
    assert asked(real, "campaigns", "list")["campaigns"][0]["pause_reason"] == "script"
    real.fails(3, "campaigns", "pause", "nothing", "-r", "script")
    assert asked(real, "account", "pause", "-r", "storm")["account_paused"] is True
    assert "leadline account resume" in real.done("status")
    assert asked(real, "account", "resume", "-r", "over")["account_paused"] is False
    real.done("campaigns", "resume", "awhealth", "-r", "live")


def test_wrong_words_are_refused_by_the_queue_service(real: Cli) -> None:
    real.fails(2, "leads", "show", "banana")
    real.fails(3, "leads", "show", "+15615550199")
    real.fails(2, "suppress", "add", "12", "-r", "x")
