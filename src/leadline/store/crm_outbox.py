"""What the CRM is to be told: messages in order per subject, sent at least once, until they are closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from leadline.store.connection import Connection, Row, fetch_one
from leadline.store.records import NewCrmMessage

INSERT_MESSAGES: Final = """
INSERT INTO crm_outbox (kind, subject, phone_number, lead_id, attempt_id, event_id, outcome, reason, created_at)
SELECT c.kind, c.subject, c.phone_number, c.lead_id, c.attempt_id, c.event_id, c.outcome, c.reason, $9
FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::bigint[], $7::text[], $8::text[])
    WITH ORDINALITY AS c(kind, subject, phone_number, lead_id, attempt_id, event_id, outcome, reason, place)
ORDER BY c.place
"""


async def insert_messages(conn: Connection, messages: Sequence[NewCrmMessage], now: datetime) -> None:
    """Write down what the CRM is to be told, in this order. The caller holds the numbers' locks, which is the order."""
    if messages:
        await conn.execute(
            INSERT_MESSAGES,
            [m.kind for m in messages],
            [m.subject for m in messages],
            [m.phone_number for m in messages],
            [m.lead_id for m in messages],
            [m.attempt_id for m in messages],
            [m.event_id for m in messages],
            [m.outcome for m in messages],
            [m.reason for m in messages],
            now,
        )


TAKE_MESSAGES: Final = """
WITH taken AS MATERIALIZED (
    SELECT o.id FROM crm_outbox o
    WHERE o.state = 'waiting' AND o.next_try_at <= statement_timestamp() AND NOT EXISTS (
        SELECT FROM crm_outbox b WHERE b.subject = o.subject AND b.state = 'waiting'
            AND (b.id < o.id OR (b.id > o.id AND b.tries > 0 AND b.next_try_at > statement_timestamp())))
    ORDER BY o.next_try_at, o.id LIMIT $1 FOR UPDATE OF o SKIP LOCKED
)
UPDATE crm_outbox o SET tries = o.tries + 1, next_try_at = clock_timestamp() + make_interval(secs => $2)
FROM taken WHERE o.id = taken.id
RETURNING o.id
"""


async def take_messages(conn: Connection, limit: int, seconds: float) -> list[int]:
    """Give out messages for so many real seconds; a sender that is killed lets them come back.

    Of each subject only the first that waits, and none while a later one is with a sender (after a replay that can be).
    """
    rows = await conn.fetch(TAKE_MESSAGES, limit, seconds)
    return sorted(row["id"] for row in rows)


READ_MESSAGES: Final = """
SELECT o.id, o.kind, o.phone_number, o.outcome, o.reason, o.tries, l.sender_lead_id, l.list_id, l.status,
       l.status_reason, a.talk_seconds, a.answered_by, e.body
FROM crm_outbox o LEFT JOIN leads l ON l.id = o.lead_id LEFT JOIN attempts a ON a.id = o.attempt_id
    LEFT JOIN events e ON e.id = o.event_id
WHERE o.id = ANY($1::bigint[]) ORDER BY o.id
"""


async def read_messages(conn: Connection, ids: Sequence[int]) -> list[Row]:
    """Messages with what is known of their leads and calls by now."""
    rows: list[Row] = await conn.fetch(READ_MESSAGES, list(ids))
    return rows


@dataclass(frozen=True, slots=True)
class Try:
    """What became of one sending."""

    id: int
    problem: str | None = None
    retry_after_seconds: float | None = None


CLOSE_SENT: Final = """
UPDATE crm_outbox SET state = 'sent', closed_at = $2, last_error = NULL
WHERE id = ANY($1::bigint[]) AND state IN ('waiting', 'dead') RETURNING id
"""
SUPERSEDE_OVERTAKEN: Final = """
UPDATE crm_outbox o SET state = 'superseded', closed_at = $2
FROM crm_outbox s
WHERE s.id = ANY($1::bigint[]) AND o.subject = s.subject AND o.id < s.id AND o.state = 'waiting'
"""


async def close_sent(conn: Connection, ids: Sequence[int], now: datetime) -> int:
    """The CRM has these; returns how many were open. An older one that was replayed meanwhile is told no more."""
    rows = await conn.fetch(CLOSE_SENT, list(ids), now)
    await conn.execute(SUPERSEDE_OVERTAKEN, [row["id"] for row in rows], now)
    return len(rows)


BURY: Final = """
UPDATE crm_outbox o SET state = 'dead', closed_at = $3, last_error = c.problem
FROM unnest($1::bigint[], $2::text[]) AS c(id, problem) WHERE o.id = c.id AND o.state = 'waiting' RETURNING o.id
"""


async def bury(conn: Connection, refused: Sequence[Try], now: datetime) -> int:
    """The CRM will never take these: dead letters, which keep nobody waiting. Returns how many waited."""
    return len(await conn.fetch(BURY, [t.id for t in refused], [t.problem for t in refused], now))


