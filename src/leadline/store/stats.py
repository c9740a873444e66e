"""Figures for the board and the status command. Read at most every few seconds, never on the way of a call."""

from datetime import datetime
from typing import Final

from leadline.store.connection import Connection, Row, fetch_one

LEADS_BY_STATUS: Final = "SELECT status, count(*) AS n FROM leads GROUP BY status"
HELD_BY_REASON: Final = "SELECT status_reason, count(*) AS n FROM leads WHERE status = 'held' GROUP BY status_reason"
DUE: Final = """
SELECT count(*) FILTER (WHERE due_at <= $1) AS due_now, min(due_at) FILTER (WHERE due_at <= $1) AS oldest_due_at,
       min(due_at) FILTER (WHERE due_at > $1) AS next_due_at
FROM due_leads WHERE NOT calling
"""
TODAY: Final = """
SELECT coalesce(outcome, '') AS outcome, count(*) AS n FROM attempts
WHERE leased_at >= $1 AND counted AND state <> 'leased' GROUP BY outcome
"""
SUPPRESSIONS: Final = "SELECT count(*) FROM suppressions"
UNAPPLIED: Final = "SELECT count(*) FROM events WHERE disposition = 'unapplied'"
UNCONFIRMED: Final = "SELECT count(*) FROM stop_orders WHERE confirmed_at IS NULL"
ALARMS: Final = "SELECT kind, count(*) AS n FROM alarms WHERE at > $1 GROUP BY kind ORDER BY kind"
LAST_SWEEP: Final = """
SELECT finished_at, counters FROM sweep_runs WHERE finished_at IS NOT NULL ORDER BY started_at DESC LIMIT 1
"""


async def count_leads(conn: Connection) -> dict[str, int]:
    """Leads by stored status."""
    return {row["status"]: row["n"] for row in await conn.fetch(LEADS_BY_STATUS)}


async def count_held(conn: Connection) -> dict[str, int]:
    """Held leads by what they wait for."""
    return {row["status_reason"]: row["n"] for row in await conn.fetch(HELD_BY_REASON)}


async def read_due(conn: Connection, now: datetime) -> Row:
    """(due_now, oldest_due_at, next_due_at)."""
    return await fetch_one(conn, DUE, now)


async def count_outcomes_since(conn: Connection, since: datetime) -> dict[str, int]:
    """Counted attempts since an instant by outcome; '' for those without one."""
    return {row["outcome"]: row["n"] for row in await conn.fetch(TODAY, since)}


async def count_trouble(conn: Connection) -> tuple[int, int, int]:
    """(suppressions, unapplied events, unconfirmed stop orders)."""
    return (
        await conn.fetchval(SUPPRESSIONS),
        await conn.fetchval(UNAPPLIED),
        await conn.fetchval(UNCONFIRMED),
    )


async def count_alarms(conn: Connection, since: datetime) -> dict[str, int]:
    """Alarms since an instant by kind."""
    return {row["kind"]: row["n"] for row in await conn.fetch(ALARMS, since)}


async def last_sweep(conn: Connection) -> Row | None:
    """When the last sweep finished, and what it did."""
    return await conn.fetchrow(LAST_SWEEP)
