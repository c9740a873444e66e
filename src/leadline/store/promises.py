"""The promises as queries: each lists what breaks it, so an empty answer is the promise kept.

Promises 1, 2, 4 and 5 are also constraints, so their queries find only what a constraint cannot see.
Limits of campaigns are settings, so those queries take them as arguments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from leadline.store.connection import Connection

TWO_LIVE_CALLS: Final = """
SELECT phone_number AS subject FROM attempts WHERE state IN ('leased', 'sending', 'unknown', 'placed')
GROUP BY phone_number HAVING count(*) > 1
UNION ALL SELECT a.phone_number FROM attempts a
WHERE a.state IN ('leased', 'sending', 'unknown', 'placed')
  AND NOT EXISTS (SELECT FROM open_attempts o WHERE o.attempt_id = a.id AND o.phone_number = a.phone_number)
"""
TWO_CALLS_OF_ONE_ATTEMPT: Final = """
SELECT attempt_id::text AS subject FROM calls GROUP BY attempt_id HAVING count(*) > 1
UNION ALL SELECT parent_id::text FROM attempts WHERE origin = 'provider_retry' AND parent_id IS NOT NULL
"""
MARKED_AFTER_SUPPRESSION: Final = """
SELECT a.id::text AS subject FROM attempts a JOIN suppressions s USING (phone_number)
WHERE a.origin = 'leadline' AND a.marked_at > s.created_at
"""
NOT_IN_THE_QUEUE: Final = """
SELECT l.id::text AS subject FROM leads l
WHERE l.status IN ('pending', 'rescheduled') AND NOT EXISTS (SELECT FROM due_leads d WHERE d.lead_id = l.id)
UNION ALL
SELECT d.lead_id::text FROM due_leads d JOIN leads l ON l.id = d.lead_id
WHERE l.status NOT IN ('pending', 'rescheduled')
UNION ALL
SELECT d.lead_id::text FROM due_leads d
WHERE d.calling AND NOT EXISTS (
    SELECT FROM open_attempts o JOIN attempts a ON a.id = o.attempt_id
    WHERE o.phone_number = d.phone_number AND a.lead_id = d.lead_id)
"""
APPLIED_TWICE: Final = """
SELECT a.id::text AS subject FROM attempts a
WHERE a.call_id IS NOT NULL AND NOT EXISTS (SELECT FROM calls c WHERE c.call_id = a.call_id AND c.attempt_id = a.id)
"""
OVER_THE_LIFE_CAP: Final = """
SELECT l.id::text AS subject FROM leads l JOIN unnest($1::text[], $2::int[]) AS c(campaign, cap) USING (campaign)
WHERE (SELECT count(*) FROM attempts a WHERE a.lead_id = l.id AND a.counted AND a.origin = 'leadline'
         AND coalesce(a.marked_at, a.leased_at) >= l.life_started_at) > c.cap + l.extra_attempts
  AND l.updated_at > $3
"""
DIALLED_AFTER_THE_END: Final = """
SELECT a.id::text AS subject FROM attempts a JOIN leads l ON l.id = a.lead_id
WHERE l.status = 'completed' AND a.origin = 'leadline' AND a.marked_at > l.updated_at
"""
WAITING_FOR_EVER: Final = """
SELECT a.id::text AS subject FROM open_attempts o JOIN attempts a ON a.id = o.attempt_id
WHERE o.deadline_at < clock_timestamp() - interval '1 hour'
UNION ALL SELECT s.attempt_id::text FROM stop_orders s
WHERE s.confirmed_at IS NULL AND s.next_try_at < clock_timestamp() - interval '1 hour'
UNION ALL SELECT e.id::text FROM events e WHERE e.disposition = 'unapplied' AND e.kind IS NULL AND e.tries > 12
UNION ALL SELECT m.id::text FROM crm_outbox m
WHERE m.state = 'waiting' AND (m.next_try_at < clock_timestamp() - interval '1 day' OR m.tries > 288)
UNION ALL SELECT r.id::text FROM backfill_runs r
WHERE r.state <> 'finished' AND r.held_until < clock_timestamp() - interval '1 day'
  AND EXISTS (SELECT FROM leads l WHERE l.status = 'held' AND l.status_reason = 'backfill')
UNION ALL SELECT l.id::text FROM leads l
WHERE l.status = 'held' AND l.status_reason = 'backfill'
  AND NOT EXISTS (SELECT FROM backfill_runs r WHERE r.state <> 'finished')
"""
UNEXPLAINED: Final = """
SELECT l.id::text AS subject FROM leads l
WHERE l.status IN ('completed', 'held')
  AND NOT EXISTS (SELECT FROM audit_log g WHERE g.lead_id = l.id)
"""


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise: the sentence, and the query that lists what breaks it."""

    number: int
    sentence: str
    query: str


PROMISES: Final = (
    Promise(1, "One live attempt per phone number.", TWO_LIVE_CALLS),
    Promise(2, "At most one call per attempt.", TWO_CALLS_OF_ONE_ATTEMPT),
    Promise(3, "Nobody is called after saying stop.", MARKED_AFTER_SUPPRESSION),
    Promise(4, "Every lead is in exactly one status, and every planned lead is due at a time.", NOT_IN_THE_QUEUE),
    Promise(5, "Every event counts once.", APPLIED_TWICE),
    Promise(6, "Caps and hours hold at dispatch time.", OVER_THE_LIFE_CAP),
    Promise(7, "Final is final.", DIALLED_AFTER_THE_END),
    Promise(8, "Nothing waits for ever.", WAITING_FOR_EVER),
    Promise(9, "Every decision explains itself.", UNEXPLAINED),
)


async def find_violations(
    conn: Connection, promise: Promise, *, life_caps: Sequence[tuple[str, int]], now: datetime, limit: int
) -> list[str]:
    """The subjects that break a promise, at most `limit`."""
    arguments: list[Any] = []
    if promise.query is OVER_THE_LIFE_CAP:
        arguments = [[c for c, _ in life_caps], [cap for _, cap in life_caps], now - timedelta(days=7)]
    rows = await conn.fetch(f"SELECT subject FROM ({promise.query}) AS broken LIMIT {limit:d}", *arguments)  # noqa: S608 -- both parts are constants of this module and an integer
    return [row["subject"] for row in rows]


LIST_DISPATCHES: Final = """
SELECT a.id, a.phone_number, a.campaign, a.marked_at, l.state FROM attempts a JOIN leads l ON l.id = a.lead_id
WHERE a.origin = 'leadline' AND a.counted AND a.leased_at >= $1 AND a.marked_at IS NOT NULL
ORDER BY a.leased_at DESC LIMIT $2
"""


async def list_dispatches(conn: Connection, since: datetime, limit: int) -> list[Any]:
    """Recent send marks with what decides their legal hours, for the part of promise 6 that SQL cannot judge."""
    rows: list[Any] = await conn.fetch(LIST_DISPATCHES, since, limit)
    return rows
