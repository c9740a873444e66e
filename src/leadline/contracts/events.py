"""Events: raw bytes in, a receipt out."""

from enum import StrEnum

from leadline.contracts.base import Message


class EventSource(StrEnum):
    """Where the body of an event came from (header `X-Leadline-Source`)."""

    WEBHOOK = "bland"
    LOOKUP = "bland_lookup"
    """The sweep read the call at the provider."""
    HISTORY = "bland_history"
    """A backfill read the call in the provider's history."""
    CRM = "convoso"
    """The CRM told of a new status of one of its leads."""


class EventDisposition(StrEnum):
    """What was done with a body; every one of them is stored byte for byte."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    UNAPPLIED = "unapplied"
    """Stored; applying it failed and the sweep will try again."""


class EventStored(Message):
    """`POST /v1/events` committed the body. `kind` says what it was: result, enrichment, in_call, inbound ..."""

    event_id: int
    disposition: EventDisposition
    kind: str | None = None
    outcome: str | None = None
