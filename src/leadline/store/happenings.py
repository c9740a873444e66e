"""What happened in a transaction, as plain values: noted while deciding, to be counted once it is committed.

Nothing is written of them; what has to be known tomorrow is a row. Times are business time.
"""

from dataclasses import dataclass
from datetime import datetime

from leadline.domain.attempt import AttemptOrigin, AttemptState
from leadline.domain.ids import CampaignName, LeadId, PhoneNumber
from leadline.domain.lead import CompletionReason, PriorityBand
from leadline.domain.outcome import Outcome


@dataclass(frozen=True, slots=True)
class LeadReceived:
    """A lead was posted."""

    campaign: CampaignName
    status: str
    """What its sender was answered."""


@dataclass(frozen=True, slots=True)
class LeadCompleted:
    """A lead that was not completed is never dialled again."""

    lead_id: LeadId
    campaign: CampaignName
    reason: CompletionReason


@dataclass(frozen=True, slots=True)
class CallRefused:
    """A rule, or what else must hold, kept a call from being made now."""

    step: str
    """`lease` or `mark`."""
    reason: str


@dataclass(frozen=True, slots=True)
class Dispatched:
    """A send mark was given."""

    campaign: CampaignName
    opens_at: datetime
    """When the call may go out at the earliest."""
    speed: float
    """Of business time against real time."""
    due_at: datetime | None
    band: PriorityBand | None
    received_at: datetime | None
    """When the lead came in, if nobody called it before."""
    promised_at: datetime | None
    """The promise that this call keeps, if its time has come and nobody called for it yet."""


@dataclass(frozen=True, slots=True)
class CallbackMissed:
    """The time of a promise passed without a call, and now the promise is gone."""

    campaign: CampaignName


@dataclass(frozen=True, slots=True)
class LeaseExpired:
    """Nobody asked for the send mark in time."""


@dataclass(frozen=True, slots=True)
class AttemptMoved:
    """An attempt went from one state to another."""

    campaign: CampaignName
    phone_number: PhoneNumber
    attempt_no: int
    origin: AttemptOrigin
    dispatched_at: datetime
    from_state: AttemptState
    to_state: AttemptState
    outcome: Outcome | None
    """Its outcome, if it had none before."""


@dataclass(frozen=True, slots=True)
class CallBilled:
    """The provider said what a call for an attempt of ours cost: what is new of it, never less than nothing."""

    campaign: CampaignName
    talk_seconds: float
    price_dollars: float


@dataclass(frozen=True, slots=True)
class CallMet:
    """A call that no attempt of ours stands for."""

    origin: str
    """`elsewhere`, `provider_retry` or `inbound`."""
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class EndHeard:
    """A body that tells of a call's end was stored for the first time."""

    source: str
    ended_at: datetime
    stored_at: datetime
    speed: float
    """Of business time against real time."""


@dataclass(frozen=True, slots=True)
class SuppressionAdded:
    """A number was put on the list."""

    source: str


@dataclass(frozen=True, slots=True)
class AlarmRaised:
    """Something happened that should not have."""

    kind: str


@dataclass(frozen=True, slots=True)
class PromiseBroken:
    """A check found a promise broken, perhaps not for the first time."""

    promise: int


Happening = (
    LeadReceived
    | LeadCompleted
    | CallRefused
    | Dispatched
    | CallbackMissed
    | LeaseExpired
    | AttemptMoved
    | CallBilled
    | CallMet
    | EndHeard
    | SuppressionAdded
    | AlarmRaised
    | PromiseBroken
)
