"""What a rule may know about a lead and its number: plain values, read by the store, judged by the rules."""

from dataclasses import dataclass
from datetime import date, datetime

from leadline.domain.ids import CampaignName, LeadId, PhoneNumber
from leadline.domain.lead import LeadStatus
from leadline.domain.outcome import Outcome


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """Everything that holds for a phone number, over all campaigns. Instants are aware UTC business time."""

    phone_number: PhoneNumber
    suppression_reason: str | None = None
    bad_number_reason: str | None = None
    sold_outcome: Outcome | None = None
    rest_until: datetime | None = None
    """Transfer rest or inbound rest."""
    last_sent_by: datetime | None = None
    """The latest instant at which the last marked call to the number can have been sent."""
    dispatches: tuple[datetime, ...] = ()
    """When each counted attempt of the last days was dispatched, ascending, without the attempt being judged."""
    live_attempt: bool = False
    """Whether another attempt to the number is open."""


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """Everything that holds for one lead."""

    id: LeadId
    campaign: CampaignName
    status: LeadStatus
    status_reason: str | None = None
    state: str | None = None
    """The sender's US state, two letters, if it is one."""
    attempts: int = 0
    """Counted attempts of this life, `attempts_before` included, without the attempt being judged."""
    attempts_before_on: date | None = None
    attempts_before_that_day: int = 0
    """Attempts made elsewhere on `attempts_before_on`: part of that day's cap."""
    last_call_before: datetime | None = None
    """The last call of which there is no record but this instant."""
    extra_attempts: int = 0
    """Attempts granted beyond the cap: a callback promised on the last one."""
    scheduled_callback_at: datetime | None = None
    due_at: datetime | None = None
