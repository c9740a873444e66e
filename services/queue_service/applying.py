"""Events applied: what the end of a call means for its attempt, its lead and its number.

An event whose call is known, or whose metadata names an attempt of ours, is that attempt's. Everything else is an
inbound call or a call made elsewhere.
"""

from dataclasses import replace

from leadline.contracts.events import EventDisposition, EventSource
from leadline.domain.attempt import OPEN_STATES, AttemptState
from leadline.domain.rules.cadence import end_of_attempt
from leadline.domain.rules.outcomes import derive
from leadline.domain.rules.precedence import prevailing
from leadline.domain.transitions import AttemptMessage, attempt_effect
from leadline.store.decisions import about_attempt
from leadline.store.events import EventResult
from leadline.store.numbers import AttemptRow, NumberState
from leadline.store.records import Alarm
from leadline.telephony.bland_result import EventKind
from services.queue_service.correlating import Incoming
from services.queue_service.crm.telling import tell_attempt
from services.queue_service.elsewhere import apply_foreign, apply_inbound
from services.queue_service.hearing import Applying, Heard, fill_result, hear, is_latest, settle, stored
from services.queue_service.reporting import new_second_call, record_placed, record_second_call
from services.queue_service.settle import move_attempt


def apply_event(applying: Applying, incoming: Incoming, number: NumberState | None) -> EventResult:
    """Apply one event under its number's lock. Total: whatever it says, there is a result to store."""
    event = incoming.event
    attempt = _find_attempt(number, incoming)
    if event.kind is EventKind.NONSENSE:
        return stored(incoming, EventDisposition.QUARANTINED, "nonsense", problem="no JSON object with a call id")
    if event.kind is not EventKind.RESULT:
        if attempt is not None and number is not None and incoming.source is EventSource.LOOKUP and event.call_id:
            record_placed(applying.changes, applying.policy, applying.clock, number, attempt, event.call_id)
        return stored(incoming, EventDisposition.APPLIED, event.kind, attempt=attempt)
    if number is None:
        outcome = derive(event.result, {}).outcome
        return stored(
            incoming, EventDisposition.QUARANTINED, "no_number", outcome=outcome, problem="no telephone number to go by"
        )
    if attempt is not None:
        return _apply_to_attempt(applying, incoming, number, attempt)
    if event.inbound:
        return apply_inbound(applying, incoming, number)
    return apply_foreign(applying, incoming, number)


def _find_attempt(number: NumberState | None, incoming: Incoming) -> AttemptRow | None:
    """The event's attempt as it is under the lock: another delivery may have recorded the call meanwhile."""
    if number is None:
        return None
    call_id = incoming.event.call_id
    known = next((a for a in number.attempts.values() if call_id and a.call_id == call_id), None)
    return known or (number.attempts.get(incoming.attempt_id) if incoming.attempt_id else None)


def _apply_to_attempt(applying: Applying, incoming: Incoming, number: NumberState, attempt: AttemptRow) -> EventResult:
    event, changes = incoming.event, applying.changes
    lead = number.leads[attempt.lead_id]
    derived = derive(event.result, applying.policy.rules_for(lead.campaign).outcome_names)
    ended_at = end_of_attempt(attempt.dispatched_at, event.result.ended_at, changes.now)
    heard = hear(applying, event, number, lead, derived, ended_at)
    kind, was_open = "result", attempt.state in OPEN_STATES
    if attempt.call_id is not None and event.call_id != attempt.call_id:
        kind = "second_call"
        assert event.call_id is not None
        row = new_second_call(changes, number, attempt, event.call_id)
        fill_result(row, heard)
        record_second_call(changes, number, row)
    elif attempt.state is AttemptState.ENDED:
        kind, heard = _amend(applying, attempt, heard)
    else:
        _end(applying, attempt, heard)
    if kind != "repeated":
        # The call that kept the lead busy until now plans it, whoever else called the person meanwhile.
        latest = (was_open and attempt.state is AttemptState.ENDED) or is_latest(number, attempt)
        settle(applying, number, lead, heard, latest=latest, resolves_doubt=True)
        tell_attempt(changes, applying.policy, number, attempt, heard.derived.outcome, incoming.event_id)
        details = {"kind": kind, "outcome": heard.derived.outcome, "event_id": incoming.event_id}
        changes.decided.append(about_attempt("attempt_decided", "decide", lead, attempt, details))
    return stored(incoming, EventDisposition.APPLIED, kind, attempt=attempt, outcome=derived.outcome)


def _end(applying: Applying, attempt: AttemptRow, heard: Heard) -> None:
    changes, call_id = applying.changes, heard.event.call_id
    effect = attempt_effect(attempt.state, AttemptMessage.RESULT)
    if effect.alarm:
        changes.alarms.append(Alarm(f"result_in_{attempt.state}", attempt.id, attempt.lead_id))
    if call_id is not None and attempt.call_id is None:
        changes.calls.append((call_id, attempt.id))
    move_attempt(changes, attempt, AttemptState.ENDED, outcome=heard.derived.outcome, **heard.columns())


def _amend(applying: Applying, attempt: AttemptRow, heard: Heard) -> tuple[str, Heard]:
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
