"""`leadline suppress import FILE`: any spelling, any CSV, errors by line; what is good is taken."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.cli import suppressing
from services.cli.number_lines import BadLine, NumberLine, read_number_lines
from tests.services.cli.conftest import Cli
from tests.services.cli.fake_imports import FakeImports
from tests.services.cli.fake_queue import TOKEN, running

ONE, TWO = "+15615550123", "+18135550142"


@pytest.fixture
def imports() -> Iterator[FakeImports]:
    with running(FakeImports()) as imports:
        yield imports


@pytest.fixture
def cli(imports: FakeImports) -> Cli:
    return Cli({"LEADLINE_QUEUE_URL": imports.url, "LEADLINE_QUEUE_TOKEN": TOKEN})


def numbers(text: str) -> list[str]:
    return [line.number for line in lines(text) if isinstance(line, NumberLine)]


def lines(text: str) -> list[NumberLine | BadLine]:
    return list(read_number_lines(text.splitlines(keepends=True)))


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}\n{TWO}\n",
        f"{ONE}\r\n{TWO}",
        "(561) 555-0123\n\n  813.555.0142  \n",
        "5615550123.0\n1-813-555-0142\n",
        f"'{ONE}\n'{TWO}\n",
        f"\ufeff{ONE}\n{TWO}\n",
        f"\n\nphone\n{ONE}\n{TWO}\n",
        f"Telephone\n{ONE}\n{TWO}\n",
        f"Kontakt\n{ONE}\n{TWO}\n",
        f"name,Phone Number,reason\nAnn,{ONE},STOP\nBob,{TWO},STOP\n",
        f"lead_id;phone;note\n4105120000;{ONE};x\n4105120001;{TWO};y\n",
        f"id\tmobile\n1\t{ONE}\n2\t{TWO}\n",
        f"Ann,{ONE}\nBob,{TWO}\n",
        f'"Doe, Ann","{ONE}"\n"Roe, Bob","{TWO}"\n',
        f'phone,note\n"{ONE}","two\nlines"\n{TWO},\n',
    ],
)
def test_numbers_are_found_however_they_are_kept(text: str) -> None:
    assert numbers(text) == [ONE, TWO]


def test_reasons_are_kept_with_their_numbers() -> None:
    found = lines(f"phone,reason\n{ONE},asked by mail\n{TWO},\n")
    assert [line.reason for line in found if isinstance(line, NumberLine)] == ["asked by mail", None]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (f"{ONE}\nbanana\n{TWO}\n", 2, "is no telephone number"),
        (f"phone\n{ONE}\n\n12345\n", 4, "is no telephone number"),
        (f"name,phone\nAnn,{ONE}\nBob\n", 3, "has no telephone number"),
        (f"123\n{ONE}\n", 1, "is no telephone number"),
        (f'phone,note\n{ONE},"a\nb\nc"\nbad,x\n', 5, "is no telephone number"),
    ],
)
def test_bad_lines_have_their_number(text: str, line: int, problem: str) -> None:
    (bad,) = [found for found in lines(text) if isinstance(found, BadLine)]
    assert (bad.line, bad.problem) == (line, problem)


def test_good_lines_are_taken_and_bad_ones_listed(cli: Cli, imports: FakeImports, tmp_path: Path) -> None:
    path = tmp_path / "dnc.csv"
    path.write_text(f"phone,reason\n{ONE},asked\nbanana,x\n{TWO},\n{ONE},again\n56155501239,\n", encoding="utf-8")
    result = cli("suppress", "import", str(path), "--reason", "list of January", "--source", "mail")
    assert result.exit_code == 1
    assert imports.numbers_of("suppressed") == {ONE, TWO}
    (request,) = imports.requests
    assert request.source == "mail"
    assert [(e.phone_number, e.reason) for e in request.numbers] == [(ONE, "asked"), (TWO, "list of January")]  # type: ignore[union-attr]  # numbers were posted
    assert "line 3: 'banana' is no telephone number" in result.stdout
    assert "line 6: '*******1239' is no telephone number" in result.stdout
    assert "56155501239" in cli("suppress", "import", str(path), "--show-pii").stdout


def test_programs_read_json(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "dnc.txt"
    path.write_text(f"{ONE}\nx\n{ONE}\n", encoding="utf-8")
    first = cli("suppress", "import", str(path), "--json")
    assert first.exit_code == 1
    assert json.loads(first.stdout) == {
        "dry_run": False,
        "added": 1,
        "known": 0,
        "repeated": 1,
        "bad": 1,
        "bad_lines": [{"line": 2, "problem": "line 2: 'x' is no telephone number"}],
    }
    assert json.loads(cli("suppress", "import", str(path), "--json").stdout)["known"] == 1


def test_stdin_is_a_file_too(cli: Cli, imports: FakeImports) -> None:
    assert "suppressed" in cli.done("suppress", "import", "-", typed=f"\ufeff{ONE}\n")
    assert imports.numbers_of("suppressed") == {ONE}


def test_a_dry_run_checks_every_line_and_changes_nothing(cli: Cli, imports: FakeImports, tmp_path: Path) -> None:
    path = tmp_path / "dnc.txt"
    path.write_text(f"{ONE}\n", encoding="utf-16")
    assert "dry run" in cli.done("suppress", "import", str(path), "--dry-run")
    assert imports.listed == set()


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"PK\x03\x04x", "save it as CSV"), (b"\x00\x01", "no text file"), (b" \n", "is empty"), (None, "cannot be read")],
)
def test_what_is_no_list_is_wrong_usage(
    content: Any, words: str, cli: Cli, imports: FakeImports, tmp_path: Path
) -> None:
    path = tmp_path / "dnc.csv"
    if content is not None:
        path.write_bytes(content)
    assert words in cli.fails(2, "suppress", "import", str(path))
    assert imports.requests == []


def test_a_broken_off_list_says_how_far_it_came(
    cli: Cli, imports: FakeImports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suppressing, "GROUP", 1)
    path = tmp_path / "dnc.txt"
    path.write_text(f"{ONE}\n{TWO}\n", encoding="utf-8")
    imports.refuse_after = 1
    said = cli.fails(1, "suppress", "import", str(path))
    assert "1 numbers were taken before" in said
    assert imports.numbers_of("suppressed") == {ONE}
    imports.refuse_after = None
    assert imports.requests[0] is not None
    assert json.loads(cli.done("suppress", "import", str(path), "--json"))["known"] == 1
