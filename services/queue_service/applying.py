"""Events applied: what the end of a call means for its attempt, its lead and its number.

An event whose call is known, or whose metadata names an attempt of ours, is that attempt's. Everything else is an
inbound call or a call made elsewhere.
"""

from dataclasses import dataclass
from datetime import datetime

from leadline.contracts.events import EventDisposition, EventSource
from leadline.domain.attempt import OPEN_STATES, AttemptOrigin, AttemptState
from leadline.domain.campaign import Campaign
from leadline.domain.ids import AttemptId, CampaignName, LeadId
from leadline.domain.lead import HeldReason, LeadStatus
from leadline.domain.outcome import STOP_OUTCOMES
from leadline.domain.rules.cadence import end_of_attempt
from leadline.domain.rules.callback import usable_callback
from leadline.domain.rules.outcomes import Derived, derive
from leadline.domain.rules.planning import (
    Complete,
    Plan,
    applies_to,
    plan_after_inbound,
    plan_after_result,
    rest_until_after,
)
from leadline.domain.rules.precedence import prevailing
from leadline.domain.transitions import AttemptMessage, attempt_effect
from leadline.domain.zones import callback_zone
from leadline.runtime.ids import new_uuid7
from leadline.store.changes import Changes
from leadline.store.clock import Clock
from leadline.store.events import EventResult
from leadline.store.leads import NewLead
from leadline.store.numbers import AttemptRow, LeadRow, NumberState
from leadline.store.records import Alarm, Audit, NewAttempt
from leadline.telephony.bland_result import EventKind, ParsedEvent
from services.queue_service.correlating import Incoming
from services.queue_service.policy import Policy
from services.queue_service.reporting import record_placed, record_second_call
from services.queue_service.settle import (
    apply_plan,
    move_attempt,
    rest_number,
    settle_outcome_for_number,
    suppress_number,
)

UNDETERMINED = "undetermined"
"""Kind of an event without our metadata for a number with an open attempt: the call's details decide whose it is."""


@dataclass(slots=True)
class Applying:
    """One transaction of events."""

    policy: Policy
    clock: Clock
    changes: Changes


def apply_event(applying: Applying, incoming: Incoming, number: NumberState | None) -> EventResult:
    """Apply one event under its number's lock. Total: whatever it says, there is a result to store."""
    event = incoming.event
    attempt = _find_attempt(number, incoming)
    if event.kind is EventKind.NONSENSE:
        return _stored(incoming, EventDisposition.QUARANTINED, "nonsense", problem="no JSON object with a call id")
    if event.kind is not EventKind.RESULT:
        if attempt is not None and number is not None and incoming.source is EventSource.LOOKUP and event.call_id:
            record_placed(applying.changes, applying.policy, applying.clock, number, attempt, event.call_id)
        return _stored(incoming, EventDisposition.APPLIED, event.kind, attempt=attempt)
    if number is None:
        outcome = derive(event.result, {}).outcome
        return _stored(
            incoming, EventDisposition.QUARANTINED, "no_number", outcome=outcome, problem="no telephone number to go by"
        )
    if attempt is not None:
        return _apply_to_attempt(applying, incoming, number, attempt)
    if event.inbound:
        return _apply_inbound(applying, incoming, number)
    return _apply_foreign(applying, incoming, number)


def _find_attempt(number: NumberState | None, incoming: Incoming) -> AttemptRow | None:
    """The event's attempt as it is under the lock: another delivery may have recorded the call meanwhile."""
    if number is None:
        return None
    call_id = incoming.event.call_id
    known = next((a for a in number.attempts.values() if call_id and a.call_id == call_id), None)
    return known or (number.attempts.get(incoming.attempt_id) if incoming.attempt_id else None)


def _stored(
    incoming: Incoming,
    disposition: EventDisposition,
    kind: str,
    *,
    attempt: AttemptRow | None = None,
    lead_id: LeadId | None = None,
    outcome: str | None = None,
    problem: str | None = None,
) -> EventResult:
    return EventResult(
        incoming.event_id,
        disposition,
        kind,
        outcome,
        attempt.id if attempt else None,
        attempt.lead_id if attempt else lead_id,
        problem,
    )


# ---------------------------------------------------------------- a call of ours


