"""The inbox: every body that came with a good signature, byte for byte, and what was made of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from leadline.domain.ids import AttemptId, LeadId
from leadline.store.connection import Connection, Row, fetch_one


@dataclass(slots=True)
class NewEvent:
    """A body to keep. `call_id` is '-' where none could be read."""

    source: str
    call_id: str
    body_sha256: bytes
    body: bytes


INSERT_EVENTS: Final = """
INSERT INTO events (source, call_id, body_sha256, body, received_at, disposition)
SELECT c.*, $5, 'unapplied' FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[])
    AS c(source, call_id, body_sha256, body)
ORDER BY source, call_id, body_sha256
ON CONFLICT ON CONSTRAINT every_event_counts_once DO NOTHING
RETURNING id, source, call_id, body_sha256
"""


async def insert_events(
    conn: Connection, events: Sequence[NewEvent], now: datetime
) -> dict[tuple[str, str, bytes], int]:
    """Keep bodies; returns the ids of those that are new, by inbox key. Waits for one that is being inserted."""
    rows = await conn.fetch(
        INSERT_EVENTS,
        [e.source for e in events],
        [e.call_id for e in events],
        [e.body_sha256 for e in events],
        [e.body for e in events],
        now,
    )
    return {(r["source"], r["call_id"], bytes(r["body_sha256"])): r["id"] for r in rows}


FIND_EVENT: Final = """
SELECT id, disposition, kind, outcome FROM events WHERE source = $1 AND call_id = $2 AND body_sha256 = $3
"""


async def get_event(conn: Connection, key: tuple[str, str, bytes]) -> Row:
    """The event that was kept under an inbox key. Raises LookupError if there is none."""
    return await fetch_one(conn, FIND_EVENT, *key)


@dataclass(slots=True)
class EventResult:
    """What was made of an event."""

    event_id: int
    disposition: str
    kind: str
    outcome: str | None = None
    attempt_id: AttemptId | None = None
    lead_id: LeadId | None = None
    problem: str | None = None


SETTLE_EVENTS: Final = """
UPDATE events e SET disposition = c.disposition, kind = c.kind, outcome = c.outcome, attempt_id = c.attempt_id,
    lead_id = c.lead_id, problem = c.problem, tries = e.tries + 1
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::text[])
    AS c(id, disposition, kind, outcome, attempt_id, lead_id, problem)
WHERE e.id = c.id
"""


async def settle_events(conn: Connection, results: Sequence[EventResult]) -> None:
    """Write down what was made of events."""
    if results:
        await conn.execute(
            SETTLE_EVENTS,
            [r.event_id for r in results],
            [r.disposition for r in results],
            [r.kind for r in results],
            [r.outcome for r in results],
            [r.attempt_id for r in results],
            [r.lead_id for r in results],
            [r.problem for r in results],
        )


NOTE_FAILURE: Final = "UPDATE events SET problem = $2, tries = tries + 1 WHERE id = $1"


async def note_failure(conn: Connection, event_id: int, problem: str) -> None:
    """Applying failed: the event stays unapplied and the sweep will try again."""
    await conn.execute(NOTE_FAILURE, event_id, problem)


LIST_UNAPPLIED: Final = """
SELECT id, source, body FROM events WHERE disposition = 'unapplied' ORDER BY tries, id LIMIT $1
"""


async def list_unapplied(conn: Connection, limit: int) -> list[Row]:
    """Events that are kept but not applied, the least tried first."""
    rows: list[Row] = await conn.fetch(LIST_UNAPPLIED, limit)
    return rows


LOCK_UNAPPLIED: Final = "SELECT id FROM events WHERE id = $1 AND disposition = 'unapplied' FOR UPDATE SKIP LOCKED"


async def lock_unapplied(conn: Connection, event_id: int) -> bool:
    """Whether the event is still unapplied and ours to apply in this transaction."""
    return await conn.fetchval(LOCK_UNAPPLIED, event_id) is not None
