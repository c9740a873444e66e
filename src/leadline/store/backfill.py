"""Backfill runs and their windows: progress that outlives whoever makes it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from leadline.domain.ids import AttemptId, LeadId, PhoneNumber
from leadline.store.connection import Connection, Row, fetch_one

FIND_UNFINISHED: Final = """
SELECT id FROM backfill_runs
WHERE state <> 'finished' AND starts_at = $1 AND asked_ends_at = $2 AND coalesce(campaign, '') = coalesce($3, '')
"""


async def find_unfinished(
    conn: Connection, starts_at: datetime, asked_ends_at: datetime, campaign: str | None
) -> UUID | None:
    """The unfinished run of a range as it was asked for; the database allows one."""
    found: UUID | None = await conn.fetchval(FIND_UNFINISHED, starts_at, asked_ends_at, campaign)
    return found


INSERT_RUN: Final = """
INSERT INTO backfill_runs (id, starts_at, ends_at, asked_ends_at, campaign, state, created_at)
VALUES ($1, $2, $3, $4, $5, 'listing', $6)
ON CONFLICT (starts_at, asked_ends_at, coalesce(campaign, '')) WHERE state <> 'finished' DO NOTHING
"""
INSERT_WINDOWS: Final = """
INSERT INTO backfill_windows (run_id, starts_at, ends_at, state)
SELECT $1, at, least(at + make_interval(secs => $4), $3), 'waiting'
FROM generate_series($2::timestamptz, $3::timestamptz - interval '1 microsecond', make_interval(secs => $4)) AS at
"""


async def insert_run(
    conn: Connection,
    run_id: UUID,
    *,
    starts_at: datetime,
    ends_at: datetime,
    asked_ends_at: datetime,
    campaign: str | None,
    window_seconds: float,
    now: datetime,
) -> bool:
    """A run with all its windows; False if somebody else has just begun it."""
    status = await conn.execute(INSERT_RUN, run_id, starts_at, ends_at, asked_ends_at, campaign, now)
    if status != "INSERT 0 1":
        return False
    await conn.execute(INSERT_WINDOWS, run_id, starts_at, ends_at, window_seconds)
    return True


KEEP_RUN: Final = """
UPDATE backfill_runs SET holder = $2, held_until = clock_timestamp() + make_interval(secs => $3)
WHERE id = $1 AND (holder IS NULL OR holder = $2 OR held_until <= clock_timestamp())
RETURNING id, starts_at, ends_at, campaign, state, counters
"""
FIND_HOLDER: Final = """
SELECT holder, greatest(0, extract(epoch FROM held_until - clock_timestamp()))::float8 AS seconds_left
FROM backfill_runs WHERE id = $1
"""


async def keep_run(conn: Connection, run_id: UUID, holder: str, lease_seconds: float) -> Row | None:
    """Lock the run for this transaction and hold it for so many real seconds more; None if somebody else holds it."""
    return await conn.fetchrow(KEEP_RUN, run_id, holder, lease_seconds)


async def find_holder(conn: Connection, run_id: UUID) -> Row | None:
    """(holder, seconds_left) of a run; None if there is no such run."""
    return await conn.fetchrow(FIND_HOLDER, run_id)


SET_STATE: Final = "UPDATE backfill_runs SET state = $2 WHERE id = $1"
END_RUN: Final = """
UPDATE backfill_runs SET state = $2, finished_at = coalesce(finished_at, $3), held_until = clock_timestamp()
WHERE id = $1
"""
SET_COUNTERS: Final = "UPDATE backfill_runs SET counters = $2 WHERE id = $1"


async def set_state(conn: Connection, run_id: UUID, state: str) -> None:
    """A run goes into its next phase. The caller keeps it."""
    await conn.execute(SET_STATE, run_id, state)


async def end_run(conn: Connection, run_id: UUID, state: str, now: datetime) -> None:
    """A run is over, for now or for good, and nobody holds it any more."""
    await conn.execute(END_RUN, run_id, state, now)


async def set_counters(conn: Connection, run_id: UUID, counters: Mapping[str, int]) -> None:
    """What a run has done so far. The caller keeps it."""
    await conn.execute(SET_COUNTERS, run_id, dict(counters))


WAIT_AGAIN: Final = """
UPDATE backfill_windows SET state = 'waiting', problem = NULL WHERE run_id = $1 AND state = 'failed'
"""


async def wait_again(conn: Connection, run_id: UUID) -> None:
    """Windows that could not be read are to be read."""
    await conn.execute(WAIT_AGAIN, run_id)


NEXT_WINDOWS: Final = """
SELECT starts_at, ends_at FROM backfill_windows WHERE run_id = $1 AND state = 'waiting' ORDER BY starts_at LIMIT $2
"""


async def next_windows(conn: Connection, run_id: UUID, limit: int) -> list[Row]:
    """Windows that nobody has read, the oldest first."""
    rows: list[Row] = await conn.fetch(NEXT_WINDOWS, run_id, limit)
    return rows


END_WINDOW: Final = """
UPDATE backfill_windows SET state = $4, listed = $5, problem = $6, tries = tries + 1
WHERE run_id = $1 AND starts_at = $2 AND ends_at = $3 AND state <> 'done' AND state <> $4
"""
HALVE_WINDOW: Final = """
WITH halved AS (
    UPDATE backfill_windows SET ends_at = $4, state = 'waiting', problem = NULL
    WHERE run_id = $1 AND starts_at = $2 AND ends_at = $3 AND state <> 'done' RETURNING run_id
)
INSERT INTO backfill_windows (run_id, starts_at, ends_at, state) SELECT run_id, $4, $3, 'waiting' FROM halved
"""


async def end_window(
    conn: Connection, run_id: UUID, window: tuple[datetime, datetime], *, listed: int, problem: str | None
) -> bool:
    """A window was read, or could not be; False if that was known, or if the run has no such window."""
    state = "done" if problem is None else "failed"
    return await conn.execute(END_WINDOW, run_id, *window, state, listed, problem) == "UPDATE 1"


async def halve_window(conn: Connection, run_id: UUID, window: tuple[datetime, datetime], middle_at: datetime) -> bool:
    """Two windows for one; False if it was halved before."""
    return await conn.execute(HALVE_WINDOW, run_id, *window, middle_at) == "INSERT 0 1"


COUNT_MISSING: Final = """
SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'failed') AS failed
FROM backfill_windows WHERE run_id = $1 AND state <> 'done'
"""


async def count_missing(conn: Connection, run_id: UUID) -> Row:
    """(waiting, failed): windows of which the history is not recorded."""
    return await fetch_one(conn, COUNT_MISSING, run_id)


GET_RUN: Final = """
SELECT r.id, r.starts_at, r.ends_at, r.campaign, r.state, r.counters, count(w.run_id) AS windows,
       count(*) FILTER (WHERE w.state = 'done') AS windows_done,
       count(*) FILTER (WHERE w.state = 'waiting') AS windows_waiting,
       coalesce(sum(w.listed) FILTER (WHERE w.state = 'done'), 0)::bigint AS listed
