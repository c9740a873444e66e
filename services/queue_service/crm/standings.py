"""What the CRM's word on a number does to its leads: one place for marks, questions and backfills.

Everything here works on one number's state under its lock and writes nothing by itself.
"""

from typing import Any, assert_never

from leadline.contracts.crm import Learned
from leadline.domain.crm import CrmStanding
from leadline.domain.lead import PLANNED_STATUSES, CompletionReason, HeldReason, LeadStatus
from leadline.domain.outcome import Outcome
from leadline.store.changes import Changes
from leadline.store.numbers import LeadRow, NumberState
from leadline.store.records import CrmIdentity
from services.queue_service.crm.telling import CRM_SOURCE
from services.queue_service.policy import Policy
from services.queue_service.settle import (
    complete_lead,
    hold_lead,
    settle_outcome_for_number,
    suppress_number,
    void_lease,
)


def apply_standing(
    changes: Changes, policy: Policy, number: NumberState, lead: LeadRow, learned: Learned, *, cause: str
) -> bool:
    """Do what the CRM's word on a lead's number demands; True if the lead goes on, and then nothing was decided.

    A final word ends the lead whatever it waits for; a word that is missing holds one that would be called. A lead
    that an operator paused, or that is held for another reason, stays as it is then.
    """
    _fill_identity(changes, lead, learned)
    details = {"crm_status": learned.status, "standing": learned.standing}
    match learned.standing:
        case CrmStanding.OPEN:
            return True
        case CrmStanding.UNKNOWN:
            if _may_be_held(lead):
                hold_lead(
                    changes, lead, HeldReason.CRM_UNKNOWN, cause=cause, details={**details, "why": learned.problem}
                )
        case CrmStanding.DNC:
            suppress_number(changes, policy, number, f"CRM status {learned.status or 'DNC'}", source=CRM_SOURCE)
        case CrmStanding.SALE | CrmStanding.ACA:
            _end(changes, lead, CompletionReason.CRM_FINAL, cause, details)
            sold = Outcome.ACA if learned.standing is CrmStanding.ACA else Outcome.SALE
            settle_outcome_for_number(changes, policy, number, sold, learned.status or sold, cause=cause)
        case CrmStanding.FINAL:
            _end(changes, lead, CompletionReason.CRM_FINAL, cause, details)
        case _:
            assert_never(learned.standing)
    void_unwanted_lease(changes, number, cause)
    return False


def void_unwanted_lease(changes: Changes, number: NumberState, reason: str) -> None:
    """Take back the number's lease if its lead is not to be called any more."""
    leased = number.open_attempt
    if leased is not None and number.leads[leased.lead_id].status not in PLANNED_STATUSES:
        void_lease(changes, number, reason)


def _may_be_held(lead: LeadRow) -> bool:
    return lead.is_known_from_calls_alone or lead.status in PLANNED_STATUSES


def _end(changes: Changes, lead: LeadRow, reason: CompletionReason, cause: str, details: dict[str, Any]) -> None:
    if lead.status is not LeadStatus.COMPLETED:
        complete_lead(changes, lead, reason, cause=cause, details=details)


def _fill_identity(changes: Changes, lead: LeadRow, learned: Learned) -> None:
    """A lead that is known from calls alone learns what the CRM calls it; what its sender said stands."""
    sender_lead_id = lead.sender_lead_id or learned.crm_lead_id
    same_lead = sender_lead_id is not None and sender_lead_id == learned.crm_lead_id
    list_id = lead.list_id or (learned.crm_list_id if same_lead else None)
    if (sender_lead_id, list_id) != (lead.sender_lead_id, lead.list_id):
        changes.crm_identities.append(CrmIdentity(lead.id, sender_lead_id, list_id))
        lead.sender_lead_id, lead.list_id = sender_lead_id, list_id
