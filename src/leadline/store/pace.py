"""The pace of one provider account, the same for every replica because its row is locked by every send mark."""

from datetime import datetime, timedelta
from typing import Final

from leadline.store.connection import Connection, fetch_one

ENSURE_PACE: Final = "INSERT INTO pace (account) VALUES ($1) ON CONFLICT DO NOTHING"
LOCK_PACE: Final = "SELECT nullif(next_slot_at, '-infinity') FROM pace WHERE account = $1 FOR NO KEY UPDATE"


async def ensure_pace(conn: Connection, account: str) -> None:
    """Make sure that the account has a row to lock."""
    await conn.execute(ENSURE_PACE, account)


async def lock_pace(conn: Connection, account: str) -> datetime | None:
    """Wait for the account's row; returns the business time of its next free slot (None: any time)."""
    at: datetime | None = await conn.fetchval(LOCK_PACE, account)
    return at


READ_PACE: Final = "SELECT nullif(next_slot_at, '-infinity') FROM pace WHERE account = $1"


async def read_pace(conn: Connection, account: str) -> datetime | None:
    """The next free slot, unlocked: good enough to decide how many leads are worth leasing."""
    at: datetime | None = await conn.fetchval(READ_PACE, account)
    return at


SET_PACE: Final = "UPDATE pace SET next_slot_at = $2 WHERE account = $1"


async def set_pace(conn: Connection, account: str, next_slot_at: datetime) -> None:
    """Remember the next free slot; the caller holds the row's lock."""
    await conn.execute(SET_PACE, account, next_slot_at)


COUNT_SENT: Final = """
SELECT count(*) FILTER (WHERE coalesce(marked_at, leased_at) > $1::timestamptz - interval '1 hour') AS in_hour,
       count(*) AS in_day
FROM attempts
WHERE leased_at > $1 - interval '1 day' - $2::interval AND counted AND origin <> 'elsewhere'
  AND coalesce(marked_at, leased_at) > $1 - interval '1 day' AND state <> 'leased'
"""


async def count_sent(conn: Connection, now: datetime, lease_seconds: float, speed: float) -> tuple[int, int]:
    """Attempts sent in the last rolling hour and day of business time: (in hour, in day)."""
    row = await fetch_one(conn, COUNT_SENT, now, timedelta(seconds=lease_seconds * speed))
    return int(row["in_hour"]), int(row["in_day"])