FROM backfill_runs r LEFT JOIN backfill_windows w ON w.run_id = r.id WHERE r.id = $1 GROUP BY r.id
"""
LIST_FAILED: Final = """
SELECT starts_at, ends_at, problem FROM backfill_windows WHERE run_id = $1 AND state = 'failed' ORDER BY starts_at
"""
LIST_RUNS: Final = "SELECT id FROM backfill_runs ORDER BY created_at DESC, id DESC LIMIT $1"


async def get_run(conn: Connection, run_id: UUID) -> tuple[Row, list[Row]]:
    """A run with its figures, and the windows that could not be read. Raises LookupError if there is none."""
    return await fetch_one(conn, GET_RUN, run_id), await conn.fetch(LIST_FAILED, run_id)


async def list_runs(conn: Connection, limit: int) -> list[UUID]:
    """Runs, the newest first."""
    return [row["id"] for row in await conn.fetch(LIST_RUNS, limit)]


# ---------------------------------------------------------------- calls


FIND_KNOWN: Final = """
SELECT call_id FROM calls WHERE call_id = ANY($1::text[])
UNION ALL
SELECT call_id FROM events
WHERE source = ANY($2::text[]) AND call_id = ANY($1::text[])
  AND (kind = 'inbound' OR (source = $3 AND disposition <> 'unapplied'))
