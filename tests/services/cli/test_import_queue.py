"""`leadline import-queue`: what is posted, in which order, and what is said of it."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadline.contracts.imports import ImportedLead, NumbersKind, NumbersRequest
from services.cli.commands import importing
from services.cli.importing import posting
from tests.services.cli.conftest import Cli
from tests.services.cli.fake_imports import FakeImports
from tests.services.cli.fake_queue import TOKEN, running
from tests.services.cli.import_scenes import LISTS, QUEUES, SAMPLES, SEEN, command, file_of, quarantined_in
from tests.unit.legacy.rows import CALLED_AT, NUMBER, epoch_ms, redial_row


@pytest.fixture
def imports() -> Iterator[FakeImports]:
    with running(FakeImports()) as imports:
        yield imports


@pytest.fixture
def cli(imports: FakeImports) -> Cli:
    return Cli({"LEADLINE_QUEUE_URL": imports.url, "LEADLINE_QUEUE_TOKEN": TOKEN})


def reported(cli: Cli, *arguments: str) -> Any:
    return json.loads(cli.done(*arguments, "--json"))


def test_the_samples_give_what_their_readme_says(cli: Cli, imports: FakeImports, tmp_path: Path) -> None:
    report = reported(cli, *command())
    assert report["numbers"] == SEEN
    assert report["leads"] == {"taken": SEEN - 1}
    assert report["statuses"] == {
        "completed (bad_number)": 1,
        "completed (dnc)": 3,
        "completed (exhausted)": 1,
        "completed (sale)": 1,
        "held (crm_unknown)": 1,
        "pending": 3,
        "rescheduled": 1,
    }
    assert imports.numbers_of("suppressed") == {"+14045550176", "+13525550101"}
    assert imports.numbers_of("blocked_leads") == {"410512"}
    assert imports.numbers_of("bad_number") == {"+18505550133"}
    (row,) = quarantined_in(tmp_path)
    assert (row["file"], row["place"]) == ("redial-queue_2026-01.json", "12345")
    assert row["reason"] == "phone_number: is no telephone number"
    assert row["row"]["lead_id"] == "410999"


def test_each_trap_of_the_samples(cli: Cli, imports: FakeImports) -> None:
    cli.done(*command())
    merged = imports.lead("+18135550142")
    assert (merged.attempts, merged.lead_id) == (5, "410777")
    two_months = imports.lead("+15615550123")
    assert (two_months.attempts, len(two_months.calls), str(two_months.last_call_at)) == (
        5,
        2,
        "2026-01-06 17:12:00+00:00",
    )
    promised = imports.lead("+13055550164")
    assert str(promised.scheduled_callback_at) == str(promised.due_at) == "2026-01-08 20:30:00+00:00"
    assert imports.lead("+16025550155").lead_id is None
    used_up = imports.lead("+19545550118")
    assert (used_up.status, used_up.attempts_today, str(used_up.attempts_today_on)) == ("pending", 8, "2026-01-07")


def test_a_second_import_says_that_nothing_changed(cli: Cli, imports: FakeImports) -> None:
    cli.done(*command())
    before = dict(imports.leads)
    report = reported(cli, *command())
    assert report["leads"] == {"unchanged": SEEN - 1}
    assert all(set(counts) <= {"known"} for counts in report["lists"].values())
    assert imports.leads == before


def test_the_order_of_files_leaves_no_trace(cli: Cli, imports: FakeImports) -> None:
    seen: list[dict[tuple[str | None, str], ImportedLead]] = []
    for files in itertools.permutations(map(str, QUEUES)):
        imports.leads.clear()
        cli.done("import-queue", *LISTS, *files)
        seen.append(dict(imports.leads))
    assert all(leads == seen[0] for leads in seen)


def test_lists_may_be_given_as_files(cli: Cli, imports: FakeImports) -> None:
    cli.done("import-queue", *map(str, SAMPLES.glob("*.json")))
    as_files = dict(imports.leads), set(imports.listed)
    imports.leads.clear()
    imports.listed.clear()
    cli.done(*command())
    assert (imports.leads, imports.listed) == as_files


def test_whom_not_to_call_is_posted_before_anybody(
    cli: Cli, imports: FakeImports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "GROUP", 2)
    cli.done(*command())
    kinds = [type(request) for request in imports.requests]
    assert kinds == sorted(kinds, key=lambda kind: kind is not NumbersRequest)
    leads = [lead for request in imports.requests if not isinstance(request, NumbersRequest) for lead in request.leads]
    stops = [lead.status_reason == "dnc" for lead in leads]
    assert stops == sorted(stops, reverse=True)
    assert sum(stops) == 3
    kinds_of_numbers = [request.kind for request in imports.requests if isinstance(request, NumbersRequest)]
    assert kinds_of_numbers == [NumbersKind.BLOCKED_LEADS, NumbersKind.SUPPRESSED, NumbersKind.BAD_NUMBER]


def test_a_dry_run_is_one_for_the_queue_service_too(cli: Cli, imports: FakeImports) -> None:
    report = reported(cli, *command("--dry-run"))
    assert report["dry_run"] is True
    assert report["leads"] == {"taken": SEEN - 1}
    assert all(request.dry_run for request in imports.requests)
    assert imports.leads == {}
    assert imports.listed == set()


def test_people_read_tables(cli: Cli) -> None:
    said = cli.done(*command("--dry-run"))
    for words in (
        "redial queue",
        "held (crm_unknown)",
        "is no telephone number",
        "18000 s slow",
        "nothing was changed",
    ):
        assert words in said, words


@pytest.mark.parametrize(("given", "hour"), [("auto", 17), ("18000", 17), ("0", 12), ("3600", 13)])
def test_the_clock_may_be_given(cli: Cli, imports: FakeImports, given: str, hour: int) -> None:
    report = reported(cli, *command("--clock-offset", given))
    lead = imports.lead("+15615550123")
    assert lead.last_call_at is not None
    assert lead.last_call_at.hour == hour
    assert lead.times_approximate == (given == "auto")
    assert report["clock"]["proven"] == (given != "auto")
    assert str(imports.lead("+13055550164").due_at) == "2026-01-08 20:30:00+00:00"


@pytest.mark.parametrize("given", ["noon", "1e9", "999999"])
def test_a_clock_that_cannot_be_is_wrong_usage(cli: Cli, given: str) -> None:
    assert cli.fails(2, *command("--clock-offset", given)).startswith(f"--clock-offset {given}: ")


def test_a_campaign_is_checked_and_given_to_rows_that_name_none(cli: Cli, imports: FakeImports) -> None:
    assert "configured are: awhealth" in cli.fails(2, *command("--campaign", "banana"))
    cli.done(*command("--campaign", "awhealth"))
    assert {campaign for campaign, _ in imports.leads} == {"awhealth"}


def test_what_the_queue_service_does_not_take_is_quarantined(cli: Cli, imports: FakeImports, tmp_path: Path) -> None:
    imports.problem_of["+12125550187"] = "It is too old."
    report = reported(cli, *command())
    assert report["leads"] == {"quarantined": 1, "taken": SEEN - 2}
    assert report["quarantined_leads"] == {"It is too old.": 1}
    row = next(row for row in quarantined_in(tmp_path) if "lead" in row)
    assert (row["reason"], row["lead"]["phone_number"]) == ("It is too old.", "+12125550187")


def test_no_row_in_quarantine_makes_no_file(cli: Cli, tmp_path: Path) -> None:
    report = reported(cli, "import-queue", str(QUEUES[0]), "--quarantine", str(tmp_path / "bad.jsonl"))
    assert report["quarantine_file"] is None
    assert list(tmp_path.glob("*.jsonl")) == []


def test_a_second_import_keeps_the_first_ones_quarantine(cli: Cli, tmp_path: Path) -> None:
    files = {reported(cli, *command())["quarantine_file"] for _ in range(3)}
    assert {path.name for path in tmp_path.glob("quarantine-*.jsonl")} == files
    assert len(files) == 3


def test_the_quarantine_may_be_put_elsewhere(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    assert reported(cli, *command("--quarantine", str(path)))["quarantine_file"] == str(path)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1
    said = cli.fails(2, *command("--quarantine", str(tmp_path / "no-folder" / "bad.jsonl")))
    assert "cannot be written" in said


def test_a_row_that_cannot_be_read_holds_its_number(cli: Cli, imports: FakeImports, tmp_path: Path) -> None:
    good, broken = redial_row(), redial_row(attempts="many")
    stops = redial_row(phone_number="+18135550142", attempts="many", outcomes=["DNC"])
    cli.done("import-queue", file_of(tmp_path / "q.json", [good, broken, stops]))
    assert imports.lead(NUMBER).status_reason == "legacy_unclear"
    assert imports.numbers_of("suppressed") == {"+18135550142"}


def test_a_broken_off_import_says_how_far_it_came(
    cli: Cli, imports: FakeImports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "GROUP", 2)
    imports.refuse_after = 5
    said = cli.fails(1, *command())
    assert "leads and numbers were posted before" in said
    assert "run the same command again" in said
    imports.refuse_after = None
    assert reported(cli, *command())["leads"].get("merged", 0) == 0
    assert len(imports.leads) == SEEN - 1


def test_a_refused_token_changes_nothing(cli: Cli, imports: FakeImports) -> None:
    said = cli.fails(1, *command(), LEADLINE_QUEUE_TOKEN="wrong")
    assert "refuses our token" in said
    assert "nothing was imported" in said
    assert imports.requests == []


def test_waiting_leads_and_calls_are_merged_with_the_queue(cli: Cli, imports: FakeImports, tmp_path: Path) -> None:
    at = epoch_ms(CALLED_AT)
    waiting = {"phone_number": "5615550124", "lead_id": "1", "list_id": "2", "first_name": "Ann", "last_name": "B"}
    ringing = {"lead_id": "3", "list_id": "2", "phone_number": "+15615550125", "created_at": at, "status": "pending"}
    made = {"call_id": "c5", "timestamp": at + 5000, "status": "completed", "outcome": "BUSY", "lead_id": "410233"}
    queue = file_of(tmp_path / "a.json", {NUMBER: redial_row()})
    requests = file_of(tmp_path / "b.json", [{"id": "r", "timestamp": at, "type": "call", "payload": waiting}])
    cache = file_of(tmp_path / "c.json", {"timestamp": at, "pendingCalls": [["c9", ringing]]})
    days = file_of(tmp_path / "d.json", [{"phone_number": NUMBER, "lead_ids": ["410233"], "calls": [made]}])
    report = reported(cli, "import-queue", requests, cache, days, queue)
    assert [file["shape"] for file in report["files"]] == ["request_queue", "call_state", "daily_calls", "redial_queue"]
    assert imports.lead("+15615550124").status == "pending"
    assert imports.lead("+15615550125").status_reason == "legacy_unclear"
    assert [call.call_id for call in imports.lead(NUMBER).calls] == ["call-2", "c5"]


def test_an_interrupted_import_says_how_far_it_came(
    cli: Cli, imports: FakeImports, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(importing, "post_all", interrupted)
        assert cli.fails(130, *command()) == "interrupted; nothing was imported"
    assert reported(cli, *command())["leads"] == {"taken": SEEN - 1}
    assert imports.requests
