"""Events applied: what the end of a call means for its attempt, its lead and its number.

An event whose call is known, or whose metadata names an attempt of ours, is that attempt's. Everything else is an
inbound call or a call made elsewhere.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from leadline.contracts.events import EventDisposition, EventSource
from leadline.domain.attempt import COUNTED_STATES, OPEN_STATES, AttemptOrigin, AttemptState
from leadline.domain.ids import AttemptId, CampaignName, LeadId
from leadline.domain.lead import HeldReason, LeadStatus
from leadline.domain.outcome import STOP_OUTCOMES, Outcome
from leadline.domain.rules.cadence import end_of_attempt
from leadline.domain.rules.callback import usable_callback
from leadline.domain.rules.outcomes import Derived, derive
from leadline.domain.rules.planning import (
    Complete,
    Plan,
    Redial,
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
from leadline.store.records import Alarm, Audit, LeadChange, NewAttempt
from leadline.telephony.bland_result import EventKind, ParsedEvent
from services.queue_service.correlating import Incoming
from services.queue_service.policy import Policy
from services.queue_service.reporting import new_second_call, record_placed, record_second_call
from services.queue_service.settle import (
    apply_plan,
    keep_calling,
    move_attempt,
    rest_number,
    settle_outcome_for_number,
    suppress_number,
    void_lease,
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


@dataclass(frozen=True, slots=True)
class _Heard:
    """What one event says of the end of one call."""

    event: ParsedEvent
    derived: Derived
    ended_at: datetime
    callback_at: datetime | None
    """When the person wants to be called, if that can be promised."""

    def columns(self) -> dict[str, Any]:
        """What the ledger keeps of it."""
        result = self.event.result
        return {
            "call_id": self.event.call_id,
            "evidence": self.derived.evidence,
            "answered_by": result.answered_by or None,
            "provider_ended_at": result.ended_at,
            "talk_seconds": result.talk_seconds,
            "price_dollars": result.price_dollars,
            "callback_at": self.callback_at,
        }


def _hear(
    applying: Applying, event: ParsedEvent, number: NumberState, lead: LeadRow, derived: Derived, ended_at: datetime
) -> _Heard:
    rules = applying.policy.rules_for(lead.campaign)
    zone = callback_zone(number.phone_number, lead.state, rules.hours.zone)
    return _Heard(event, derived, ended_at, usable_callback(derived.callback_at_text, ended_at, zone))


def _ended_at(event: ParsedEvent, now: datetime) -> datetime:
    """When a call that is not ours ended: the provider's word, unless that lies in the future."""
    said = event.result.ended_at
    return said if said is not None and said <= now else now


def _apply_to_attempt(applying: Applying, incoming: Incoming, number: NumberState, attempt: AttemptRow) -> EventResult:
    event, changes = incoming.event, applying.changes
    lead = number.leads[attempt.lead_id]
    derived = derive(event.result, applying.policy.rules_for(lead.campaign).outcome_names)
    ended_at = end_of_attempt(attempt.dispatched_at, event.result.ended_at, changes.now)
    heard = _hear(applying, event, number, lead, derived, ended_at)
    kind, was_open = "result", attempt.state in OPEN_STATES
    if attempt.call_id is not None and event.call_id != attempt.call_id:
        kind = "second_call"
        assert event.call_id is not None
        row = new_second_call(changes, number, attempt, event.call_id)
        _fill_result(row, heard)
        record_second_call(changes, number, row)
    elif attempt.state is AttemptState.ENDED:
        kind, heard = _amend(applying, attempt, heard)
    else:
        _end(applying, attempt, heard)
    if kind != "repeated":
        # The call that kept the lead busy until now plans it, whoever else called the person meanwhile.
        latest = (was_open and attempt.state is AttemptState.ENDED) or _is_latest(number, attempt)
        _settle(applying, number, lead, heard, latest=latest, resolves_doubt=True)
    return _stored(incoming, EventDisposition.APPLIED, kind, attempt=attempt, outcome=derived.outcome)


def _end(applying: Applying, attempt: AttemptRow, heard: _Heard) -> None:
    changes, call_id = applying.changes, heard.event.call_id
    effect = attempt_effect(attempt.state, AttemptMessage.RESULT)
    if effect.alarm:
        changes.alarms.append(Alarm(f"result_in_{attempt.state}", attempt.id, attempt.lead_id))
    if call_id is not None and attempt.call_id is None:
        changes.calls.append((call_id, attempt.id))
    move_attempt(changes, attempt, AttemptState.ENDED, outcome=heard.derived.outcome, **heard.columns())


def _amend(applying: Applying, attempt: AttemptRow, heard: _Heard) -> tuple[str, _Heard]:
    """A further result of a call that ended: the weightier outcome stays, and what else is new is added.

    Returns the event's kind, and what the results together say.
    """
    assert attempt.outcome is not None
    if attempt.call_id is None and heard.event.call_id is not None:
        applying.changes.calls.append((heard.event.call_id, attempt.id))
    before, columns = attempt.outcome, heard.columns()
    winner = prevailing(before, heard.derived.outcome)
    if winner is before:
        columns["evidence"] = None  # it goes with the outcome that it is evidence of
        heard = replace(heard, derived=replace(heard.derived, outcome=winner))
    new_promise = attempt.callback_at is None and heard.callback_at is not None
    move_attempt(applying.changes, attempt, AttemptState.ENDED, outcome=winner, **columns)
    return "amended" if winner is not before or new_promise else "repeated", heard


