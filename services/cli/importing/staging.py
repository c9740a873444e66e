"""Where rows wait until every file was read: a temporary SQLite file.

So memory stays flat, and nothing is posted of a set of files of which one is broken.
"""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Final

from leadline.legacy.clock import HostClock
from leadline.legacy.facts import Quarantined, Record
from leadline.legacy.lists import ListedLead, ListedNumber
from leadline.legacy.shapes import Shape

_SCHEMA: Final = """
CREATE TABLE staged (number TEXT NOT NULL, shape TEXT NOT NULL, key TEXT NOT NULL, row TEXT NOT NULL);
CREATE TABLE quarantined (file TEXT NOT NULL, place TEXT NOT NULL, field TEXT NOT NULL, reason TEXT NOT NULL, row TEXT NOT NULL);
CREATE TABLE nobody (who TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE unclear (number TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE stopped (number TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE senders (lead_id TEXT, number TEXT, PRIMARY KEY (lead_id, number)) WITHOUT ROWID;
CREATE TABLE calls (call_id TEXT PRIMARY KEY, written REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE suppressed (who TEXT PRIMARY KEY, since TEXT NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE bad_numbers (who TEXT PRIMARY KEY, since TEXT NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE blocked_leads (who TEXT PRIMARY KEY, since TEXT NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;
"""  # noqa: E501 -- a table a line
_KEEP_OLDEST: Final = (
    "ON CONFLICT (who) DO UPDATE SET since = excluded.since, reason = excluded.reason"
    " WHERE (excluded.since, excluded.reason) < (since, reason)"
)
_LIST: Final = {
    table: f"INSERT INTO {table} VALUES (?, ?, ?) {_KEEP_OLDEST}"  # noqa: S608 -- the tables are named right here
    for table in ("suppressed", "bad_numbers", "blocked_leads")
}
_LISTED: Final = {
    table: f"SELECT who, reason FROM {table} ORDER BY who"  # noqa: S608 -- the tables are named right here
    for table in _LIST
}
_FINISH: Final = """
CREATE INDEX staged_by_number ON staged (number);
CREATE INDEX calls_by_time ON calls (written, call_id);
INSERT INTO suppressed
    SELECT s.number, b.since, b.reason FROM blocked_leads b JOIN senders s ON s.lead_id = b.who WHERE true
    ON CONFLICT (who) DO UPDATE SET since = excluded.since, reason = excluded.reason
    WHERE (excluded.since, excluded.reason) < (since, reason);
INSERT OR IGNORE INTO stopped SELECT who FROM suppressed;
"""
_ROWS: Final = "SELECT number, shape, key, row FROM staged WHERE number {} (SELECT number FROM stopped) ORDER BY number"
_COUNT_NUMBERS: Final = (
    "SELECT (SELECT count(DISTINCT number) FROM staged) + (SELECT count(*) FROM nobody)"
    " + (SELECT count(*) FROM unclear WHERE number NOT IN (SELECT number FROM staged))"
)


@dataclass(frozen=True, slots=True)
class StagedRow:
    """A row that can be read."""

    shape: Shape
    key: str
    row: str
    """JSON."""


@dataclass(frozen=True, slots=True)
class StagedNumber:
    """All rows of one number, and what lists say of it."""

    number: str
    rows: list[StagedRow]
    suppressed: bool
    bad: bool
    unclear: bool
    """Another row of the number could not be read."""


