"""How decisions become changes: moving attempts, planning, completing and holding leads, suppressing numbers.

Everything here works on one number's state under its lock and writes nothing by itself.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never

from leadline.domain.attempt import OPEN_STATES, AttemptState
from leadline.domain.lead import PLANNED_STATUSES, CompletionReason, HeldReason, LeadStatus
from leadline.domain.outcome import SALE_OUTCOMES, STOP_OUTCOMES, Outcome
from leadline.domain.rules.planning import Complete, Hold, Plan, Redial
from leadline.runtime.ids import new_uuid7
from leadline.store.changes import Changes
from leadline.store.happenings import LeadCompleted
from leadline.store.numbers import AttemptRow, LeadRow, NumberState
from leadline.store.records import (
    AttemptChange,
    Audit,
    DueChange,
    LeadChange,
    NewStopOrder,
    NewSuppression,
    PhoneChange,
)
from services.queue_service.counting.noting import note_move, note_promise_gone
from services.queue_service.crm.telling import tell_suppression
from services.queue_service.policy import Policy


def move_attempt(changes: Changes, attempt: AttemptRow, to_state: AttemptState, **columns: Any) -> None:
    """Move an attempt, in the changes and in the state that later decisions of this transaction see."""
    note_move(changes, attempt, to_state, columns)
    closed_at = None if to_state in OPEN_STATES else columns.pop("closed_at", changes.now)
    changes.attempts.append(AttemptChange(attempt.id, attempt.state, to_state, closed_at=closed_at, **columns))
    attempt.state = to_state
    attempt.closed_at = closed_at
    attempt.outcome = columns.get("outcome") or attempt.outcome
    attempt.call_id = attempt.call_id or columns.get("call_id")
    attempt.talk_seconds = _known(columns.get("talk_seconds"), attempt.talk_seconds)
    attempt.price_dollars = _known(columns.get("price_dollars"), attempt.price_dollars)


def _known(new: float | None, old: float | None) -> float | None:
    return old if new is None else new


def apply_plan(
    changes: Changes,
    number: NumberState,
    lead: LeadRow,
    plan: Plan,
    *,
    cause: str,
    not_sent_in_row: int = 0,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Do to a lead what a rule planned for it."""
    match plan:
        case Redial():
            _redial(changes, number, lead, plan, not_sent_in_row)
            _note(changes, lead, cause, plan.reason, {**(details or {}), "due_at": plan.due_at.isoformat()})
        case Complete():
            complete_lead(changes, lead, plan.reason, cause=cause, details=details)
        case Hold():
            hold_lead(changes, lead, plan.reason, cause=cause, details=details)
        case _:
            assert_never(plan)


def _redial(changes: Changes, number: NumberState, lead: LeadRow, plan: Redial, not_sent_in_row: int) -> None:
    changes.due.append(DueChange(lead.id, lead.campaign, number.phone_number, plan.due_at, plan.band, not_sent_in_row))
    callback_at = plan.scheduled_callback_at
    note_promise_gone(changes, lead, callback_at)
    extra = lead.extra_attempts + int(plan.grants_extra_attempt)
    if (lead.status, lead.scheduled_callback_at, lead.extra_attempts) != (plan.status, callback_at, extra):
        changes.leads.append(LeadChange(lead.id, plan.status, None, callback_at, extra))
    lead.status, lead.status_reason = plan.status, None
    lead.scheduled_callback_at, lead.extra_attempts = callback_at, extra
    lead.due_at, lead.band = plan.due_at, plan.band


def keep_calling(changes: Changes, number: NumberState, lead: LeadRow) -> None:
    """A lead whose call is going on stays out of the lease index, however it is planned; the call's end plans it."""
    live = number.open_attempt
    if live is not None and live.lead_id == lead.id and lead.status in PLANNED_STATUSES:
        changes.still_calling.append(lead.id)


def void_lease(changes: Changes, number: NumberState, reason: str) -> AttemptRow | None:
    """Take back the lease of a number of which there is news: nothing was sent for it, and its mark will be refused.

    Returns the attempt that was leased; None if the number is not leased, whoever else may hold it.
    """
    live = number.open_attempt
    if live is None or live.state is not AttemptState.LEASED:
        return None
    move_attempt(changes, live, AttemptState.RELEASED, close_reason=reason)
    return live


