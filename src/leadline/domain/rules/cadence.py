"""Cadence: how long to wait before attempt n, and from when the wait counts."""

import re
from datetime import datetime, timedelta
from typing import Final

from leadline.domain.errors import InvalidRule

_MOST_WAITS: Final = 100
_LONGEST_MINUTES: Final = 370 * 24 * 60
_EXAMPLE: Final = "Write minutes like '0, 1, 5, 10.5'."


def parse_cadence(text: str) -> tuple[timedelta, ...]:
    """Waits from minutes with commas, fractions allowed (`0, 1, 5, 10.5`). Raises InvalidRule."""
    parts = [part.strip() for part in text.strip().strip("[]").split(",")]
    if len(parts) > _MOST_WAITS:
        raise InvalidRule(f"A cadence has at most {_MOST_WAITS} waits.")
    return tuple(_wait(part) for part in parts)


def _wait(part: str) -> timedelta:
    if not re.fullmatch(r"\d{1,9}(\.\d{0,9})?|\.\d{1,9}", part, re.ASCII):
        raise InvalidRule(f"Cadence {part[:40]!r} is no number of minutes. {_EXAMPLE}")
    minutes = float(part)
    if minutes > _LONGEST_MINUTES:
        raise InvalidRule(f"Cadence {part!r} is longer than 370 days. {_EXAMPLE}")
    return timedelta(minutes=minutes)


def wait_before(attempt_no: int, cadence: tuple[timedelta, ...]) -> timedelta:
    """The wait before an attempt, counted from 1; the last wait repeats, and no cadence means no wait."""
    if not cadence:
        return timedelta(0)
    return cadence[min(max(attempt_no, 1), len(cadence)) - 1]


def end_of_attempt(dispatched_at: datetime | None, provider_ended_at: datetime | None, now: datetime) -> datetime:
    """From when the next wait counts: the provider's end time if it lies between dispatch and now, else now.

    `now` is when the result is stored. A provider's wrong clock can neither bring a call forward nor put it off.
    """
    if dispatched_at is None or provider_ended_at is None:
        return now
    return provider_ended_at if dispatched_at <= provider_ended_at <= now else now
