"""Callbacks: from the words that the provider sent to an instant that can be promised."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from leadline.domain.rules.windows import HORIZON
from leadline.domain.wall_clock import latest_instant

_LONGEST_TEXT: Final = 64
_DATE: Final = r"\d{4}-?\d{2}-?\d{2}|\d{4}-?W\d{2}-?\d|(?P<year>\d{4})-?(?P<day_of_year>\d{3})"
_TIME: Final = r"\d{2}(?::?\d{2}(?::?\d{2}(?:[.,]\d+)?)?)?"
_OFFSET: Final = r"Z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?"
_ISO: Final = re.compile(rf"(?P<date>{_DATE})[T ]\s*(?P<time>{_TIME})\s*(?P<offset>{_OFFSET})?", re.ASCII)


def usable_callback(text: str, ended_at: datetime, zone: ZoneInfo) -> datetime | None:
    """The UTC instant that a text promises, if it can be kept: after the call's end and at most 370 days later.

    `zone` holds for a text without an offset (`zones.callback_zone`). None: the lead goes on with its cadence.
    """
    at = parse_callback_time(text, zone)
    return at if at is not None and is_usable(at, ended_at) else None


def is_usable(at: datetime, ended_at: datetime) -> bool:
    """Whether a promised instant lies in the future of the call's end, and not absurdly far."""
    return ended_at < at <= ended_at + HORIZON


def parse_callback_time(text: str, zone: ZoneInfo) -> datetime | None:
    """A date and time of day in any ISO 8601 form, as UTC; None if it is none, or a date alone.

    Without an offset the text is a wall time of `zone`; where a clock change repeats or skips it, the later instant.
    """
    words = text.strip().upper().replace("\N{MINUS SIGN}", "-")
    match = _ISO.fullmatch(words) if len(words) <= _LONGEST_TEXT else None
    if match is None:
        return None
    try:
        return _instant(_date(match), match["time"], match["offset"], zone)
    except (ValueError, OverflowError):
        return None


def _date(match: re.Match[str]) -> date:
    if match["day_of_year"]:
        day = date(int(match["year"]), 1, 1) + timedelta(days=int(match["day_of_year"]) - 1)
        if day.year != int(match["year"]):
            raise ValueError("The year has no such day.")
        return day
    return date.fromisoformat(match["date"])


def _instant(day: date, time_text: str, offset: str | None, zone: ZoneInfo) -> datetime:
    if re.fullmatch(r"24(:?00){0,2}([.,]0+)?", time_text):
        day, time_text = day + timedelta(days=1), "00"
    at = datetime.fromisoformat(f"{day.isoformat()}T{time_text}{offset or ''}")
    return latest_instant(at, zone) if at.tzinfo is None else at.astimezone(UTC)