"""


async def find_known(conn: Connection, call_ids: Sequence[str], sources: Sequence[str], history: str) -> set[str]:
    """Calls that are in the ledger, and those without an attempt that were dealt with."""
    return {row["call_id"] for row in await conn.fetch(FIND_KNOWN, list(call_ids), list(sources), history)}


LIST_WITHOUT_CALL: Final = """
SELECT phone_number, state, marked_at FROM attempts
WHERE phone_number = ANY($1::text[]) AND origin = 'leadline' AND call_id IS NULL AND state <> 'ended'
"""


async def list_without_call(conn: Connection, phone_numbers: Sequence[PhoneNumber]) -> list[Row]:
    """(phone_number, state, marked_at) of our attempts of which no call is known."""
    rows: list[Row] = await conn.fetch(LIST_WITHOUT_CALL, list(phone_numbers))
    return rows


RENUMBER: Final = """
UPDATE attempts a SET attempt_no = c.attempt_no FROM unnest($1::uuid[], $2::smallint[]) AS c(id, attempt_no)
WHERE a.id = c.id
"""
SET_ATTEMPTS_BEFORE: Final = """
UPDATE leads l SET attempts_before = c.attempts_before, attempts_before_that_day = c.that_day
FROM unnest($1::uuid[], $2::smallint[], $3::smallint[]) AS c(id, attempts_before, that_day) WHERE l.id = c.id
"""
NOTE_NEWS: Final = "INSERT INTO backfill_news (run_id, lead_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING"


async def renumber(conn: Connection, attempts: Mapping[AttemptId, int]) -> None:
    """Number rows of the ledger anew. The caller holds their numbers' locks."""
    if attempts:
        await conn.execute(RENUMBER, list(attempts), list(attempts.values()))


async def set_attempts_before(conn: Connection, leads: Mapping[LeadId, tuple[int, int]]) -> None:
    """How many attempts leads have without a record: of their lives, and of that day. Under their numbers' locks."""
    if leads:
        await conn.execute(
            SET_ATTEMPTS_BEFORE, list(leads), [life for life, _ in leads.values()], [day for _, day in leads.values()]
        )


async def note_news(conn: Connection, run_id: UUID, leads: Sequence[LeadId]) -> None:
    """These leads are to be planned anew once the run has read everything."""
    if leads:
        await conn.execute(NOTE_NEWS, run_id, sorted(leads))


# ---------------------------------------------------------------- numbers


LIST_CANDIDATES: Final = """
SELECT lead_id, phone_number FROM (
    (SELECT l.id AS lead_id, l.phone_number FROM leads l
     WHERE l.status = 'held' AND l.status_reason = 'backfill' AND l.id > $2 AND EXISTS (
        SELECT FROM attempts a WHERE a.lead_id = l.id AND a.origin = 'elsewhere'
            AND a.leased_at >= $3 AND a.leased_at < $4)
     ORDER BY l.status_reason, l.id LIMIT $5)
    UNION ALL
    (SELECT l.id, l.phone_number FROM leads l
     WHERE l.status = 'held' AND l.status_reason = 'foreign' AND l.id > $2 AND EXISTS (
        SELECT FROM attempts a WHERE a.lead_id = l.id AND a.origin = 'elsewhere'
            AND a.leased_at >= $3 AND a.leased_at < $4)
     ORDER BY l.status_reason, l.id LIMIT $5)
    UNION ALL
    (SELECT n.lead_id, l.phone_number FROM backfill_news n JOIN leads l ON l.id = n.lead_id
     WHERE n.run_id = $1 AND n.lead_id > $2 ORDER BY n.lead_id LIMIT $5)
) AS c ORDER BY lead_id LIMIT $5
"""


async def list_candidates(
    conn: Connection, run_id: UUID, *, after: UUID, starts_at: datetime, ends_at: datetime, limit: int
) -> dict[LeadId, PhoneNumber]:
    """Leads that wait for a decision, by id: known from calls of the range alone, or with news of this run."""
    rows = await conn.fetch(LIST_CANDIDATES, run_id, after, starts_at, ends_at, limit)
    return {LeadId(row["lead_id"]): PhoneNumber(row["phone_number"]) for row in rows}


FIND_PHONES: Final = "SELECT id, phone_number FROM leads WHERE id = ANY($1::uuid[])"


async def find_phones(conn: Connection, lead_ids: Sequence[LeadId]) -> dict[LeadId, PhoneNumber]:
    """The number of each lead that exists."""
    rows = await conn.fetch(FIND_PHONES, list(lead_ids))
    return {LeadId(row["id"]): PhoneNumber(row["phone_number"]) for row in rows}


FORGET_NEWS: Final = "DELETE FROM backfill_news WHERE run_id = $1 AND lead_id = ANY($2::uuid[]) RETURNING lead_id"


async def forget_news(conn: Connection, run_id: UUID, lead_ids: Sequence[LeadId]) -> set[LeadId]:
    """The news of these leads is dealt with in this transaction; returns those that had any."""
    return {LeadId(row["lead_id"]) for row in await conn.fetch(FORGET_NEWS, run_id, list(lead_ids))}
