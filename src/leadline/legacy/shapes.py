"""Which of the old system's files a file is, told by what is in it; the name counts only for those not imported."""

import re
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Final


class Shape(StrEnum):
    """The files that an import reads."""

    REDIAL_QUEUE = "redial_queue"
    REQUEST_QUEUE = "request_queue"
    DAILY_CALLS = "daily_calls"
    CALL_STATE = "call_state"
    BLOCKLIST = "blocklist"
    BAD_NUMBERS = "bad_numbers"
    EMPTY = "empty"
    """`{}` or `[]`: a queue without rows."""


LEAD_SHAPES: Final = frozenset({Shape.REDIAL_QUEUE, Shape.REQUEST_QUEUE, Shape.DAILY_CALLS, Shape.CALL_STATE})
"""Shapes whose rows say something of leads."""

_REDIAL_KEYS: Final = frozenset(
    {
        "next_redial_timestamp",
        "last_call_timestamp",
        "attempts_today",
        "last_attempt_date",
        "scheduled_callback_time",
        "outcomes",
        "last_outcome",
        "last_call_id",
        "call_history",
        "batch_timestamp",
        "daily_max_reached_at",
    }
)
_BAD_NUMBER_KEYS: Final = frozenset({"error_message", "first_failed_at", "last_failed_at", "failure_count", "call_ids"})

_NOT_IMPORTED: Final = (
    (r"(^|/)statistics/|(^|/)stats_\d", "statistics: counted anew from the calls themselves"),
    (r"daily-reports?\b", "a report: made from the calls themselves"),
    (r"reconciliation", "a reconciliation: derived, and not to be taken for truth"),
    (r"webhook-logs", "a log of webhooks: the provider's history has its calls (`leadline backfill`)"),
    (r"failed-convoso-updates", "updates that failed then: the CRM is asked for what is true now"),
    (r"number-pool|(^|/)performance\.json", "the pool of caller ids: Leadline has none"),
    (r"lead-mappings", "the pool of caller ids: Leadline has none"),
    (r"am-tracker|am-calls_", "counts of answering machines: the calls themselves are counted"),
    (r"sms-", "text messages: Leadline sends none"),
    (r"blocklist-attempts", "calls that the blocklist refused: none of them was made"),
    (r"scheduler-config", "calling hours: set LEADLINE_CALLING_HOURS and LEADLINE_BLACKOUT_DATES"),
    (r"call-protection", "limits: set REDIAL_MAX_DAILY_ATTEMPTS and the like"),
    (r"backfill-(progress|stats)", "the state of a script that is gone"),
)


def shape_of_element(keys: AbstractSet[str]) -> Shape | None:
    """The shape of a list or an object of which one element has these keys."""
    if "type" in keys and "payload" in keys:
        return Shape.REQUEST_QUEUE
    if "calls" in keys and ("phone_number" in keys or "lead_ids" in keys):
        return Shape.DAILY_CALLS
    return Shape.REDIAL_QUEUE if len(keys & _REDIAL_KEYS) >= 2 else None


def is_bad_number(keys: AbstractSet[str]) -> bool:
    """Whether an element of `records` with these keys is a bad number."""
    return bool(keys & _BAD_NUMBER_KEYS)


def why_not_imported(path: str, keys: AbstractSet[str], element_keys: AbstractSet[str]) -> str | None:
    """Why a file that is none of the shapes is left alone; None if nothing is known of it.

    `keys` are those of the outermost object, `element_keys` those of the elements inside.
    """
    if {"enabled", "schedule"} <= keys or "callbacksEnabled" in keys:
        path = "scheduler-config.json"
    elif {"field", "value", "blocked"} <= element_keys:
        path = "blocklist-attempts.json"
    spelt = path.replace("\\", "/").lower()
    return next((why for pattern, why in _NOT_IMPORTED if re.search(pattern, spelt)), None)
