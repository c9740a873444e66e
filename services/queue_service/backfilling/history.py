"""One call of the provider's history, met under its number's lock: whose it is, and what of it counts today.

Old calls never change newer state: they are recorded, so that caps are right. At once act only a stop, a sale, and an
end that a lead did not know of; everything else waits until all of the run's history is recorded, because the latest
call decides and calls come in any order.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from leadline.contracts.events import EventDisposition
from leadline.domain.attempt import COUNTED_STATES, OPEN_STATES, AttemptOrigin, AttemptState
from leadline.domain.errors import RefusedPhoneNumber
from leadline.domain.ids import AttemptId, CampaignName, LeadId, PhoneNumber
from leadline.domain.lead import CompletionReason, HeldReason, LeadStatus
from leadline.domain.outcome import SALE_OUTCOMES, STOP_OUTCOMES, Outcome
from leadline.domain.phone import parse_phone_number
from leadline.domain.rules.completion import completion_reason, rest_until_after
from leadline.domain.rules.outcomes import derive
from leadline.domain.wall_clock import day_of
from leadline.store.events import EventResult
from leadline.store.numbers import AttemptRow, LeadRow, NumberState
from leadline.telephony.bland_result import ParsedEvent
from services.queue_service.backfilling.latest import by_time
from services.queue_service.correlating import Incoming
from services.queue_service.crm.standings import void_unwanted_lease
from services.queue_service.elsewhere import meet_lead, record_elsewhere
from services.queue_service.hearing import Applying, Heard, hear, stored
from services.queue_service.settle import complete_lead, rest_number, settle_outcome_for_number, suppress_number

READ_IN_HISTORY: Final = "read_in_history"
"""Why the row of a call from history is closed from the start; a live foreign call has another reason."""
NEAR_THE_MARK: Final = timedelta(minutes=10)
"""How far the provider's acceptance of a call may lie from the send mark of its attempt."""
_NEVER: Final = datetime.fromtimestamp(0, UTC)


@dataclass(slots=True)
class Recording:
    """One turn of calls, one per number: what is decided, beside the changes that every decision makes."""

    applying: Applying
    removals: dict[PhoneNumber, datetime]
    """When an operator last took a number off the suppression list."""
    tally: Counter[str]
    listed_since: datetime | None = None
    """When a call began of which the provider does not say when: the run's range. None in a dry run."""
    numbered: dict[AttemptId, int] = field(default_factory=dict)
    attempts_before: dict[LeadId, tuple[int, int]] = field(default_factory=dict)
    news: list[LeadId] = field(default_factory=list)
    met: list[PhoneNumber] = field(default_factory=list)


def could_be(state: AttemptState, marked_at: datetime | None, created_at: datetime | None) -> bool:
    """Whether a call may be that of an attempt of ours of which no call is known."""
    if state in OPEN_STATES:
        return True
    if marked_at is None or state is AttemptState.ENDED:
        return False
    return created_at is None or abs(created_at - marked_at) <= NEAR_THE_MARK


def may_be_ours(number: NumberState, created_at: datetime | None) -> bool:
    """Whether only the call's details say whose it is."""
    return any(
        attempt.origin is AttemptOrigin.LEADLINE
        and attempt.call_id is None
        and could_be(attempt.state, attempt.marked_at, created_at)
        for attempt in number.attempts.values()
    )


def inbound_call(recording: Recording, incoming: Incoming, number: NumberState) -> EventResult:
    """The customer phoned us, long ago: only a stop still counts."""
    applying, event = recording.applying, incoming.event
    rules = applying.policy.rules_for(applying.policy.default_campaign)
    derived = derive(event.result, rules.outcome_names)
    _, ended_at = times_of(event, applying.changes.now, recording.listed_since)
    if derived.outcome in STOP_OUTCOMES:
        _stop(recording, number, derived.evidence or derived.outcome, ended_at)
    # Of no lead: whether there is one by now depends on the order in which windows are read.
    return stored(incoming, EventDisposition.APPLIED, "inbound", outcome=derived.outcome)


def foreign_call(recording: Recording, incoming: Incoming, number: NumberState) -> EventResult:
    """A call that somebody else placed: a row of the ledger, and what of it counts at once."""
    applying, event = recording.applying, incoming.event
    changes, policy = applying.changes, applying.policy
    lead = number.lead_in(incoming.campaign or policy.default_campaign) or _meet(recording, incoming, number)
    derived = derive(event.result, policy.rules_for(lead.campaign).outcome_names)
    began_at, ended_at = times_of(event, changes.now, recording.listed_since)
    heard = hear(applying, event, number, lead, derived, ended_at)
    newer = ended_at > known_until(number, lead)
    attempt = record_elsewhere(changes, number, lead, heard, began_at, close_reason=READ_IN_HISTORY)
    _take_from_attempts_before(recording, lead, attempt)
    _number(recording, number, attempt)
    _act(recording, number, lead, heard, newer=newer)
    return stored(incoming, EventDisposition.APPLIED, "foreign", attempt=attempt, outcome=derived.outcome)


def times_of(event: ParsedEvent, now: datetime, listed_since: datetime | None) -> tuple[datetime, datetime]:
    """When a call of history began and ended, by the provider's word; both are over by now, in this order."""
    result = event.result
    began_at = min(result.started_at or event.created_at or result.ended_at or listed_since or now, now)
    talked = timedelta(seconds=result.talk_seconds or 0)
    ended_at = min(result.ended_at or began_at + talked, now)
    return began_at, max(began_at, ended_at)


