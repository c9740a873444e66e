"""What the words of the command line mean: a range of instants, paces, the width of a window. No clock is read."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from leadline.contracts.backfill import MOST_WINDOWS
from services.backfill.errors import WrongOption

LONGEST_RANGE: Final = timedelta(days=3653)
SHORTEST_WINDOW_SECONDS: Final = 1.0
LONGEST_WINDOW_SECONDS: Final = 366 * 86400.0
MOST_PER_SECOND: Final = 10_000.0
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_AMOUNT: Final = r"(\d{1,6}(?:\.\d{1,3})?)"
_WINDOW: Final = re.compile(_AMOUNT + r"\s*(s|m|min|h|d)")
_PACE: Final = re.compile(_AMOUNT + r"\s*/\s*(s|sec|min|m|h)")
_UNIT_SECONDS: Final = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Range:
    """The instants between which history is read, [starts_at, ends_at)."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class RangeNames:
    """Where the words of a range stood: options, or settings."""

    starts: str = "--from"
    ends: str = "--to"
    window: str = "--window"


OPTIONS: Final = RangeNames()


def read_range(
    from_text: str, to_text: str, zone_name: str, window_seconds: float, names: RangeNames = OPTIONS
) -> Range:
    """Read `--from` and `--to`: days of `zone_name`, both whole, or instants with their offset.

    Raises:
        WrongOption: one of them is neither, they run backwards, or there is too much between them.
    """
    zone = ZoneInfo(zone_name)
    starts_at = _instant(names.starts, from_text, zone, day_offset=0)
    ends_at = _instant(names.ends, to_text, zone, day_offset=1)
    if ends_at <= starts_at:
        words = f"{to_text} does not come after {names.starts} {from_text}; is the range the wrong way round?"
        raise WrongOption(f"{names.ends}: {words}")
    if ends_at - starts_at > LONGEST_RANGE:
        raise WrongOption(f"{names.starts}: {from_text} to {to_text} is more than ten years; read it in parts")
    if (ends_at - starts_at).total_seconds() / window_seconds > MOST_WINDOWS:
        raise WrongOption(f"{names.window}: the range has more than {MOST_WINDOWS} such windows; take longer ones")
    return Range(starts_at, ends_at)


def _instant(option: str, text: str, zone: ZoneInfo, *, day_offset: int) -> datetime:
    text = text.strip()
    try:
        if _DATE.fullmatch(text):
            day = date.fromisoformat(text) + timedelta(days=day_offset)
            return datetime.combine(day, time(), zone).astimezone(UTC)
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise WrongOption(f"{option}: {text!r} has no offset; write {text}Z, or with -05:00, or a date alone")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"{option}: {text!r} is neither a date (2026-01-31) nor an instant (2026-01-31T09:00:00-05:00)"
        raise WrongOption(message) from None


def read_pace(option: str, text: str) -> float | None:
    """Least seconds between two requests; None: as fast as it goes.

    Raises:
        WrongOption: it is no pace.
    """
    words = text.strip().lower()
    if words == "none":
        return None
    found = _PACE.fullmatch(words)
    requests = float(found.group(1)) if found else 0.0
    if found is None or requests <= 0:
        raise WrongOption(f"{option}: {text!r} is no pace; write 1/s, 30/min or none")
    return max(_UNIT_SECONDS[found.group(2)] / requests, 1 / MOST_PER_SECOND)


def read_window(text: str, name: str = "--window") -> float:
    """Seconds of one window.

    Raises:
        WrongOption: it is no length of time, or one that no window has.
    """
    found = _WINDOW.fullmatch(text.strip().lower())
    if found is None:
        raise WrongOption(f"{name}: {text!r} is no length of time; write 30m, 1h or 1d")
    seconds = float(found.group(1)) * _UNIT_SECONDS[found.group(2)]
    if not SHORTEST_WINDOW_SECONDS <= seconds <= LONGEST_WINDOW_SECONDS:
        raise WrongOption(f"{name}: {text!r} is shorter than a second or longer than a year")
    return seconds
