"""Lists of telephone numbers as people keep them: CSV of any kind, or one number a line, with a header or without."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from leadline.domain.ids import PhoneNumber
from leadline.domain.phone import normalise_any
from leadline.domain.rules.outcome_names import normal_name
from leadline.legacy.values import cleaned

_NUMBER_NAMES: Final = frozenset(
    {
        "phone", "phone_number", "phonenumber", "number", "telephone", "telephone_number", "tel", "mobile",
        "mobile_number", "cell", "cell_phone", "cellphone", "phone1", "phone_1", "primary_phone", "home_phone",
        "contact_number", "dnc_number",
    }
)  # fmt: skip  # names are read in lines
_REASON_NAMES: Final = frozenset({"reason", "note", "notes", "comment", "comments", "why"})
_DELIMITERS: Final = ",;\t|"
_LINES_LOOKED_AT: Final = 100
_LONGEST_SHOWN: Final = 40
_LONGEST_REASON: Final = 500
_DIGIT_BEFORE_LAST_FOUR: Final = re.compile(r"\d(?=(?:\D*\d){4})")


@dataclass(frozen=True, slots=True)
class NumberLine:
    """A line with a number."""

    line: int
    number: PhoneNumber
    reason: str | None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be used."""

    line: int
    problem: str
    text: str
    """What stands there, shortened."""

    def words(self, *, show_pii: bool) -> str:
        """For people: a text that may be most of a number shows its last four digits alone."""
        shown = self.text if show_pii else _DIGIT_BEFORE_LAST_FOUR.sub("*", self.text)
        return f"line {self.line}: {shown!r} {self.problem}"


@dataclass(frozen=True, slots=True)
class _Columns:
    number: int
    reason: int | None
    has_header: bool


_Cells = tuple[int, Sequence[str]]
"""A row, and the line on which it begins."""


def read_number_lines(lines: Iterable[str]) -> Iterator[NumberLine | BadLine]:
    """Every line that is not blank. Columns are found by name, else by what the first hundred lines hold.

    The lines are read as a stream; one number may come several times.
    """
    rows = _rows(iter(lines))
    first = list(islice(rows, _LINES_LOOKED_AT))
    columns = _columns([cells for _, cells in first if cells])
    for position, row in enumerate(chain(first, rows)):
        if position == 0 and columns.has_header:
            continue
        yield _read(row, columns)


def _rows(file: Iterator[str]) -> Iterator[_Cells]:
    """Cells of each line that is not blank; none at all for a line that is no CSV."""
    begin = _first_words(file)
    delimiter = max(_DELIMITERS, key=begin[-1].count) if begin else ","
    reader = csv.reader((line.replace("\x00", "") for line in chain(begin, file)), delimiter=delimiter)
    ended_at = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = []
            yield reader.line_num, cells
        if any(cell.strip() for cell in cells):
            yield ended_at + 1, cells
        ended_at = reader.line_num


def _first_words(file: Iterator[str]) -> list[str]:
    """The lines up to the first that is not blank."""
    begin = []
    for line in file:
        begin.append(line)
        if line.strip():
            break
    return begin


def _columns(rows: Sequence[Sequence[str]]) -> _Columns:
    if not rows:
        return _Columns(0, None, has_header=False)
    names = [normal_name(cell) for cell in rows[0]]
    named = next((place for place, name in enumerate(names) if name in _NUMBER_NAMES), None)
    holds_number = any(_number(cell) for cell in rows[0])
    has_header = not holds_number and (named is not None or not any(c.isdigit() for cell in rows[0] for c in cell))
    reason = next((place for place, name in enumerate(names) if name in _REASON_NAMES), None) if has_header else None
    if has_header and named is not None:
        return _Columns(named, reason, has_header)
    found = [sum(len(row) > place and _number(row[place]) is not None for row in rows) for place in range(_width(rows))]
    return _Columns(found.index(max(found)), reason, has_header)


def _width(rows: Sequence[Sequence[str]]) -> int:
    return max(len(row) for row in rows)


def _read(row: _Cells, columns: _Columns) -> NumberLine | BadLine:
    line, cells = row
    if not cells:
        return BadLine(line, "is no CSV", "")
    said = cells[columns.number] if columns.number < len(cells) else ""
    number = _number(said)
    if number is None:
        problem = "is no telephone number" if said.strip() else "has no telephone number"
        return BadLine(line, problem, cleaned(said)[:_LONGEST_SHOWN])
    reason = cleaned(cells[columns.reason]) if columns.reason is not None and columns.reason < len(cells) else ""
    return NumberLine(line, number, reason[:_LONGEST_REASON] or None)


def _number(cell: str) -> PhoneNumber | None:
    """Spreadsheets write an apostrophe before what looks like a formula."""
    return normalise_any(cleaned(cell).strip("'\"` \u00a0\ufeff"))
