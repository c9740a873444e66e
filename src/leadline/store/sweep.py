"""What the sweep needs to know: everything late or stuck, in bounded lists."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from leadline.store.connection import Connection, Row, fetch_one

LATE: Final = """
SELECT (SELECT count(*) FROM open_attempts o JOIN attempts a ON a.id = o.attempt_id
        WHERE a.state = 'leased' AND o.deadline_at <= clock_timestamp()) AS expired_leases,
       (SELECT count(*) FROM open_attempts o JOIN attempts a ON a.id = o.attempt_id
        WHERE a.state = 'sending' AND o.deadline_at <= clock_timestamp()) AS silent_sends,
       (SELECT count(*) FROM events WHERE disposition = 'unapplied') AS unapplied_events,
       (SELECT count(*) FROM leads l JOIN due_leads d ON d.lead_id = l.id
        WHERE l.status = 'rescheduled' AND NOT d.calling
          AND d.due_at < $1::timestamptz - interval '15 minutes') AS missed_callbacks
"""


async def count_late(conn: Connection, now: datetime) -> Row:
    """What time alone or a bug left behind; a callback is missed when it is 15 minutes late and nobody was called."""
    return await fetch_one(conn, LATE, now)


LIST_DOUBTFUL: Final = """
SELECT a.id AS attempt_id, a.phone_number, a.marked_at,
       greatest(0, extract(epoch FROM coalesce(o.quiet_until, clock_timestamp()) - clock_timestamp()))::float8
           AS quiet_seconds_left
FROM open_attempts o JOIN attempts a ON a.id = o.attempt_id
WHERE a.state = 'unknown' ORDER BY o.asked_at NULLS FIRST, a.marked_at LIMIT $1
"""


async def list_doubtful(conn: Connection, limit: int) -> list[Row]:
    """Unknown attempts, those not asked about for longest first."""
    rows: list[Row] = await conn.fetch(LIST_DOUBTFUL, limit)
    return rows


LIST_PLACED: Final = """
SELECT a.id AS attempt_id, a.phone_number, a.call_id,
       (extract(epoch FROM $1 - a.placed_at) / $2)::float8 AS placed_seconds_ago,
       o.deadline_at <= clock_timestamp() AS overdue
FROM open_attempts o JOIN attempts a ON a.id = o.attempt_id
WHERE a.state = 'placed' AND a.call_id IS NOT NULL ORDER BY a.placed_at LIMIT $3
"""


async def list_placed(conn: Connection, now: datetime, speed: float, limit: int) -> list[Row]:
    """Placed attempts whose result has not come, the oldest first; ages in real seconds."""
    rows: list[Row] = await conn.fetch(LIST_PLACED, now, speed, limit)
    return rows


LIST_UNDETERMINED: Final = """
SELECT DISTINCT call_id FROM events WHERE disposition = 'unapplied' AND kind = 'undetermined' LIMIT $1
"""


async def list_undetermined(conn: Connection, limit: int) -> list[str]:
    """Calls without our metadata for numbers with an open attempt."""
    return [row["call_id"] for row in await conn.fetch(LIST_UNDETERMINED, limit)]


INSERT_RUN: Final = "INSERT INTO sweep_runs (id, started_at) VALUES ($1, $2)"
FINISH_RUN: Final = """
UPDATE sweep_runs SET finished_at = $2, succeeded = $3, counters = $4 WHERE id = $1 AND finished_at IS NULL
"""


async def insert_run(conn: Connection, run_id: UUID, now: datetime) -> None:
    """A sweep begins."""
    await conn.execute(INSERT_RUN, run_id, now)


async def finish_run(
    conn: Connection, run_id: UUID, now: datetime, *, succeeded: bool, counters: dict[str, Any]
) -> bool:
    """A sweep ended; False if it was finished before or never began."""
    return await conn.execute(FINISH_RUN, run_id, now, succeeded, counters) == "UPDATE 1"
