"""Files of an import: what each is, by its content, and what is wrong with it; one bad file, and nothing is posted."""

import json
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.cli.bulk_progress import LINE_EVERY_SECONDS, LineProgress, progress
from services.cli.importing.detecting import detect
from services.cli.importing.errors import BrokenFile
from services.cli.importing.reading import Asked, read_files
from services.cli.importing.staging import staging
from services.cli.importing.streams import BLOCK_BYTES, items, opened
from tests.services.cli.conftest import Cli
from tests.services.cli.fake_imports import FakeImports
from tests.services.cli.fake_queue import TOKEN, running
from tests.services.cli.import_scenes import QUEUES, SAMPLES, file_of
from tests.unit.legacy.rows import NUMBER, redial_row


@pytest.fixture
def imports() -> Iterator[FakeImports]:
    with running(FakeImports()) as imports:
        yield imports


@pytest.fixture
def cli(imports: FakeImports) -> Cli:
    return Cli({"LEADLINE_QUEUE_URL": imports.url, "LEADLINE_QUEUE_TOKEN": TOKEN})


STATE = {"lead_id": "3", "list_id": "2", "phone_number": NUMBER, "created_at": 1, "status": "pending"}


@pytest.mark.parametrize(
    ("content", "shape"),
    [
        ({NUMBER: redial_row()}, "redial_queue"),
        ([redial_row()], "redial_queue"),
        ({"a": None, "b": 7, "c": [], NUMBER: redial_row()}, "redial_queue"),
        ([None, "x", {}, redial_row()], "redial_queue"),
        ([{"id": "1", "timestamp": 1, "type": "call", "payload": {}, "retryCount": 0}], "request_queue"),
        ({"timestamp": 1, "pendingCalls": []}, "call_state"),
        ({"timestamp": 1, "pendingCalls": [["c", STATE]]}, "call_state"),
        ([{"phone_number": NUMBER, "lead_ids": [], "calls": []}], "daily_calls"),
        ({"enabled": True, "flags": []}, "blocklist"),
        ({"enabled": True, "flags": [{"id": "1", "field": "phone", "value": "1"}]}, "blocklist"),
        ({"version": "1", "total_count": 0, "records": {}}, "bad_numbers"),
        ({"records": {"8505550133": {"error_message": "x"}}}, "bad_numbers"),
        ({}, "empty"),
        ([], "empty"),
    ],
)
def test_a_file_is_what_is_in_it(content: Any, shape: str, tmp_path: Path) -> None:
    assert detect(Path(file_of(tmp_path / "statistics" / "stats_2026-01-06.json", content))).shape == shape


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("statistics/stats_2026-01-06.json", {"date": "2026-01-06", "calls": {"a": 1}}),
        ("daily-reports/report_2026-01-06.json", {"total": 1}),
        ("reconciliation/2026-01-06.json", {"total": 1}),
        ("webhook-logs/webhook-logs_2026-01-06.json", {"r1": {"phone_number": NUMBER, "status": "ok"}}),
        ("failed-convoso-updates/2026-01-06.json", [{"lead_id": "1"}]),
        ("number-pool/performance.json", [{"number": NUMBER}]),
        ("lead-mappings.json", [{"lead_id": "1"}]),
        ("am-tracker/am-calls_2026-01-06.json", [{"lead_id": "1", "phone_number": NUMBER, "attempts": 1}]),
        ("sms-pending-leads.json", [{"phone_number": NUMBER}]),
        ("sms-tracker/sms-tracker_2026-01-06.json", {NUMBER: {"count": 1}}),
        ("anything.json", [{"timestamp": 1, "field": "phone", "value": "1", "blocked": True}]),
        ("anything.json", {"enabled": True, "callbacksEnabled": True, "schedule": {"days": []}}),
        ("call-protection-config.json", {"maxCallsPerDay": 3}),
        ("backfill-progress.json", {"page": 2094}),
        ("backfill-stats.json", {"page": 2094}),
    ],
)
def test_known_files_that_are_not_imported_say_why(
    name: str, content: Any, cli: Cli, imports: FakeImports, tmp_path: Path
) -> None:
    report = json.loads(cli.done("import-queue", file_of(tmp_path / name, content), str(QUEUES[0]), "--json"))
    assert report["files"][0]["shape"] is None
    assert report["files"][0]["not_imported_because"]
    assert list(imports.leads) == [(None, "+18505550133")]


@pytest.mark.parametrize("content", [7, "x", None, [1, 2], {"a": 1}, {"lead_id": "1", "phone_number": NUMBER}, [[]]])
def test_any_other_file_changes_nothing(content: Any, cli: Cli, imports: FakeImports, tmp_path: Path) -> None:
    path = file_of(tmp_path / "notes.json", content)
    assert cli.fails(2, "import-queue", str(QUEUES[0]), path).startswith(f"{path}: is none of the old system's files")
    assert imports.requests == []


