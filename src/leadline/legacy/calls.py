"""Rows about calls: `daily-calls/calls_DATE.json` and `call-state-cache.json`. Their clocks tell the truth."""

from typing import Final, TypeGuard

from leadline.domain.outcome import Outcome
from leadline.domain.rules.outcome_names import normal_name
from leadline.legacy.clock import HostClock
from leadline.legacy.facts import BAD_NUMBER, DNC, UNCLEAR, Call, Record, Wish, final_wishes, strictness
from leadline.legacy.outcomes import read_outcome
from leadline.legacy.values import (
    LONGEST_ID,
    LONGEST_STATE,
    Row,
    Unreadable,
    as_row,
    cleaned,
    identifier,
    items,
    phone_number,
    stamp,
    text,
)

RESERVED: Final = "RESERVED_"
"""A row with such an id was a place kept for a call, and no call."""

_STOP_WORDS: Final = ("dnc", "do_not", "dont_call", "stop", "opt_out", "unsubscribe", "blocklist", "blacklist")
_BAD_WORDS: Final = ("bad_number", "not_in_service", "not_found", "disconnected", "invalid_number", "unallocated")
_DAY_WORDS: Final = (
    "daily",
    "today",
    "per_day",
    "max",
    "limit",
    "duplicate",
    "active",
    "too_many",
    "recent",
    "already",
)
"""Blocks that held for their day alone."""


def is_real_call_id(call_id: str | None) -> TypeGuard[str]:
    """Whether the provider could know this id."""
    return call_id is not None and 0 < len(call_id) <= LONGEST_ID and not call_id.startswith(RESERVED)


def read_daily_calls(raw: object, _key: str, _clock: HostClock) -> Record:
    """What one day's calls say of a number. It is a trace: it asks for no further call. Raises Unreadable."""
    row = as_row(raw)
    number = phone_number(row)
    entries = [as_row(item, "calls") for item in items(row, "calls")]
    calls = tuple(call for entry in entries if (call := _daily_call(entry)))
    said = final_wishes((read_outcome(row.get("final_outcome")), *(call.outcome for call in calls)))
    wish = min([*said, *_block_wishes(row)], key=strictness, default=None)
    last = stamp(row, "last_call_timestamp")
    lead_ids = [lead_id for item in items(row, "lead_ids") if (lead_id := identifier({"lead_ids": item}, "lead_ids"))]
    return Record(
        number=number,
        wish=wish,
        # The list is not known: a lead id without it is no identity, but a blocklist may name it.
        sender_lead_ids=tuple(lead_ids),
        outcomes=tuple(call.outcome for call in calls if call.outcome),
        calls=calls,
        attempts=len(calls),
        last_call_at=max([call.at for call in calls], default=last.at if last and calls else None),
        stops=wish == DNC,
    )


def read_pending_call(raw: object, _key: str, _clock: HostClock) -> Record:
    """One `[call id, state]` of the cache: a call that may still ring, and whom it was for. Raises Unreadable."""
    if not isinstance(raw, list) or len(raw) != 2:
        raise Unreadable("pendingCalls", "is no pair of a call id and its state")
    row = as_row(raw[1], "pendingCalls")
    number, at = phone_number(row), stamp(row, "created_at")
    if at is None:
        raise Unreadable("created_at", "is missing")
    call_id = text({"call_id": row.get("call_id") or raw[0]}, "call_id", 1000)
    calls: tuple[Call, ...] = ()
    if is_real_call_id(call_id):
        calls = (Call(call_id, at.at, _cached_outcome(row), text(row, "from_number", 64)),)
    lead_id, list_id = identifier(row, "lead_id"), identifier(row, "list_id")
    whole = lead_id is not None and list_id is not None and lead_id != call_id
    return Record(
        number=number,
        lead_id=lead_id if whole else None,
        list_id=list_id if whole else None,
        first_name=text(row, "first_name"),
        last_name=text(row, "last_name"),
        state=text(row, "state", LONGEST_STATE),
        outcomes=tuple(call.outcome for call in calls if call.outcome),
        calls=calls,
        attempts=len(calls),
        last_call_at=at.at if calls else None,
        updated_at=at.at,
        sender_lead_ids=(lead_id,) if lead_id else (),
    )


def _daily_call(entry: Row) -> Call | None:
    call_id, at = text(entry, "call_id", 1000), stamp(entry, "timestamp")
    if at is None or not is_real_call_id(call_id):
        return None
    return Call(call_id, at.at, _daily_outcome(entry))


def _daily_outcome(entry: Row) -> Outcome | None:
    outcome = read_outcome(entry.get("outcome"))
    if outcome is not None:
        return outcome
    match text(entry, "status"):
        case "failed":
            return Outcome.FAILED
        case "completed":
            return read_outcome(entry.get("answered_by")) or Outcome.UNKNOWN
        case _:
            return None


def _cached_outcome(row: Row) -> Outcome | None:
    """None while the call may still ring: the cache keeps calls for a while after their end."""
    match (text(row, "status") or "").lower():
        case "failed" | "error":
            return Outcome.FAILED
        case "completed" | "complete":
            return Outcome.UNKNOWN
        case _:
            return None


def _block_wishes(row: Row) -> list[Wish]:
    """What the day's block still means: a stop for ever, nothing, or that somebody must look."""
    if row.get("blocked") is not True:
        return []
    reason = normal_name(cleaned(str(row.get("blocked_reason") or "")[:500]))
    for words, wish in ((_STOP_WORDS, [DNC]), (_BAD_WORDS, [BAD_NUMBER]), (_DAY_WORDS, [])):
        if any(word in reason for word in words):
            return wish
    return [UNCLEAR]
