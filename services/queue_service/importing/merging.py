"""What a lead that is there learns from a record: blanks and calls, never an older status, and the end of its life."""

from leadline.contracts.imports import ImportStatus
from leadline.domain.lead import KNOWN_FROM_CALLS_ALONE, PLANNED_STATUSES, LeadStatus
from leadline.domain.rules.caps import is_exhausted
from leadline.store.imports import PastOfLead
from leadline.store.numbers import LeadRow, NumberState
from leadline.store.records import Audit
from services.queue_service.importing.checking import Record
from services.queue_service.importing.past import EPOCH, give_way, learn, past_of, record_calls, unrecorded
from services.queue_service.importing.placing import (
    CAUSE,
    Importing,
    final_reason,
    place,
    plan_again,
    rest_after_transfer,
    settle_number,
)
from services.queue_service.settle import apply_plan, complete_lead, keep_calling


def merge(
    importing: Importing,
    number: NumberState,
    lead: LeadRow,
    record: Record,
    known_calls: set[str],
    *,
    may_suppress: bool,
) -> tuple[bool, PastOfLead | None]:
    """Let a lead learn from a record; whether it did, and its past if that changed."""
    lead.state = lead.state or (record.said.state or "").strip().upper() or None
    past_before, exhausted_before = past_of(lead), is_exhausted(number.lead_facts(lead), importing.rules(lead))
    added = _learn_calls(importing, number, lead, record, known_calls)
    past = past_of(lead)
    changed_past = past if past != past_before else None
    settled = ended = False
    if not _is_older_than_life(lead, record):
        settled = settle_number(importing, number, record, may_suppress=may_suppress)
        ended = _end_or_claim(importing, number, lead, record)
    if not exhausted_before:
        ended = _end_if_exhausted(importing, number, lead) or ended
    learned = bool(added or changed_past or settled or ended)
    if learned:
        details = {"calls": added, "attempts_before": lead.attempts_before}
        importing.changes.audit.append(
            Audit("lead_merged", importing.source, lead_id=lead.id, campaign=lead.campaign, details=details)
        )
    return learned, changed_past


def _is_older_than_life(lead: LeadRow, record: Record) -> bool:
    """Whether an operator reopened the lead after what the record says."""
    if lead.life_started_at <= EPOCH:
        return False
    return record.said_at is None or record.said_at <= lead.life_started_at


def _learn_calls(
    importing: Importing, number: NumberState, lead: LeadRow, record: Record, known_calls: set[str]
) -> int:
    """Record what has an id and raise what has none; the number of calls that are new to the ledger."""
    zone = importing.rules(lead).hours.zone
    added = record_calls(importing.changes, number, lead, record, known_calls)
    give_way(lead, added, zone)
    # The record counts over all lives, so that of a reopened lead its total says nothing about the present one.
    if lead.life_started_at <= EPOCH:
        learn(lead, record, unrecorded(record, number, lead, zone))
    if added:
        rest_after_transfer(importing, number, record, importing.rules(lead))
    return len(added)


def _end_or_claim(importing: Importing, number: NumberState, lead: LeadRow, record: Record) -> bool:
    if lead.is_known_from_calls_alone:
        if record.said.status is ImportStatus.HELD and record.said.status_reason in KNOWN_FROM_CALLS_ALONE:
            return False
        place(importing, number, lead, record)
        return True
    if lead.status is LeadStatus.COMPLETED:
        return False
    reason = final_reason(importing.rules(lead), record)
    if reason is None:
        return False
    complete_lead(importing.changes, lead, reason, cause=CAUSE, details={"source": importing.source})
    return True


def _end_if_exhausted(importing: Importing, number: NumberState, lead: LeadRow) -> bool:
    """The calls that were learned may have used up the life; what was promised keeps its one attempt more."""
    if lead.status not in PLANNED_STATUSES or not is_exhausted(number.lead_facts(lead), importing.rules(lead)):
        return False
    promised_at = lead.scheduled_callback_at if lead.status is LeadStatus.RESCHEDULED else None
    plan = plan_again(importing, number, lead, lead.due_at, promised_at)
    apply_plan(importing.changes, number, lead, plan, cause=CAUSE, details={"source": importing.source})
    keep_calling(importing.changes, number, lead)
    return True
