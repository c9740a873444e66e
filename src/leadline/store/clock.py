"""Business time: the database's clock, or in `leadline up` and tests a clock row that moves and speeds it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from leadline.domain.errors import LeadlineError
from leadline.store.connection import Connection, fetch_one

GET_CLOCK: Final = "SELECT business_now() AS now, coalesce((SELECT speed FROM clock), 1.0) AS speed"


@dataclass(frozen=True, slots=True)
class Clock:
    """One reading of business time and how fast it runs against real time."""

    now: datetime
    speed: float

    def business(self, real_seconds: float) -> timedelta:
        """How much business time passes in so many real seconds."""
        return timedelta(seconds=real_seconds * self.speed)

    def real_seconds(self, business: timedelta) -> float:
        """How many real seconds a stretch of business time takes."""
        return business.total_seconds() / self.speed


class ClockWouldRunBackwards(LeadlineError):
    """Business time was to be set to an earlier instant than it already shows."""

    code = "clock_would_run_backwards"


async def get_clock(conn: Connection) -> Clock:
    """Read business time once; a transaction that decides reads it after its locks."""
    row = await fetch_one(conn, GET_CLOCK)
    return Clock(now=row["now"], speed=row["speed"])


SET_CLOCK: Final = """
INSERT INTO clock (real_at, business_at, speed) VALUES (clock_timestamp(), $1, $2)
ON CONFLICT (id) DO UPDATE SET real_at = EXCLUDED.real_at, business_at = EXCLUDED.business_at, speed = EXCLUDED.speed
RETURNING real_at
"""


async def set_clock(conn: Connection, business_at: datetime, speed: float) -> datetime:
    """Move business time to `business_at` (aware) running at `speed`; returns the real instant it was set at.

    Raises ClockWouldRunBackwards if a clock row already shows a later instant.
    """
    current = await get_clock(conn)
    if await conn.fetchval(HAS_CLOCK) and business_at < current.now:
        raise ClockWouldRunBackwards(
            f"business time already shows {current.now.isoformat()} and cannot go back to {business_at.isoformat()}:"
            " start later, or use another data folder"
        )
    real_at: datetime = await conn.fetchval(SET_CLOCK, business_at, speed)
    return real_at


HAS_CLOCK: Final = "SELECT EXISTS (SELECT FROM clock)"
IS_AHEAD: Final = "SELECT clock_timestamp() < $1"
CLEAR_CLOCK: Final = "DELETE FROM clock"


async def clear_clock(conn: Connection) -> None:
    """Return to the wall clock. Raises ClockWouldRunBackwards if business time is ahead of it."""
    if not await conn.fetchval(HAS_CLOCK):
        return
    current = await get_clock(conn)
    if await conn.fetchval(IS_AHEAD, current.now):
        raise ClockWouldRunBackwards(
            f"business time already shows {current.now.isoformat()}, later than now:"
            " give --start-at a later time, or use another data folder"
        )
    await conn.execute(CLEAR_CLOCK)
