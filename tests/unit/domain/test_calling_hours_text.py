"""The text of calling hours, and what is said about a text that cannot be read."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.domain.errors import InvalidRule
from leadline.domain.rules.hours import DayWindow, parse_blackout_dates, parse_calling_hours


def opening_days(text: str) -> str:
    hours = parse_calling_hours(text, "America/New_York")
    return "".join(str(i) for i, windows in enumerate(hours.windows) if windows)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mon-Fri 11:00-20:00", "01234"),
        ("mon-fri 9:00-17:00", "01234"),
        ("Sat-Mon 10:00-12:00", "056"),
        ("Wed 10:00-12:00", "2"),
        ("Mon-Sun 00:00-24:00", "0123456"),
        ("Sun-Sat 00:00-24:00", "0123456"),
        ("Mon-Fri 11:00-20:00, Sat 12:00-16:00", "012345"),
        ("Mon, Wed, Fri 10:00-12:00", "024"),
        ("Monday-Wednesday 10:00-12:00; Sunday 10:00-11:00", "0126"),
        ("Mon\N{EN DASH}Fri 11:00\N{EN DASH}20:00", "01234"),
    ],
)
def test_days(text: str, days: str) -> None:
    assert opening_days(text) == days


def test_windows_of_one_day_are_sorted_and_joined() -> None:
    hours = parse_calling_hours("Mon 14:00-18:00, Mon 09:00-12:00, Mon 12:00-13:00, Mon 15:00-16:00", "America/Chicago")
    assert hours.windows[0] == (DayWindow(540, 780), DayWindow(840, 1080))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "always",
        "Mon-Fri",
        "11:00-20:00",
        "Mon-Fri 20:00-11:00",
        "Mon-Fri 11:00-11:00",
        "Mon-Fri 24:00-24:00",
        "Mon-Fri 11:60-20:00",
        "Mon-Fri 11:00-24:01",
        "Mon-Fri 11-20",
        "Mo-Fr 11:00-20:00",
        "Foo 11:00-20:00",
        "Mon-Fri 11:00-20:00 Sat 12:00-16:00",
        "Mon-Fri 11:00-20:00, Sat",
        "Mon 10:00-11:00," * 200,
    ],
)
def test_what_cannot_be_read_is_one_clear_sentence(text: str) -> None:
    with pytest.raises(InvalidRule) as error:
        parse_calling_hours(text, "America/New_York")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("zone", ["", "EST5", "New York", "../../etc/passwd", "America/Nowhere", "a\0b"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(InvalidRule, match="America/New_York"):
        parse_calling_hours("Mon-Fri 11:00-20:00", zone)


def test_blackout_dates() -> None:
    assert parse_blackout_dates(" 2026-12-24,2026-12-25 , ") == {date(2026, 12, 24), date(2026, 12, 25)}
    assert parse_blackout_dates("") == frozenset()
    with pytest.raises(InvalidRule, match="12/25"):
        parse_blackout_dates("12/25/2026")


@given(st.text(max_size=60))
def test_any_text_is_hours_or_an_invalid_rule(text: str) -> None:
    with suppress(InvalidRule):
        parse_calling_hours(text, "America/New_York")
