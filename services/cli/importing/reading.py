"""Reads every file to its end into the staging, and says what each file was."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from leadline.legacy.clock import HostClock
from leadline.legacy.facts import Quarantined
from leadline.legacy.lists import ListedLead, read_bad_number, read_flag
from leadline.legacy.reading import read_row
from leadline.legacy.shapes import LEAD_SHAPES, Shape
from leadline.legacy.values import Unreadable
from services.cli.importing.detecting import Detected, detect
from services.cli.importing.errors import unknown_file
from services.cli.importing.staging import StagedRow, Staging
from services.cli.importing.streams import CountingFile, items, opened, pairs

_ANY_CLOCK: Final = HostClock()
"""Whether a row can be read does not depend on it."""
_LONGEST_WHO: Final = 200
_PREFIXES: Final = {Shape.BLOCKLIST: "flags.item", Shape.CALL_STATE: "pendingCalls.item"}


@dataclass(frozen=True, slots=True)
class FileRead:
    """What one file was."""

    path: Path
    shape: Shape | None
    rows: int = 0
    quarantined: int = 0
    why_not: str | None = None
    """Why it is not imported, although it is known what it is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A file, and what the command line says it is."""

    path: Path
    must_be: Shape | None = None


def read_files(files: Sequence[Asked], staged: Staging, tell: Callable[[int], None]) -> list[FileRead]:
    """Stage all rows of all files. `tell` hears of bytes. Raises CliError for the first file that cannot be used."""
    found = [(asked.path, _detected(asked)) for asked in files]
    read = [_read_file(path, detected, staged, tell) for path, detected in found]
    staged.finish()
    return read


def _detected(asked: Asked) -> Detected:
    detected = detect(asked.path)
    if asked.must_be not in {None, detected.shape} and detected.shape is not Shape.EMPTY:
        is_in_fact = detected.shape.value if detected.shape else "something else"
        raise unknown_file(asked.path, f"is no {asked.must_be} file but {is_in_fact}")
    return detected


def _read_file(path: Path, detected: Detected, staged: Staging, tell: Callable[[int], None]) -> FileRead:
    shape = detected.shape
    if shape is None or shape is Shape.EMPTY:
        return FileRead(path, shape, why_not=detected.why_not)
    rows = quarantined = 0
    with opened(path, tell) as file:
        for place, key, raw in _elements(file, detected):
            rows += 1
            if shape in LEAD_SHAPES:
                why = _stage_row(staged, shape, key, raw)
            else:
                why = _stage_listed(staged, shape, key, raw)
            if why is not None:
                quarantined += 1
                staged.add_quarantined(path.name, place, why, _dumped(raw) or "null", _who(raw, key, place))
    return FileRead(path, shape, rows, quarantined)


def _elements(file: CountingFile, detected: Detected) -> Iterator[tuple[str, str, object]]:
    """Place, key (empty in an array) and value of every row."""
    shape = detected.shape
    if shape is Shape.BAD_NUMBERS or (shape is Shape.REDIAL_QUEUE and not detected.is_array):
        for key, raw in pairs(file, "records" if shape is Shape.BAD_NUMBERS else ""):
            yield key, key, raw
        return
    prefix = _PREFIXES.get(shape, "item") if shape else "item"
    for number, raw in enumerate(items(file, prefix), start=1):
        yield f"row {number}", "", raw


def _stage_row(staged: Staging, shape: Shape, key: str, raw: object) -> Quarantined | None:
    read = read_row(shape, raw, key, _ANY_CLOCK)
    if isinstance(read, Quarantined):
        return read
    dumped = _dumped(raw)
    if dumped is None:
        return Quarantined("row", "is nested too deeply", read.number, read.stops)
    staged.add_row(read, StagedRow(shape, key, dumped), _ANY_CLOCK)
    return None


def _stage_listed(staged: Staging, shape: Shape, key: str, raw: object) -> Quarantined | None:
    try:
        if shape is Shape.BAD_NUMBERS:
            staged.add_listed("bad_numbers", read_bad_number(raw, key))
            return None
        flag = read_flag(raw)
    except Unreadable as error:
        return Quarantined(error.field, error.reason)
    staged.add_listed("blocked_leads" if isinstance(flag, ListedLead) else "suppressed", flag)
    return None


def _dumped(raw: object) -> str | None:
    """As JSON; None if it is nested too deeply for that. Fractions stay exact."""
    try:
        return json.dumps(raw, default=_number)
    except (RecursionError, ValueError):
        return None


def _number(value: object) -> object:
    if not isinstance(value, Decimal):
        raise TypeError(type(value).__name__)
    return float(value)


def _who(raw: object, key: str, place: str) -> str:
    """By what a row that names no number is told from others."""
    said = raw.get("phone_number") if isinstance(raw, dict) else None
    return (said.strip() if isinstance(said, str) and said.strip() else key or place)[:_LONGEST_WHO]