@pytest.mark.parametrize("option", ["--blocklist", "--bad-numbers"])
def test_an_option_takes_its_own_kind_of_file(option: str, cli: Cli, imports: FakeImports) -> None:
    said = cli.fails(2, "import-queue", str(QUEUES[0]), option, str(QUEUES[1]))
    assert "but redial_queue" in said
    assert imports.requests == []


def test_a_file_that_is_not_there_is_wrong_usage(cli: Cli, imports: FakeImports, tmp_path: Path) -> None:
    assert "cannot be read" in cli.fails(2, "import-queue", str(tmp_path / "none.json"))
    assert "cannot be read" in cli.fails(2, "import-queue", str(tmp_path))
    assert imports.requests == []


@pytest.mark.parametrize("keep", [0, 1, 30, 1500, -3])
def test_a_truncated_file_changes_nothing(keep: int, cli: Cli, imports: FakeImports, tmp_path: Path) -> None:
    whole = (SAMPLES / "redial-queue_2026-01.json").read_bytes().rstrip()
    part = whole[:keep]
    path = tmp_path / "part.json"
    path.write_bytes(part)
    said = cli.fails(1, "import-queue", str(QUEUES[0]), str(path), str(QUEUES[1]))
    line = part.count(b"\n") + 1
    assert said.startswith(f"{path}: the file ends in the middle of its JSON at byte {len(part):,} (line {line:,})")
    assert imports.requests == []
    assert list(tmp_path.glob("*.jsonl")) == []


@pytest.mark.parametrize("rows", [3, 2000])
def test_the_place_where_a_file_is_broken_is_named(rows: int, tmp_path: Path) -> None:
    before = json.dumps([redial_row() for _ in range(rows)], indent=1)[:-2] + ",\n"
    assert (len(before) > 4 * BLOCK_BYTES) == (rows > 1000)
    path = tmp_path / "queue.json"
    path.write_text(f"{before}{{'single': 'quotes'}}]\n{'x' * BLOCK_BYTES}", encoding="utf-8")
    line = before.count("\n") + 1
    with pytest.raises(BrokenFile, match=rf"at byte {len(before) + 2:,} \(line {line:,}\)") as caught:
        list_all(path)
    assert "quotes" not in str(caught.value)


def list_all(path: Path) -> int:
    with opened(path) as file:
        return sum(1 for _ in items(file, "item"))


@pytest.mark.parametrize(
    "content",
    [b'{"a": 1} {"b": 2}', b"\xff\xfe{\x00}\x00", b'{"a": "\xff"}', b"not json", b"PK\x03\x04", b'{"a": NaN}'],
)
def test_what_is_no_json_is_said(content: bytes, cli: Cli, imports: FakeImports, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(content)
    assert "at byte" in cli.fails(1, "import-queue", str(tmp_path / "x.json"))
    assert imports.requests == []


def test_a_byte_order_mark_does_no_harm(cli: Cli, imports: FakeImports, tmp_path: Path) -> None:
    path = tmp_path / "queue.json"
    path.write_bytes(b"\xef\xbb\xbf" + QUEUES[0].read_bytes())
    cli.done("import-queue", str(path))
    assert len(imports.leads) == 1


def test_a_row_that_is_nested_without_end_is_quarantined(cli: Cli, imports: FakeImports, tmp_path: Path) -> None:
    path = tmp_path / "queue.json"
    deep = "[" * 5000 + "]" * 5000
    path.write_text(f'[{json.dumps(redial_row())}, {{"phone_number": "+18135550142", "x": {deep}}}]', encoding="utf-8")
    report = json.loads(cli.done("import-queue", str(path), "--json"))
    assert report["files"][0]["quarantined"] == 1
    assert list(imports.leads) == [(None, NUMBER)]


def test_progress_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    tell = LineProgress("posting leads", 2000, sys.stderr, lambda: now[0])
    for _ in range(3):
        tell(500)
        now[0] += LINE_EVERY_SECONDS / 2
    tell(1)
    assert capsys.readouterr().err == "posting leads: 1,500 of 2,000 (75%)\n"


def test_no_settings_are_told_before_files_are_read(tmp_path: Path) -> None:
    assert "no queue-service to ask" in Cli().fails(2, "import-queue", str(tmp_path / "none.json"))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = {rows: peak_bytes(tmp_path / f"{rows}.json", rows) for rows in (1000, 4000)}
    assert (tmp_path / "4000.json").stat().st_size > 2_000_000
    # Bounded caches of numbers fill up; the texts of the rows alone would be 1.8 MB.
    assert peaks[4000] < peaks[1000] + 1_500_000, peaks


def peak_bytes(path: Path, rows: int) -> int:
    """Most memory that Python held while a file was staged."""
    file_of(path, {f"+1561{2000000 + n}": redial_row(phone_number=f"+1561{2000000 + n}") for n in range(rows)})
    tracemalloc.start()
    try:
        with staging() as staged:
            read_files([Asked(path)], staged, lambda _: None)
            assert staged.count_staged() == rows
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_terminal_shows_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress("reading files, bytes", 10) as tell:
        tell(5)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "reading files, bytes" in shown.err
