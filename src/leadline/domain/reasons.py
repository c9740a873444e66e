"""Reason codes: every decision of a rule names one; `explanation` turns them into words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Rule(StrEnum):
    """The rules, in the order in which an explanation lists them."""

    STATUS = "status"
    SUPPRESSION = "suppression"
    BAD_NUMBER = "bad_number"
    SOLD = "sold"
    LIFE_CAP = "life_cap"
    LIVE_ATTEMPT = "live_attempt"
    DUE = "due"
    REST = "rest"
    SPACING = "spacing"
    CALLING_HOURS = "calling_hours"
    LEGAL_HOURS = "legal_hours"
    DAY_CAP = "day_cap"
    CAMPAIGN_PAUSE = "campaign_pause"
    ACCOUNT_PAUSE = "account_pause"
    DISPATCH_HOLD = "dispatch_hold"
    CRM_CLEARANCE = "crm_clearance"
    PACE = "pace"


class Code(StrEnum):
    """What a rule may answer, one code per (rule, answer)."""

    STATUS_PLANNED = "status_planned"
    STATUS_COMPLETED = "status_completed"
    STATUS_PAUSED = "status_paused"
    STATUS_HELD = "status_held"
    STATUS_HELD_FOR_CRM = "status_held_for_crm"
    NOT_SUPPRESSED = "not_suppressed"
    SUPPRESSED = "suppressed"
    NUMBER_GOOD = "number_good"
    NUMBER_BAD = "number_bad"
    NOT_SOLD = "not_sold"
    SOLD = "sold"
    LIFE_CAP_FREE = "life_cap_free"
    LIFE_CAP_REACHED = "life_cap_reached"
    NO_LIVE_ATTEMPT = "no_live_attempt"
    LIVE_ATTEMPT = "live_attempt"
    DUE = "due"
    NOT_DUE = "not_due"
    NO_DUE_TIME = "no_due_time"
    ALREADY_LEASED = "already_leased"
    NO_REST = "no_rest"
    NUMBER_RESTS = "number_rests"
    SPACING_KEPT = "spacing_kept"
    TOO_SOON = "too_soon"
    INSIDE_CALLING_HOURS = "inside_calling_hours"
    OUTSIDE_CALLING_HOURS = "outside_calling_hours"
    INSIDE_LEGAL_HOURS = "inside_legal_hours"
    OUTSIDE_LEGAL_HOURS = "outside_legal_hours"
    LEGAL_HOURS_OFF = "legal_hours_off"
    DAY_CAP_FREE = "day_cap_free"
    DAY_CAP_REACHED = "day_cap_reached"
    CAMPAIGN_RUNNING = "campaign_running"
    CAMPAIGN_PAUSED = "campaign_paused"
    ACCOUNT_RUNNING = "account_running"
    ACCOUNT_PAUSED = "account_paused"
    DISPATCH_RUNNING = "dispatch_running"
    DISPATCH_HELD = "dispatch_held"
    CRM_NOT_ASKED = "crm_not_asked"
    CRM_ASKED_FIRST = "crm_asked_first"
    PACE_FREE = "pace_free"
    PACE_FULL = "pace_full"


@dataclass(frozen=True, slots=True)
class RuleAnswer:
    """What one rule says of one lead at one instant."""

    rule: Rule
    allowed: bool
    code: str
    """A `Code`: stable snake_case, one per (rule, answer)."""
    until: datetime | None = None
    """If refused: the first instant at which this rule alone would allow; None if time alone does not help."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the sentence needs: figures, names, local times."""
