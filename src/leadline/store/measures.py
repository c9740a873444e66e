"""What metrics show of the database and nobody else asks: fast questions, and slow ones that count whole tables.

Fast questions look things up by an index and read a bounded number of rows, however large the tables are. They are
asked in transactions in which `set_locally` has forbidden plans without one. Slow questions take as long as the tables
are large, and bring a time limit of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from leadline.domain.ids import CampaignName
from leadline.store.clock import Clock
from leadline.store.connection import Connection, Row, fetch_one

SET_LOCALLY: Final = "SELECT set_config(name, value, true) FROM unnest($1::text[], $2::text[]) AS s(name, value)"


async def set_locally(conn: Connection, settings: Mapping[str, str]) -> None:
    """Change PostgreSQL's settings until the end of the transaction."""
    await conn.execute(SET_LOCALLY, list(settings), list(settings.values()))


# ---------------------------------------------------------------- the moment


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment on both clocks."""

    clock: Clock
    real_now: datetime

    @property
    def now(self) -> datetime:
        """Business time."""
        return self.clock.now

    def seconds_since(self, at: datetime) -> float:
        """Real seconds since an instant of business time; never negative."""
        return max(0.0, self.clock.real_seconds(self.now - at))

    def unix(self, at: datetime) -> float:
        """An instant of business time as real unix time, by the clock's present speed."""
        return self.real_now.timestamp() - self.clock.real_seconds(self.now - at)


READ_MOMENT: Final = """
SELECT clock_timestamp() AS real_now, business_now() AS now, coalesce((SELECT speed FROM clock), 1.0) AS speed
"""


async def read_moment(conn: Connection) -> Moment:
    """What both clocks of the database show."""
    row = await fetch_one(conn, READ_MOMENT)
    return Moment(Clock(row["now"], row["speed"]), row["real_now"])


# ---------------------------------------------------------------- fast: due leads

OLDEST_DUE: Final = """
SELECT head.campaign, min(d.due_at) AS due_at
FROM unnest($1::text[], $2::smallint[]) AS head(campaign, band)
CROSS JOIN LATERAL (
    SELECT n.due_at FROM due_leads n
    WHERE n.campaign = head.campaign AND n.band = head.band AND NOT n.calling AND n.due_at <= $3
    ORDER BY n.due_at, n.lead_id LIMIT 1
) d
GROUP BY head.campaign
"""


async def find_oldest_due(
    conn: Connection, campaigns: Sequence[CampaignName], bands: Sequence[int], now: datetime
) -> dict[CampaignName, datetime]:
    """Since when the lead has been due that waits for longest, of each campaign that has one."""
    heads = [(campaign, band) for campaign in campaigns for band in bands]
    rows = await conn.fetch(OLDEST_DUE, [campaign for campaign, _ in heads], [band for _, band in heads], now)
    return {CampaignName(row["campaign"]): row["due_at"] for row in rows}


COUNT_CALLBACKS: Final = """
SELECT head.campaign, count(*) AS due, count(*) FILTER (WHERE d.due_at < $4) AS overdue
FROM unnest($1::text[]) AS head(campaign)
CROSS JOIN LATERAL (
    SELECT n.lead_id, n.due_at FROM due_leads n
    WHERE n.campaign = head.campaign AND n.band = $2 AND NOT n.calling AND n.due_at <= $3
    ORDER BY n.due_at, n.lead_id LIMIT $5
) d
WHERE (SELECT l.status FROM leads l WHERE l.id = d.lead_id) = 'rescheduled'
GROUP BY head.campaign
"""


async def count_callbacks(
    conn: Connection, campaigns: Sequence[CampaignName], band: int, now: datetime, grace: timedelta, limit: int
) -> dict[CampaignName, tuple[int, int]]:
    """(due, due for longer than `grace`): promised callbacks among the `limit` leads of a campaign's band due longest.

    There is no index of promises, and they share their band with first calls: whoever has more waiting than `limit`
    sees too few of them.
    """
    rows = await conn.fetch(COUNT_CALLBACKS, list(campaigns), band, now, now - grace, limit)
    return {CampaignName(row["campaign"]): (row["due"], row["overdue"]) for row in rows}


