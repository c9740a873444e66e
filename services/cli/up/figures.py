"""What the board shows, as values: the queue-service's statistics, and the pace that follows from two of them."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from leadline.clients.queue import QueueClient, QueueError
from leadline.contracts.operators import Stats
from leadline.domain.campaign import Campaign
from services.cli.up.clock import BusinessClock
from services.cli.up.supervisor import ChildState

_PACE_READINGS = 20
_FEWEST_FOR_PACE = 2
_OUR_DAYS = timedelta(days=370)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at everything. Instants are business time."""

    now: datetime
    zone: ZoneInfo
    speed: float
    moved: bool
    windows: str
    """Whether calling hours are open, in words."""
    is_open: bool
    stats: Stats | None
    """None until the queue-service has answered."""
    is_stale: bool
    """The queue-service does not answer now."""
    calls_per_minute: float
    processes: Mapping[str, ChildState]
    simulated: bool
    note: str = ""


class StatsReader:
    """Asks for statistics and remembers the last ones. One reader at a time."""

    def __init__(self, queue: QueueClient) -> None:
        self._queue = queue
        self._readings: deque[tuple[datetime, int]] = deque(maxlen=_PACE_READINGS)
        self.stats: Stats | None = None
        self.is_stale = False

    async def read(self) -> None:
        """Ask once. A queue-service that does not answer is a state of affairs and no error."""
        try:
            self.stats = await self._queue.stats()
        except QueueError:
            self.is_stale = True
            return
        self.is_stale = False
        as_of, calls = self.stats.as_of, self.stats.calls_today
        # A new day, or figures from before the clock was moved; a few calls less are leases that were given back.
        if self._readings and (as_of < self._readings[-1][0] or calls < self._readings[-1][1] / 2):
            self._readings.clear()
        self._readings.append((as_of, calls))

    def calls_per_minute(self) -> float:
        """Calls per business minute over the last readings."""
        if len(self._readings) < _FEWEST_FOR_PACE:
            return 0.0
        (began, first), (ended, last) = self._readings[0], self._readings[-1]
        minutes = (ended - began).total_seconds() / 60
        return max(0.0, (last - first) / minutes) if minutes > 0 else 0.0


def has_moved(before: Stats | None, after: Stats | None) -> bool:
    """Whether anything happened between two readings that is worth a line."""
    if before is None or after is None:
        return after is not None
    names = ("leads_by_status", "calls_today", "outcomes_today", "alarms", "gates")
    return any(getattr(before, name) != getattr(after, name) for name in names)


def windows_in_words(campaigns: Sequence[Campaign], clock: BusinessClock) -> tuple[bool, str]:
    """Whether any campaign's calling hours are open now, and until when, or when the next one opens."""
    now = clock.now()
    open_until = [closes for c in campaigns if (closes := _closes_at(c, now)) is not None]
    if open_until:
        return True, f"open until {moment(max(open_until), now, campaigns[0].hours.zone)}"
    openings = [opening for c in campaigns if (opening := c.hours.next_opening(now)) is not None]
    if not openings:
        return False, "closed, and never opens within a year"
    return False, f"closed until {moment(min(openings), now, campaigns[0].hours.zone)}"


def _closes_at(campaign: Campaign, now: datetime) -> datetime | None:
    if not campaign.hours.is_open(now):
        return None
    return campaign.hours.closes_at(now) or now + _OUR_DAYS


def moment(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """An instant as briefly as it can be told: `20:00`, or with its day if that is another one."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return f"{local:%H:%M}"
    if timedelta() < local.date() - today < timedelta(days=7):
        return f"{local:%a %H:%M}"
    return f"{local:%a} {local.day} {local:%b %Y %H:%M}"


def full_time(at: datetime, zone: ZoneInfo) -> str:
    """`Mon 5 Jan 2026 11:42:17 EST`."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y %H:%M:%S %Z}"
