"""What a dry run has listed, by number, in a temporary file that SQLite deletes as soon as it has opened it."""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from typing import Final, Self

from leadline.domain.ids import CallId
from leadline.domain.phone import normalise_any
from leadline.telephony.history import HistoryRow
from services.backfill.bodies import MOST_GROUP_BYTES, Body

GROUP_CALLS: Final = 400
_TABLE: Final = """
CREATE TABLE calls (call_id TEXT PRIMARY KEY, number TEXT NOT NULL, created_at REAL NOT NULL,
                    from_details INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID
"""
_INDEX: Final = "CREATE INDEX by_number ON calls (number, created_at, call_id)"
_INSERT: Final = "INSERT OR IGNORE INTO calls VALUES (?, ?, ?, ?, ?)"
_SELECT: Final = "SELECT number, call_id, from_details, body FROM calls ORDER BY number, created_at, call_id"


class Draft:
    """Bodies by number; memory stays flat, and nobody else can open the file, not even after a kill."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute(_TABLE)

    def __enter__(self) -> Self:
        """Already open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget everything."""
        self._db.close()

    def add(self, row: HistoryRow, body: Body) -> None:
        """Keep one call; a second time it changes nothing."""
        number = normalise_any(row.phone_number) or row.phone_number
        created_at = row.created_at.timestamp() if row.created_at else 0.0
        packed = zlib.compress(body.text.encode(), 1)
        self._db.execute(_INSERT, (row.call_id, number, created_at, body.from_details, packed))

    def groups(self) -> Iterator[list[Body]]:
        """All bodies, those of one number together and in the order of time. To be called once."""
        self._db.execute(_INDEX)
        group: list[Body] = []
        group_bytes = 0
        for bodies in self._by_number():
            size = sum(body.sent_bytes for body in bodies)
            if group and (len(group) + len(bodies) > GROUP_CALLS or group_bytes + size > MOST_GROUP_BYTES):
                yield group
                group, group_bytes = [], 0
            group += bodies
            group_bytes += size
        if group:
            yield group

    def _by_number(self) -> Iterator[list[Body]]:
        number: str | None = None
        bodies: list[Body] = []
        with closing(self._db.execute(_SELECT)) as rows:
            for row_number, call_id, from_details, packed in rows:
                if bodies and row_number != number:
                    yield bodies
                    bodies = []
                number = row_number
                bodies.append(Body(CallId(call_id), zlib.decompress(packed).decode(), bool(from_details)))
        if bodies:
            yield bodies
