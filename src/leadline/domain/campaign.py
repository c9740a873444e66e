"""A campaign's rules, already parsed: what the rules need to know, and nothing of how to dial."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from leadline.domain.ids import CampaignName
from leadline.domain.outcome import DEFAULT_FINAL_OUTCOMES, Outcome
from leadline.domain.rules.hours import CallingHours


class LegalProfile(StrEnum):
    """Which law of the person called is applied beside the campaign's own hours."""

    NONE = "none"
    FEDERAL = "federal"


DEFAULT_CADENCE = tuple(timedelta(minutes=m) for m in (0, 1, 5, 10, 30, 60, 120))


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign's rules. Immutable; durations are business time."""

    name: CampaignName
    hours: CallingHours
    cadence: tuple[timedelta, ...] = DEFAULT_CADENCE
    """Wait before attempt n, counted from the end of the attempt before; the last value repeats."""
    max_attempts: int = 8
    max_daily_attempts: int = 8
    final_outcomes: frozenset[Outcome] = DEFAULT_FINAL_OUTCOMES
    number_spacing: timedelta = timedelta(seconds=10)
    """Least time between two calls to one number."""
    transfer_rest: timedelta = timedelta(minutes=30)
    """How long a number rests after TRANSFERRED: the person may still be talking to an agent."""
    inbound_rest: timedelta = timedelta(minutes=30)
    legal_profile: LegalProfile = LegalProfile.FEDERAL
    extra_callback_attempt: bool = True
    """Whether a callback promised on the last attempt gets one attempt more."""
    sale_is_for_number: bool = True
    """Whether SALE and ACA in any campaign end this campaign's leads with that number."""
    outcome_names: Mapping[str, Outcome] = field(default_factory=dict)
    """The account's own tag and disposition names, beside those the rules know (`outcomes.py`)."""
