"""What is heard of the end of one call, whoever placed it, and what that means for its number and its lead."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadline.contracts.events import EventDisposition
from leadline.domain.attempt import COUNTED_STATES, OPEN_STATES
from leadline.domain.ids import LeadId
from leadline.domain.lead import HeldReason, LeadStatus
from leadline.domain.rules.callback import usable_callback
from leadline.domain.rules.outcomes import Derived
from leadline.domain.rules.planning import Complete, Plan, Redial, applies_to, plan_after_result, rest_until_after
from leadline.domain.zones import callback_zone
from leadline.store.changes import Changes
from leadline.store.clock import Clock
from leadline.store.events import EventResult
from leadline.store.numbers import AttemptRow, LeadRow, NumberState
from leadline.store.records import Audit, LeadChange, NewAttempt
from leadline.telephony.bland_result import ParsedEvent
from services.queue_service.correlating import Incoming
from services.queue_service.counting.noting import note_promise_gone
from services.queue_service.policy import Policy
from services.queue_service.settle import (
    apply_plan,
    keep_calling,
    rest_number,
    settle_outcome_for_number,
    void_lease,
)


@dataclass(slots=True)
class Applying:
    """One transaction of events."""

    policy: Policy
    clock: Clock
    changes: Changes


def stored(
    incoming: Incoming,
    disposition: EventDisposition,
    kind: str,
    *,
    attempt: AttemptRow | None = None,
    lead_id: LeadId | None = None,
    outcome: str | None = None,
    problem: str | None = None,
) -> EventResult:
    """What the inbox keeps of an event that was applied."""
    return EventResult(
        incoming.event_id,
        disposition,
        kind,
        outcome,
        attempt.id if attempt else None,
        attempt.lead_id if attempt else lead_id,
        problem,
    )


@dataclass(frozen=True, slots=True)
class Heard:
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

    def details(self) -> dict[str, Any]:
        """What the audit log keeps of it."""
        return {
            "outcome": self.derived.outcome,
            "evidence": self.derived.evidence,
            "call_id": self.event.call_id,
        }


def hear(
    applying: Applying, event: ParsedEvent, number: NumberState, lead: LeadRow, derived: Derived, ended_at: datetime
) -> Heard:
    """What an event says of a call of this lead; its wall clock is the person's."""
    rules = applying.policy.rules_for(lead.campaign)
    zone = callback_zone(number.phone_number, lead.state, rules.hours.zone)
    return Heard(event, derived, ended_at, usable_callback(derived.callback_at_text, ended_at, zone))


def ended_elsewhere(event: ParsedEvent, now: datetime) -> datetime:
    """When a call that is not ours ended: the provider's word, unless that lies in the future."""
    said = event.result.ended_at
    return said if said is not None and said <= now else now


def fill_result(row: NewAttempt, heard: Heard) -> None:
    """Write a call's result into a row that is about to be inserted."""
    row.outcome = heard.derived.outcome
    row.closed_at = max(heard.ended_at, row.leased_at)
    for name, value in heard.columns().items():
        setattr(row, name, value)


def is_latest(number: NumberState, attempt: AttemptRow) -> bool:
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


def settle(
    applying: Applying,
    number: NumberState,
    lead: LeadRow,
    heard: Heard,
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
    may_replan = resolves_doubt and held_for_it
    plan_after_call(changes, number, lead, plan, heard.details(), heard.ended_at, latest=latest, may_replan=may_replan)


def plan_after_call(
    changes: Changes,
    number: NumberState,
    lead: LeadRow,
    plan: Plan,
    details: Mapping[str, Any],
    ended_at: datetime,
    *,
    latest: bool = True,
    may_replan: bool = False,
) -> None:
    """Plan a lead after one of its calls.

    Completed leads stay as they are; paused and held ones are only completed, but for a doubt that is resolved.
    """
    plannable = latest or isinstance(plan, Complete)
    if plannable and (applies_to(lead.status, plan) or may_replan):
        apply_plan(changes, number, lead, plan, cause="result", details=details)
        if number.open_attempt is not None and number.open_attempt.lead_id == lead.id:
            void_lease(changes, number, "planned_anew")
        keep_calling(changes, number, lead)
        return
    if plannable and lead.status is LeadStatus.PAUSED and isinstance(plan, Redial):
        _remember_promise(changes, lead, plan, ended_at)
    changes.audit.append(Audit("result", "recorded", lead_id=lead.id, campaign=lead.campaign, details=dict(details)))


def _remember_promise(changes: Changes, lead: LeadRow, plan: Redial, ended_at: datetime) -> None:
    """A paused lead is not planned, but what was promised is kept for when it is resumed, and what was kept is not."""
    known = lead.scheduled_callback_at
    promise = plan.scheduled_callback_at or (known if known is not None and known > ended_at else None)
    note_promise_gone(changes, lead, promise)
    extra = lead.extra_attempts + int(plan.grants_extra_attempt)
    changes.leads.append(LeadChange(lead.id, lead.status, lead.status_reason, promise, extra))
    lead.scheduled_callback_at, lead.extra_attempts = promise, extra
