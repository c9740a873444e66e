"""One colour for one meaning, on every dashboard.

Names of Grafana's palette, so that they suit the dark theme and the light one.
"""

from typing import Final

from leadline.domain.lead import LeadStatus
from leadline.domain.outcome import Outcome

GOOD: Final = "green"
WATCH: Final = "orange"
BAD: Final = "red"
WAITS: Final = "blue"
"""Nothing goes on, and nothing has to: outside calling hours, nothing is due."""
NEUTRAL: Final = "#8E99A8"

OUTCOMES: Final[dict[str, str]] = {
    Outcome.SALE: "dark-green",
    Outcome.ACA: "light-green",
    Outcome.TRANSFERRED: "blue",
    Outcome.CALLBACK: "light-blue",
    Outcome.NOT_INTERESTED: "purple",
    Outcome.CONFUSED: "super-light-purple",
    Outcome.DNC: "semi-dark-purple",
    Outcome.DO_NOT_CALL: "dark-purple",
    Outcome.VOICEMAIL: "yellow",
    Outcome.NO_ANSWER: NEUTRAL,
    Outcome.BUSY: "super-light-orange",
    Outcome.BAD_NUMBER: "dark-orange",
    Outcome.FAILED: "red",
    Outcome.UNKNOWN: "dark-red",
}
"""Sales green, conversations blue, a no purple, nobody there yellow to grey, faults red."""

STATUSES: Final[dict[str, str]] = {
    LeadStatus.PENDING: "blue",
    LeadStatus.RESCHEDULED: "light-blue",
    LeadStatus.HELD: WATCH,
    LeadStatus.PAUSED: "yellow",
    LeadStatus.COMPLETED: NEUTRAL,
}

PROVIDER_CLASSES: Final[dict[str, str]] = {
    "ok": GOOD,
    "bad_request": "light-orange",
    "unauthorized": "dark-red",
    "payment_required": "semi-dark-red",
    "forbidden": BAD,
    "dnc": "purple",
    "not_found": "light-yellow",
    "rate_limited": "yellow",
    "server_error": "light-red",
    "timeout": WATCH,
    "connection": "dark-orange",
    "unreadable": "dark-yellow",
}

SERVICES: Final[dict[str, str]] = {
    "gateway": "blue",
    "queue": "orange",
    "dialer": "green",
    "crm-sync": "purple",
    "simulator": NEUTRAL,
}

KEPT: Final[dict[str, str]] = {"kept": GOOD, "late": WATCH, "missed": BAD}
QUANTILES: Final[dict[str, str]] = {"p50": "light-blue", "p90": "blue", "p95": "blue", "p99": "dark-blue"}
ALL: Final[dict[str, str]] = OUTCOMES | STATUSES | PROVIDER_CLASSES | SERVICES | KEPT | QUANTILES
"""Every series whose name has a colour of its own."""
