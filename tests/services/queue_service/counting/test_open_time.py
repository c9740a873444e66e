"""The open part of a stretch of time."""

from datetime import UTC, datetime, timedelta

import pytest

from leadline.domain.rules.hours import parse_calling_hours
from services.queue_service.counting.open_time import open_time

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
OFFICE = parse_calling_hours("Mon-Fri 09:00-12:00, Mon-Fri 13:00-17:00", "UTC")


def at(text: str, days: int = 0) -> datetime:
    hours, minutes = text.split(":")
    return MONDAY + timedelta(days=days, hours=int(hours), minutes=int(minutes))


@pytest.mark.parametrize(
    ("since", "until", "minutes"),
    [
        (at("09:30"), at("09:45"), 15),
        (at("09:00"), at("12:00"), 180),
        (at("08:00"), at("09:01"), 1),
        (at("11:59"), at("13:01"), 2),
        (at("12:00"), at("13:00"), 0),
        (at("16:59"), at("09:01", 1), 2),
        (at("16:59", 4), at("09:01", 7), 2),
        (at("09:00"), at("09:00", 28), 20 * 7 * 60),
        (at("10:00"), at("10:00"), 0),
        (at("10:00"), at("09:00"), 0),
    ],
)
def test_the_minutes_inside(since: datetime, until: datetime, minutes: float) -> None:
    assert open_time(OFFICE, since, until) == timedelta(minutes=minutes)


def test_always_open_and_never() -> None:
    year = MONDAY + timedelta(days=900)
    always = parse_calling_hours("Mon-Sun 00:00-24:00", "America/New_York")
    never = parse_calling_hours("Mon 09:00-10:00", "UTC", [(MONDAY + timedelta(weeks=n)).date() for n in range(60)])
    assert open_time(always, MONDAY, year) == year - MONDAY
    assert open_time(never, MONDAY, MONDAY + timedelta(days=300)) == timedelta(0)
