"""What a call came to: the outcomes, which of them are final, and which wins when two disagree."""

from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of one call, as the spec's table names them."""

    DO_NOT_CALL = "DO_NOT_CALL"
    DNC = "DNC"
    SALE = "SALE"
    ACA = "ACA"
    NOT_INTERESTED = "NOT_INTERESTED"
    TRANSFERRED = "TRANSFERRED"
    BAD_NUMBER = "BAD_NUMBER"
    VOICEMAIL = "VOICEMAIL"
    BUSY = "BUSY"
    NO_ANSWER = "NO_ANSWER"
    CALLBACK = "CALLBACK"
    FAILED = "FAILED"
    CONFUSED = "CONFUSED"
    UNKNOWN = "UNKNOWN"


STOP_OUTCOMES = frozenset({Outcome.DNC, Outcome.DO_NOT_CALL})
"""Outcomes that suppress the phone number; they stop calls whatever the settings say."""

SALE_OUTCOMES = frozenset({Outcome.SALE, Outcome.ACA})

DEFAULT_FINAL_OUTCOMES = STOP_OUTCOMES | SALE_OUTCOMES | {Outcome.NOT_INTERESTED}

REACHED_OUTCOMES = (
    STOP_OUTCOMES
    | SALE_OUTCOMES
    | {
        Outcome.NOT_INTERESTED,
        Outcome.TRANSFERRED,
        Outcome.CALLBACK,
        Outcome.CONFUSED,
    }
)
"""Outcomes in which a person spoke."""
