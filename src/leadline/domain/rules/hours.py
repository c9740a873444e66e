"""Calling hours: weekly windows on one zone's wall clock, less blackout dates, and the text they are written in."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from leadline.domain.errors import InvalidRule
from leadline.domain.rules.windows import Spans, Windows, block_start, clipped, remembered
from leadline.domain.wall_clock import earliest_instant, latest_instant, zone_named

DAY_MINUTES: Final = 24 * 60
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MARGIN: Final = timedelta(days=3)
_ONE_DAY: Final = timedelta(days=1)


class DayWindow(NamedTuple):
    """Open from one minute of a local day (inclusive) to another (exclusive); 1440 is the next day's midnight."""

    opens_minute: int
    closes_minute: int


WeekWindows = tuple[tuple[DayWindow, ...], ...]
"""Seven days from Monday on, each with ascending windows that do not touch."""


@dataclass(frozen=True, slots=True)
class CallingHours(Windows):
    """Weekly windows on one zone's wall clock, less blackout dates of that zone.

    Where a clock change makes a wall time ambiguous or skips it, a window opens at the later instant and closes at the
    earlier one, so that no reading of the clock finds a call outside the window. A window that closes at 24:00 and one
    that opens at 00:00 on the next day are one window.
    """

    windows: WeekWindows
    zone: ZoneInfo
    blackout_dates: frozenset[date] = frozenset()
    _spans: dict[int, Spans] = field(default_factory=dict, init=False, compare=False, repr=False)

    def spans(self, block: int) -> Spans:
        """The spans inside one block, computed at the first question and kept."""
        return remembered(self._spans, block, lambda: clipped(self._resolved(block), block))

    def is_open_on(self, day: date) -> bool:
        """Whether the wall-clock day has a window at all."""
        return bool(self.windows[day.weekday()]) and day not in self.blackout_dates

    def _resolved(self, block: int) -> Iterator[tuple[datetime, datetime]]:
        for opens, closes in _joined(self._wall_windows(block)):
            yield latest_instant(opens, self.zone), earliest_instant(closes, self.zone)

    def _wall_windows(self, block: int) -> Iterator[tuple[datetime, datetime]]:
        day = (block_start(block) - _MARGIN).date()
        last = (block_start(block + 1) + _MARGIN).date()
        while day <= last:
            midnight = datetime.combine(day, time())
            for window in self.windows[day.weekday()] if day not in self.blackout_dates else ():
                yield (
                    midnight + timedelta(minutes=window.opens_minute),
                    midnight + timedelta(minutes=window.closes_minute),
                )
            day += _ONE_DAY


def _joined(windows: Iterable[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    """Windows of the wall clock, with those that touch made one."""
    pending: tuple[datetime, datetime] | None = None
    for opens, closes in windows:
        if pending is not None and opens <= pending[1]:
            pending = (pending[0], max(pending[1], closes))
            continue
        if pending is not None:
            yield pending
        pending = (opens, closes)
    if pending is not None:
        yield pending


_EXAMPLE: Final = "Write it like 'Mon-Fri 11:00-20:00, Sat 12:00-16:00'; 'Mon-Sun 00:00-24:00' is always."
_ENTRY: Final = re.compile(
    r"(?P<days>[a-z]+(?:\s*-\s*[a-z]+)?)(?:\s+(?P<opens>\d{1,2}:\d{2})\s*-\s*(?P<closes>\d{1,2}:\d{2}))?"
)
_MOST_ENTRIES: Final = 100


def parse_calling_hours(text: str, zone: str | ZoneInfo, blackout_dates: Iterable[date] = ()) -> CallingHours:
    """Calling hours from `Mon-Fri 11:00-20:00` (several with commas; `Sat-Mon` wraps; 24:00 closes at midnight).

    Equal arguments give the same object, so that its computed spans are shared. Raises InvalidRule.
    """
    return _parsed(text, zone_named(zone) if isinstance(zone, str) else zone, frozenset(blackout_dates))


@lru_cache(maxsize=256)
def _parsed(text: str, zone: ZoneInfo, blackout_dates: frozenset[date]) -> CallingHours:
    week: list[list[DayWindow]] = [[] for _ in DAYS]
    for days, window in _entries(text):
        for day in days:
            week[day].append(window)
    return CallingHours(tuple(_tidy(day) for day in week), zone, blackout_dates)


def _entries(text: str) -> Iterator[tuple[list[int], DayWindow]]:
    """Each window with its days; days without a time wait for the next one (`Mon, Wed 10:00-12:00`)."""
    parts = [part.strip() for part in re.split("[,;]", text.lower().replace("\N{EN DASH}", "-")) if part.strip()]
    if not parts or len(parts) > _MOST_ENTRIES:
        raise InvalidRule(f"Calling hours {text[:200]!r} name no window. {_EXAMPLE}")
    days: list[int] = []
    for part in parts:
        match = _ENTRY.fullmatch(part)
        if match is None:
            raise InvalidRule(f"Calling hours {part[:200]!r} cannot be read. {_EXAMPLE}")
        days += _days(match["days"])
        if match["opens"]:
            yield days, _window(match["opens"], match["closes"])
            days = []
    if days:
        raise InvalidRule(f"Calling hours {parts[-1]!r} name a day without a time. {_EXAMPLE}")


def _days(text: str) -> list[int]:
    first, _, last = (name.strip() for name in text.partition("-"))
    start = _day(first)
    return [(start + i) % 7 for i in range((_day(last or first) - start) % 7 + 1)]


def _day(name: str) -> int:
    full = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    found = [i for i, day in enumerate(full) if len(name) >= 3 and day.startswith(name)]
    if not found:
        raise InvalidRule(f"{name!r} is no day of the week; write {', '.join(DAYS)}.")
    return found[0]


def _window(opens: str, closes: str) -> DayWindow:
    window = DayWindow(_minute(opens), _minute(closes))
    if window.opens_minute >= window.closes_minute:
        raise InvalidRule(f"Calling hours {opens}-{closes} close before they open; split a night at 24:00.")
    return window


def _minute(text: str) -> int:
    hours, minutes = (int(part) for part in text.split(":"))
    if minutes > 59 or hours * 60 + minutes > DAY_MINUTES:
        raise InvalidRule(f"{text!r} is no time of day; write 00:00 to 24:00.")
    return hours * 60 + minutes


def _tidy(windows: Iterable[DayWindow]) -> tuple[DayWindow, ...]:
    """Ascending, with windows that touch or overlap made one."""
    tidy: list[DayWindow] = []
    for window in sorted(windows):
        if tidy and window.opens_minute <= tidy[-1].closes_minute:
            tidy[-1] = DayWindow(tidy[-1].opens_minute, max(tidy[-1].closes_minute, window.closes_minute))
        else:
            tidy.append(window)
    return tuple(tidy)


def parse_blackout_dates(text: str) -> frozenset[date]:
    """Dates from `2026-12-24, 2026-12-25`; an empty text has none. Raises InvalidRule."""
    return frozenset(_date(part.strip()) for part in re.split("[,;]", text) if part.strip())


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidRule(f"Blackout date {text[:40]!r} cannot be read; write it like 2026-12-25.") from error