def known_until(number: NumberState, lead: LeadRow) -> datetime:
    """Up to when a lead's state knows what happened: its attempts, its last change, what it was imported with.

    Calls that were read in history are no part of it: they changed nothing yet.
    """
    known = [
        max(a.dispatched_at, a.closed_at or a.dispatched_at)
        for a in number.attempts.values()
        if a.lead_id == lead.id and a.state in COUNTED_STATES and a.close_reason != READ_IN_HISTORY
    ]
    imported = [at for at in (lead.last_call_before, lead.attempts_before_until) if at is not None]
    # An imported lead is as old as what was imported, until something changes it.
    changed = [] if imported and lead.updated_at <= lead.created_at else [lead.updated_at]
    return max([*known, *imported, *changed], default=_NEVER)


def _meet(recording: Recording, incoming: Incoming, number: NumberState) -> LeadRow:
    changes, policy = recording.applying.changes, recording.applying.policy
    campaign: CampaignName = incoming.campaign or policy.default_campaign
    lead = meet_lead(changes, number, campaign, HeldReason.BACKFILL)
    recording.met.append(number.phone_number)
    recording.tally["new_numbers"] += 1
    try:
        parse_phone_number(number.phone_number, policy.countries)
    except RefusedPhoneNumber as error:
        recording.tally["refused_number"] += 1
        details = {"refused": str(error)}
        complete_lead(changes, lead, CompletionReason.REFUSED_NUMBER, cause="backfill", details=details)
    return lead


def _take_from_attempts_before(recording: Recording, lead: LeadRow, attempt: AttemptRow) -> None:
    """A call that was imported without a record has one now: it is counted once."""
    at, until = attempt.dispatched_at, lead.attempts_before_until
    if lead.attempts_before == 0 or until is None or not lead.life_started_at <= at <= until:
        return
    lead.attempts_before -= 1
    zone = recording.applying.policy.rules_for(lead.campaign).hours.zone
    if lead.attempts_before_that_day and day_of(at, zone) == lead.attempts_before_on:
        lead.attempts_before_that_day -= 1
    recording.attempts_before[lead.id] = lead.attempts_before, lead.attempts_before_that_day


def _number(recording: Recording, number: NumberState, new: AttemptRow) -> None:
    """Number the rows of calls made elsewhere by the provider's time: the order of reading leaves no trace."""
    own = [a for a in number.attempts.values() if a.lead_id == new.lead_id and a.state in COUNTED_STATES]
    for place, attempt in enumerate(sorted(own, key=by_time), start=1):
        if attempt.origin is AttemptOrigin.ELSEWHERE and attempt.attempt_no != place:
            attempt.attempt_no = place
            recording.numbered[attempt.id] = place


def _act(recording: Recording, number: NumberState, lead: LeadRow, heard: Heard, *, newer: bool) -> None:
    """What a call of history changes at once; for the rest the lead is noted, if the call is news to it."""
    changes, outcome = recording.applying.changes, heard.derived.outcome
    rules = recording.applying.policy.rules_for(lead.campaign)
    rest_until = rest_until_after(outcome, heard.ended_at, rules)
    if rest_until is not None and rest_until > changes.now:
        rest_number(changes, number, rest_until)
    if outcome in STOP_OUTCOMES:
        _stop(recording, number, heard.derived.evidence or outcome, heard.ended_at)
    elif outcome in SALE_OUTCOMES:
        _sale(recording, number, lead, heard)
    elif newer and not lead.is_known_from_calls_alone and lead.status is not LeadStatus.COMPLETED:
        reason = completion_reason(outcome, rules)
        # One bad call is the last word on a number only if no later one reached it.
        if reason is None or outcome is Outcome.BAD_NUMBER:
            recording.news.append(lead.id)
        else:
            complete_lead(changes, lead, reason, cause="backfill", details=heard.details())
    void_unwanted_lease(changes, number, "news_of_the_number")


def _stop(recording: Recording, number: NumberState, reason: str, said_at: datetime) -> None:
    """The person said stop: that holds, unless an operator took the number off the list since."""
    removed_at = recording.removals.get(number.phone_number)
    if removed_at is not None and removed_at > said_at:
        return
    recording.tally["suppressed"] += int(number.suppression_reason is None)
    suppress_number(recording.applying.changes, recording.applying.policy, number, reason, source="call")


def _sale(recording: Recording, number: NumberState, lead: LeadRow, heard: Heard) -> None:
    """The person bought: that holds, unless an operator began a new life since. New numbers are ended when decided."""
    if any(other.life_started_at > heard.ended_at for other in number.leads.values()):
        return
    changes, policy, outcome = recording.applying.changes, recording.applying.policy, heard.derived.outcome
    recording.tally["sold"] += int(number.sold_outcome is None)
    settle_outcome_for_number(changes, policy, number, outcome, heard.derived.evidence, cause="backfill")
    reason = completion_reason(outcome, policy.rules_for(lead.campaign))
    if reason is not None and lead.status is not LeadStatus.COMPLETED and not lead.is_known_from_calls_alone:
        complete_lead(changes, lead, reason, cause="backfill", details=heard.details())
