"""Each rule of lead and number as one function: what it says at one instant, with what its sentence needs."""

from datetime import datetime
from typing import Final, assert_never

from leadline.domain.campaign import Campaign, LegalProfile
from leadline.domain.facts import LeadFacts, NumberFacts
from leadline.domain.lead import HeldReason, LeadStatus
from leadline.domain.reasons import Code, Rule, RuleAnswer
from leadline.domain.rules import caps, legal
from leadline.domain.wall_clock import wall_words, zone_named

_PLANNED: Final = RuleAnswer(Rule.STATUS, allowed=True, code=Code.STATUS_PLANNED)
_NOT_SUPPRESSED: Final = RuleAnswer(Rule.SUPPRESSION, allowed=True, code=Code.NOT_SUPPRESSED)
_NUMBER_GOOD: Final = RuleAnswer(Rule.BAD_NUMBER, allowed=True, code=Code.NUMBER_GOOD)
_NOT_SOLD: Final = RuleAnswer(Rule.SOLD, allowed=True, code=Code.NOT_SOLD)
_NO_LIVE_ATTEMPT: Final = RuleAnswer(Rule.LIVE_ATTEMPT, allowed=True, code=Code.NO_LIVE_ATTEMPT)
_LIVE_ATTEMPT: Final = RuleAnswer(Rule.LIVE_ATTEMPT, allowed=False, code=Code.LIVE_ATTEMPT)
_DUE: Final = RuleAnswer(Rule.DUE, allowed=True, code=Code.DUE)
_ALREADY_LEASED: Final = RuleAnswer(Rule.DUE, allowed=True, code=Code.ALREADY_LEASED)
_NO_DUE_TIME: Final = RuleAnswer(Rule.DUE, allowed=False, code=Code.NO_DUE_TIME)
_NO_REST: Final = RuleAnswer(Rule.REST, allowed=True, code=Code.NO_REST)
_SPACING_KEPT: Final = RuleAnswer(Rule.SPACING, allowed=True, code=Code.SPACING_KEPT)
_INSIDE_CALLING_HOURS: Final = RuleAnswer(Rule.CALLING_HOURS, allowed=True, code=Code.INSIDE_CALLING_HOURS)
_INSIDE_LEGAL_HOURS: Final = RuleAnswer(Rule.LEGAL_HOURS, allowed=True, code=Code.INSIDE_LEGAL_HOURS)
_LEGAL_HOURS_OFF: Final = RuleAnswer(Rule.LEGAL_HOURS, allowed=True, code=Code.LEGAL_HOURS_OFF)


def status(lead: LeadFacts) -> RuleAnswer:
    """Only a planned lead is called."""
    match lead.status:
        case LeadStatus.PENDING | LeadStatus.RESCHEDULED:
            return _PLANNED
        case LeadStatus.COMPLETED:
            code = Code.STATUS_COMPLETED
        case LeadStatus.PAUSED:
            code = Code.STATUS_PAUSED
        case LeadStatus.HELD:
            waits_for_crm = lead.status_reason == HeldReason.CRM_UNKNOWN
            code = Code.STATUS_HELD_FOR_CRM if waits_for_crm else Code.STATUS_HELD
        case _:
            assert_never(lead.status)
    return RuleAnswer(Rule.STATUS, allowed=False, code=code, facts={"reason": lead.status_reason or ""})


def suppression(number: NumberFacts) -> RuleAnswer:
    """Nobody is called after saying stop."""
    if number.suppression_reason is None:
        return _NOT_SUPPRESSED
    facts = {"reason": number.suppression_reason}
    return RuleAnswer(Rule.SUPPRESSION, allowed=False, code=Code.SUPPRESSED, facts=facts)


def bad_number(number: NumberFacts) -> RuleAnswer:
    """A number that does not exist is not called."""
    if number.bad_number_reason is None:
        return _NUMBER_GOOD
    facts = {"reason": number.bad_number_reason}
    return RuleAnswer(Rule.BAD_NUMBER, allowed=False, code=Code.NUMBER_BAD, facts=facts)


def sold(number: NumberFacts, campaign: Campaign) -> RuleAnswer:
    """Who has bought, in any campaign, is not called."""
    if not caps.is_sold(number, campaign) or number.sold_outcome is None:
        return _NOT_SOLD
    return RuleAnswer(Rule.SOLD, allowed=False, code=Code.SOLD, facts={"outcome": number.sold_outcome})


