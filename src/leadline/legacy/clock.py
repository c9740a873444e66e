"""The old system's clock: its epochs are those of New York's wall clock, read by a host in some other zone.

It stored `true + host UTC offset - 5 h`: on a host in UTC true - 5 h all year, on one in New York the truth in winter
and true - 1 h in summer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

NEW_YORK: Final = ZoneInfo("America/New_York")
USUAL_OFFSET_SECONDS: Final = 18_000
"""Of a host in UTC, where it ran."""

_MOST_OFFSET_SECONDS: Final = 20 * 3600
_STEP_SECONDS: Final = 1800
_BEFORE_START: Final = timedelta(minutes=5)
_AFTER_END: Final = timedelta(minutes=10)
"""A row may have been written when the call was asked for, or when its result came."""
_SAMPLES_THAT_MAY_LIE: Final = 0.2


@dataclass(frozen=True, slots=True)
class HostClock:
    """What must be added to an instant in a file, so that it is true."""

    offset_seconds: int | None = USUAL_OFFSET_SECONDS
    """None: the host stood in New York, and it depends on the time of the year."""
    proven: bool = False
    """Given by an operator or found from calls that the provider knows: instants are not approximate."""

    def true(self, written: datetime) -> datetime:
        """The true instant of one in a file."""
        if self.offset_seconds is not None:
            return written + timedelta(seconds=self.offset_seconds)
        return written + (written.astimezone(NEW_YORK).dst() or timedelta(0))

    @property
    def words(self) -> str:
        """For reports."""
        return "New York's" if self.offset_seconds is None else f"{self.offset_seconds} s slow"


@dataclass(frozen=True, slots=True)
class ClockSample:
    """One call: when the file says it was, and when the provider says it began and ended."""

    written: datetime
    started_at: datetime
    ended_at: datetime


def find_clock(samples: Iterable[ClockSample]) -> HostClock | None:
    """The clock that the samples prove; None if there is none, or if they contradict each other."""
    known = list(samples)
    if not known:
        return None
    best = max(_candidates(), key=lambda clock: sum(_fits(clock, sample) for sample in known))
    wrong = sum(not _fits(best, sample) for sample in known)
    return best if wrong <= len(known) * _SAMPLES_THAT_MAY_LIE else None


def _candidates() -> list[HostClock]:
    """Likeliest first: of clocks that fit equally well the first one is taken."""
    steps = range(-_MOST_OFFSET_SECONDS, _MOST_OFFSET_SECONDS + 1, _STEP_SECONDS)
    hours_first = sorted(steps, key=lambda seconds: (seconds % 3600, abs(seconds)))
    return [HostClock(offset, proven=True) for offset in (USUAL_OFFSET_SECONDS, None, *hours_first)]


def _fits(clock: HostClock, sample: ClockSample) -> bool:
    at = clock.true(sample.written)
    return sample.started_at - _BEFORE_START <= at <= max(sample.started_at, sample.ended_at) + _AFTER_END
