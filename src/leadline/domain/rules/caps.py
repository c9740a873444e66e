"""Caps: attempts in a life and in a day, counted from the attempts themselves. There is no counter to reset."""

from bisect import bisect_left
from datetime import date, datetime, timedelta
from typing import Final

from leadline.domain.campaign import Campaign
from leadline.domain.facts import LeadFacts, NumberFacts
from leadline.domain.rules.windows import HORIZON
from leadline.domain.wall_clock import day_of, start_of_next_day

_LONGEST_DAY: Final = timedelta(hours=26)


def life_cap(lead: LeadFacts, campaign: Campaign) -> int:
    """Attempts that this life may have, those granted for a promised callback included."""
    return campaign.max_attempts + lead.extra_attempts


def is_exhausted(lead: LeadFacts, campaign: Campaign) -> bool:
    """Whether the life is used up."""
    return lead.attempts >= life_cap(lead, campaign)


def attempts_on_day_of(t: datetime, lead: LeadFacts, number: NumberFacts, campaign: Campaign) -> int:
    """Attempts to the number, by any campaign, on the date that `t` has in this campaign's zone."""
    zone = campaign.hours.zone
    day = day_of(t, zone)
    first = bisect_left(number.dispatches, t - _LONGEST_DAY)
    made = sum(1 for at in number.dispatches[first:] if day_of(at, zone) == day)
    return made + _made_elsewhere(day, lead)


def _made_elsewhere(day: date, lead: LeadFacts) -> int:
    return lead.attempts_before_that_day if lead.attempts_before_on == day else 0


def is_day_used_up(t: datetime, lead: LeadFacts, number: NumberFacts, campaign: Campaign) -> bool:
    """Whether the day of `t` has no attempt left."""
    return attempts_on_day_of(t, lead, number, campaign) >= campaign.max_daily_attempts


def day_with_room(t: datetime, lead: LeadFacts, number: NumberFacts, campaign: Campaign) -> datetime | None:
    """The first instant from `t` on whose day has an attempt left; None if no day within 370 has."""
    horizon = t + HORIZON
    while is_day_used_up(t, lead, number, campaign):
        t = start_of_next_day(t, campaign.hours.zone)
        if t > horizon:
            return None
    return t


def is_sold(number: NumberFacts, campaign: Campaign) -> bool:
    """Whether a sale to this number, in any campaign, ends this campaign's leads with it."""
    return campaign.sale_is_for_number and number.sold_outcome in campaign.final_outcomes
