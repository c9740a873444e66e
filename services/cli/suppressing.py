"""Imports a list of numbers that must not be called, line by line, and says what became of each."""

import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import RenderableType

from leadline.clients.queue_imports import ImportQueue
from leadline.contracts.imports import NumberEntry, NumberResult, NumbersKind, NumbersRequest
from services.cli.bulk_progress import Tell, progress
from services.cli.exits import CliError, ExitCode, wrong_usage
from services.cli.number_lines import BadLine, NumberLine, read_number_lines
from services.cli.printing import RED, table, text
from services.cli.talking import talk_by

STDIN: Final = "-"
GROUP: Final = 500
MOST_BAD_KEPT: Final = 1000
_MOST_BAD_SHOWN: Final = 20
_ZIP_BEGINS: Final = b"PK\x03\x04"
_LOOKED_AT_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class ListToImport:
    """What goes with every number of a list."""

    reason: str
    source: str
    dry_run: bool


@dataclass(slots=True)
class ListReport:
    """What became of the lines."""

    dry_run: bool
    results: Counter[str] = field(default_factory=Counter)
    """`added` and `known` numbers."""
    repeated: int = 0
    bad: list[BadLine] = field(default_factory=list)
    """The first thousand."""
    bad_count: int = 0

    def note_bad(self, line: BadLine) -> None:
        """Keep a line that cannot be used."""
        self.bad_count += 1
        if len(self.bad) < MOST_BAD_KEPT:
            self.bad.append(line)

    def document(self, *, show_pii: bool) -> dict[str, Any]:
        """For `--json`."""
        return {
            "dry_run": self.dry_run,
            "added": self.results["added"],
            "known": self.results["known"],
            "repeated": self.repeated,
            "bad": self.bad_count,
            "bad_lines": [{"line": bad.line, "problem": bad.words(show_pii=show_pii)} for bad in self.bad],
        }

    def parts(self, *, show_pii: bool) -> Iterator[RenderableType]:
        """For people."""
        made = table("numbers", "lines")
        for words, number in (
            ("suppressed", self.results["added"]),
            ("suppressed before", self.results["known"]),
            ("repeated in the list", self.repeated),
            ("bad lines", self.bad_count),
        ):
            made.add_row(text(words), text(f"{number:,}"))
        yield made
        for bad in self.bad[:_MOST_BAD_SHOWN]:
            yield text(bad.words(show_pii=show_pii), RED)
        if self.bad_count > _MOST_BAD_SHOWN:
            yield text(f"and {self.bad_count - _MOST_BAD_SHOWN:,} bad lines more; --json lists them")
        if self.dry_run:
            yield text("nothing was changed: this was a dry run")


def import_list(name: str, wanted: ListToImport) -> ListReport:
    """Suppress every number of a file. Raises CliError; the message says how many numbers were taken before that."""
    report = ListReport(wanted.dry_run)
    size = Path(name).stat().st_size if name != STDIN and Path(name).is_file() else 0
    with _opened(name) as lines, progress("suppressing, characters", size) as tell:
        try:
            talk_by(ImportQueue, lambda client: _post(client, lines, wanted, report, tell))
        except KeyboardInterrupt:
            raise CliError(_how_far("interrupted", report), ExitCode.INTERRUPTED) from None
        except CliError as error:
            raise CliError(_how_far(str(error), report), error.exit_code) from None
    return report


async def _post(
    client: ImportQueue, lines: Iterable[str], wanted: ListToImport, report: ListReport, tell: Tell
) -> None:
    group: dict[str, NumberEntry] = {}
    for line in _told(lines, report, tell):
        if line.number in group:
            report.repeated += 1
            continue
        group[line.number] = NumberEntry(phone_number=line.number, reason=line.reason or wanted.reason)
        if len(group) == GROUP:
            await _post_group(client, group, wanted, report)
            group = {}
    if group:
        await _post_group(client, group, wanted, report)


def _told(lines: Iterable[str], report: ListReport, tell: Tell) -> Iterator[NumberLine]:
    """The good lines; bad ones are kept in the report."""
    for line in read_number_lines(_each_told(lines, tell)):
        if isinstance(line, BadLine):
            report.note_bad(line)
        else:
            yield line


def _each_told(lines: Iterable[str], tell: Tell) -> Iterator[str]:
    for line in lines:
        tell(len(line))
        yield line


async def _post_group(
    client: ImportQueue, group: dict[str, NumberEntry], wanted: ListToImport, report: ListReport
) -> None:
    request = NumbersRequest(
        kind=NumbersKind.SUPPRESSED, source=wanted.source, numbers=list(group.values()), dry_run=wanted.dry_run
    )
    answer = await client.import_numbers(request)
    for entry, result in zip(group.values(), answer.results, strict=True):
        if result is NumberResult.INVALID:
            report.note_bad(BadLine(0, "is refused by the queue-service", entry.phone_number))
        else:
            report.results[result.value] += 1


@contextmanager
def _opened(name: str) -> Iterator[Iterable[str]]:
    if name == STDIN:
        yield (line.decode("utf-8", "replace") for line in sys.stdin.buffer)
        return
    try:
        with Path(name).open("rb") as raw:
            begin = raw.read(_LOOKED_AT_BYTES)
            raw.seek(0)
            _check_is_text(name, begin)
            encoding = "utf-16" if begin.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
            with io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="") as file:
                yield file
    except OSError as error:
        raise wrong_usage(f"{name}: cannot be read: {error.strerror or type(error).__name__}") from None


def _check_is_text(name: str, begin: bytes) -> None:
    if begin.startswith(_ZIP_BEGINS):
        raise wrong_usage(f"{name}: is a spreadsheet or an archive, no text; save it as CSV")
    if b"\x00" in begin and not begin.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise wrong_usage(f"{name}: is no text file; save it as CSV or as one number a line")
    if not begin.strip():
        raise wrong_usage(f"{name}: is empty")


def _how_far(what: str, report: ListReport) -> str:
    done = report.results.total()
    if report.dry_run or not done:
        return f"{what}; nothing was suppressed"
    return f"{what}; {done:,} numbers were taken before; run the same command again, nothing is done twice"
