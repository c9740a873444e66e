"""Where an imported lead goes: what its record means for the number, then its own status."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from leadline.contracts.imports import ImportStatus
from leadline.domain.campaign import Campaign
from leadline.domain.lead import CompletionReason, HeldReason, LeadStatus
from leadline.domain.outcome import SALE_OUTCOMES, STOP_OUTCOMES, Outcome
from leadline.domain.rules.completion import completion_reason, number_completion, rest_until_after
from leadline.domain.rules.planning import Complete, Hold, Plan, plan_imported
from leadline.store.changes import Changes
from leadline.store.numbers import LeadRow, NumberState
from leadline.store.records import Audit, LeadChange
from services.queue_service.importing.checking import Record, words
from services.queue_service.policy import Policy
from services.queue_service.settle import (
    apply_plan,
    bad_number,
    keep_calling,
    rest_number,
    settle_outcome_for_number,
    suppress_number,
)

CAUSE: Final = "lead_imported"
SOURCE: Final = "import"
"""Source of a suppression, and reason of a pause, that come with a lead."""

_STRICTNESS: Final = (
    CompletionReason.DNC,
    CompletionReason.SALE,
    CompletionReason.ACA,
    CompletionReason.NOT_INTERESTED,
    CompletionReason.BAD_NUMBER,
    CompletionReason.FINAL_OUTCOME,
)
"""Reasons that outcomes alone can give, the strictest first."""

_SOLD: Final = {CompletionReason.SALE: Outcome.SALE, CompletionReason.ACA: Outcome.ACA}


@dataclass(slots=True)
class Importing:
    """One transaction of an import."""

    policy: Policy
    changes: Changes
    source: str
    """What the records are called, for the audit log."""

    @property
    def now(self) -> datetime:
        """Business time."""
        return self.changes.now

    def rules(self, lead: LeadRow) -> Campaign:
        """The rules of the lead's campaign."""
        return self.policy.rules_for(lead.campaign)


def says_stop(record: Record) -> bool:
    """Whether the person asked never to be called, in whatever way the record has it."""
    return record.asked_completion is CompletionReason.DNC or bool(STOP_OUTCOMES & set(record.every_outcome))


def settle_number(importing: Importing, number: NumberState, record: Record, *, may_suppress: bool) -> bool:
    """What a record means for every lead of its number; True if that is news. What was known stays as it is."""
    changes, policy, asked = importing.changes, importing.policy, record.asked_completion
    news = False
    if may_suppress and number.suppression_reason is None and says_stop(record):
        suppress_number(changes, policy, number, f"said stop, by the records of {importing.source}", source=SOURCE)
        news = True
    sold = _SOLD.get(asked) if asked else None
    sold = sold or next((o for o in reversed(record.every_outcome) if o in SALE_OUTCOMES), None)
    if sold is not None and number.sold_outcome is None:
        settle_outcome_for_number(changes, policy, number, sold, sold, cause=CAUSE)
        news = True
    ends = final_reason(policy.rules_for(record.campaign), record)
    if ends is CompletionReason.BAD_NUMBER and number.bad_number_reason is None:
        bad_number(changes, number, f"by the records of {importing.source}", cause=CAUSE)
        news = True
    return news


def final_reason(rules: Campaign, record: Record, *heard: Outcome | None) -> CompletionReason | None:
    """Why the record, or other outcomes that were `heard`, end the lead; None if it goes on.

    The old files put people back in the queue who had said no: every outcome of the record counts, not the last alone.
    Only a bad number is believed no longer once a later call got through.
    """
    if record.asked_completion is not None:
        return record.asked_completion
    last = record.outcomes[-1:] or record.every_outcome[-1:]
    outcomes = {o for o in (*record.every_outcome, *heard) if o is not None and o is not Outcome.BAD_NUMBER}
    reasons = {completion_reason(outcome, rules) for outcome in outcomes.union(last)}
    return next((reason for reason in _STRICTNESS if reason in reasons), None)


def place(importing: Importing, number: NumberState, lead: LeadRow, record: Record) -> None:
    """Put a lead where its record says, or where stricter rules do: a new one, or one known from calls alone."""
    changes = importing.changes
    details: dict[str, Any] = {"source": importing.source, "attempts": number.attempts_of(lead)}
    rest_after_transfer(importing, number, record, importing.rules(lead))
    plan = _plan(importing, number, lead, record)
    if plan is None:
        _pause(changes, lead, record, details)
        return
    if record.refused:
        details["refused"] = record.refused
    apply_plan(changes, number, lead, plan, cause=CAUSE, details=details)
    keep_calling(changes, number, lead)


def _plan(importing: Importing, number: NumberState, lead: LeadRow, record: Record) -> Plan | None:
    """What becomes of the lead; None: it is paused."""
    rules, said = importing.rules(lead), record.said
    if record.refused:
        return Complete(CompletionReason.REFUSED_NUMBER)
    heard = (a.outcome for a in number.attempts.values() if a.lead_id == lead.id)
    reason = number_completion(number.number_facts(), rules) or final_reason(rules, record, *heard)
    if reason is not None:
        return Complete(reason)
    match said.status:
        case ImportStatus.PAUSED:
            return None
        case ImportStatus.HELD if said.status_reason == HeldReason.BACKFILL:
            return Hold(HeldReason.FOREIGN)  # no backfill of this installation would ever decide on it
        case ImportStatus.HELD if said.status_reason in set(HeldReason):
            return Hold(HeldReason(said.status_reason))
        case ImportStatus.HELD | ImportStatus.COMPLETED:
            return Hold(HeldReason.LEGACY_UNCLEAR)
        case _:
            promised_at = said.scheduled_callback_at if said.status is ImportStatus.RESCHEDULED else None
            return plan_again(importing, number, lead, said.due_at, promised_at)


def plan_again(
    importing: Importing,
    number: NumberState,
    lead: LeadRow,
    due_at: datetime | None,
    promised_at: datetime | None,
) -> Plan:
    """When the lead is called, by what it and its number know by now."""
    facts = number.lead_facts(lead)
    return plan_imported(importing.now, due_at, promised_at, facts, number.number_facts(), importing.rules(lead))


def rest_after_transfer(importing: Importing, number: NumberState, record: Record, rules: Campaign) -> None:
    """A person who was transferred a moment ago may still be talking to an agent, whoever placed the call."""
    calls = [(call.outcome, call.at) for call in record.calls]
    if record.said.last_call_at is not None:
        calls += [(outcome, record.said.last_call_at) for outcome in record.outcomes[-1:]]
    for outcome, at in calls:
        until = rest_until_after(outcome, min(at, importing.now), rules)
        if until is not None and until > importing.now:
            rest_number(importing.changes, number, until)


def _pause(changes: Changes, lead: LeadRow, record: Record, details: dict[str, Any]) -> None:
    reason, promised_at = words(record.said.status_reason) or SOURCE, record.said.scheduled_callback_at
    changes.leads.append(LeadChange(lead.id, LeadStatus.PAUSED, reason, promised_at, lead.extra_attempts))
    lead.status, lead.status_reason, lead.scheduled_callback_at = LeadStatus.PAUSED, reason, promised_at
    changes.audit.append(
        Audit(CAUSE, reason, lead_id=lead.id, campaign=lead.campaign, details={"status": lead.status, **details})
    )
