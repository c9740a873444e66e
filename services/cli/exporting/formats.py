"""How leads stand in a file: the old system's format, JSON, CSV. Each writes lead by lead, and holds none."""

import csv
import json
import sqlite3
from enum import StrEnum
from typing import Protocol, TextIO

from leadline.contracts.imports import ExportedLead
from leadline.legacy.writing import CSV_COLUMNS, csv_row, json_row, redial_record, row_key


class Format(StrEnum):
    """Formats of an export."""

    LEGACY = "legacy"
    JSON = "json"
    CSV = "csv"


class Writer(Protocol):
    """Writes one file."""

    def add(self, lead: ExportedLead) -> None:
        """Write a lead."""
        ...

    def finish(self) -> None:
        """Write what comes after the last one."""
        ...


def writer(kind: Format, out: TextIO, offset_seconds: int) -> Writer:
    """A writer that has begun its file."""
    match kind:
        case Format.LEGACY:
            return _LegacyWriter(out, offset_seconds)
        case Format.JSON:
            return _JsonWriter(out)
        case Format.CSV:
            return _CsvWriter(out)


class _LegacyWriter:
    """An object keyed by number, as `redial-queue_YYYY-MM.json` is."""

    def __init__(self, out: TextIO, offset_seconds: int) -> None:
        self._out = out
        self._offset_seconds = offset_seconds
        # A number may have leads in several campaigns, far from each other: an unnamed database spills to disk.
        self._numbers = sqlite3.connect("", isolation_level=None)
        self._numbers.execute("CREATE TABLE numbers (number TEXT PRIMARY KEY) WITHOUT ROWID")
        self._separator = "{\n"

    def add(self, lead: ExportedLead) -> None:
        inserted = self._numbers.execute("INSERT OR IGNORE INTO numbers VALUES (?)", (lead.record.phone_number,))
        key = row_key(lead, number_is_taken=inserted.rowcount == 0)
        row = redial_record(lead, self._offset_seconds)
        self._out.write(f"{self._separator} {json.dumps(key)}: {json.dumps(row)}")
        self._separator = ",\n"

    def finish(self) -> None:
        self._numbers.close()
        self._out.write("{}\n" if self._separator.startswith("{") else "\n}\n")


class _JsonWriter:
    """An array of objects under the names of the queue entry."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._separator = "[\n"

    def add(self, lead: ExportedLead) -> None:
        self._out.write(f"{self._separator} {json.dumps(json_row(lead))}")
        self._separator = ",\n"

    def finish(self) -> None:
        self._out.write("[]\n" if self._separator.startswith("[") else "\n]\n")


class _CsvWriter:
    """A header, and a line for each lead."""

    def __init__(self, out: TextIO) -> None:
        self._csv = csv.writer(out)
        self._csv.writerow(CSV_COLUMNS)

    def add(self, lead: ExportedLead) -> None:
        self._csv.writerow(csv_row(lead))

    def finish(self) -> None:
        """Nothing comes after the last line."""
