"""Plans: what becomes of a lead after something happened to it. Rules answer in these words, the store obeys."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadline.domain.lead import PLANNED_STATUSES, CompletionReason, HeldReason, LeadStatus, PriorityBand


class PlanReason(StrEnum):
    """Why a lead is due when it is."""

    FIRST_CALL = "first_call"
    CADENCE = "cadence"
    CALLBACK = "callback"
    UNCOUNTED = "uncounted"
    NOT_SENT = "not_sent"
    INBOUND = "inbound"
    RESUMED = "resumed"
    OPERATOR = "operator"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class Redial:
    """Call (again) at `due_at`, which is a legal instant as far as is known now."""

    status: LeadStatus
    """PENDING, or RESCHEDULED if a time was promised."""
    due_at: datetime
    band: PriorityBand
    reason: PlanReason
    scheduled_callback_at: datetime | None = None
    """The time that was promised, before it was moved into legal hours; None clears an earlier promise."""
    grants_extra_attempt: bool = False
    """The lead gets one attempt beyond its cap: `extra_attempts` grows by one."""


@dataclass(frozen=True, slots=True)
class Complete:
    """Never call again."""

    reason: CompletionReason


@dataclass(frozen=True, slots=True)
class Hold:
    """Wait until somebody decides."""

    reason: HeldReason


Plan = Redial | Complete | Hold


def applies_to(status: LeadStatus, plan: Plan) -> bool:
    """Whether a plan may change a lead in that status.

    Completed is sticky. A paused or held lead may be completed (a no while paused is still a no), never re-planned.
    """
    if isinstance(plan, Complete):
        return status is not LeadStatus.COMPLETED
    return status in PLANNED_STATUSES
