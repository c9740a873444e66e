"""One attempt to call a lead: its states, and which of them hold the number or count against a cap."""

from enum import StrEnum


class AttemptState(StrEnum):
    """Where an attempt is between its lease and its end (drawn in ARCHITECTURE.md)."""

    LEASED = "leased"
    SENDING = "sending"
    UNKNOWN = "unknown"
    PLACED = "placed"
    ENDED = "ended"
    RELEASED = "released"
    REJECTED = "rejected"
    NOT_PLACED = "not_placed"
    ABANDONED = "abandoned"


OPEN_STATES = frozenset({AttemptState.LEASED, AttemptState.SENDING, AttemptState.UNKNOWN, AttemptState.PLACED})
"""States in which the attempt holds its phone number: no other attempt to it may exist."""

COUNTED_STATES = OPEN_STATES | {AttemptState.ENDED, AttemptState.ABANDONED}
"""States that count against the caps of life and day."""


class AttemptOrigin(StrEnum):
    """Who placed the call that an attempt records."""

    LEADLINE = "leadline"
    PROVIDER_RETRY = "provider_retry"
    ELSEWHERE = "elsewhere"