def _apply_to_attempt(applying: Applying, incoming: Incoming, number: NumberState, attempt: AttemptRow) -> EventResult:
    event, changes = incoming.event, applying.changes
    lead = number.leads[attempt.lead_id]
    derived = derive(event.result, applying.policy.rules_for(lead.campaign).outcome_names)
    ended_at = end_of_attempt(attempt.dispatched_at, event.result.ended_at, changes.now)
    kind = "result"
    if attempt.call_id is not None and event.call_id != attempt.call_id:
        kind = "second_call"
        assert event.call_id is not None
        row = record_second_call(changes, number, attempt, event.call_id)
        _fill_result(row, event, derived, ended_at)
    elif attempt.state is AttemptState.ENDED:
        kind = "repeated" if not _amend(applying, attempt, event, derived) else "amended"
    else:
        _end(applying, attempt, event, derived)
    if kind != "repeated":
        _settle(applying, number, lead, derived, event, ended_at, latest=_is_latest(number, attempt))
    return _stored(incoming, EventDisposition.APPLIED, kind, attempt=attempt, outcome=derived.outcome)


def _end(applying: Applying, attempt: AttemptRow, event: ParsedEvent, derived: Derived) -> None:
    changes = applying.changes
    effect = attempt_effect(attempt.state, AttemptMessage.RESULT)
    if effect.alarm:
        changes.alarms.append(Alarm(f"result_in_{attempt.state}", attempt.id, attempt.lead_id))
    if event.call_id is not None and attempt.call_id is None:
        changes.calls.append((event.call_id, attempt.id))
    move_attempt(changes, attempt, AttemptState.ENDED, outcome=derived.outcome, **_columns(event, derived))


def _amend(applying: Applying, attempt: AttemptRow, event: ParsedEvent, derived: Derived) -> bool:
    """A further result of a call that ended: the weightier outcome stays. True if that is the new one."""
    assert attempt.outcome is not None
    if attempt.call_id is None and event.call_id is not None:
        applying.changes.calls.append((event.call_id, attempt.id))
    winner = prevailing(attempt.outcome, derived.outcome)
    changed = winner is not attempt.outcome
    columns = _columns(event, derived) if changed else {"call_id": event.call_id}
    move_attempt(applying.changes, attempt, AttemptState.ENDED, outcome=winner, **columns)
    return changed


def _columns(event: ParsedEvent, derived: Derived) -> dict[str, object]:
    return {
        "call_id": event.call_id,
        "evidence": derived.evidence,
        "answered_by": event.result.answered_by or None,
        "provider_ended_at": event.result.ended_at,
        "talk_seconds": event.result.talk_seconds,
        "price_dollars": event.result.price_dollars,
    }


def _fill_result(row: NewAttempt, event: ParsedEvent, derived: Derived, ended_at: datetime) -> None:
    row.outcome = derived.outcome
    row.closed_at = max(ended_at, row.leased_at)
    for name, value in _columns(event, derived).items():
        setattr(row, name, value)


def _is_latest(number: NumberState, attempt: AttemptRow) -> bool:
    """Whether no later attempt of the same lead has begun: only then may the result plan the next call."""
    return not any(
        a.lead_id == attempt.lead_id
        and a.id != attempt.id
        and (a.state in OPEN_STATES or a.leased_at > attempt.leased_at)
        for a in number.attempts.values()
    )


def _settle(
    applying: Applying,
    number: NumberState,
    lead: LeadRow,
    derived: Derived,
    event: ParsedEvent,
    ended_at: datetime,
    *,
    latest: bool,
) -> None:
    """What the outcome means for the number, then for the lead."""
    changes, rules = applying.changes, applying.policy.rules_for(lead.campaign)
    rest_number(changes, number, rest_until_after(derived.outcome, ended_at, rules))
    settle_outcome_for_number(changes, applying.policy, number, derived.outcome, derived.evidence, cause="result")
    callback_at = _callback(derived, ended_at, number, lead, rules)
    plan = plan_after_result(
        changes.now, ended_at, derived.outcome, callback_at, number.lead_facts(lead), number.number_facts(), rules
    )
    _plan(changes, number, lead, plan, derived, event, latest=latest)


def _callback(
    derived: Derived, ended_at: datetime, number: NumberState, lead: LeadRow, rules: Campaign
) -> datetime | None:
    zone = callback_zone(number.phone_number, lead.state, rules.hours.zone)
    return usable_callback(derived.callback_at_text, ended_at, zone)


def _plan(
    changes: Changes,
    number: NumberState,
    lead: LeadRow,
    plan: Plan,
    derived: Derived,
    event: ParsedEvent,
    *,
    latest: bool,
) -> None:
    """Completed leads stay as they are; paused and held ones are only completed, but for a doubt that is resolved."""
    details = {"outcome": derived.outcome, "evidence": derived.evidence, "call_id": event.call_id}
    doubt_resolved = lead.status is LeadStatus.HELD and lead.status_reason == HeldReason.UNRESOLVED_CALL
    plannable = latest or isinstance(plan, Complete)
    if plannable and (applies_to(lead.status, plan) or doubt_resolved):
        apply_plan(changes, number, lead, plan, cause="result", details=details)
    else:
        changes.audit.append(Audit("result", "recorded", lead_id=lead.id, campaign=lead.campaign, details=details))


