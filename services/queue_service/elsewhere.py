"""Calls that are not ours: the customer phoned us, or somebody else placed the call."""

from datetime import datetime
from typing import Final

from leadline.contracts.events import EventDisposition, EventSource
from leadline.domain.attempt import AttemptOrigin, AttemptState
from leadline.domain.ids import AttemptId, CampaignName, LeadId
from leadline.domain.lead import HeldReason, LeadStatus
from leadline.domain.outcome import STOP_OUTCOMES, Outcome
from leadline.domain.rules.outcomes import derive
from leadline.domain.rules.planning import plan_after_inbound, rest_until_after
from leadline.runtime.ids import new_uuid7
from leadline.store.changes import Changes
from leadline.store.decisions import about_lead
from leadline.store.events import EventResult
from leadline.store.happenings import CallMet
from leadline.store.leads import NewLead
from leadline.store.numbers import AttemptRow, LeadRow, NumberState
from leadline.store.records import Audit, NewAttempt
from services.queue_service.correlating import Incoming
from services.queue_service.crm.telling import tell_inbound
from services.queue_service.hearing import (
    Applying,
    Heard,
    ended_elsewhere,
    fill_result,
    hear,
    is_latest,
    plan_after_call,
    settle,
    stored,
)
from services.queue_service.settle import rest_number, settle_outcome_for_number, suppress_number

UNDETERMINED: Final = "undetermined"
"""Kind of an event without our metadata for a number with an open attempt: the call's details decide whose it is."""
MADE_ELSEWHERE: Final = "made_elsewhere"
"""Why the row of a foreign call is closed from the start."""


def apply_inbound(applying: Applying, incoming: Incoming, number: NumberState) -> EventResult:
    """The customer phoned us: no attempt and no cap, but what was said counts for every lead of the number."""
    event, changes, policy = incoming.event, applying.changes, applying.policy
    derived = derive(event.result, policy.rules_for(policy.default_campaign).outcome_names)
    leads = [lead for lead in number.leads.values() if lead.status is not LeadStatus.COMPLETED]
    if derived.outcome is not Outcome.BAD_NUMBER:  # a number that phoned us works, whatever the error says
        settle_outcome_for_number(changes, policy, number, derived.outcome, derived.evidence, cause="inbound")
    for lead in leads:
        rules = policy.rules_for(lead.campaign)
        heard = hear(applying, event, number, lead, derived, ended_elsewhere(event, changes.now))
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
        plan_after_call(changes, number, lead, plan, heard.details(), heard.ended_at)
        _note_decision(changes, incoming, lead, "inbound", derived.outcome)
    lead_id = leads[0].id if leads else next(iter(number.leads), None)
    told = [lead.id for lead in leads] or ([lead_id] if lead_id else [])
    changes.happened.append(CallMet("inbound", derived.outcome))
    tell_inbound(changes, policy, number, told, derived.outcome, incoming.event_id)
    return stored(incoming, EventDisposition.APPLIED, "inbound", lead_id=lead_id, outcome=derived.outcome)


def apply_foreign(applying: Applying, incoming: Incoming, number: NumberState) -> EventResult:
    """A call that somebody else placed: counted for the lead; an unknown number becomes a lead that is held."""
    event, changes, policy = incoming.event, applying.changes, applying.policy
    campaign = incoming.campaign or policy.default_campaign
    derived = derive(event.result, policy.rules_for(campaign).outcome_names)
    if number.open_attempt is not None and incoming.source is not EventSource.LOOKUP:
        if derived.outcome in STOP_OUTCOMES:
            suppress_number(changes, policy, number, derived.evidence or derived.outcome, source="call")
        return stored(incoming, EventDisposition.UNAPPLIED, UNDETERMINED, outcome=derived.outcome)
    lead = number.lead_in(campaign) or meet_lead(changes, number, campaign, HeldReason.FOREIGN)
    heard = hear(applying, event, number, lead, derived, ended_elsewhere(event, changes.now))
    began_at = event.result.started_at or heard.ended_at
    attempt = record_elsewhere(changes, number, lead, heard, began_at, close_reason=MADE_ELSEWHERE)
    changes.happened.append(CallMet(AttemptOrigin.ELSEWHERE, derived.outcome))
    settle(applying, number, lead, heard, latest=is_latest(number, attempt), resolves_doubt=False)
    _note_decision(changes, incoming, lead, "foreign", derived.outcome)
    return stored(incoming, EventDisposition.APPLIED, "foreign", attempt=attempt, outcome=derived.outcome)


def _note_decision(changes: Changes, incoming: Incoming, lead: LeadRow, kind: str, outcome: Outcome) -> None:
    details = {"kind": kind, "outcome": outcome, "event_id": incoming.event_id}
    changes.decided.append(about_lead("lead_decided", lead, incoming.phone_number, details))


def record_elsewhere(
    changes: Changes, number: NumberState, lead: LeadRow, heard: Heard, began_at: datetime, *, close_reason: str
) -> AttemptRow:
    """A row of the ledger for a call that somebody else placed."""
    assert heard.event.call_id is not None
    row = NewAttempt(
        id=AttemptId(new_uuid7()),
        lead_id=lead.id,
        campaign=lead.campaign,
        phone_number=number.phone_number,
        attempt_no=number.attempts_of(lead) + 1,
        state=AttemptState.ENDED,
        leased_at=min(began_at, heard.ended_at),
        origin=AttemptOrigin.ELSEWHERE,
        close_reason=close_reason,
    )
    fill_result(row, heard)
    changes.new_attempts.append(row)
    changes.calls.append((heard.event.call_id, row.id))
    attempt = AttemptRow.of_new(row)
    number.attempts[attempt.id] = attempt
    return attempt


def meet_lead(changes: Changes, number: NumberState, campaign: CampaignName, reason: HeldReason) -> LeadRow:
    """An unknown number becomes a lead that is held: nobody asked us to call it."""
    new = NewLead(
        id=LeadId(new_uuid7()),
        campaign=campaign,
        phone_number=number.phone_number,
        status=LeadStatus.HELD,
        status_reason=reason,
    )
    changes.new_leads.append(new)
    lead = LeadRow.of_new(new)
    number.leads[lead.id] = lead
    changes.audit.append(Audit("lead_met", reason, lead_id=lead.id, campaign=lead.campaign))
    return lead