def complete_lead(
    changes: Changes, lead: LeadRow, reason: CompletionReason, *, cause: str, details: Mapping[str, Any] | None = None
) -> None:
    """Complete a lead for good; nothing but an operator reopens it."""
    if lead.status is not LeadStatus.COMPLETED:
        changes.happened.append(LeadCompleted(lead.id, lead.campaign, reason))
    _leave_queue(changes, lead, LeadStatus.COMPLETED, reason)
    _note(changes, lead, cause, reason, details)


def hold_lead(
    changes: Changes, lead: LeadRow, reason: HeldReason, *, cause: str, details: Mapping[str, Any] | None = None
) -> None:
    """Hold a lead until somebody decides."""
    _leave_queue(changes, lead, LeadStatus.HELD, reason)
    _note(changes, lead, cause, reason, details)


def _leave_queue(changes: Changes, lead: LeadRow, status: LeadStatus, reason: str) -> None:
    note_promise_gone(changes, lead, None)
    changes.due = [due for due in changes.due if due.lead_id != lead.id]
    changes.not_due.append(lead.id)
    changes.leads.append(LeadChange(lead.id, status, reason, None, lead.extra_attempts))
    lead.status, lead.status_reason, lead.due_at, lead.scheduled_callback_at = status, reason, None, None


def _note(changes: Changes, lead: LeadRow, cause: str, reason: str, details: Mapping[str, Any] | None) -> None:
    changes.audit.append(
        Audit(
            cause, reason, lead_id=lead.id, campaign=lead.campaign, details={"status": lead.status, **(details or {})}
        )
    )


def complete_number(changes: Changes, number: NumberState, reason: CompletionReason, *, cause: str) -> None:
    """Complete every lead of a number that is not completed yet."""
    for lead in number.leads.values():
        if lead.status is not LeadStatus.COMPLETED:
            complete_lead(changes, lead, reason, cause=cause)


def suppress_number(changes: Changes, policy: Policy, number: NumberState, reason: str, *, source: str) -> None:
    """Put the number on the list: every campaign, every lead, and the call that may be ringing now."""
    if number.suppression_reason is None:
        changes.suppressions.append(NewSuppression(number.phone_number, reason, source))
        tell_suppression(changes, policy, number.phone_number, reason, source=source)
        changes.audit.append(Audit("suppressed", reason, phone_number=number.phone_number, details={"source": source}))
        number.suppression_reason = reason
    complete_number(changes, number, CompletionReason.DNC, cause="suppressed")
    stop_live_call(changes, number, "suppressed")


def stop_live_call(changes: Changes, number: NumberState, reason: str) -> None:
    """Order the end of a call that was marked and has not ended; a leased one is refused at its mark."""
    attempt = number.open_attempt
    if attempt is not None and attempt.state is not AttemptState.LEASED:
        changes.stop_orders.append(NewStopOrder(new_uuid7(), attempt.id, number.phone_number, attempt.call_id, reason))


def bad_number(changes: Changes, number: NumberState, reason: str, *, cause: str) -> None:
    """The number can never be reached: complete it for every lead."""
    changes.phones.append(PhoneChange(number.phone_number, bad_number_reason=reason))
    number.bad_number_reason = number.bad_number_reason or reason
    complete_number(changes, number, CompletionReason.BAD_NUMBER, cause=cause)


def settle_outcome_for_number(
    changes: Changes, policy: Policy, number: NumberState, outcome: Outcome, evidence: str, *, cause: str
) -> None:
    """What an outcome means beyond the lead that was called: suppression, bad number, sold in every campaign."""
    if outcome in STOP_OUTCOMES:
        suppress_number(changes, policy, number, evidence or outcome, source="call")
    elif outcome is Outcome.BAD_NUMBER:
        bad_number(changes, number, evidence or outcome, cause=cause)
    elif outcome in SALE_OUTCOMES:
        changes.phones.append(PhoneChange(number.phone_number, sold_outcome=outcome))
        number.sold_outcome = number.sold_outcome or outcome
        for lead in number.leads.values():
            rules = policy.rules_for(lead.campaign)
            if lead.status in PLANNED_STATUSES and rules.sale_is_for_number and outcome in rules.final_outcomes:
                complete_lead(changes, lead, CompletionReason(outcome.lower()), cause=cause)


def rest_number(changes: Changes, number: NumberState, until: datetime | None) -> None:
    """Let the number rest until an instant of business time."""
    if until is not None:
        changes.phones.append(PhoneChange(number.phone_number, rest_until=until))
        number.rest_until = max(filter(None, (number.rest_until, until)))
