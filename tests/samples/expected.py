"""What each sample must come to at BUSINESS_NOW, on a fresh database with the lead of PHONE and what `holds` says.

Used by the queue-service's tests and by those of the whole running system.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

FOLDER: Final = Path(__file__).parent
PHONE: Final = "+15615550123"
"""The lead that nearly all samples are about."""
STRANGER: Final = "+18135550142"
"""A number that no lead has."""
ATTEMPT_ID: Final = UUID("01940000-0000-7000-8000-000000000001")
"""The attempt that the samples name in their metadata."""
DISPATCHED_AT: Final = datetime(2026, 1, 6, 17, 10, tzinfo=UTC)
"""When the attempt was marked: 12:10 in New York."""
BUSINESS_NOW: Final = datetime(2026, 1, 6, 17, 12, tzinfo=UTC)
"""When the samples arrive: 12:12 in New York."""
CALL_ID: Final = "b1a2d000-{:04}-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class ExpectedEvent:
    """One file of `bland/`: how it is stored, what it says, and what becomes of the lead of `phone`."""

    file: str
    outcome: str | None
    kind: str
    disposition: str = "applied"
    holds: str | None = None
    """Call id of the attempt ATTEMPT_ID that is placed when the event comes; None: there is only the lead."""
    status: str = "pending"
    reason: str | None = None
    attempts: int = 1
    """Calls counted for the lead afterwards."""
    due_at: datetime | None = None
    """Exactly then, where the sample decides it; never before BUSINESS_NOW anyway."""
    phone: str = PHONE
    suppressed: bool = False

    @property
    def body(self) -> bytes:
        """The file, byte for byte."""
        return (FOLDER / "bland" / self.file).read_bytes()


def _ours(number: int, name: str, outcome: str | None, kind: str = "result", **rest: Any) -> ExpectedEvent:
    """A sample of a call that our attempt placed."""
    holds = CALL_ID.format(number)
    return ExpectedEvent(f"{number:02}-{name}", outcome, kind, holds=holds, **rest)


def _utc(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


AFTER_THE_CALL: Final = _utc(6, 17, 12)
"""The call ended at 12:11; the second attempt comes a minute later."""
AFTER_THE_REST: Final = _utc(6, 17, 41)
"""Half an hour after the end of the call."""

EVENTS: Final = (
    _ours(1, "voicemail.json", "VOICEMAIL", due_at=AFTER_THE_CALL),
    _ours(2, "no-answer.json", "NO_ANSWER", due_at=AFTER_THE_CALL),
    _ours(3, "busy.json", "BUSY", due_at=AFTER_THE_CALL),
    _ours(4, "transferred-merged.json", "TRANSFERRED", due_at=AFTER_THE_REST),
    _ours(5, "transfer-tag-only-is-not-a-transfer.json", "CONFUSED", due_at=AFTER_THE_CALL),
    _ours(6, "callback-with-time.json", "CALLBACK", status="rescheduled", due_at=_utc(7, 20, 30)),
    _ours(7, "callback-without-time.json", "CALLBACK", due_at=AFTER_THE_CALL),
    _ours(8, "person-says-stop.json", "DO_NOT_CALL", status="completed", reason="dnc", suppressed=True),
    _ours(9, "only-the-agent-says-it.json", "CONFUSED", due_at=AFTER_THE_CALL),
    _ours(10, "not-interested-tag-object.json", "NOT_INTERESTED", status="completed", reason="not_interested"),
    _ours(11, "tags-null-and-mixed.json", "CONFUSED", due_at=AFTER_THE_CALL),
    _ours(12, "number-not-found.json", "BAD_NUMBER", status="completed", reason="bad_number"),
    _ours(13, "completed-with-error-text.json", "CONFUSED", due_at=AFTER_THE_CALL),
    ExpectedEvent("14-inbound.json", "CONFUSED", "inbound", attempts=0, due_at=AFTER_THE_REST),
    _ours(15, "sale-disposition.json", "SALE", status="completed", reason="sale"),
    _ours(16, "bland-own-retry.json", "VOICEMAIL", due_at=AFTER_THE_CALL),
    _ours(17, "null-answered-four-minutes.json", "CONFUSED", due_at=AFTER_THE_CALL),
    ExpectedEvent(
        "18-no-metadata-unknown-call.json", "VOICEMAIL", "foreign", status="held", reason="foreign", phone=STRANGER
    ),
    ExpectedEvent("19-number-without-plus.json", "NO_ANSWER", "foreign", due_at=AFTER_THE_CALL),
    ExpectedEvent("20-citations-second-post.json", None, "enrichment", holds=CALL_ID.format(4), status="calling"),
    ExpectedEvent("21-in-call-event.json", None, "in_call", holds=CALL_ID.format(4), status="calling"),
    ExpectedEvent("22-nul-and-surrogate.json", "CONFUSED", "foreign"),
    ExpectedEvent("23-not-json.txt", None, "nonsense", "quarantined", attempts=0),
)


@dataclass(frozen=True, slots=True)
class ExpectedLead:
    """One file of `leads/`: the answer to it, and the lead that it makes."""

    file: str
    media_type: str = "application/json"
    problem_status: int | None = None
    """A refusal's HTTP status; None: taken and queued."""
    first_name: str | None = None
    state: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    sender_fields: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """The file, byte for byte."""
        return (FOLDER / "leads" / self.file).read_bytes()


LEADS: Final = (
    ExpectedLead("lead.json", first_name="Maria", state="FL", sender_fields={"status": "NEW"}),
    ExpectedLead("lead.form", "application/x-www-form-urlencoded", first_name="Maria", state="FL"),
    ExpectedLead(
        "lead-all-strings-and-blanks.json", state="FL", attributes={"utm_source": "spring"}, sender_fields={"age": "61"}
    ),
    ExpectedLead("bad-no-phone.json", problem_status=400),
    ExpectedLead("bad-phone.json", problem_status=400),
)
SENDER_LEAD_ID: Final = "410233"
"""The lead id of every good sample."""
