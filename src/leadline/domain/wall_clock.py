"""Wall clocks and instants: the one place where a clock change is resolved. Pure arithmetic on aware datetimes."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from leadline.domain.errors import InvalidRule

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises InvalidRule if there is none."""
    try:
        return ZoneInfo(name.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidRule(f"There is no time zone {name!r}; write an IANA name such as America/New_York.") from error


def latest_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a naive wall time; the later one where the clock shows it twice or skips it."""
    return max(_instants(wall, zone))


def earliest_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a naive wall time; the earlier one where the clock shows it twice or skips it."""
    return min(_instants(wall, zone))


def _instants(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    local = wall.replace(tzinfo=zone)
    return local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def day_of(t: datetime, zone: ZoneInfo) -> date:
    """The date on the zone's wall clock at an aware instant."""
    return t.astimezone(zone).date()


@lru_cache(maxsize=4096)
def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first UTC instant whose date in the zone is `day`, or later if the zone skipped that day."""
    earlier, later = sorted(_instants(datetime.combine(day, time()), zone))
    return earlier if day_of(earlier, zone) >= day else later


def start_of_next_day(t: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant at which the date in the zone stops being the date of `t`."""
    return start_of_day(day_of(t, zone) + timedelta(days=1), zone)


def wall_words(t: datetime, zone: ZoneInfo) -> str:
    """An instant as people read it: `Mon 2026-01-05 11:00 EST`, with seconds where they are not zero."""
    local = t.astimezone(zone)
    time_of_day = local.strftime("%H:%M:%S" if local.second else "%H:%M")
    return f"{_DAYS[local.weekday()]} {local.date().isoformat()} {time_of_day} {local.tzname()}"
