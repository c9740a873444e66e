"""`leadline export-queue`: three formats, whole files alone, and a legacy file that is imported again as it was."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadline.contracts.imports import ImportedLead, ImportStatus
from tests.services.cli.conftest import Cli
from tests.services.cli.fake_imports import FakeImports
from tests.services.cli.fake_queue import TOKEN, running
from tests.services.cli.import_scenes import command
from tests.unit.legacy.rows import NUMBER


@pytest.fixture
def imports() -> Iterator[FakeImports]:
    with running(FakeImports()) as imports:
        yield imports


@pytest.fixture
def cli(imports: FakeImports) -> Cli:
    return Cli({"LEADLINE_QUEUE_URL": imports.url, "LEADLINE_QUEUE_TOKEN": TOKEN})


@pytest.mark.parametrize("offset", ["18000", "0", "-3600"])
def test_a_legacy_file_is_imported_again_as_it_was(offset: str, cli: Cli, imports: FakeImports, tmp_path: Path) -> None:
    cli.done(*command())
    imports.leads[("spanish", NUMBER)] = imports.lead(NUMBER).model_copy(
        update={"campaign": "spanish", "status": ImportStatus.PAUSED, "status_reason": "later", "due_at": None}
    )
    before = {
        (campaign or "awhealth", number): lead.model_copy(update={"campaign": campaign or "awhealth"})
        for (campaign, number), lead in imports.leads.items()
    }
    path = tmp_path / "queue.json"
    assert "12 leads in" in cli.done("export-queue", "--output", str(path), "--clock-offset", offset)
    assert path.stat().st_mode & 0o077 == 0
    assert NUMBER in json.loads(path.read_text(encoding="utf-8"))
    imports.leads.clear()
    cli.done("import-queue", str(path), "--clock-offset", "7200")
    assert imports.leads == before


def test_csv_and_json_go_to_stdout(cli: Cli, imports: FakeImports) -> None:
    cli.done(*command())
    rows = list(csv.DictReader(io.StringIO(cli.done("export-queue", "--format", "csv"))))
    assert len(rows) == 11
    assert {row["phone_number"] for row in rows} == {lead.phone_number for lead in imports.leads.values()}
    listed = json.loads(cli.done("export-queue", "--format", "json"))
    assert [row["phone_number"] for row in listed] == [row["phone_number"] for row in rows]


@pytest.mark.parametrize(("kind", "empty"), [("legacy", "{}\n"), ("json", "[]\n")])
def test_an_empty_queue_is_a_whole_file(kind: str, empty: str, cli: Cli) -> None:
    assert cli.done("export-queue", "--format", kind) == empty


def test_a_file_is_never_half(cli: Cli, imports: FakeImports, tmp_path: Path) -> None:
    imports.leads[(None, NUMBER)] = ImportedLead(phone_number=NUMBER, status=ImportStatus.PENDING)
    path = tmp_path / "queue.json"
    path.write_text("before", encoding="utf-8")
    imports.refuse_after = 0
    cli.fails(1, "export-queue", "--output", str(path))
    assert cli("export-queue").stdout == ""
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_said(cli: Cli, tmp_path: Path) -> None:
    assert "cannot be written" in cli.fails(2, "export-queue", "--output", str(tmp_path / "no" / "queue.json"))


@pytest.mark.parametrize("words", [("--format", "xml"), ("--clock-offset", "noon"), ("--clock-offset", "99999999")])
def test_wrong_words_are_wrong_usage(words: tuple[str, str], cli: Cli) -> None:
    assert "export-queue --help" in cli.fails(2, "export-queue", *words)