# ---------------------------------------------------------------- fast: attempts and what waits

OPEN_ATTEMPTS: Final = """
SELECT a.state, count(*) AS n, min(a.since) AS since
FROM open_attempts o
CROSS JOIN LATERAL (
    SELECT b.state, coalesce(b.placed_at, b.marked_at, b.leased_at) AS since FROM attempts b
    WHERE b.id = o.attempt_id OFFSET 0
) a
GROUP BY a.state
"""


async def count_open_attempts(conn: Connection) -> dict[str, tuple[int, datetime]]:
    """(how many, since when the oldest) of each state. Bounded by what pace and plan let ring.

    `OFFSET 0` keeps the ledger from being read first, to look up in it which attempts are open.
    """
    return {row["state"]: (row["n"], row["since"]) for row in await conn.fetch(OPEN_ATTEMPTS)}


COUNT_WAITING: Final = """
SELECT (SELECT count(*) FROM (SELECT FROM events WHERE disposition = 'unapplied' LIMIT $1) e) AS unapplied_events,
       (SELECT count(*) FROM (SELECT FROM stop_orders WHERE confirmed_at IS NULL LIMIT $1) s)
           AS unconfirmed_stop_orders,
       (SELECT count(*) FROM (SELECT FROM crm_outbox WHERE state = 'dead' LIMIT $1) d) AS crm_dead
"""
COUNT_UNTOLD: Final = """
SELECT count(*) AS n, min(created_at) AS since
FROM (SELECT created_at FROM crm_outbox WHERE state = 'waiting' ORDER BY next_try_at, id LIMIT $1) w
"""


async def count_waiting(conn: Connection, limit: int) -> Row:
    """(unapplied_events, unconfirmed_stop_orders, crm_dead), each counted up to `limit`."""
    return await fetch_one(conn, COUNT_WAITING, limit)


async def count_untold(conn: Connection, limit: int) -> tuple[int, datetime | None]:
    """What the CRM is still to be told, up to `limit`, and since when the oldest of those waits (business time)."""
    row = await fetch_one(conn, COUNT_UNTOLD, limit)
    return row["n"], row["since"]


# ---------------------------------------------------------------- fast: sweep and backfill

LAST_SWEEPS: Final = """
SELECT r.finished_at, r.counters, s.finished_at AS succeeded_at,
       c.started_at AS check_started_at, c.finished_at AS check_finished_at, c.violated AS check_violated
FROM (SELECT finished_at, counters
      FROM (SELECT started_at, finished_at, counters FROM sweep_runs ORDER BY started_at DESC LIMIT $1) AS latest
      WHERE finished_at IS NOT NULL ORDER BY started_at DESC LIMIT 1) r
LEFT JOIN LATERAL (
    SELECT finished_at
    FROM (SELECT started_at, finished_at, succeeded FROM sweep_runs ORDER BY started_at DESC LIMIT $1) AS latest
    WHERE succeeded ORDER BY started_at DESC LIMIT 1) s ON true
LEFT JOIN LATERAL (
    SELECT started_at, finished_at, coalesce((counters ->> $3)::int, 0) > 0 AS violated
    FROM (SELECT started_at, finished_at, counters FROM sweep_runs ORDER BY started_at DESC LIMIT $1) AS latest
    WHERE finished_at IS NOT NULL AND counters ? $2 ORDER BY started_at DESC LIMIT 1) c ON true
"""


async def find_last_sweeps(conn: Connection, limit: int, checked: str, violated: str) -> Row | None:
    """The last sweep that finished, the last that succeeded, and the last that checked the promises; None without any.

    (finished_at, counters, succeeded_at, check_started_at, check_finished_at, check_violated), of the last `limit`
    sweeps; `checked` and `violated` are the counters that say so.
    """
    return await conn.fetchrow(LAST_SWEEPS, limit, checked, violated)


