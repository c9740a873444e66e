"""Clearance: whether the CRM must be asked about a number before its send mark, and what its answer does there."""

from leadline.contracts.crm import Learned
from leadline.domain.attempt import AttemptState
from leadline.domain.crm import CrmStanding, clearance_needed
from leadline.store.changes import Changes
from leadline.store.numbers import AttemptRow, LeadRow, NumberState
from services.queue_service.crm.standings import apply_standing
from services.queue_service.policy import Policy
from services.queue_service.settle import move_attempt

CLEARANCE_NEEDED = "clearance_needed"
"""Reason of a `no`: the need was not known when the number was leased."""
CRM_UNKNOWN = "crm_unknown"
CRM_FINAL = "crm_final"


def is_needed(policy: Policy, number: NumberState) -> bool:
    """Whether the CRM must have cleared the number."""
    return clearance_needed(policy.clearance, was_transferred=number.was_transferred)


def refuse(
    changes: Changes, policy: Policy, number: NumberState, lead: LeadRow, attempt: AttemptRow, learned: Learned
) -> str | None:
    """Do what the CRM's word on a leased number demands; the reason of the `no`, or None if the call may go on.

    A final word counts also where nobody had to ask for it.
    """
    if learned.standing is CrmStanding.UNKNOWN and not is_needed(policy, number):
        return None
    if learned.standing is CrmStanding.OPEN:
        apply_standing(changes, policy, number, lead, learned, cause="clearance")
        return None
    reason = CRM_UNKNOWN if learned.standing is CrmStanding.UNKNOWN else CRM_FINAL
    move_attempt(changes, attempt, AttemptState.RELEASED, close_reason=reason)
    apply_standing(changes, policy, number, lead, learned, cause="clearance")
    return reason
