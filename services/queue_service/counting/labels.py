"""The words that figures are split by. Each comes from a closed set."""

from datetime import datetime
from typing import Final

from leadline.domain.attempt import AttemptState
from leadline.domain.lead import PriorityBand
from leadline.domain.rules.hours import DAYS

_LAST_BAND: Final = 9
ATTEMPT_BANDS: Final = (*(str(n) for n in range(1, _LAST_BAND)), f"{_LAST_BAND}+")
"""The number of an attempt in its lead's life."""

PRIORITIES: Final = {band: band.name.lower() for band in PriorityBand}

WEEKDAYS: Final = DAYS
HOURS: Final = tuple(f"{hour:02}" for hour in range(24))

SOURCES: Final = frozenset({"call", "provider", "crm", "operator", "import", "import-queue", "smoke"})
"""Who may say that a number must not be called; operators may name others."""
OTHER: Final = "other"

RESULTS: Final = {
    AttemptState.PLACED: "placed",
    AttemptState.ENDED: "placed",
    AttemptState.REJECTED: "rejected",
    AttemptState.UNKNOWN: "unknown",
    AttemptState.RELEASED: "not_sent",
}
"""What became of the request for a call, by the state that its attempt goes to."""


def attempt_band(attempt_no: int) -> str:
    """The band of an attempt, counted from 1."""
    return ATTEMPT_BANDS[min(max(attempt_no, 1), _LAST_BAND) - 1]


def weekday_and_hour(local: datetime) -> tuple[str, str]:
    """Where an instant lies in a week, by its own clock."""
    return WEEKDAYS[local.weekday()], HOURS[local.hour]


def source_of(text: str) -> str:
    """A suppression's source, if it is one of those that are told apart."""
    return text if text in SOURCES else OTHER