def _fill_result(row: NewAttempt, heard: _Heard) -> None:
    row.outcome = heard.derived.outcome
    row.closed_at = max(heard.ended_at, row.leased_at)
    for name, value in heard.columns().items():
        setattr(row, name, value)


def _is_latest(number: NumberState, attempt: AttemptRow) -> bool:
    """Whether no later call of the same lead has ended: only then may the result plan the next one.

    A second call of the attempt itself is no later one; an open one plans anew when it ends.
    """
    return not any(
        a.lead_id == attempt.lead_id
        and attempt.id not in {a.id, a.parent_id}
        and a.state in COUNTED_STATES - OPEN_STATES
        and a.leased_at > attempt.leased_at
        for a in number.attempts.values()
    )


def _settle(
    applying: Applying,
    number: NumberState,
    lead: LeadRow,
    heard: _Heard,
    *,
    latest: bool,
    resolves_doubt: bool,
) -> None:
    """What the outcome means for the number, then for the lead."""
    changes, rules, derived = applying.changes, applying.policy.rules_for(lead.campaign), heard.derived
    rest_number(changes, number, rest_until_after(derived.outcome, heard.ended_at, rules))
    settle_outcome_for_number(changes, applying.policy, number, derived.outcome, derived.evidence, cause="result")
    plan = plan_after_result(
        changes.now,
        heard.ended_at,
        derived.outcome,
        heard.callback_at,
        number.lead_facts(lead),
        number.number_facts(),
        rules,
    )
    held_for_it = lead.status is LeadStatus.HELD and lead.status_reason == HeldReason.UNRESOLVED_CALL
    _plan(changes, number, lead, plan, heard, latest=latest, may_replan=resolves_doubt and held_for_it)


def _plan(
    changes: Changes,
    number: NumberState,
    lead: LeadRow,
    plan: Plan,
    heard: _Heard,
    *,
    latest: bool = True,
    may_replan: bool = False,
) -> None:
    """Completed leads stay as they are; paused and held ones are only completed, but for a doubt that is resolved."""
    details = {"outcome": heard.derived.outcome, "evidence": heard.derived.evidence, "call_id": heard.event.call_id}
    plannable = latest or isinstance(plan, Complete)
    if plannable and (applies_to(lead.status, plan) or may_replan):
        apply_plan(changes, number, lead, plan, cause="result", details=details)
        if number.open_attempt is not None and number.open_attempt.lead_id == lead.id:
            void_lease(changes, number, "planned_anew")
        keep_calling(changes, number, lead)
        return
    if plannable and lead.status is LeadStatus.PAUSED and isinstance(plan, Redial):
        _remember_promise(changes, lead, plan, heard)
    changes.audit.append(Audit("result", "recorded", lead_id=lead.id, campaign=lead.campaign, details=details))


def _remember_promise(changes: Changes, lead: LeadRow, plan: Redial, heard: _Heard) -> None:
    """A paused lead is not planned, but what was promised is kept for when it is resumed, and what was kept is not."""
    known = lead.scheduled_callback_at
    promise = plan.scheduled_callback_at or (known if known is not None and known > heard.ended_at else None)
    extra = lead.extra_attempts + int(plan.grants_extra_attempt)
    changes.leads.append(LeadChange(lead.id, lead.status, lead.status_reason, promise, extra))
    lead.scheduled_callback_at, lead.extra_attempts = promise, extra


# ---------------------------------------------------------------- calls that are not ours


def _apply_inbound(applying: Applying, incoming: Incoming, number: NumberState) -> EventResult:
    """The customer phoned us: no attempt and no cap, but what was said counts for every lead of the number."""
    event, changes, policy = incoming.event, applying.changes, applying.policy
    derived = derive(event.result, policy.rules_for(policy.default_campaign).outcome_names)
    leads = [lead for lead in number.leads.values() if lead.status is not LeadStatus.COMPLETED]
    if derived.outcome is not Outcome.BAD_NUMBER:  # a number that phoned us works, whatever the error says
        settle_outcome_for_number(changes, policy, number, derived.outcome, derived.evidence, cause="inbound")
    for lead in leads:
        rules = policy.rules_for(lead.campaign)
        heard = _hear(applying, event, number, lead, derived, _ended_at(event, changes.now))
        rest_number(changes, number, rest_until_after(derived.outcome, heard.ended_at, rules, inbound=True))
        plan = plan_after_inbound(
            changes.now,
            heard.ended_at,
            derived.outcome,
            heard.callback_at,
            number.lead_facts(lead),
            number.number_facts(),
            rules,
        )
        _plan(changes, number, lead, plan, heard)
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
    heard = _hear(applying, event, number, lead, derived, _ended_at(event, changes.now))
    row = NewAttempt(
        id=AttemptId(new_uuid7()),
        lead_id=lead.id,
        campaign=lead.campaign,
        phone_number=number.phone_number,
        attempt_no=number.attempts_of(lead) + 1,
        state=AttemptState.ENDED,
        leased_at=min(event.result.started_at or heard.ended_at, heard.ended_at),
        origin=AttemptOrigin.ELSEWHERE,
        close_reason="made_elsewhere",
    )
    _fill_result(row, heard)
    changes.new_attempts.append(row)
    assert event.call_id is not None
    changes.calls.append((event.call_id, row.id))
    attempt = AttemptRow.of_new(row)
    number.attempts[attempt.id] = attempt
    _settle(applying, number, lead, heard, latest=_is_latest(number, attempt), resolves_doubt=False)
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
