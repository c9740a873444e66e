"""What one examination found."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How it is."""

    WELL = "well"
    ODD = "odd"
    """It works, and somebody should look."""
    WRONG = "wrong"
    UNKNOWN = "not seen"
    """It cannot be examined from here."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was examined."""

    what: str
    verdict: Verdict
    says: str
    then: str | None = None
    """What to do next; None if nothing is to be done."""


def well(what: str, says: str) -> Finding:
    """Nothing to do."""
    return Finding(what, Verdict.WELL, says)


def odd(what: str, says: str, then: str) -> Finding:
    """It works, and should be looked at."""
    return Finding(what, Verdict.ODD, says, then)


def wrong(what: str, says: str, then: str) -> Finding:
    """It does not work."""
    return Finding(what, Verdict.WRONG, says, then)


def not_seen(what: str, says: str, then: str) -> Finding:
    """It cannot be examined from here; `then` says from where it can."""
    return Finding(what, Verdict.UNKNOWN, says, then)
