"""How many calls dialers should be able to have in hand: bounded by the pace, never below what they have."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.domain.rules.hours import CallingHours, parse_calling_hours
from leadline.domain.rules.scaling import (
    BEFORE_ALL,
    MOST_UNPACED,
    CallsWanted,
    DueUntil,
    Work,
    calls_wanted,
    due_until,
    most_in_hand,
)
from tests.unit.domain.facts import ALWAYS, WEEKDAYS_11_TO_20, at, hours_texts, instants, minutes

counts = st.integers(min_value=0, max_value=20_000)
works = st.builds(
    Work,
    due_now=counts,
    due_soon=counts,
    in_hand=counts,
    most=st.integers(min_value=1, max_value=40_000),
    calls_left=st.none() | counts,
)


@pytest.mark.parametrize(
    ("calls_per_second", "seconds_in_hand", "at_once", "most"),
    [
        (5, 3.5, None, 18),
        (500, 3.5, None, 1750),
        (1, 0.2, None, 1),
        (5, 3.5, 10, 10),
        (5, 3.5, 100, 18),
        (0, 3.5, None, MOST_UNPACED),
        (0, 3.5, 50, 50),
    ],
)
def test_the_pace_times_the_time_in_hand(
    calls_per_second: float, seconds_in_hand: float, at_once: int | None, most: int
) -> None:
    assert most_in_hand(calls_per_second, seconds_in_hand, at_once) == most


@pytest.mark.parametrize(
    ("work", "wanted"),
    [
        pytest.param(Work(0, 0, 0, 18), CallsWanted(0, 18), id="nothing to do"),
        pytest.param(Work(3, 2, 4, 18), CallsWanted(9, 18), id="little to do"),
        pytest.param(Work(18, 18, 4, 18), CallsWanted(18, 18), id="more than the pace allows"),
        pytest.param(Work(18, 0, 50, 18), CallsWanted(50, 50), id="a slow provider: more is in hand than usual"),
        pytest.param(Work(0, 0, 50, 18), CallsWanted(50, 50), id="nothing waits, and all of it is in hand"),
        pytest.param(Work(18, 0, 2, 18, calls_left=5), CallsWanted(7, 7), id="the plan allows five more"),
        pytest.param(Work(18, 0, 2, 18, calls_left=0), CallsWanted(2, 2), id="the plan is used up"),
        pytest.param(Work(3, 0, 2, 18, calls_left=900), CallsWanted(5, 18), id="the plan allows more than the pace"),
    ],
)
def test_what_is_wanted(work: Work, wanted: CallsWanted) -> None:
    assert calls_wanted(work) == wanted


@given(works)
def test_it_lies_between_what_is_in_hand_and_the_bound(work: Work) -> None:
    wanted, bound = calls_wanted(work)
    assert work.in_hand <= wanted <= bound
    assert bound <= max(work.in_hand, work.most)
    assert wanted <= work.due_now + work.due_soon + work.in_hand


@given(works, st.data())
def test_leasing_leads_changes_nothing(work: Work, data: st.DataObject) -> None:
    """A count of due leads alone falls when they are leased, and the autoscaler ends the dialers that have them."""
    allowed = work.due_now if work.calls_left is None else min(work.due_now, work.calls_left)
    room = max(0, calls_wanted(work).wanted - work.in_hand)
    leased = data.draw(st.integers(min_value=0, max_value=min(allowed, room)))
    left = None if work.calls_left is None else work.calls_left - leased
    after = Work(work.due_now - leased, work.due_soon, work.in_hand + leased, work.most, left)
    assert calls_wanted(after) == calls_wanted(work)


@given(works, counts)
def test_more_to_do_is_never_less_wanted(work: Work, more: int) -> None:
    wanted = calls_wanted(work).wanted
    for field in ("due_now", "due_soon", "in_hand", "most"):
        changed = {"due_now": work.due_now, "due_soon": work.due_soon, "in_hand": work.in_hand, "most": work.most}
        changed[field] += more
        assert calls_wanted(Work(**changed, calls_left=work.calls_left)).wanted >= wanted, field


def new_york(text: str = WEEKDAYS_11_TO_20) -> CallingHours:
    return parse_calling_hours(text, "America/New_York")


MINUTE = minutes(1)
MONDAY_OPENING = at("2026-01-05 11:00")


@pytest.mark.parametrize(
    ("now", "until"),
    [
        pytest.param(at("2026-01-05 10:58:59"), None, id="closed for longer"),
        pytest.param(
            at("2026-01-05 10:59"), DueUntil(BEFORE_ALL, MONDAY_OPENING), id="opens at the end of the look-ahead"
        ),
        pytest.param(at("2026-01-05 10:59:30"), DueUntil(BEFORE_ALL, at("2026-01-05 11:00:30")), id="opens in between"),
        pytest.param(MONDAY_OPENING, DueUntil(MONDAY_OPENING, MONDAY_OPENING + MINUTE), id="opens"),
        pytest.param(
            at("2026-01-05 19:59:30"), DueUntil(at("2026-01-05 19:59:30"), at("2026-01-05 20:00")), id="closes soon"
        ),
        pytest.param(at("2026-01-05 20:00"), None, id="closed"),
    ],
)
def test_until_when_leads_count(now: datetime, until: DueUntil | None) -> None:
    assert due_until(now, MINUTE, new_york()) == until


def test_always_open_counts_as_far_as_it_looks() -> None:
    now = at("2026-01-05 03:00")
    assert due_until(now, MINUTE, new_york(ALWAYS)) == DueUntil(now, now + MINUTE)


@given(instants, hours_texts(), st.integers(min_value=0, max_value=600))
def test_leads_count_while_a_dialer_would_be_given_them_within_the_look_ahead(
    now: datetime, hours: str, look_ahead_minutes: int
) -> None:
    windows, look_ahead = new_york(hours), minutes(look_ahead_minutes)
    until = due_until(now, look_ahead, windows)
    opens_at = windows.next_opening(now)
    assert (until is not None) == (opens_at is not None and opens_at <= now + look_ahead)
    if until is not None:
        assert until.now == (now if windows.is_open(now) else BEFORE_ALL)
        assert now <= until.soon <= now + look_ahead
