"""The rows a transaction is about to write: plain values, filled by decisions, written by `Changes.flush`."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from leadline.domain.attempt import AttemptOrigin, AttemptState
from leadline.domain.errors import LeadlineError
from leadline.domain.ids import AttemptId, CallId, CampaignName, LeadId, PhoneNumber
from leadline.domain.lead import LeadStatus, PriorityBand
from leadline.domain.outcome import Outcome


class StateConflict(LeadlineError):
    """A row was not in the state that the decision was made on; nothing of the group was written."""

    code = "state_conflict"


@dataclass(slots=True)
class NewAttempt:
    """An attempt row to insert; a leased one also takes its phone number (see `open_attempts.take_numbers`)."""

    id: AttemptId
    lead_id: LeadId
    campaign: CampaignName
    phone_number: PhoneNumber
    attempt_no: int
    state: AttemptState
    leased_at: datetime
    origin: AttemptOrigin = AttemptOrigin.LEADLINE
    parent_id: AttemptId | None = None
    dialer: str | None = None
    traceparent: str | None = None
    call_id: CallId | None = None
    closed_at: datetime | None = None
    close_reason: str | None = None
    outcome: Outcome | None = None
    evidence: str | None = None
    answered_by: str | None = None
    provider_ended_at: datetime | None = None
    talk_seconds: float | None = None
    price_dollars: float | None = None
    callback_at: datetime | None = None


@dataclass(slots=True)
class AttemptChange:
    """A change of an attempt. None leaves a column as it is; `closed_at` is cleared when the new state is open."""

    id: AttemptId
    from_state: AttemptState
    to_state: AttemptState
    close_reason: str | None = None
    mark_operation_id: UUID | None = None
    send_after_ms: int | None = None
    send_within_ms: int | None = None
    marked_at: datetime | None = None
    placed_at: datetime | None = None
    closed_at: datetime | None = None
    call_id: str | None = None
    outcome: Outcome | None = None
    evidence: str | None = None
    answered_by: str | None = None
    provider_ended_at: datetime | None = None
    talk_seconds: float | None = None
    price_dollars: float | None = None
    callback_at: datetime | None = None


@dataclass(slots=True)
class Deadline:
    """How long, in real seconds from now, an open attempt may stay as it is."""

    attempt_id: AttemptId
    seconds: float
    quiet_seconds: float | None = None


@dataclass(slots=True)
class DueChange:
    """When a planned lead is due. Ends the lead's `calling` mark."""

    lead_id: LeadId
    campaign: CampaignName
    phone_number: PhoneNumber
    due_at: datetime
    band: PriorityBand
    not_sent_in_row: int = 0


@dataclass(slots=True)
class LeadChange:
    """A lead's status from now on, whole: what is not given is cleared."""

    lead_id: LeadId
    status: LeadStatus
    status_reason: str | None = None
    scheduled_callback_at: datetime | None = None
    extra_attempts: int = 0


@dataclass(slots=True)
class PhoneChange:
    """News about a number. None leaves a column as it is; instants only move forward."""

    phone_number: PhoneNumber
    bad_number_reason: str | None = None
    sold_outcome: Outcome | None = None
    rest_until: datetime | None = None
    last_sent_by: datetime | None = None


@dataclass(slots=True)
class Audit:
    """One line of the audit log."""

    verb: str
    reason: str | None = None
    lead_id: LeadId | None = None
    attempt_id: AttemptId | None = None
    phone_number: PhoneNumber | None = None
    campaign: CampaignName | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Alarm:
    """Something that should not have happened."""

    kind: str
    attempt_id: AttemptId | None = None
    lead_id: LeadId | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class NewStopOrder:
    """A live call that must end."""

    id: UUID
    attempt_id: AttemptId
    phone_number: PhoneNumber
    call_id: str | None
    reason: str


@dataclass(slots=True)
class NewSuppression:
    """A number that nobody may call from now on."""

    phone_number: PhoneNumber
    reason: str
    source: str


@dataclass(slots=True)
class NewCrmMessage:
    """Something that the CRM is to be told; see `crm_outbox`."""

    kind: str
    """`result` or `suppression`."""
    subject: str
    """What is kept in order: the lead's id, or the phone number."""
    phone_number: PhoneNumber
    lead_id: LeadId | None = None
    attempt_id: AttemptId | None = None
    event_id: int | None = None
    """The event whose body knows more of the call."""
    outcome: Outcome | None = None
    reason: str | None = None


@dataclass(slots=True)
class CrmIdentity:
    """What the CRM calls a lead; fills in what its sender did not say."""

    lead_id: LeadId
    sender_lead_id: str | None
    list_id: str | None
