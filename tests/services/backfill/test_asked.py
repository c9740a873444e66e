"""What the words of the command line mean."""

from datetime import UTC, datetime

import pytest

from services.backfill.asked import read_pace, read_range, read_window
from services.backfill.errors import WrongOption

NEW_YORK = "America/New_York"
HOUR = 3600.0


def test_a_date_is_a_whole_day_of_the_calling_zone_and_the_last_one_counts() -> None:
    found = read_range("2026-01-05", "2026-01-05", NEW_YORK, HOUR)
    assert found.starts_at == datetime(2026, 1, 5, 5, tzinfo=UTC)
    assert found.ends_at == datetime(2026, 1, 6, 5, tzinfo=UTC)


def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is() -> None:
    found = read_range("2026-03-08", "2026-03-08", NEW_YORK, HOUR)
    assert (found.ends_at - found.starts_at).total_seconds() == 23 * HOUR


@pytest.mark.parametrize("text", ["2026-01-05T11:00:00-05:00", "2026-01-05T16:00Z", "2026-01-05T16:00:00+00:00"])
def test_an_instant_is_itself(text: str) -> None:
    assert read_range(text, "2026-01-06", NEW_YORK, HOUR).starts_at == datetime(2026, 1, 5, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("from_text", "to_text", "words"),
    [
        ("2026-01-06", "2026-01-05", "--to: 2026-01-05 does not come after --from 2026-01-06"),
        ("2026-01-05T12:00Z", "2026-01-05T12:00Z", "--to: "),
        ("yesterday", "2026-01-05", "--from: 'yesterday' is neither a date"),
        ("2026-01-05", "2026-02-30", "--to: '2026-02-30' is neither a date"),
        ("20260105", "2026-01-05", "--from: "),
        ("2026-01-05T11:00", "2026-01-06", "--from: '2026-01-05T11:00' has no offset"),
        ("2010-01-01", "2026-01-05", "--from: 2010-01-01 to 2026-01-05 is more than ten years"),
        ("2026-01-05", "9999-12-31", "--to: "),
        ("", "2026-01-05", "--from: "),
    ],
)
def test_a_range_that_cannot_be_meant_names_its_option(from_text: str, to_text: str, words: str) -> None:
    with pytest.raises(WrongOption) as caught:
        read_range(from_text, to_text, NEW_YORK, HOUR)
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)


def test_too_many_windows_name_the_window() -> None:
    with pytest.raises(WrongOption, match="--window: "):
        read_range("2025-01-01", "2026-01-01", NEW_YORK, 60.0)


@pytest.mark.parametrize(
    ("text", "interval_seconds"),
    [("1/s", 1.0), ("4/s", 0.25), ("30/min", 2.0), (" 0.5 / S ", 2.0), ("60/h", 60.0), ("none", None), ("NONE", None)],
)
def test_paces(text: str, interval_seconds: float | None) -> None:
    assert read_pace("--pace", text) == interval_seconds


@pytest.mark.parametrize("text", ["", "fast", "0/s", "-1/s", "1", "1/day", "1/s/s", "nan/s"])
def test_what_is_no_pace_names_its_option(text: str) -> None:
    with pytest.raises(WrongOption, match="--details-pace: "):
        read_pace("--details-pace", text)


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("1h", 3600), ("1.5h", 5400), ("1d", 86400), ("2s", 2)])
def test_windows(text: str, seconds: float) -> None:
    assert read_window(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "0s", "0.5s", "400d", "1 week", "-1h"])
def test_what_is_no_window_names_its_option(text: str) -> None:
    with pytest.raises(WrongOption, match="--window: "):
        read_window(text)
