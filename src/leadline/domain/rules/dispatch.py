"""May this lead be called now, when first, and until when: asked at planning and again at the send mark."""

from collections.abc import Sequence
from datetime import datetime

from leadline.domain.campaign import Campaign
from leadline.domain.facts import LeadFacts, NumberFacts
from leadline.domain.reasons import RuleAnswer
from leadline.domain.rules import answers
from leadline.domain.rules.caps import day_with_room
from leadline.domain.rules.legal import callable_hours
from leadline.domain.rules.windows import HORIZON
from leadline.domain.wall_clock import start_of_next_day


def judge(
    now: datetime, lead: LeadFacts, number: NumberFacts, campaign: Campaign, *, leased: bool = False
) -> list[RuleAnswer]:
    """What every rule of lead and number says at `now`, in the order of `Rule`; a call is allowed only if all allow.

    `leased`: the lead is leased already, so that its due time is no longer asked.
    """
    return [
        answers.status(lead),
        answers.suppression(number),
        answers.bad_number(number),
        answers.sold(number, campaign),
        answers.life_cap(lead, campaign),
        answers.live_attempt(number),
        answers.due(now, lead, campaign, leased=leased),
        answers.rest(now, number, campaign),
        answers.spacing(now, number, campaign),
        answers.calling_hours(now, campaign),
        answers.legal_hours(now, lead, number, campaign),
        answers.day_cap(now, lead, number, campaign),
    ]


def is_allowed(judgement: Sequence[RuleAnswer]) -> bool:
    """Whether every rule allows."""
    return all(answer.allowed for answer in judgement)


def first_legal(at: datetime, lead: LeadFacts, number: NumberFacts, campaign: Campaign) -> datetime | None:
    """The first instant from `at` on that rest, spacing, calling hours, legal hours and the day cap all allow.

    None if there is none within 370 days of `at`.
    """
    hours = callable_hours(lead, number, campaign)
    horizon = at + HORIZON
    opens = hours.next_opening(_after_rest(at, number, campaign))
    while opens is not None and opens <= horizon:
        allowed = day_with_room(opens, lead, number, campaign)
        if allowed is None or allowed == opens:
            return allowed
        opens = hours.next_opening(allowed)
    return None


def closing_after(now: datetime, lead: LeadFacts, number: NumberFacts, campaign: Campaign) -> datetime:
    """The first instant from `now` on at which calling hours, legal hours or the campaign's day end.

    `now` itself if calling or legal hours are closed already.
    """
    day_ends = start_of_next_day(now, campaign.hours.zone)
    closes = callable_hours(lead, number, campaign).closes_at(now)
    return day_ends if closes is None else min(closes, day_ends)


def _after_rest(at: datetime, number: NumberFacts, campaign: Campaign) -> datetime:
    if number.rest_until is not None:
        at = max(at, number.rest_until)
    if number.last_sent_by is not None:
        at = max(at, number.last_sent_by + campaign.number_spacing)
    return at
