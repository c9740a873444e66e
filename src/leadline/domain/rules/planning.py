"""What becomes of a lead after something happened to it: called again at a time, done, or held until somebody decides.

In every function `lead.attempts` and `number.dispatches` hold each counted attempt so far, the one that just ended
included, and `number` may already know what that attempt meant for it (suppression, bad number, sale, rest).
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from leadline.domain.campaign import Campaign
from leadline.domain.facts import LeadFacts, NumberFacts
from leadline.domain.lead import CompletionReason, HeldReason, LeadStatus, PriorityBand
from leadline.domain.outcome import Outcome
from leadline.domain.plan import Complete, Hold, Plan, PlanReason, Redial, applies_to
from leadline.domain.rules.cadence import wait_before
from leadline.domain.rules.callback import is_usable
from leadline.domain.rules.caps import is_exhausted, life_cap
from leadline.domain.rules.completion import completion_reason, number_completion, rest_until_after
from leadline.domain.rules.dispatch import first_legal

__all__ = [
    "Complete",
    "Hold",
    "Plan",
    "PlanReason",
    "Redial",
    "applies_to",
    "band_of",
    "not_sent_wait",
    "plan_abandoned",
    "plan_after_inbound",
    "plan_after_result",
    "plan_imported",
    "plan_new",
    "plan_not_sent",
    "plan_rescheduled",
    "plan_resumed",
    "plan_uncounted",
    "rest_until_after",
]

LEAST_UNCOUNTED_WAIT: Final = timedelta(seconds=60)
"""An attempt that did not count is never repeated sooner: whatever refused it needs time to change."""

NOT_SENT_LIMIT: Final = 10
"""Attempts in a row of which no byte was sent, after which the lead is held."""

_LAST_WARM_ATTEMPT: Final = 4


def plan_new(now: datetime, lead: LeadFacts, number: NumberFacts, campaign: Campaign) -> Plan:
    """A lead came in, was reopened, or was claimed after calls that were made elsewhere."""
    due = _cadence_from_last_call(now, lead, number, campaign)
    if lead.attempts == 0:
        due = now + wait_before(1, campaign.cadence)
    return _ended(lead, number, campaign) or _redial(due, lead, number, campaign, PlanReason.FIRST_CALL)


def plan_after_result(
    now: datetime,
    ended_at: datetime,
    outcome: Outcome,
    callback_at: datetime | None,
    lead: LeadFacts,
    number: NumberFacts,
    campaign: Campaign,
) -> Plan:
    """A counted attempt came to an outcome. `ended_at` is what the wait counts from (`cadence.end_of_attempt`).

    A callback time is kept whatever the outcome, unless the outcome is final; so is an earlier promise whose time is
    still to come when the call ends.
    """
    reason = completion_reason(outcome, campaign) or number_completion(number, campaign)
    if reason is not None:
        return Complete(reason)
    rested = _with_rest(rest_until_after(outcome, ended_at, campaign), number)
    promised_at = _usable(callback_at, ended_at) or _open_promise(lead, ended_at)
    if promised_at is not None:
        return _promised(max(now, promised_at), promised_at, lead, rested, campaign)
    due = ended_at + wait_before(lead.attempts + 1, campaign.cadence)
    return _exhausted(lead, campaign) or _redial(max(now, due), lead, rested, campaign, PlanReason.CADENCE)


def plan_uncounted(
    closed_at: datetime, wait: timedelta, lead: LeadFacts, number: NumberFacts, campaign: Campaign
) -> Plan:
    """An attempt closed without counting: due at its closing time + the longest of its own wait, 60 s and `wait`.

    `wait` is what the caller asks for at least (the provider's `Retry-After`, or zero). A promised callback stays one
    and does not wait for the cadence.
    """
    cadence = timedelta(0) if _is_promised(lead) else wait_before(lead.attempts + 1, campaign.cadence)
    due = closed_at + max(wait, cadence, LEAST_UNCOUNTED_WAIT)
    return _ended(lead, number, campaign) or _again(due, lead, number, campaign, PlanReason.UNCOUNTED)


def plan_not_sent(
    closed_at: datetime, failures_in_a_row: int, lead: LeadFacts, number: NumberFacts, campaign: Campaign
) -> Plan:
    """No byte was sent: again after 1, 2, 4 ... 60 s, held at the tenth in a row (`failures_in_a_row`)."""
    ended = _ended(lead, number, campaign)
    if ended is not None:
        return ended
    if failures_in_a_row >= NOT_SENT_LIMIT:
        return Hold(HeldReason.CANNOT_DISPATCH)
    return _again(closed_at + not_sent_wait(failures_in_a_row), lead, number, campaign, PlanReason.NOT_SENT)


def plan_abandoned(number: NumberFacts, campaign: Campaign) -> Plan:
    """The fate of a call stayed unknown for too long: an operator decides, unless the number is done anyway."""
    reason = number_completion(number, campaign)
    return Hold(HeldReason.UNRESOLVED_CALL) if reason is None else Complete(reason)


def plan_after_inbound(
    now: datetime,
    ended_at: datetime,
    outcome: Outcome,
    callback_at: datetime | None,
    lead: LeadFacts,
    number: NumberFacts,
    campaign: Campaign,
) -> Plan:
    """The person phoned us: finals and callbacks apply, else due is at least the call's end + the inbound rest."""
    heard = Outcome.UNKNOWN if outcome is Outcome.BAD_NUMBER else outcome
    reason = completion_reason(heard, campaign) or number_completion(number, campaign)
    if reason is not None:
        return Complete(reason)
    rested = _with_rest(rest_until_after(heard, ended_at, campaign), number)
    promised_at = _usable(callback_at, ended_at)
    if promised_at is not None:
        return _promised(max(now, promised_at), promised_at, lead, rested, campaign)
    due = max(now, ended_at + campaign.inbound_rest, lead.due_at or now)
    return _exhausted(lead, campaign) or _again(due, lead, rested, campaign, PlanReason.INBOUND)


def plan_resumed(now: datetime, lead: LeadFacts, number: NumberFacts, campaign: Campaign) -> Plan:
    """An operator resumed or released the lead: a promise is kept, else its due time or the cadence goes on."""
    ended = _ended(lead, number, campaign)
    if ended is not None:
        return ended
    if lead.scheduled_callback_at is not None:
        at = lead.scheduled_callback_at
        return _promised(max(now, at), at, lead, number, campaign)
    due = lead.due_at or _cadence_from_last_call(now, lead, number, campaign)
    return _redial(max(now, due), lead, number, campaign, PlanReason.RESUMED)


def plan_rescheduled(
    now: datetime, wanted_at: datetime, lead: LeadFacts, number: NumberFacts, campaign: Campaign
) -> Plan:
    """An operator named a time: outside the cadence, moved into legal hours, caps hold."""
    ended = _ended(lead, number, campaign)
    if ended is not None:
        return ended
    plan = _promised(max(now, wanted_at), wanted_at, lead, number, campaign)
    return replace(plan, reason=PlanReason.OPERATOR) if isinstance(plan, Redial) else plan


def plan_imported(
    now: datetime,
    due_at: datetime | None,
    promised_at: datetime | None,
    lead: LeadFacts,
    number: NumberFacts,
    campaign: Campaign,
) -> Plan:
    """A lead came from other records: their promise is kept, or their due time, but never before the cadence allows.

    A promise that was made before the last call may have been kept by it, so that it waits for the cadence too.
    """
    reason = number_completion(number, campaign)
    if reason is not None:
        return Complete(reason)
    soonest = _cadence_from_last_call(now, lead, number, campaign)
    if promised_at is not None and lead.attempts <= life_cap(lead, campaign):
        last = _last_call(lead, number)
        called_since = last is not None and last >= promised_at
        return _promised(max(soonest if called_since else now, promised_at), promised_at, lead, number, campaign)
    if due_at is None and lead.attempts == 0:
        soonest = now + wait_before(1, campaign.cadence)
    due = max(soonest, due_at or soonest)
    return _exhausted(lead, campaign) or _redial(due, lead, number, campaign, PlanReason.IMPORTED)


def not_sent_wait(failures_in_a_row: int) -> timedelta:
    """The back-off after so many attempts in a row of which no byte was sent: 1, 2, 4 ... 60 s."""
    return timedelta(seconds=min(60, 2 ** min(max(failures_in_a_row - 1, 0), 6)))


def band_of(attempt_no: int) -> PriorityBand:
    """The order of an attempt of the cadence, counted from 1."""
    if attempt_no <= 1:
        return PriorityBand.FRESH
    return PriorityBand.WARM if attempt_no <= _LAST_WARM_ATTEMPT else PriorityBand.COLD


def _promised(due: datetime, at: datetime, lead: LeadFacts, number: NumberFacts, campaign: Campaign) -> Plan:
    """`at` was promised; a promise made on the last attempt gets one attempt more, once in a life."""
    grants = is_exhausted(lead, campaign)
    if grants and (not campaign.extra_callback_attempt or lead.extra_attempts > 0):
        return Complete(CompletionReason.EXHAUSTED)
    promised = replace(lead, status=LeadStatus.RESCHEDULED, scheduled_callback_at=at)
    plan = _again(due, promised, number, campaign, PlanReason.CALLBACK)
    return replace(plan, grants_extra_attempt=grants) if isinstance(plan, Redial) else plan


def _again(due: datetime, lead: LeadFacts, number: NumberFacts, campaign: Campaign, reason: PlanReason) -> Plan:
    """The same call at another time: a promise stays a promise."""
    plan = _redial(due, lead, number, campaign, reason)
    if not isinstance(plan, Redial) or not _is_promised(lead):
        return plan
    promise = lead.scheduled_callback_at
    return Redial(LeadStatus.RESCHEDULED, plan.due_at, PriorityBand.FRESH, reason, scheduled_callback_at=promise)


def _redial(due: datetime, lead: LeadFacts, number: NumberFacts, campaign: Campaign, reason: PlanReason) -> Plan:
    due_at = first_legal(due, lead, number, campaign)
    if due_at is None:
        return Hold(HeldReason.NO_LEGAL_WINDOW)
    return Redial(LeadStatus.PENDING, due_at, band_of(lead.attempts + 1), reason)


def _is_promised(lead: LeadFacts) -> bool:
    return lead.status is LeadStatus.RESCHEDULED and lead.scheduled_callback_at is not None


def _open_promise(lead: LeadFacts, ended_at: datetime) -> datetime | None:
    """A promise that the ended call cannot have kept, because its time comes later."""
    return _usable(lead.scheduled_callback_at, ended_at) if _is_promised(lead) else None


def _usable(at: datetime | None, ended_at: datetime) -> datetime | None:
    return at if at is not None and is_usable(at, ended_at) else None


def _ended(lead: LeadFacts, number: NumberFacts, campaign: Campaign) -> Complete | None:
    reason = number_completion(number, campaign)
    return Complete(reason) if reason is not None else _exhausted(lead, campaign)


def _exhausted(lead: LeadFacts, campaign: Campaign) -> Complete | None:
    return Complete(CompletionReason.EXHAUSTED) if is_exhausted(lead, campaign) else None


def _with_rest(until: datetime | None, number: NumberFacts) -> NumberFacts:
    if until is None or (number.rest_until is not None and number.rest_until >= until):
        return number
    return replace(number, rest_until=until)


def _cadence_from_last_call(now: datetime, lead: LeadFacts, number: NumberFacts, campaign: Campaign) -> datetime:
    """When the wait is over, counted from the last dispatch, for a lead whose last result is not at hand."""
    last = _last_call(lead, number)
    return now if last is None else max(now, min(last, now) + wait_before(lead.attempts + 1, campaign.cadence))


def _last_call(lead: LeadFacts, number: NumberFacts) -> datetime | None:
    return max(filter(None, (lead.last_call_before, *number.dispatches[-1:])), default=None)
