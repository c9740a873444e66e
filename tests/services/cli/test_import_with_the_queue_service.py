"""Import and export over the real queue-service and PostgreSQL: the samples, twice, in any order, there and back."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from leadline.runtime.postgres import create_pool
from leadline.runtime.settings.parts import DatabasePart
from leadline.store.clock import set_clock
from tests.services.cli.conftest import Cli
from tests.services.cli.fake_queue import TOKEN
from tests.services.cli.import_scenes import LISTS, QUEUES, SEEN, command
from tests.support.fixtures import _fresh_database
from tests.support.ports import free_port
from tests.support.processes import ServiceProcess
from tests.support.run import Server
from tests.support.whole_tables import Tables, difference, read_raw_tables, read_whole_tables

NOW: Final = datetime.fromisoformat("2026-01-08T09:00-05:00")
"""The morning after the samples end; the clock stands still, so that two imports are one instant."""
_STANDS_STILL: Final = 1e-9
_OF_THE_MACHINE: Final = frozenset({"dispatch_gate", "pace", "sweep_runs", "alarms"})
"""Tables that a queue-service writes by itself."""


@dataclass
class Installation:
    """A queue-service with a database of its own."""

    cli: Cli
    database_url: str

    def reported(self, *arguments: str) -> Any:
        return json.loads(self.cli.done(*arguments, "--json"))

    def lead(self, number: str) -> dict[str, Any]:
        (shown,) = self.reported("leads", "show", number, "--show-pii")["leads"]
        lead: dict[str, Any] = shown["lead"]
        return lead

    def raw_tables(self) -> Tables:
        return {table: rows for table, rows in self._read(exactly=True).items() if table not in _OF_THE_MACHINE}

    def whole_tables(self) -> Tables:
        return self._read(exactly=False)

    def _read(self, *, exactly: bool) -> Tables:
        async def work() -> Tables:
            part = DatabasePart.model_validate({"database_url": self.database_url})
            async with await create_pool(part, application_name="test") as pool, pool.acquire() as conn:
                return await (read_raw_tables(conn) if exactly else read_whole_tables(conn))

        return asyncio.run(work())


@contextmanager
def installed(database_url: str, folder: Path) -> Iterator[Installation]:
    async def stand_still() -> None:
        part = DatabasePart.model_validate({"database_url": database_url})
        async with await create_pool(part, application_name="test") as pool, pool.acquire() as conn:
            await set_clock(conn, NOW, _STANDS_STILL)

    asyncio.run(stand_still())
    port = free_port()
    settings = {
        "LEADLINE_DATABASE_URL": database_url,
        "LEADLINE_QUEUE_PORT": str(port),
        "LEADLINE_QUEUE_TOKENS": f"operator:{TOKEN}",
        "LEADLINE_BLAND_TASK": "Say hello.",
    }
    process = ServiceProcess("services.queue_service", settings, folder, label=f"queue_service_{port}")
    process.start()
    try:
        asyncio.run(process.wait_ready())
        cli = Cli({"LEADLINE_QUEUE_URL": f"http://127.0.0.1:{port}", "LEADLINE_QUEUE_TOKEN": TOKEN})
        yield Installation(cli, database_url)
    finally:
        asyncio.run(process.kill())


@pytest.fixture
def install(
    postgres: Server, _postgres_admin: psycopg.Connection, tmp_path: Path
) -> Iterator[Callable[[], Installation]]:
    """Makes installations that live as long as the test."""
    with ExitStack() as stack:

        def make() -> Installation:
            databases = contextmanager(_fresh_database)(postgres, _postgres_admin, postgres.template)
            return stack.enter_context(installed(stack.enter_context(databases), tmp_path))

        yield make


def test_the_samples_give_what_their_readme_says_twice(install: Callable[[], Installation]) -> None:
    here = install()
    report = here.reported(*command())
    assert report["numbers"] == SEEN
    assert report["leads"] == {"taken": SEEN - 1}
    assert report["quarantined_rows"] == {"phone_number is no telephone number": 1}
    held = here.lead("+16025550155")
    assert (held["status"], held["status_reason"], held["next_redial_at"]) == ("held", "crm_unknown", None)
    assert here.reported("suppress", "check", "+14045550176")["suppressed"] is True
    assert here.reported("suppress", "check", "+13525550101")["suppressed"] is True
    assert here.lead("+13525550101")["status_reason"] == "dnc"
    assert here.reported("suppress", "check", "+17725550139")["suppressed"] is True
    bad = here.lead("+18505550133")
    assert (bad["status"], bad["status_reason"]) == ("completed", "bad_number")
    merged = here.lead("+18135550142")
    assert (merged["attempts"], merged["lead_id"]) == (5, "410777")
    promised = here.lead("+13055550164")
    assert (promised["status"], promised["scheduled_callback_at"]) == ("rescheduled", "2026-01-08T20:30:00Z")
    assert promised["next_redial_at"] == "2026-01-08T20:30:00Z"
    assert here.lead("+19415550111")["status_reason"] == "sale"
    assert here.lead("+12125550187")["status_reason"] == "exhausted"
    assert here.lead("+19545550118")["status_reason"] == "exhausted"
    two_months = here.lead("+15615550123")
    assert (two_months["status"], two_months["attempts"]) == ("pending", 5)
    before = here.raw_tables()
    report = here.reported(*command())
    assert report["leads"] == {"unchanged": SEEN - 1}
    assert difference(here.raw_tables(), before) == ""


def test_files_in_any_order_give_the_same(install: Callable[[], Installation]) -> None:
    states = []
    for files in (QUEUES, QUEUES[::-1], QUEUES[1:] + QUEUES[:1]):
        here = install()
        here.cli.done("import-queue", *LISTS, *map(str, files))
        states.append(here.whole_tables())
    assert difference(states[1], states[0]) == ""
    assert difference(states[2], states[0]) == ""


def test_a_dry_run_changes_nothing(install: Callable[[], Installation]) -> None:
    here = install()
    before = here.raw_tables()
    report = here.reported(*command("--dry-run"))
    assert report["leads"] == {"taken": SEEN - 1}
    assert difference(here.raw_tables(), before) == ""


def test_a_legacy_export_makes_the_same_leads_elsewhere(install: Callable[[], Installation], tmp_path: Path) -> None:
    here, there = install(), install()
    here.cli.done(*command())
    here.cli.done("leads", "pause", "+15615550123", "-r", "in hospital until March")
    path = str(tmp_path / "export.json")
    here.cli.done("export-queue", "--output", path)
    assert there.reported("import-queue", path)["leads"] == {"taken": SEEN - 1}
    assert exported(there) == exported(here)
    before = there.raw_tables()
    assert there.reported("import-queue", path)["leads"] == {"unchanged": SEEN - 1}
    assert difference(there.raw_tables(), before) == ""
    there.cli.done(*command())
    assert [row["status"] for row in exported(there)] == [row["status"] for row in exported(here)]


def exported(installation: Installation) -> list[dict[str, Any]]:
    rows = json.loads(installation.cli.done("export-queue", "--format", "json"))
    return sorted(({**row, "id": None} for row in rows), key=lambda row: str(row["phone_number"]))


def test_a_campaign_that_is_not_there_is_wrong_usage(install: Callable[[], Installation]) -> None:
    assert "configured are: awhealth" in install().cli.fails(2, *command("--campaign", "banana"))


def test_a_list_is_suppressed(install: Callable[[], Installation], tmp_path: Path) -> None:
    here = install()
    path = tmp_path / "dnc.csv"
    path.write_text("phone,reason\n(561) 555-0123,asked by mail\nbanana,\n", encoding="utf-8")
    result = here.cli("suppress", "import", str(path), "--json")
    assert result.exit_code == 1, result.output
    assert json.loads(result.stdout)["added"] == 1
    assert here.reported("suppress", "check", "+15615550123")["suppression"]["reason"] == "asked by mail"