# ---------------------------------------------------------------- calls that are not ours


def _apply_inbound(applying: Applying, incoming: Incoming, number: NumberState) -> EventResult:
    """The customer phoned us: no attempt and no cap, but what was said counts for every lead of the number."""
    event, changes, policy = incoming.event, applying.changes, applying.policy
    derived = derive(event.result, policy.rules_for(policy.default_campaign).outcome_names)
    ended_at = event.result.ended_at if event.result.ended_at and event.result.ended_at <= changes.now else changes.now
    leads = [lead for lead in number.leads.values() if lead.status is not LeadStatus.COMPLETED]
    settle_outcome_for_number(changes, policy, number, derived.outcome, derived.evidence, cause="inbound")
    for lead in leads:
        rules = policy.rules_for(lead.campaign)
        rest_number(changes, number, rest_until_after(derived.outcome, ended_at, rules, inbound=True))
        callback_at = _callback(derived, ended_at, number, lead, rules)
        plan = plan_after_inbound(
            changes.now, ended_at, derived.outcome, callback_at, number.lead_facts(lead), number.number_facts(), rules
        )
        free = not any(a.lead_id == lead.id and a.state in OPEN_STATES for a in number.attempts.values())
        _plan(changes, number, lead, plan, derived, event, latest=free)
    lead_id = leads[0].id if leads else next(iter(number.leads), None)
    return _stored(incoming, EventDisposition.APPLIED, "inbound", lead_id=lead_id, outcome=derived.outcome)


def _apply_foreign(applying: Applying, incoming: Incoming, number: NumberState) -> EventResult:
    """A call that somebody else placed: counted for the lead; an unknown number becomes a lead that is held."""
    event, changes, policy = incoming.event, applying.changes, applying.policy
    campaign = incoming.campaign or policy.default_campaign
    derived = derive(event.result, policy.rules_for(campaign).outcome_names)
    if number.open_attempt is not None and incoming.source is not EventSource.LOOKUP:
        if derived.outcome in STOP_OUTCOMES:
            suppress_number(changes, number, derived.evidence or derived.outcome, source="call")
        return _stored(incoming, EventDisposition.UNAPPLIED, UNDETERMINED, outcome=derived.outcome)
    lead = number.lead_in(campaign) or _foreign_lead(changes, number, campaign)
    ended_at = event.result.ended_at if event.result.ended_at and event.result.ended_at <= changes.now else changes.now
    row = NewAttempt(
        id=AttemptId(new_uuid7()),
        lead_id=lead.id,
        campaign=lead.campaign,
        phone_number=number.phone_number,
        attempt_no=number.attempts_of(lead) + 1,
        state=AttemptState.ENDED,
        leased_at=min(event.result.started_at or ended_at, ended_at),
        origin=AttemptOrigin.ELSEWHERE,
        close_reason="made_elsewhere",
    )
    _fill_result(row, event, derived, ended_at)
    changes.new_attempts.append(row)
    assert event.call_id is not None
    changes.calls.append((event.call_id, row.id))
    attempt = _as_row(row)
    number.attempts[attempt.id] = attempt
    latest = number.open_attempt is None
    _settle(applying, number, lead, derived, event, ended_at, latest=latest)
    return _stored(incoming, EventDisposition.APPLIED, "foreign", attempt=attempt, outcome=derived.outcome)


def _foreign_lead(changes: Changes, number: NumberState, campaign: CampaignName) -> LeadRow:
    new = NewLead(
        id=LeadId(new_uuid7()),
        campaign=campaign,
        phone_number=number.phone_number,
        status=LeadStatus.HELD,
        status_reason=HeldReason.FOREIGN,
    )
    changes.new_leads.append(new)
    lead = LeadRow.of_new(new)
    number.leads[lead.id] = lead
    changes.audit.append(Audit("lead_met", HeldReason.FOREIGN, lead_id=lead.id, campaign=lead.campaign))
    return lead


def _as_row(new: NewAttempt) -> AttemptRow:
    return AttemptRow(
        id=new.id,
        lead_id=new.lead_id,
        origin=new.origin,
        parent_id=new.parent_id,
        attempt_no=new.attempt_no,
        state=new.state,
        leased_at=new.leased_at,
        marked_at=None,
        closed_at=new.closed_at,
        call_id=new.call_id,
        outcome=new.outcome,
        mark_operation_id=None,
        send_after_ms=0,
        send_within_ms=0,
    )
