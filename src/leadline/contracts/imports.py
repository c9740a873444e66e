"""Import and export of leads in bulk."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from leadline.contracts.base import Message

MAX_IMPORT_GROUP = 500
"""Most records in one request."""


class ImportStatus(StrEnum):
    """The status that a record asks for; what the rules allow may be stricter."""

    PENDING = "pending"
    RESCHEDULED = "rescheduled"
    PAUSED = "paused"
    HELD = "held"
    COMPLETED = "completed"


class ImportedCall(Message):
    """A call of which the old records know the provider's id."""

    call_id: str = Field(min_length=1, max_length=128)
    at: datetime
    outcome: str | None = None
    from_number: str | None = None


class ImportedLead(Message):
    """One lead, merged from all records of its number. Instants are true ones; texts are checked by the sender."""

    campaign: str | None = Field(default=None, max_length=64)
    """None: the default campaign."""
    phone_number: str = Field(min_length=1, max_length=64)
    lead_id: str | None = Field(default=None, max_length=128)
    list_id: str | None = Field(default=None, max_length=128)
    first_name: str | None = Field(default=None, max_length=200)
    last_name: str | None = Field(default=None, max_length=200)
    state: str | None = Field(default=None, max_length=64)
    attributes: dict[str, str] = Field(default_factory=dict, max_length=200)
    status: ImportStatus
    status_reason: str | None = Field(default=None, max_length=64)
    """With `completed` and `held`: a CompletionReason or HeldReason."""
    due_at: datetime | None = None
    scheduled_callback_at: datetime | None = None
    attempts: int = Field(default=0, ge=0, le=30_000)
    """All counted attempts, those in `calls` included."""
    attempts_today: int = Field(default=0, ge=0, le=30_000)
    attempts_today_on: date | None = None
    last_call_at: datetime | None = None
    outcomes: list[str] = Field(default=[], max_length=200)
    """Oldest first, those in `calls` included."""
    calls: list[ImportedCall] = Field(default=[], max_length=200)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    times_approximate: bool = False


class ImportRequest(Message):
    """`POST /v1/imports/leads`. Idempotent: the same records twice change nothing the second time."""

    source: str = Field(min_length=1, max_length=64)
    leads: list[ImportedLead] = Field(min_length=1, max_length=MAX_IMPORT_GROUP)
    dry_run: bool = False


class ImportResult(StrEnum):
    """What became of a record."""

    TAKEN = "taken"
    """A new lead."""
    MERGED = "merged"
    """The lead was there, and learned something from the record."""
    UNCHANGED = "unchanged"
    QUARANTINED = "quarantined"
    """Not taken: see `problem`."""


class ImportedRecord(Message):
    """What became of one record, in the order of the request."""

    result: ImportResult
    lead_id: UUID | None = None
    status: str | None = None
    """The lead's status now."""
    status_reason: str | None = None
    problem: str | None = None


class ImportAnswer(Message):
    """Answers in the order of the request."""

    records: list[ImportedRecord]


class NumberEntry(Message):
    """One number that must not be called."""

    phone_number: str = Field(min_length=1, max_length=64)
    reason: str = Field(min_length=1, max_length=500)


class NumbersKind(StrEnum):
    """Why numbers must not be called."""

    SUPPRESSED = "suppressed"
    BAD_NUMBER = "bad_number"
    BLOCKED_LEADS = "blocked_leads"
    """`phone_number` holds a sender's lead id: the numbers of its leads are suppressed."""


class NumbersRequest(Message):
    """`POST /v1/imports/numbers`: nobody calls these any more. Idempotent."""

    kind: NumbersKind
    source: str = Field(min_length=1, max_length=64)
    numbers: list[NumberEntry] = Field(min_length=1, max_length=MAX_IMPORT_GROUP)
    dry_run: bool = False


class NumberResult(StrEnum):
    """What became of one entry."""

    ADDED = "added"
    KNOWN = "known"
    INVALID = "invalid"
    """No telephone number."""
    UNMATCHED = "unmatched"
    """No lead has this id."""


class NumbersAnswer(Message):
    """Answers in the order of the request."""

    results: list[NumberResult]


class ExportedLead(Message):
    """One lead with everything that an import needs to make it again."""

    id: UUID
    record: ImportedLead


class ExportPage(Message):
    """`GET /v1/exports/leads?after=&limit=`: by id; `next_after` is null on the last page."""

    leads: list[ExportedLead]
    next_after: UUID | None
