"""The cadence: the spec's life of eight calls, to the minute, and from when a wait counts."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.domain.campaign import DEFAULT_CADENCE
from leadline.domain.errors import InvalidRule
from leadline.domain.lead import CompletionReason
from leadline.domain.outcome import Outcome
from leadline.domain.plan import Complete, Redial
from leadline.domain.rules.cadence import end_of_attempt, parse_cadence, wait_before
from leadline.domain.rules.planning import plan_after_result, plan_new
from tests.unit.domain.facts import a_lead, a_number, an_open_campaign, at, minutes, seconds


def test_the_eight_call_life() -> None:
    campaign = an_open_campaign()
    received = at("2026-01-05 11:00")
    plan = plan_new(received, a_lead(), a_number(), campaign)
    calls: list[datetime] = []
    while isinstance(plan, Redial):
        calls.append(plan.due_at)
        lead, number = a_lead(attempts=len(calls)), a_number(dispatches=tuple(calls))
        plan = plan_after_result(calls[-1], calls[-1], Outcome.NO_ANSWER, None, lead, number, campaign)
    assert plan == Complete(CompletionReason.EXHAUSTED)
    assert [(call - received) / minutes(1) for call in calls] == [0, 1, 6, 16, 46, 106, 226, 346]


def test_default_cadence_is_the_old_systems() -> None:
    assert parse_cadence("0, 1, 5, 10, 30, 60, 120") == DEFAULT_CADENCE


def test_fractions_of_a_minute() -> None:
    assert parse_cadence("0,1,5,10.5") == (minutes(0), minutes(1), minutes(5), seconds(630))
    assert parse_cadence(" [0.25, .5, 1.] ") == (seconds(15), seconds(30), seconds(60))


@pytest.mark.parametrize(
    "text", ["", " ", "a", "1,,2", "-1", "1e3", "nan", "inf", "0x10", "1 2", "999999999", "1," * 101 + "1", "\u0661"]
)
def test_what_is_no_cadence_is_refused(text: str) -> None:
    with pytest.raises(InvalidRule):
        parse_cadence(text)


def test_the_last_wait_repeats() -> None:
    assert [wait_before(n, DEFAULT_CADENCE) / minutes(1) for n in (1, 2, 6, 7, 8, 100)] == [0, 1, 60, 120, 120, 120]
    assert wait_before(3, ()) == timedelta(0)
    assert wait_before(0, (minutes(7),)) == minutes(7)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=20), st.integers(-5, 200))
def test_every_wait_is_one_of_the_cadence_and_follows_its_order(numbers: list[int], attempt_no: int) -> None:
    cadence = tuple(minutes(n) for n in sorted(numbers))
    assert wait_before(attempt_no, cadence) in cadence
    assert wait_before(attempt_no, cadence) <= wait_before(attempt_no + 1, cadence)


def test_a_wait_counts_from_the_providers_end_if_it_lies_between_dispatch_and_now() -> None:
    dispatched, now = at("2026-01-05 12:00"), at("2026-01-05 12:10")
    assert end_of_attempt(dispatched, at("2026-01-05 12:03"), now) == at("2026-01-05 12:03")
    assert end_of_attempt(dispatched, dispatched, now) == dispatched
    assert end_of_attempt(dispatched, now, now) == now
    for wrong in (at("2026-01-05 11:59"), at("2026-01-05 12:11"), at("2025-01-05 12:05"), None):
        assert end_of_attempt(dispatched, wrong, now) == now
    assert end_of_attempt(None, at("2026-01-05 12:03"), now) == now