COUNT_BROKEN: Final = """
SELECT details ->> 'promise' AS promise, count(*) AS n FROM alarms
WHERE kind = 'promise_broken'
  AND at = (SELECT max(at) FROM alarms WHERE kind = 'promise_broken' AND at BETWEEN $1 AND $2)
GROUP BY promise
"""


async def count_broken(conn: Connection, since: datetime, until: datetime) -> dict[int, int]:
    """What broke a promise, by its number, as the last check between two instants found: its alarms share a time."""
    return {int(row["promise"]): row["n"] for row in await conn.fetch(COUNT_BROKEN, since, until)}


NEWEST_BACKFILL: Final = "SELECT id, state, counters FROM backfill_runs ORDER BY created_at DESC, id DESC LIMIT 1"
COUNT_WINDOWS: Final = "SELECT state, count(*) AS n FROM backfill_windows WHERE run_id = $1 GROUP BY state"


async def find_newest_backfill(conn: Connection) -> Row | None:
    """(id, state, counters) of the backfill that was begun last."""
    return await conn.fetchrow(NEWEST_BACKFILL)


async def count_windows(conn: Connection, run_id: UUID) -> dict[str, int]:
    """Windows of a backfill by state; a run has at most `contracts.backfill.MOST_WINDOWS`."""
    return {row["state"]: row["n"] for row in await conn.fetch(COUNT_WINDOWS, run_id)}


# ---------------------------------------------------------------- slow: whole tables

COUNT_LEADS: Final = "SELECT campaign, status, count(*) AS n FROM leads GROUP BY campaign, status"
COUNT_HELD: Final = """
SELECT status_reason AS reason, count(*) AS n, min(updated_at) AS since
FROM leads WHERE status = 'held' GROUP BY status_reason
"""
COUNT_SUPPRESSIONS: Final = "SELECT count(*) FROM suppressions"
COUNT_BY_ATTEMPTS: Final = """
SELECT campaign, least(attempts, $1) AS attempts, count(*) AS n
FROM (SELECT l.campaign, l.attempts_before + count(a.id) AS attempts
      FROM leads l LEFT JOIN attempts a
          ON a.lead_id = l.id AND a.counted AND coalesce(a.marked_at, a.leased_at) >= l.life_started_at
      GROUP BY l.id) AS lead
GROUP BY 1, 2
"""
COUNT_DUE_LATER: Final = """
SELECT campaign, CASE WHEN due_at <= $2 THEN 'hour' WHEN due_at <= $3 THEN 'day' ELSE 'more' END AS within,
       count(*) AS n
FROM due_leads WHERE NOT calling AND due_at > $1 GROUP BY 1, 2
"""


async def count_leads(conn: Connection, timeout_seconds: float) -> list[Row]:
    """(campaign, status, n)."""
    rows: list[Row] = await conn.fetch(COUNT_LEADS, timeout=timeout_seconds)
    return rows


async def count_held(conn: Connection, timeout_seconds: float) -> list[Row]:
    """(reason, n, since) of held leads; `since` is when the one that changed least lately changed."""
    rows: list[Row] = await conn.fetch(COUNT_HELD, timeout=timeout_seconds)
    return rows


async def count_suppressions(conn: Connection, timeout_seconds: float) -> int:
    """Suppressed numbers."""
    return int(await conn.fetchval(COUNT_SUPPRESSIONS, timeout=timeout_seconds))


async def count_by_attempts(conn: Connection, most: int, timeout_seconds: float) -> list[Row]:
    """(campaign, attempts, n): leads by the counted attempts of their present life, `most` and more as one.

    Counts what the life cap counts: attempts made elsewhere are among them, whether there is a record of them or not.
    """
    rows: list[Row] = await conn.fetch(COUNT_BY_ATTEMPTS, most, timeout=timeout_seconds)
    return rows


async def count_due_later(conn: Connection, now: datetime, timeout_seconds: float) -> list[Row]:
    """(campaign, within, n): leads that fall due in an hour of business time, in a day but not the hour, or later."""
    hour, day = now + timedelta(hours=1), now + timedelta(days=1)
    rows: list[Row] = await conn.fetch(COUNT_DUE_LATER, now, hour, day, timeout=timeout_seconds)
    return rows
