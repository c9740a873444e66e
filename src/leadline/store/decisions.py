"""Decisions as plain values: noted with the changes they make, told to logs and traces once those are committed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from leadline.domain.ids import CampaignName, PhoneNumber
from leadline.domain.lead import LeadStatus
from leadline.store.numbers import AttemptRow, LeadRow

_WITH_REASON_CODES = frozenset({LeadStatus.COMPLETED, LeadStatus.HELD})
"""Why a lead is paused is an operator's own words."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision: one line of the log and, if it is about an attempt, one span of the attempt's trace.

    `details` hold codes, counts and instants, and nothing that anybody said.
    """

    event: str
    """What the log calls it."""
    step: str = ""
    """What the attempt's trace calls it; empty: it is no span."""
    lead: LeadRow | None = None
    """As the decision left it; read when it is told."""
    attempt: AttemptRow | None = None
    phone_number: PhoneNumber | None = None
    campaign: CampaignName | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def plan(self) -> dict[str, Any]:
        """What the lead waits for now."""
        lead = self.lead
        if lead is None:
            return {}
        reason = lead.status_reason if lead.status in _WITH_REASON_CODES else None
        plan = {"status": lead.status, "status_reason": reason, "due_at": lead.due_at}
        return {name: value for name, value in plan.items() if value is not None}


def about_attempt(
    event: str, step: str, lead: LeadRow, attempt: AttemptRow, details: Mapping[str, Any], *, planned: bool = True
) -> Decided:
    """A decision about an attempt. `planned`: it also says when its lead is due now."""
    return Decided(
        event,
        step,
        lead=lead if planned else None,
        attempt=attempt,
        phone_number=attempt.phone_number,
        campaign=attempt.campaign,
        details={"lead_id": attempt.lead_id, **details},
    )


def about_lead(event: str, lead: LeadRow, phone_number: PhoneNumber | None, details: Mapping[str, Any]) -> Decided:
    """A decision about a lead that no attempt of ours is the cause of."""
    return Decided(event, lead=lead, phone_number=phone_number, campaign=lead.campaign, details=details)


def previous_attempt(attempts: Sequence[AttemptRow], lead: LeadRow) -> AttemptRow | None:
    """The lead's last attempt that got its send mark: a lease alone leads nowhere."""
    return next((a for a in reversed(attempts) if a.lead_id == lead.id and a.marked_at is not None), None)
