"""What is read from a real simulator: the ledger judged by the configured rules, and who was called."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from leadline.domain.rules.hours import parse_calling_hours
from services.cli.up.clock import BusinessClock, simulator_teller
from services.cli.up.errors import UpError
from services.cli.up.folder import DataFolder
from services.cli.up.ledger import LedgerReader, hours_text, rulebook
from services.cli.up.options import read_instant
from services.cli.up.people import people
from services.cli.up.settings import Configured, configure
from services.simulator.app import create_app


@pytest.fixture
async def simulator() -> AsyncIterator[str]:
    async with TestServer(create_app()) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def configured(tmp_path: Path) -> Configured:
    settings = {"LEADLINE_CALLING_HOURS": "Sat 10:00-14:00", "REDIAL_MAX_ATTEMPTS": "1"}
    return configure(settings, DataFolder(tmp_path))


async def call(session: aiohttp.ClientSession, simulator: str, number: str) -> None:
    body = {"phone_number": number, "task": "x", "metadata": {"campaign": "awhealth"}}
    async with session.post(f"{simulator}/v1/calls", json=body, headers={"Authorization": "k"}) as response:
        assert response.status == 200, await response.text()


async def test_the_ledger_is_judged_by_the_configured_rules(
    session: aiohttp.ClientSession, simulator: str, configured: Configured
) -> None:
    saturday = read_instant("--start-at", "2026-01-10T12:00-05:00")
    await simulator_teller(simulator)(BusinessClock(saturday, saturday, 0.0))
    first, second = (person.phone_number for person in people(2, 2))
    await call(session, simulator, first)
    sunday = read_instant("--start-at", "2026-01-11T12:00-05:00")
    await simulator_teller(simulator)(BusinessClock(sunday, sunday, 0.0))
    await call(session, simulator, first)
    await call(session, simulator, second)

    reader = LedgerReader(session, simulator)
    scores = await reader.scoreboard(rulebook(configured.campaigns, people(0, 10), "enterprise"))
    assert (scores.calls, scores.calls_out_of_hours, scores.calls_over_a_cap) == (3, 2, 1)
    assert await reader.numbers_called() == {first, second}


async def test_a_simulator_that_is_gone_is_an_error_in_one_line(session: aiohttp.ClientSession) -> None:
    with pytest.raises(UpError, match="cannot read the ledger"):
        await LedgerReader(session, "http://127.0.0.1:1").numbers_called()
    with pytest.raises(UpError, match="cannot set the simulator's clock"):
        await simulator_teller("http://127.0.0.1:1")(BusinessClock.wall())


def test_the_state_field_widens_the_zones_in_which_somebody_may_be(configured: Configured) -> None:
    rules = rulebook(configured.campaigns, people(0, 50), "start")
    assert rules.plan == "start"
    assert {rules.states[person.phone_number] for person in people(0, 50) if person.state}
    assert rules.campaigns["awhealth"].max_attempts == 1


@pytest.mark.parametrize("text", ["Mon-Fri 11:00-20:00", "Mon-Sun 00:00-24:00", "Sat-Mon 09:30-12:00, Wed 22:00-24:00"])
def test_hours_are_written_as_they_are_read(text: str) -> None:
    hours = parse_calling_hours(text, "America/New_York")
    assert parse_calling_hours(hours_text(hours), "America/New_York").windows == hours.windows
