"""May this lead be called now: every rule answers, and what is planned is what will be allowed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.domain.campaign import LegalProfile
from leadline.domain.facts import LeadFacts, NumberFacts
from leadline.domain.ids import PhoneNumber
from leadline.domain.lead import LeadStatus
from leadline.domain.outcome import Outcome
from leadline.domain.reasons import Code, Rule, RuleAnswer
from leadline.domain.rules.dispatch import closing_after, first_legal, is_allowed, judge
from leadline.domain.rules.hours import parse_calling_hours
from tests.unit.domain.facts import (
    ALWAYS,
    ZONES,
    a_campaign,
    a_lead,
    a_number,
    an_open_campaign,
    at,
    hours_texts,
    instants,
    minutes,
    seconds,
)

NOON = at("2026-01-05 12:00")
LEAD_RULES = [
    rule
    for rule in Rule
    if rule not in {Rule.CAMPAIGN_PAUSE, Rule.ACCOUNT_PAUSE, Rule.DISPATCH_HOLD, Rule.CRM_CLEARANCE, Rule.PACE}
]


def refusals(
    now: datetime, lead: LeadFacts | None = None, number: NumberFacts | None = None, **campaign: Any
) -> list[RuleAnswer]:
    answers = judge(now, lead or a_lead(due_at=now), number or a_number(), a_campaign(**campaign))
    assert [answer.rule for answer in answers] == LEAD_RULES
    assert len({answer.code for answer in answers}) == len(answers)
    return [answer for answer in answers if not answer.allowed]


def test_a_due_lead_in_hours_is_allowed_by_every_rule() -> None:
    assert refusals(NOON) == []


@pytest.mark.parametrize(
    ("lead", "number", "code"),
    [
        (a_lead(due_at=NOON, status=LeadStatus.COMPLETED, status_reason="sale"), a_number(), Code.STATUS_COMPLETED),
        (a_lead(due_at=NOON, status=LeadStatus.PAUSED), a_number(), Code.STATUS_PAUSED),
        (a_lead(due_at=NOON, status=LeadStatus.HELD, status_reason="foreign"), a_number(), Code.STATUS_HELD),
        (a_lead(due_at=NOON), a_number(suppression_reason="asked"), Code.SUPPRESSED),
        (a_lead(due_at=NOON), a_number(bad_number_reason="not found"), Code.NUMBER_BAD),
        (a_lead(due_at=NOON), a_number(sold_outcome=Outcome.SALE), Code.SOLD),
        (a_lead(due_at=NOON), a_number(sold_outcome=Outcome.ACA), Code.SOLD),
        (a_lead(due_at=NOON, attempts=8), a_number(), Code.LIFE_CAP_REACHED),
        (a_lead(due_at=NOON), a_number(live_attempt=True), Code.LIVE_ATTEMPT),
        (a_lead(due_at=None), a_number(), Code.NO_DUE_TIME),
    ],
)
def test_refusals_that_time_does_not_lift(lead: LeadFacts, number: NumberFacts, code: Code) -> None:
    [answer] = refusals(NOON, lead, number)
    assert answer.code == code
    assert answer.until is None


@pytest.mark.parametrize(
    ("lead", "number", "code", "until"),
    [
        (a_lead(due_at=NOON + minutes(5)), a_number(), Code.NOT_DUE, NOON + minutes(5)),
        (a_lead(due_at=NOON), a_number(rest_until=NOON + minutes(30)), Code.NUMBER_RESTS, NOON + minutes(30)),
        (a_lead(due_at=NOON), a_number(last_sent_by=NOON - seconds(4)), Code.TOO_SOON, NOON + seconds(6)),
        (
            a_lead(due_at=NOON),
            a_number(dispatches=tuple(NOON - minutes(i) for i in range(8, 0, -1))),
            Code.DAY_CAP_REACHED,
            at("2026-01-06 00:00"),
        ),
    ],
)
def test_refusals_with_an_end(lead: LeadFacts, number: NumberFacts, code: Code, until: datetime) -> None:
    [answer] = refusals(NOON, lead, number)
    assert (answer.code, answer.until) == (code, until)
    assert answer.facts["until"]


def test_edges_are_inclusive_at_the_start() -> None:
    assert refusals(NOON, number=a_number(rest_until=NOON, last_sent_by=NOON - seconds(10))) == []
    assert refusals(at("2026-01-05 11:00")) == []
    [answer] = refusals(at("2026-01-05 20:00"))
    assert (answer.code, answer.until) == (Code.OUTSIDE_CALLING_HOURS, at("2026-01-06 11:00"))


def test_a_leased_lead_is_not_asked_for_its_due_time_again() -> None:
    answers = judge(NOON, a_lead(due_at=None), a_number(), a_campaign(), leased=True)
    assert is_allowed(answers)
    assert Code.ALREADY_LEASED in {answer.code for answer in answers}


def test_a_sale_holds_for_the_number_only_where_the_campaign_says_so() -> None:
    sold = a_number(sold_outcome=Outcome.SALE)
    assert refusals(NOON, number=sold, sale_is_for_number=False) == []
    assert refusals(NOON, number=sold, final_outcomes=frozenset({Outcome.DNC})) == []


def test_a_granted_attempt_lifts_the_life_cap_by_one() -> None:
    assert refusals(NOON, a_lead(due_at=NOON, attempts=8, extra_attempts=1)) == []
    assert refusals(NOON, a_lead(due_at=NOON, attempts=9, extra_attempts=1))


def test_the_day_counts_all_campaigns_and_what_was_called_elsewhere_on_that_date() -> None:
    seven = a_number(dispatches=tuple(NOON - minutes(i) for i in range(7, 0, -1)))
    assert refusals(NOON, number=seven) == []
    elsewhere = a_lead(due_at=NOON, attempts_before_on=date(2026, 1, 5), attempts_before_that_day=1)
    assert [answer.code for answer in refusals(NOON, elsewhere, seven)] == [Code.DAY_CAP_REACHED]
    other_day = replace(elsewhere, attempts_before_on=date(2026, 1, 4))
    assert refusals(NOON, other_day, seven) == []


def test_the_day_is_the_date_in_the_dialling_campaigns_zone() -> None:
    late = at("2026-01-05 23:50")
    number = a_number(dispatches=(late - minutes(2), late - minutes(1)))
    after_midnight = at("2026-01-06 00:10")
    new_york = an_open_campaign(max_daily_attempts=2)
    assert is_allowed(judge(after_midnight, a_lead(due_at=late), number, new_york))
    chicago = replace(new_york, hours=parse_calling_hours(ALWAYS, "America/Chicago"))
    [refused] = [a for a in judge(after_midnight, a_lead(due_at=late), number, chicago) if not a.allowed]
    assert (refused.code, refused.until) == (Code.DAY_CAP_REACHED, at("2026-01-06 00:00", "America/Chicago"))


def test_the_day_of_a_clock_change_has_23_or_25_hours() -> None:
    campaign = an_open_campaign(max_daily_attempts=1)
    for day, hours in (("2026-03-08", 23), ("2026-11-01", 25)):
        first = at(f"{day} 00:00")
        number = a_number(dispatches=(first,))
        assert first_legal(first + minutes(1), a_lead(), number, campaign) == first + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("phone", "state", "first"),
    [
        ("+15615550123", None, "2026-01-05 08:00"),
        ("+15615550123", "FL", "2026-01-05 09:00"),
        ("+15615550123", "AZ", "2026-01-05 10:00"),
        ("+15615550123", "CA", "2026-01-05 11:00"),
        ("+15615550123", "AK", "2026-01-05 13:00"),
        ("+15615550123", "HI", "2026-01-05 13:00"),
        ("+15005550006", None, "2026-01-05 13:00"),
    ],
)
def test_federal_hours_hold_in_every_possible_zone(phone: str, state: str | None, first: str) -> None:
    campaign = a_campaign(ALWAYS)
    lead = a_lead(state=state, due_at=at("2026-01-05 00:00"))
    number = a_number(phone_number=PhoneNumber(phone))
    opens = first_legal(at("2026-01-05 00:00"), lead, number, campaign)
    assert opens == at(first)
    assert is_allowed(judge(opens, lead, number, campaign))
    assert closing_after(opens, lead, number, campaign) == at("2026-01-05 21:00")
    [refused] = [a for a in judge(opens - seconds(1), lead, number, campaign) if not a.allowed]
    assert (refused.code, refused.until) == (Code.OUTSIDE_LEGAL_HOURS, opens)


def test_the_profile_none_applies_no_law() -> None:
    campaign = a_campaign(ALWAYS, legal_profile=LegalProfile.NONE)
    assert is_allowed(judge(at("2026-01-05 03:00"), a_lead(due_at=at("2026-01-05 03:00")), a_number(), campaign))


def test_first_legal_passes_rest_spacing_hours_and_the_day() -> None:
    campaign = a_campaign()
    friday = at("2026-01-09 19:50")
    assert first_legal(friday, a_lead(), a_number(), campaign) == friday
    assert first_legal(friday + minutes(10), a_lead(), a_number(), campaign) == at("2026-01-12 11:00")
    assert first_legal(friday, a_lead(), a_number(rest_until=friday + minutes(5)), campaign) == friday + minutes(5)
    assert first_legal(friday, a_lead(), a_number(rest_until=friday + minutes(11)), campaign) == at("2026-01-12 11:00")
    assert first_legal(friday, a_lead(), a_number(last_sent_by=friday), campaign) == friday + seconds(10)
    used_up = a_number(dispatches=tuple(at("2026-01-05 11:00") + minutes(i) for i in range(8)))
    assert first_legal(at("2026-01-05 12:00"), a_lead(), used_up, campaign) == at("2026-01-06 11:00")


def test_first_legal_is_none_when_nothing_ever_opens() -> None:
    assert first_legal(NOON, a_lead(), a_number(), an_open_campaign(max_daily_attempts=0)) is None
    assert first_legal(NOON, a_lead(), a_number(rest_until=NOON + timedelta(days=371)), an_open_campaign()) is None
    hawaii = a_campaign("Mon-Fri 08:00-12:00")
    assert first_legal(NOON, a_lead(state="HI"), a_number(), hawaii) is None
    [refused] = [a for a in judge(NOON, a_lead(due_at=NOON, state="GU"), a_number(), a_campaign()) if not a.allowed]
    assert refused.code == Code.OUTSIDE_LEGAL_HOURS


def test_closing_after_is_the_first_of_window_law_and_day() -> None:
    assert closing_after(NOON, a_lead(), a_number(), a_campaign()) == at("2026-01-05 20:00")
    assert closing_after(NOON, a_lead(), a_number(), a_campaign(ALWAYS)) == at("2026-01-05 21:00")
    assert closing_after(NOON, a_lead(), a_number(), an_open_campaign()) == at("2026-01-06 00:00")
    closed = at("2026-01-05 05:00")
    assert closing_after(closed, a_lead(), a_number(), a_campaign()) == closed
    west = a_campaign(ALWAYS, "America/Los_Angeles", legal_profile=LegalProfile.NONE)
    assert closing_after(NOON, a_lead(), a_number(), west) == at("2026-01-06 00:00", "America/Los_Angeles")


facts = st.builds(
    lambda state, phone, dispatches, rest, sent, before, when: (
        a_lead(state=state, due_at=when, attempts_before_on=when.date(), attempts_before_that_day=before),
        a_number(
            phone_number=PhoneNumber(phone),
            dispatches=tuple(sorted(when + timedelta(hours=h) for h in dispatches)),
            rest_until=None if rest is None else when + timedelta(hours=rest),
            last_sent_by=None if sent is None else when + timedelta(seconds=sent),
        ),
    ),
    state=st.sampled_from([None, "FL", "HI", "AZ", "IN"]),
    phone=st.sampled_from(["+15615550123", "+19075550123", "+15005550006"]),
    dispatches=st.lists(st.integers(-60, 60), max_size=12),
    rest=st.none() | st.integers(-3, 72),
    sent=st.none() | st.integers(-30, 30),
    before=st.integers(0, 3),
    when=instants,
)


@given(
    facts=facts,
    hours=hours_texts(),
    zone=st.sampled_from(ZONES),
    cap=st.integers(1, 4),
    profile=st.sampled_from(LegalProfile),
    wait=st.integers(0, 100),
)
def test_the_first_legal_instant_is_allowed_and_nothing_before_it(
    facts: tuple[LeadFacts, NumberFacts], hours: str, zone: str, cap: int, profile: LegalProfile, wait: int
) -> None:
    lead, number = facts
    campaign = a_campaign(hours, zone, max_daily_attempts=cap, legal_profile=profile)
    assert lead.due_at is not None
    asked = lead.due_at + timedelta(hours=wait)
    first = first_legal(asked, lead, number, campaign)
    if first is None:
        assert not is_allowed(judge(asked, lead, number, campaign))
        return
    assert first >= asked
    assert is_allowed(judge(first, lead, number, campaign))
    if first > asked:
        for earlier in (asked, first - timedelta(microseconds=1), asked + (first - asked) / 2):
            assert not is_allowed(judge(earlier, lead, number, campaign))


@given(facts=facts, hours=hours_texts(), zone=st.sampled_from(ZONES))
def test_until_is_when_the_rule_alone_allows(facts: tuple[LeadFacts, NumberFacts], hours: str, zone: str) -> None:
    lead, number = facts
    campaign = a_campaign(hours, zone, max_daily_attempts=2)
    assert lead.due_at is not None
    now = lead.due_at - timedelta(minutes=30)
    for answer in judge(now, lead, number, campaign):
        if answer.until is not None:
            assert not answer.allowed
            assert answer.until > now
            again = {a.rule: a.allowed for a in judge(answer.until, lead, number, campaign)}
            just_before = {
                a.rule: a.allowed for a in judge(answer.until - timedelta(microseconds=1), lead, number, campaign)
            }
            assert again[answer.rule]
            assert not just_before[answer.rule]


@given(facts=facts, hours=hours_texts(), zone=st.sampled_from(ZONES))
def test_until_the_closing_instant_no_window_closes(
    facts: tuple[LeadFacts, NumberFacts], hours: str, zone: str
) -> None:
    lead, number = facts
    campaign = a_campaign(hours, zone)
    assert lead.due_at is not None
    now = lead.due_at
    closes = closing_after(now, lead, number, campaign)
    rules = {Rule.CALLING_HOURS, Rule.LEGAL_HOURS}
    open_now = all(a.allowed for a in judge(now, lead, number, campaign) if a.rule in rules)
    assert (closes > now) == open_now
    assert closes.tzinfo is UTC
    if open_now:
        last = closes - timedelta(microseconds=1)
        assert last.astimezone(campaign.hours.zone).date() == now.astimezone(campaign.hours.zone).date()
        for inside in (last, now + (closes - now) / 2):
            assert all(a.allowed for a in judge(inside, lead, number, campaign) if a.rule in rules)