class Staging:
    """The rows of one import. For one thread; gone when `staging()` ends."""

    def __init__(self, path: Path) -> None:
        """Create the file."""
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;")
        self._db.executescript(_SCHEMA)
        self._db.execute("BEGIN")

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def add_row(self, record: Record, row: StagedRow, clock: HostClock) -> None:
        """Keep a row that can be read; `record` is what it says by `clock`, which need not be the right one."""
        put = self._db.execute
        put("INSERT INTO staged VALUES (?, ?, ?, ?)", (record.number, row.shape, row.key, row.row))
        put_many = self._db.executemany
        put_many("INSERT OR IGNORE INTO senders VALUES (?, ?)", [(i, record.number) for i in record.sender_lead_ids])
        if record.stops:
            put("INSERT OR IGNORE INTO stopped VALUES (?)", (record.number,))
        # One call of each row proves as much about the clock as all of them.
        sample = next((call for call in reversed(record.calls) if call.approximate), None)
        if sample is not None:
            written = sample.at.timestamp() - (clock.offset_seconds or 0)
            put("INSERT OR IGNORE INTO calls VALUES (?, ?)", (sample.call_id, written))

    def add_quarantined(self, file: str, place: str, why: Quarantined, row: str, who: str) -> None:
        """Keep a row that cannot be used. What it says of its number's stop counts nevertheless."""
        put = self._db.execute
        put("INSERT INTO quarantined VALUES (?, ?, ?, ?, ?)", (file, place, why.field, why.reason, row))
        if why.number is None:
            put("INSERT OR IGNORE INTO nobody VALUES (?)", (who,))
            return
        put("INSERT OR IGNORE INTO unclear VALUES (?)", (why.number,))
        if why.stops:
            self.add_listed("suppressed", ListedNumber(why.number, "said stop in the old system"))

    def add_listed(self, table: str, entry: ListedNumber | ListedLead) -> None:
        """Keep an entry of the list `suppressed`, `bad_numbers` or `blocked_leads`."""
        who = entry.lead_id if isinstance(entry, ListedLead) else entry.number
        self._db.execute(_LIST[table], (who, entry.since, entry.reason))

    def finish(self) -> None:
        """Every file was read: join what belongs together."""
        self._db.execute("COMMIT")
        self._db.executescript(_FINISH)

    def listed(self, table: str) -> Iterator[tuple[str, str]]:
        """Numbers (or lead ids) and reasons of a list."""
        return iter(self._db.execute(_LISTED[table]))

    def count_listed(self) -> int:
        """Entries of all lists."""
        return sum(self._count(f"SELECT count(*) FROM {table}") for table in _LIST)  # noqa: S608 -- our own tables

    def count_numbers(self) -> int:
        """Different numbers in the rows, what is no number among them."""
        return self._count(_COUNT_NUMBERS)

    def count_staged(self) -> int:
        """Different numbers of which there is a row that can be read."""
        return self._count("SELECT count(DISTINCT number) FROM staged")

    def quarantined(self) -> Iterator[tuple[str, str, str, str, str]]:
        """File, place, field, reason and row of what cannot be used, in the order of files."""
        return iter(self._db.execute("SELECT file, place, field, reason, row FROM quarantined ORDER BY rowid"))

    def reasons_of_quarantine(self) -> dict[str, int]:
        """How many rows cannot be used for which reason."""
        query = "SELECT field || ' ' || reason, count(*) FROM quarantined GROUP BY 1 ORDER BY 1"
        return dict(self._db.execute(query).fetchall())

    def call_samples(self, most: int) -> list[tuple[str, datetime]]:
        """Calls by a clock that is to be proven, spread over the time of the files: id, and when the file says."""
        query = "SELECT call_id, written FROM calls ORDER BY written, call_id LIMIT 1 OFFSET ?"
        count = self._count("SELECT count(*) FROM calls")
        places = sorted({place * max(count - 1, 0) // max(most - 1, 1) for place in range(min(most, count))})
        if count <= most:
            places = list(range(count))
        found = (self._db.execute(query, (place,)).fetchone() for place in places)
        return [(call_id, datetime.fromtimestamp(written, UTC)) for call_id, written in found]

    def numbers(self) -> Iterator[StagedNumber]:
        """Every number with its rows: those that said stop come first, so that they wait for nobody."""
        for which in ("IN", "NOT IN"):
            rows = self._db.execute(_ROWS.format(which))
            for number, of_number in groupby(rows, key=lambda row: str(row[0])):
                yield StagedNumber(
                    number,
                    [StagedRow(Shape(shape), key, row) for _, shape, key, row in of_number],
                    suppressed=self._is_in("suppressed", "who", number),
                    bad=self._is_in("bad_numbers", "who", number),
                    unclear=self._is_in("unclear", "number", number),
                )

    def _is_in(self, table: str, column: str, value: str) -> bool:
        query = f"SELECT 1 FROM {table} WHERE {column} = ?"  # noqa: S608 -- our own tables and columns
        return self._db.execute(query, (value,)).fetchone() is not None

    def _count(self, query: str) -> int:
        return int(self._db.execute(query).fetchone()[0])


@contextmanager
def staging() -> Iterator[Staging]:
    """An empty one, in a folder of its own that nobody else may read; both are removed in the end."""
    with tempfile.TemporaryDirectory(prefix="leadline-import-") as folder:
        staged = Staging(Path(folder) / "staged.sqlite")
        try:
            yield staged
        finally:
            staged.close()