POSTPONE: Final = """
UPDATE crm_outbox o SET last_error = c.problem,
    next_try_at = clock_timestamp() + make_interval(secs => greatest(
        coalesce(c.retry_after_seconds, 0),
        least(300, power(2, least(o.tries, 9))) * (1 + random() / 4)))
FROM unnest($1::bigint[], $2::text[], $3::float8[]) AS c(id, problem, retry_after_seconds)
WHERE o.id = c.id AND o.state = 'waiting' RETURNING o.id
"""


async def postpone(conn: Connection, later: Sequence[Try]) -> int:
    """The CRM could not be asked: again after 2, 4, 8 ... 300 real seconds and some jitter. Returns how many wait."""
    rows = await conn.fetch(
        POSTPONE, [t.id for t in later], [t.problem for t in later], [t.retry_after_seconds for t in later]
    )
    return len(rows)


LIST_WAITING: Final = """
SELECT id, kind, state, lead_id, phone_number, outcome, reason, created_at, tries, last_error
FROM crm_outbox WHERE state = 'waiting' AND id > $1 ORDER BY id LIMIT $2
"""
LIST_DEAD: Final = """
SELECT id, kind, state, lead_id, phone_number, outcome, reason, created_at, tries, last_error
FROM crm_outbox WHERE state = 'dead' AND id > $1 ORDER BY id LIMIT $2
"""
LIST_SUPERSEDED: Final = """
SELECT id, kind, state, lead_id, phone_number, outcome, reason, created_at, tries, last_error
FROM crm_outbox WHERE state = 'superseded' AND id > $1 ORDER BY id LIMIT $2
"""
LIST_SENT: Final = """
SELECT id, kind, state, lead_id, phone_number, outcome, reason, created_at, tries, last_error
FROM crm_outbox WHERE state = 'sent' AND id > $1 ORDER BY id LIMIT $2
"""
_LISTS: Final = {"waiting": LIST_WAITING, "dead": LIST_DEAD, "superseded": LIST_SUPERSEDED, "sent": LIST_SENT}
"""A statement for each state: a parameter in the place of the state would hide the partial indexes."""


async def list_messages(conn: Connection, state: str, after: int, limit: int) -> list[Row]:
    """Messages in a state, in order of id. Raises KeyError for a state that there is not."""
    query = _LISTS[state]
    rows: list[Row] = await conn.fetch(query, after, limit)
    return rows


COUNT_UNSENT: Final = """
SELECT 'waiting' AS state, count(*) AS n FROM crm_outbox WHERE state = 'waiting'
UNION ALL SELECT 'dead', count(*) FROM crm_outbox WHERE state = 'dead'
UNION ALL SELECT 'superseded', count(*) FROM crm_outbox WHERE state = 'superseded'
"""


async def count_unsent(conn: Connection) -> dict[str, int]:
    """How many there are in each state that is not `sent`."""
    return {row["state"]: row["n"] for row in await conn.fetch(COUNT_UNSENT)}


LOCK_DEAD: Final = """
SELECT id FROM crm_outbox WHERE state = 'dead' AND ($1::bigint[] = '{}' OR id = ANY($1)) ORDER BY id FOR UPDATE
"""
REPLAY: Final = """
UPDATE crm_outbox o SET
    state = CASE WHEN c.overtaken THEN 'superseded' ELSE 'waiting' END,
    closed_at = CASE WHEN c.overtaken THEN $2::timestamptz END,
    next_try_at = clock_timestamp(), tries = 0
FROM (SELECT d.id, d.kind = 'result' AND EXISTS (
          SELECT FROM crm_outbox s
          WHERE s.subject = d.subject AND s.id > d.id AND s.state = 'sent' AND s.kind = 'result') AS overtaken
      FROM crm_outbox d WHERE d.id = ANY($1::bigint[])) AS c
WHERE o.id = c.id RETURNING c.overtaken
"""


async def replay(conn: Connection, ids: Sequence[int], now: datetime) -> tuple[int, int]:
    """Dead letters (none named: all) wait again; returns (how many wait, how many later news of the lead overtook)."""
    dead = [row["id"] for row in await conn.fetch(LOCK_DEAD, list(ids))]
    rows = await conn.fetch(REPLAY, dead, now)
    overtaken = sum(row["overtaken"] for row in rows)
    return len(rows) - overtaken, overtaken


COUNT_OPEN: Final = """
SELECT (SELECT count(*) FROM crm_outbox WHERE state = 'waiting') AS waiting,
       (SELECT count(*) FROM crm_outbox WHERE state = 'dead') AS dead
"""


async def count_open(conn: Connection) -> tuple[int, int]:
    """(waiting, dead): what the CRM does not know yet."""
    row = await fetch_one(conn, COUNT_OPEN)
    return row["waiting"], row["dead"]
