"""Business time of `leadline up`: where it stands, where it may be set, and how it stands still between two runs.

The database's clock row and the simulator's clock always get the same three values.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
from pydantic import SecretStr

from leadline.store.clock import HAS_CLOCK, ClockWouldRunBackwards, clear_clock, get_clock, set_clock
from leadline.store.connection import Connection
from services.cli.up.errors import UpError, UpRefused
from services.cli.up.folder import State
from services.cli.up.options import Options

STANDSTILL = 1e-9
"""The speed of a clock between two runs: the database takes none of 0. A second takes thirty years."""
_DATABASE_SECONDS = 10.0
_AHEAD = timedelta(milliseconds=200)
"""Real time. A clock is set to what it will show by then, since it never runs backwards while we compute."""


@dataclass(frozen=True, slots=True)
class BusinessClock:
    """business = business_at + (wall - real_at) * speed."""

    real_at: datetime
    business_at: datetime
    speed: float
    moved: bool = True

    @classmethod
    def wall(cls) -> "BusinessClock":
        """Business time is real time."""
        now = datetime.now(UTC)
        return cls(now, now, 1.0, moved=False)

    def now(self) -> datetime:
        """Business time."""
        real = datetime.fromtimestamp(time.time(), UTC)
        return self.business_at + (real - self.real_at) * self.speed

    def real_seconds_until(self, business: datetime) -> float:
        """How long it takes until business time shows that; negative if it is past."""
        return (business - self.now()).total_seconds() / self.speed

    def body(self) -> dict[str, Any]:
        """As `PUT /simulator/clock` wants it."""
        speed = 0.0 if self.speed == STANDSTILL else self.speed
        return {"real_at": self.real_at.isoformat(), "business_at": self.business_at.isoformat(), "speed": speed}


@dataclass(frozen=True, slots=True)
class Found:
    """The clock of a data folder before a run."""

    now: datetime
    speed: float
    moved: bool
    """Whether there is a clock row."""

    @property
    def stands_still(self) -> bool:
        """Stopped in order, by `stand_still`."""
        return self.moved and self.speed == STANDSTILL


@dataclass(frozen=True, slots=True)
class Wanted:
    """What business time is to show once everything runs."""

    start_at: datetime | None
    """None: whatever it shows then."""
    speed: float
    wall: bool = False
    """No clock row at all."""


def plan_clock(options: Options, found: Found, state: State) -> Wanted:
    """What was asked for, or else what the folder's last run had. Raises UpRefused if time would run backwards."""
    if options.back_to_wall_clock:
        if found.moved and found.now > datetime.now(UTC):
            raise UpRefused(backwards(found.now, "now"))
        return Wanted(None, options.speed or 1.0, wall=options.speed in {None, 1.0})
    if options.start_at is not None:
        if found.moved and options.start_at < found.now:
            raise UpRefused(backwards(found.now, options.start_at.isoformat()))
        return Wanted(options.start_at, options.speed or 1.0)
    if not found.moved:
        return Wanted(None, options.speed or 1.0, wall=options.speed in {None, 1.0})
    last_speed = (state.speed or 1.0) if found.stands_still else found.speed
    return Wanted(None, options.speed or last_speed)


def goes_back(wanted: Wanted, found: Found) -> bool:
    """Whether a folder that lived on the wall clock is to be moved into its past: for an empty one alone."""
    return not found.moved and wanted.start_at is not None and wanted.start_at < found.now


def backwards(shows: datetime, asked: str) -> str:
    """Why a clock is not set."""
    return (
        f"business time in this data folder already shows {shows.isoformat(timespec='seconds')} and never runs"
        f" backwards (asked for: {asked}); give a later --start-at, or an empty folder with --data-dir"
    )


class ClockSetter:
    """Reads and sets business time. `tell_simulator` hears of every change; None if there is no simulator."""

    def __init__(
        self, database_url: Callable[[], SecretStr], tell_simulator: Callable[[BusinessClock], Awaitable[None]] | None
    ) -> None:
        self._database_url = database_url
        self._tell_simulator = tell_simulator
        self._told = False
        self.current = BusinessClock.wall()

    async def find(self) -> Found:
        """What the database's clock shows."""
        async with self._connected() as connection:
            reading = await get_clock(connection)
            moved = bool(await connection.fetchval(HAS_CLOCK))
        if moved:
            self.current = BusinessClock(datetime.now(UTC), reading.now, reading.speed)
        return Found(reading.now, reading.speed, moved)

    async def set(self, wanted: Wanted) -> BusinessClock:
        """Set both clocks. Raises UpRefused if business time would run backwards."""
        try:
            async with self._connected() as connection:
                self.current = await self._set(connection, wanted)
        except ClockWouldRunBackwards as error:
            raise UpRefused(str(error)) from None
        await self.repeat()
        return self.current

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        try:
            url = self._database_url().get_secret_value()
            connection = await asyncpg.connect(url, timeout=_DATABASE_SECONDS, command_timeout=_DATABASE_SECONDS)
            try:
                yield connection
            finally:
                await connection.close()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            msg = f"the database cannot be asked for business time: {str(error) or type(error).__name__}"
            raise UpError(msg) from None

    async def _set(self, connection: Connection, wanted: Wanted) -> BusinessClock:
        if wanted.wall:
            await clear_clock(connection)
            return BusinessClock.wall()
        reading = await get_clock(connection)
        business_at = wanted.start_at
        runs_already = await connection.fetchval(HAS_CLOCK)
        if business_at is None or (runs_already and business_at < reading.now):
            business_at = reading.now + reading.business(_AHEAD.total_seconds())
        real_at = await set_clock(connection, business_at, wanted.speed)
        return BusinessClock(real_at, business_at, wanted.speed)

    async def stand_still(self) -> None:
        """Stop a moved clock, so that the next run goes on where this one ends. A wall clock stays one.

        Raises UpError if that cannot be done; business time then runs on.
        """
        if self.current.moved:
            await self.set(Wanted(None, STANDSTILL))

    async def repeat(self) -> None:
        """Tell the simulator what it should show: also after it was started again. By itself it shows wall time."""
        if self._tell_simulator is not None and (self.current.moved or self._told):
            self._told = True
            await self._tell_simulator(self.current)


def simulator_teller(base_url: str) -> Callable[[BusinessClock], Awaitable[None]]:
    """Sets the clock of the simulator at that URL; UpError if it does not take it."""

    async def tell(clock: BusinessClock) -> None:
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
                session.put(f"{base_url}/simulator/clock", json=clock.body()) as response,
            ):
                if response.status < 300:
                    return
                reason = f"HTTP {response.status} {(await response.text())[:200]}"
        except (aiohttp.ClientError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
        msg = f"cannot set the simulator's clock at {base_url}: {reason}"
        raise UpError(msg)

    return tell
