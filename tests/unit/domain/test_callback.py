"""Callback times: any ISO form, the right zone, the later instant where the clock is in doubt."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.domain.rules.callback import parse_callback_time, usable_callback
from tests.unit.domain.facts import NEW_YORK, ZONES, at, instants, seconds


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-07T15:30:00",
        "2026-01-07T15:30",
        "2026-01-07 15:30",
        " 2026-01-07 15:30:00 ",
        "2026-01-07t15:30:00",
        "20260107T153000",
        "2026-01-07T15:30:00.000",
        "2026-01-07T15:30:00,000000000",
        "2026-01-07T20:30:00Z",
        "2026-01-07t20:30:00z",
        "2026-01-07T20:30:00.000Z",
        "2026-01-07 20:30:00 Z",
        "2026-01-07T15:30:00-05:00",
        "2026-01-07T15:30:00-0500",
        "2026-01-07T15:30-05",
        "2026-01-07 15:30:00 -05:00",
        "2026-01-07T15:30:00\N{MINUS SIGN}05:00",
        "2026-01-08T02:00:00+05:30",
        "2026-W02-3T15:30:00",
        "2026W023T1530",
        "2026-007T15:30",
        "2026007T1530",
    ],
)
def test_every_iso_form_is_the_same_instant(text: str) -> None:
    assert parse_callback_time(text, NEW_YORK) == at("2026-01-07 15:30")


def test_hours_alone_and_midnight_as_24() -> None:
    assert parse_callback_time("2026-01-07T15", NEW_YORK) == at("2026-01-07 15:00")
    for midnight in ("2026-01-07T24:00", "2026-01-07T24:00:00", "20260107T2400", "2026-01-07T24:00:00.0"):
        assert parse_callback_time(midnight, NEW_YORK) == at("2026-01-08 00:00")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-01-07",
        "20260107",
        "15:30",
        "2026-02-30T15:30",
        "2026-01-07T25:00",
        "2026-01-07T24:01",
        "2026-01-07T15:60",
        "2026-367T15:30",
        "2026-000T15:30",
        "2025-366T15:30",
        "2026-W54-1T15:30",
        "01/07/2026 15:30",
        "2026-01-07T15:30 PM",
        "2026-01-07T15:30:00+25:00",
        "9999-12-31T23:59:59-23:00",
        "0001-01-01T00:00:00+23:00",
        "1767818000",
        "\u0662026-01-07T15:30",
        "2026-01-07T15:30" + " " * 100 + "x",
    ],
)
def test_what_names_no_instant_is_none(text: str) -> None:
    assert parse_callback_time(text, NEW_YORK) is None


def test_in_a_gap_and_in_a_fold_the_later_instant() -> None:
    assert parse_callback_time("2026-03-08T02:30", NEW_YORK) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    assert parse_callback_time("2026-11-01T01:30", NEW_YORK) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert parse_callback_time("2026-11-01T01:30-04:00", NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_future_means_after_the_calls_end() -> None:
    ended = at("2026-01-06 12:00")
    assert usable_callback("2026-01-06T12:00:00.000001", ended, NEW_YORK) is not None
    assert usable_callback("2026-01-06T12:00:00", ended, NEW_YORK) is None
    assert usable_callback("2026-01-05T15:00", ended, NEW_YORK) is None


def test_an_absurd_time_is_not_usable() -> None:
    ended = at("2026-01-06 12:00")
    assert usable_callback("2027-01-11T12:00", ended, NEW_YORK) == ended + timedelta(days=370)
    assert usable_callback("2027-01-11T12:00:01", ended, NEW_YORK) is None
    assert usable_callback("2999-01-01T12:00", ended, NEW_YORK) is None


@given(st.text(max_size=80))
def test_any_text_is_an_instant_or_none(text: str) -> None:
    found = parse_callback_time(text, NEW_YORK)
    assert found is None or found.tzinfo is UTC


@given(st.from_regex(r"\d{4}-?(\d{2}-?\d{2}|W\d{2}-?\d|\d{3})[T ]\d{2}(:?\d{2}(:?\d{2})?)?(Z|[+-]\d{2}(:?\d{2})?)?"))
def test_any_digits_are_an_instant_or_none(text: str) -> None:
    parse_callback_time(text, NEW_YORK)


@given(t=instants, zone=st.sampled_from(ZONES))
def test_a_wall_time_is_read_back(t: datetime, zone: str) -> None:
    local = t.astimezone(ZoneInfo(zone))
    found = parse_callback_time(local.replace(tzinfo=None).isoformat(), ZoneInfo(zone))
    assert found is not None
    assert found >= t
    assert found.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) == local.replace(tzinfo=None, fold=0)
    assert parse_callback_time(t.isoformat(), ZoneInfo(zone)) == t
    assert seconds(0) <= found - t <= timedelta(hours=1)