def life_cap(lead: LeadFacts, campaign: Campaign) -> RuleAnswer:
    """A life has so many attempts."""
    used_up = caps.is_exhausted(lead, campaign)
    facts = {"attempts": str(lead.attempts), "cap": str(caps.life_cap(lead, campaign))}
    code = Code.LIFE_CAP_REACHED if used_up else Code.LIFE_CAP_FREE
    return RuleAnswer(Rule.LIFE_CAP, allowed=not used_up, code=code, facts=facts)


def live_attempt(number: NumberFacts) -> RuleAnswer:
    """One live attempt per number."""
    return _LIVE_ATTEMPT if number.live_attempt else _NO_LIVE_ATTEMPT


def due(now: datetime, lead: LeadFacts, campaign: Campaign, *, leased: bool) -> RuleAnswer:
    """A lead is called when it is due."""
    if leased:
        return _ALREADY_LEASED
    if lead.due_at is None:
        return _NO_DUE_TIME
    if lead.due_at <= now:
        return _DUE
    return _refused_until(Rule.DUE, Code.NOT_DUE, lead.due_at, campaign)


def rest(now: datetime, number: NumberFacts, campaign: Campaign) -> RuleAnswer:
    """A number rests after a transfer and after the person phoned us."""
    if number.rest_until is None or number.rest_until <= now:
        return _NO_REST
    return _refused_until(Rule.REST, Code.NUMBER_RESTS, number.rest_until, campaign)


def spacing(now: datetime, number: NumberFacts, campaign: Campaign) -> RuleAnswer:
    """Two calls to one number keep their distance."""
    if number.last_sent_by is None:
        return _SPACING_KEPT
    until = number.last_sent_by + campaign.number_spacing
    return _SPACING_KEPT if until <= now else _refused_until(Rule.SPACING, Code.TOO_SOON, until, campaign)


def calling_hours(now: datetime, campaign: Campaign) -> RuleAnswer:
    """The campaign calls in its calling hours."""
    if campaign.hours.is_open(now):
        return _INSIDE_CALLING_HOURS
    opens = campaign.hours.next_opening(now)
    return _refused_until(Rule.CALLING_HOURS, Code.OUTSIDE_CALLING_HOURS, opens, campaign)


def legal_hours(now: datetime, lead: LeadFacts, number: NumberFacts, campaign: Campaign) -> RuleAnswer:
    """The law allows the call in every zone in which the person may be."""
    if campaign.legal_profile is LegalProfile.NONE:
        return _LEGAL_HOURS_OFF
    zones = legal.zones_of(lead, number)
    hours = legal.legal_hours(campaign.legal_profile, zones)
    if hours.is_open(now):
        return _INSIDE_LEGAL_HOURS
    closed = next(zone for zone in sorted(zones) if not legal.federal_hours(zone).is_open(now))
    local = {"zone": closed, "local_time": wall_words(now, zone_named(closed))}
    return _refused_until(Rule.LEGAL_HOURS, Code.OUTSIDE_LEGAL_HOURS, hours.next_opening(now), campaign, local)


def day_cap(now: datetime, lead: LeadFacts, number: NumberFacts, campaign: Campaign) -> RuleAnswer:
    """A number has so many attempts on one day, over all campaigns."""
    made = caps.attempts_on_day_of(now, lead, number, campaign)
    facts = {"attempts": str(made), "cap": str(campaign.max_daily_attempts)}
    if made < campaign.max_daily_attempts:
        return RuleAnswer(Rule.DAY_CAP, allowed=True, code=Code.DAY_CAP_FREE, facts=facts)
    until = caps.day_with_room(now, lead, number, campaign)
    return _refused_until(Rule.DAY_CAP, Code.DAY_CAP_REACHED, until, campaign, facts)


def _refused_until(
    rule: Rule, code: Code, until: datetime | None, campaign: Campaign, facts: dict[str, str] | None = None
) -> RuleAnswer:
    shown = dict(facts or {})
    if until is not None:
        shown["until"] = wall_words(until, campaign.hours.zone)
    return RuleAnswer(rule, allowed=False, code=code, until=until, facts=shown)
