"""A lead is a (campaign, phone number): its statuses and the reasons that go with them."""

from enum import IntEnum, StrEnum


class LeadStatus(StrEnum):
    """The stored intent. `calling` is shown to the outside while an attempt is open and is never stored."""

    PENDING = "pending"
    RESCHEDULED = "rescheduled"
    HELD = "held"
    PAUSED = "paused"
    COMPLETED = "completed"


PLANNED_STATUSES = frozenset({LeadStatus.PENDING, LeadStatus.RESCHEDULED})
"""Statuses that always have a due time."""


class CompletionReason(StrEnum):
    """Why a lead is never dialled again."""

    SALE = "sale"
    ACA = "aca"
    DNC = "dnc"
    NOT_INTERESTED = "not_interested"
    EXHAUSTED = "exhausted"
    BAD_NUMBER = "bad_number"
    CRM_FINAL = "crm_final"
    REFUSED_NUMBER = "refused_number"
    REMOVED = "removed"
    FINAL_OUTCOME = "final_outcome"


class HeldReason(StrEnum):
    """Why a lead waits for somebody to decide."""

    FOREIGN = "foreign"
    NO_LEGAL_WINDOW = "no_legal_window"
    CANNOT_DISPATCH = "cannot_dispatch"
    UNRESOLVED_CALL = "unresolved_call"
    CRM_UNKNOWN = "crm_unknown"
    """The CRM's word on the number could not be learned; it is asked again."""
    BACKFILL = "backfill"
    """Known from history alone, and the backfill that read it has not decided yet."""
    LEGACY_UNCLEAR = "legacy_unclear"
    """The old system had completed it and does not say why."""


KNOWN_FROM_CALLS_ALONE = frozenset({HeldReason.FOREIGN, HeldReason.BACKFILL})
"""Nobody asked for such a lead to be called: whoever posts, imports or decides it claims it."""


class PriorityBand(IntEnum):
    """The order in which due leads are leased; part of the index that is leased from."""

    FRESH = 0
    """First calls, and callbacks that a person asked for."""
    WARM = 1
    """Attempts two to four."""
    COLD = 2
    """The rest."""
