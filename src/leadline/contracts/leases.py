"""Lease, send mark, report, stop order: the words between a dialer (or the sweep) and the queue-service."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from leadline.contracts.base import Message
from leadline.contracts.crm import Clearance

MAX_GROUP = 200
"""Most items in one lease, mark or report request."""


class LeaseRequest(Message):
    """`POST /v1/leases`: up to `slots` leads, waiting up to `wait_seconds` (real time) for the first.

    `slots` 0 asks for stop orders alone.
    """

    dialer: str = Field(min_length=1, max_length=128)
    slots: int = Field(ge=0, le=MAX_GROUP)
    wait_seconds: float = Field(ge=0, le=60)


class Lease(Message):
    """One number reserved for one dialer. Nothing may be sent before a `go`."""

    attempt_id: UUID
    lead_id: UUID
    campaign: str
    phone_number: str
    attempt_no: int
    lease_seconds: float
    """Real time left, counted by the queue-service when it answered."""
    request_data: dict[str, str]
    """What the agent may say: first_name, last_name, the sender's lead_id and list_id."""
    traceparent: str | None = None
    clearance_needed: bool = False
    """Whether the CRM is to be asked about the number before `go?`; without its answer there is no `go`."""


class StopOrder(Message):
    """End this call now: its number was suppressed or its campaign cancelled after the send mark."""

    id: UUID
    attempt_id: UUID
    phone_number: str
    call_id: str | None
    reason: str


class LeaseBatch(Message):
    """Answer to a lease request; both lists may be empty when the wait ran out."""

    leases: list[Lease]
    stop_orders: list[StopOrder]


class SendMarkRequest(Message):
    """`POST /v1/send-marks`: may these leased attempts be sent now? Repeat with the same operation id when in doubt."""

    operation_id: UUID
    dialer: str
    attempt_ids: list[UUID] = Field(min_length=1, max_length=MAX_GROUP)
    clearances: list[Clearance] = Field(default=[], max_length=MAX_GROUP)
    """What the CRM said of the numbers of those that needed it."""


class MarkAnswer(StrEnum):
    """`go`: the call is decided. `wait`: ask again, the lease stays. `no`: the lease is gone."""

    GO = "go"
    WAIT = "wait"
    NO = "no"


class SendMark(Message):
    """The answer for one attempt. Milliseconds are real time, counted from before the request was sent."""

    attempt_id: UUID
    answer: MarkAnswer
    send_after_ms: int = 0
    """Pace: earliest moment for the first byte."""
    send_within_ms: int = 0
    """Gate: latest moment for the first byte; after it nothing may be sent."""
    retry_after_ms: int = 0
    """With `wait`: when to ask again, with a new operation id."""
    reason: str | None = None


class SendMarkBatch(Message):
    """Answers in the order of the request."""

    answers: list[SendMark]


class ReportKind(StrEnum):
    """What is known of an attempt."""

    RETURNED = "returned"
    """Leased and given back before a mark (drain, breaker)."""
    PLACED = "placed"
    """The provider accepted the call and gave it an id, or was found to have it."""
    NOT_SENT = "not_sent"
    """No byte of the request was written."""
    REJECTED = "rejected"
    """The provider said no."""
    DOUBT = "doubt"
    """Perhaps sent, perhaps accepted: the sweep will look."""
    ABSENT = "absent"
    """Sweep: the provider was asked in full and lists no such call."""
    INCONCLUSIVE = "inconclusive"
    """Sweep: the provider answered but proves nothing."""
    UNREACHABLE = "unreachable"
    """Sweep: the provider could not be asked."""
    LOST = "lost"
    """Sweep: placed, past its longest end, and the provider no longer knows the call."""


class RejectionClass(StrEnum):
    """Whom a rejection concerns (design: what Bland's answer means)."""

    DNC = "dnc"
    BAD_NUMBER = "bad_number"
    ACCOUNT = "account"
    CAMPAIGN = "campaign"
    CAPACITY = "capacity"


class AttemptReport(Message):
    """One report of one attempt. Idempotent: the same report twice is answered alike and changes nothing."""

    attempt_id: UUID
    kind: ReportKind
    call_id: str | None = Field(default=None, max_length=128)
    rejection: RejectionClass | None = None
    http_status: int | None = None
    message: str | None = Field(default=None, max_length=500)
    retry_after_seconds: float | None = Field(default=None, ge=0, le=86400)


class ReportRequest(Message):
    """`POST /v1/reports`."""

    reporter: str = Field(min_length=1, max_length=128)
    reports: list[AttemptReport] = Field(min_length=1, max_length=MAX_GROUP)


class ReportAnswer(Message):
    """What the report did. `state` is null for an attempt that is not ours."""

    attempt_id: UUID
    state: str | None
    changed: bool
    alarm: str | None = None


class ReportBatch(Message):
    """Answers in the order of the request."""

    answers: list[ReportAnswer]


class StopResult(StrEnum):
    """What became of a stop order at the provider."""

    STOPPED = "stopped"
    NOT_FOUND = "not_found"
    FAILED = "failed"


class StopReport(Message):
    """`POST /v1/stop-orders/{id}/report`: `stopped` and a `not_found` of a call that is over confirm the order."""

    result: StopResult
    call_id: str | None = None
    message: str | None = Field(default=None, max_length=500)


class StopReported(Message):
    """Answer to a stop report."""

    id: UUID
    confirmed_at: datetime | None
