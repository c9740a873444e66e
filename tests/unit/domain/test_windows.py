"""Windows of time: start inclusive, end exclusive, through every change of the clock."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.domain.rules.hours import CallingHours, parse_calling_hours
from leadline.domain.rules.windows import HORIZON, AllOf
from tests.unit.domain.facts import ALWAYS, WEEKDAYS_11_TO_20, ZONES, at, hours_texts, instants, minutes, seconds

TINY = timedelta(microseconds=1)


def new_york(text: str = WEEKDAYS_11_TO_20, *blackout: date) -> CallingHours:
    return parse_calling_hours(text, "America/New_York", blackout)


def test_the_opening_instant_is_open_and_the_closing_instant_is_not() -> None:
    hours = new_york()
    assert not hours.is_open(at("2026-01-05 11:00") - TINY)
    assert hours.is_open(at("2026-01-05 11:00"))
    assert hours.is_open(at("2026-01-05 20:00") - TINY)
    assert not hours.is_open(at("2026-01-05 20:00"))


@pytest.mark.parametrize(
    ("asked", "opens"),
    [
        ("2026-01-05 09:00", "2026-01-05 11:00"),
        ("2026-01-05 11:00", "2026-01-05 11:00"),
        ("2026-01-05 15:00", "2026-01-05 15:00"),
        ("2026-01-05 20:00", "2026-01-06 11:00"),
        ("2026-01-09 20:00", "2026-01-12 11:00"),
        ("2026-01-10 12:00", "2026-01-12 11:00"),
    ],
)
def test_next_opening_is_exactly_the_next_business_day_at_eleven(asked: str, opens: str) -> None:
    assert new_york().next_opening(at(asked)) == at(opens)


def test_a_blackout_date_is_closed_in_the_campaigns_zone() -> None:
    hours = new_york(WEEKDAYS_11_TO_20, date(2026, 1, 6))
    assert hours.next_opening(at("2026-01-05 20:00")) == at("2026-01-07 11:00")
    assert not hours.is_open(at("2026-01-06 12:00"))


def test_always_never_closes_and_24_00_runs_into_the_next_day() -> None:
    hours = new_york(ALWAYS)
    for text in ("2026-01-05 23:59", "2026-03-08 01:59", "2026-11-01 01:30"):
        assert hours.is_open(at(text))
        assert hours.closes_at(at(text)) is None
    late = new_york("Fri 18:00-24:00, Sat 00:00-02:00")
    assert late.closes_at(at("2026-01-09 19:00")) == at("2026-01-10 02:00")


def test_a_blackout_date_interrupts_what_runs_through_midnight() -> None:
    hours = new_york(ALWAYS, date(2026, 1, 6))
    assert hours.closes_at(at("2026-01-05 12:00")) == at("2026-01-06 00:00")
    assert hours.next_opening(at("2026-01-06 00:00")) == at("2026-01-07 00:00")


def test_hours_keep_the_wall_clock_over_both_changes_of_2026() -> None:
    hours = new_york("Mon-Sun 11:00-20:00")
    assert hours.next_opening(at("2026-03-07 21:00")) == datetime(2026, 3, 8, 15, 0, tzinfo=UTC)
    assert hours.next_opening(at("2026-03-06 21:00")) == datetime(2026, 3, 7, 16, 0, tzinfo=UTC)
    assert hours.next_opening(at("2026-10-31 21:00")) == datetime(2026, 11, 1, 16, 0, tzinfo=UTC)
    assert hours.closes_at(at("2026-11-01 12:00")) == datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def test_an_opening_that_the_clock_skips_is_the_later_instant_and_a_closing_the_earlier() -> None:
    opens_in_gap = new_york("Sun 02:30-12:00")
    assert opens_in_gap.next_opening(at("2026-03-08 00:00")) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    closes_in_gap = new_york("Sun 00:00-02:30")
    assert closes_in_gap.closes_at(at("2026-03-08 00:00")) == datetime(2026, 3, 8, 6, 30, tzinfo=UTC)


def test_an_opening_that_the_clock_shows_twice_is_the_later_instant_and_a_closing_the_earlier() -> None:
    opens_in_fold = new_york("Sun 01:30-12:00")
    assert opens_in_fold.next_opening(at("2026-11-01 00:00")) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    closes_in_fold = new_york("Sun 00:00-01:30")
    assert closes_in_fold.closes_at(at("2026-11-01 00:00")) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert not closes_in_fold.is_open(datetime(2026, 11, 1, 6, 0, tzinfo=UTC))


def test_a_window_inside_the_hour_that_happens_twice_does_not_open_backwards() -> None:
    hours = new_york("Sun 01:15-01:45")
    assert hours.next_opening(at("2026-11-01 00:00")) == at("2026-11-08 01:15")


def test_midnight_that_the_clock_skips_does_not_interrupt_always() -> None:
    hours = parse_calling_hours(ALWAYS, "America/Santiago")
    assert hours.closes_at(datetime(2026, 9, 5, 12, tzinfo=UTC)) is None


def test_hours_without_any_opening_end_the_search() -> None:
    every_day = frozenset(date(2026, 1, 1) + timedelta(days=i) for i in range(800))
    hours = parse_calling_hours(ALWAYS, "America/New_York", every_day)
    assert hours.next_opening(at("2026-01-05 11:00")) is None
    assert not hours.is_open(at("2026-01-05 11:00"))


def test_an_opening_beyond_370_days_is_none() -> None:
    closed = frozenset(date(2026, 1, 1) + timedelta(days=i) for i in range(371))
    hours = parse_calling_hours(ALWAYS, "America/New_York", closed)
    assert hours.next_opening(at("2026-01-01 00:00")) is None
    assert hours.next_opening(at("2026-01-03 00:00")) == at("2027-01-07 00:00")


def test_equal_hours_are_one_object_and_share_their_spans() -> None:
    assert new_york() is new_york()
    assert new_york() == parse_calling_hours("mon - fri 11:00 - 20:00", "America/New_York")


def test_what_windows_have_in_common() -> None:
    both = AllOf((new_york(), parse_calling_hours("Mon-Sun 08:00-21:00", "Pacific/Honolulu")))
    assert both.next_opening(at("2026-01-05 11:00")) == at("2026-01-05 13:00")
    assert both.closes_at(at("2026-01-05 14:00")) == at("2026-01-05 20:00")
    assert AllOf(()).is_open(at("2026-01-05 03:00"))
    assert AllOf(()).closes_at(at("2026-01-05 03:00")) is None
    never = AllOf((new_york("Mon 10:00-11:00"), new_york("Tue 10:00-11:00")))
    assert never.next_opening(at("2026-01-05 10:00")) is None


def test_very_many_questions_do_not_grow_memory() -> None:
    hours = new_york("Mon-Sun 01:00-02:00")
    for year in range(1971, 2090):
        hours.is_open(datetime(year, 6, 1, tzinfo=UTC))
    assert len(hours._spans) <= 64


@given(text=hours_texts(), zone=st.sampled_from(ZONES), t=instants)
def test_next_opening_is_open_and_nothing_before_it_is(text: str, zone: str, t: datetime) -> None:
    hours = parse_calling_hours(text, zone)
    opens = hours.next_opening(t)
    assert opens is not None
    assert t <= opens <= t + HORIZON
    assert hours.is_open(opens)
    if opens > t:
        assert not hours.is_open(t)
        assert not hours.is_open(opens - TINY)
        assert not hours.is_open(t + (opens - t) / 2)


@given(text=hours_texts(), zone=st.sampled_from(ZONES), t=instants)
def test_closes_at_is_the_end_of_what_is_open(text: str, zone: str, t: datetime) -> None:
    hours = parse_calling_hours(text, zone)
    closes = hours.closes_at(t)
    if not hours.is_open(t):
        assert closes == t
        return
    if closes is None:
        assert all(hours.is_open(t + timedelta(days=i)) for i in range(370))
        return
    assert not hours.is_open(closes)
    assert hours.is_open(closes - TINY)
    assert hours.is_open(t + (closes - t) / 2)


@given(text=hours_texts(), zone=st.sampled_from(ZONES), t=instants)
def test_what_is_open_is_inside_a_window_of_the_wall_clock(text: str, zone: str, t: datetime) -> None:
    hours = parse_calling_hours(text, zone)
    if hours.is_open(t):
        local = t.astimezone(hours.zone)
        minute = local.hour * 60 + local.minute
        assert any(w.opens_minute <= minute < w.closes_minute for w in hours.windows[local.weekday()])


@given(text=hours_texts(), zone=st.sampled_from(ZONES), t=instants)
def test_what_the_wall_clock_calls_open_is_open_far_from_clock_changes(text: str, zone: str, t: datetime) -> None:
    hours = parse_calling_hours(text, zone)
    local = t.astimezone(hours.zone)
    calm = {(t + timedelta(hours=h)).astimezone(hours.zone).utcoffset() for h in range(-30, 31, 3)}
    if len(calm) == 1:
        minute = local.hour * 60 + local.minute
        inside = any(w.opens_minute <= minute < w.closes_minute for w in hours.windows[local.weekday()])
        assert hours.is_open(t) == inside


@given(a=hours_texts(), b=hours_texts(), zone=st.sampled_from(ZONES), t=instants)
def test_common_windows_are_open_when_both_are(a: str, b: str, zone: str, t: datetime) -> None:
    one, other = parse_calling_hours(a, "America/New_York"), parse_calling_hours(b, zone)
    both = AllOf((one, other))
    assert both.is_open(t) == (one.is_open(t) and other.is_open(t))
    opens = both.next_opening(t)
    if opens is not None:
        assert one.is_open(opens)
        assert other.is_open(opens)


def test_the_edges_of_the_business_day_to_a_fifth_of_a_second() -> None:
    hours = new_york()
    for edge, before, after in (("11:00", False, True), ("20:00", True, False)):
        instant = at(f"2026-03-09 {edge}")
        assert hours.is_open(instant - seconds(0.2)) is before
        assert hours.is_open(instant + seconds(0.2)) is after
    assert hours.closes_at(at("2026-03-09 20:00") - minutes(1)) == at("2026-03-09 20:00")
