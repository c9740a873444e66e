"""A row of `redial-queue_YYYY-MM.json`: the old system's queue entry."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from leadline.contracts.imports import ImportStatus
from leadline.domain.ids import PhoneNumber
from leadline.domain.lead import CompletionReason
from leadline.domain.outcome import Outcome
from leadline.legacy.block import Block, read_block
from leadline.legacy.calls import is_real_call_id
from leadline.legacy.clock import NEW_YORK, HostClock
from leadline.legacy.facts import (
    ASK_THE_CRM,
    BAD_NUMBER,
    DNC,
    PENDING,
    UNCLEAR,
    Call,
    Record,
    Wish,
    final_wishes,
    strictness,
)
from leadline.legacy.outcomes import read_outcome
from leadline.legacy.values import (
    LONGEST_STATE,
    Row,
    Stamp,
    Unreadable,
    as_row,
    day,
    identifier,
    items,
    phone_number,
    stamp,
    text,
    whole,
)

MOST_ATTEMPTS: Final = 30_000

_STATUS_WISHES: Final[dict[str, Wish]] = {
    "pending": PENDING,
    "daily_max_reached": PENDING,
    "rescheduled": (ImportStatus.RESCHEDULED, None),
    "paused": (ImportStatus.PAUSED, None),
    "max_attempts": (ImportStatus.COMPLETED, CompletionReason.EXHAUSTED),
    "completed": UNCLEAR,
}


@dataclass(frozen=True, slots=True)
class _Row:
    """A row with the clock that wrote it."""

    values: Row
    number: PhoneNumber
    block: Block | None
    written_by_backfill: bool
    """By a script of the old system that knew the call and nothing of the lead: no fit ids, but true instants."""
    clock: HostClock

    def at(self, field: str) -> datetime | None:
        """A repaired instant. Raises Unreadable."""
        return self.repaired(stamp(self.values, field))

    def repaired(self, found: Stamp | None) -> datetime | None:
        if found is None:
            return None
        return found.at if found.is_true or self.written_by_backfill else self.clock.true(found.at)

    @property
    def is_untouched(self) -> bool:
        return self.block is not None and self.block.untouched

    @property
    def is_approximate(self) -> bool:
        if self.is_untouched:
            return self.block is not None and self.block.times_approximate
        return not self.written_by_backfill and not self.clock.proven


def read_redial(raw: object, key: str, clock: HostClock) -> Record:
    """One row; `key` is what it stands under, empty in an array. Raises Unreadable."""
    values = as_row(raw)
    number = phone_number(values, key)
    block = read_block(values)
    if block is not None:
        clock = HostClock(block.clock_offset_seconds, proven=True)
    row = _Row(values, number, block, block is None and _by_backfill(values), clock)
    return _record(row)


def _by_backfill(values: Row) -> bool:
    lead_id, list_id = identifier(values, "lead_id"), identifier(values, "list_id")
    return list_id is None or lead_id is None or lead_id == text(values, "last_call_id")


def _record(row: _Row) -> Record:
    values, block = row.values, row.block
    outcomes, calls = _outcomes(row), _calls(row)
    scheduled = stamp(values, "scheduled_callback_time")
    wish = _wish(row, (*outcomes, *(call.outcome for call in calls if call.outcome)), has_promise=scheduled is not None)
    updated_at = row.at("updated_at")
    attempts_today = whole(values, "attempts_today", MOST_ATTEMPTS)
    last_call_at = row.at("last_call_timestamp")
    lead_id = identifier(values, "lead_id")
    return Record(
        number=row.number,
        wish=wish,
        campaign=block.campaign if block else None,
        lead_id=None if row.written_by_backfill else lead_id,
        list_id=None if row.written_by_backfill else identifier(values, "list_id"),
        first_name=text(values, "first_name"),
        last_name=text(values, "last_name"),
        state=text(values, "state", LONGEST_STATE),
        attributes=block.attributes if block else {},
        due_at=_due_at(row, wish, scheduled),
        # A promise is stored by a clock that tells the truth.
        scheduled_callback_at=scheduled.at if scheduled else None,
        attempts=max(whole(values, "attempts", MOST_ATTEMPTS), len(calls)),
        attempts_today=attempts_today,
        attempts_today_on=day(values, "last_attempt_date")
        or _day_of(row.at("daily_max_reached_at") or last_call_at, attempts_today),
        last_call_at=last_call_at,
        outcomes=outcomes,
        calls=calls,
        created_at=row.at("created_at"),
        updated_at=updated_at,
        times_approximate=row.is_approximate,
        sender_lead_ids=(lead_id,) if lead_id and lead_id != text(values, "last_call_id") else (),
        stops=wish == DNC,
    )


def _wish(row: _Row, outcomes: tuple[Outcome, ...], *, has_promise: bool) -> Wish:
    """The strictest of what the status and all outcomes ask for."""
    status = (text(row.values, "status") or "").lower()
    if status not in _STATUS_WISHES:
        raise Unreadable("status", "is none of the old system's")
    if row.block is not None and row.block.untouched:
        return row.block.wish
    by_status = _STATUS_WISHES[status]
    wishes = [by_status, *final_wishes(outcomes)]
    if status == "rescheduled" and not has_promise:
        wishes[0] = PENDING
    if status == "completed":
        wishes[0] = _why_completed(wishes[1:], outcomes)
    if row.written_by_backfill:
        wishes.append(ASK_THE_CRM)
    if row.block is not None and strictness(row.block.wish) < strictness((ImportStatus.PAUSED, None)):
        wishes.append(row.block.wish)
    return min(wishes, key=strictness)


def _why_completed(final: list[Wish], outcomes: tuple[Outcome, ...]) -> Wish:
    """The old system completed for many reasons and kept none: only the outcomes tell."""
    if final:
        return min(final, key=strictness)
    return BAD_NUMBER if outcomes and outcomes[-1] is Outcome.BAD_NUMBER else UNCLEAR


def _due_at(row: _Row, wish: Wish, scheduled: Stamp | None) -> datetime | None:
    planned = row.at("next_redial_timestamp")
    if row.is_untouched:
        return planned
    match wish[0]:
        case ImportStatus.RESCHEDULED:
            # A script wrote promises into both fields, truly; elsewhere the other one is what the old clock made of it.
            return scheduled.at if scheduled else planned
        case ImportStatus.PENDING:
            return planned
        case ImportStatus.PAUSED | ImportStatus.HELD | ImportStatus.COMPLETED:
            return None


def _outcomes(row: _Row) -> tuple[Outcome, ...]:
    listed = [*(row.block.earlier_outcomes if row.block else ()), *items(row.values, "outcomes")]
    outcomes = [outcome for outcome in map(read_outcome, listed) if outcome]
    last = read_outcome(row.values.get("last_outcome"))
    if last is not None and last not in outcomes:
        outcomes.append(last)
    return tuple(outcomes)


def _calls(row: _Row) -> tuple[Call, ...]:
    listed = [*(row.block.earlier_calls if row.block else ()), *items(row.values, "call_history")]
    calls = {call.call_id: call for item in listed if (call := _call(row, as_row(item, "call_history")))}
    last = None if row.is_untouched else _last_call(row)
    if last is not None and (last.call_id not in calls or calls[last.call_id].outcome is None):
        calls[last.call_id] = last
    return tuple(sorted(calls.values(), key=lambda call: (call.at, call.call_id)))


def _call(row: _Row, entry: Row) -> Call | None:
    call_id = text(entry, "call_id", 1000)
    at = row.repaired(stamp(entry, "timestamp"))
    if at is None or not is_real_call_id(call_id):
        return None
    outcome = read_outcome(entry.get("outcome"))
    return Call(call_id, at, outcome, text(entry, "from_number", 64), approximate=row.is_approximate)


def _last_call(row: _Row) -> Call | None:
    call_id = text(row.values, "last_call_id", 1000)
    at = row.at("last_call_timestamp") or row.at("updated_at") or row.at("created_at")
    if at is None or not is_real_call_id(call_id):
        return None
    outcome = read_outcome(row.values.get("last_outcome"))
    if outcome is None and row.written_by_backfill:
        outcome = Outcome.UNKNOWN  # It was read from a history, where calls are over.
    return Call(call_id, at, outcome, approximate=row.is_approximate)


def _day_of(at: datetime | None, attempts_today: int) -> date | None:
    return at.astimezone(NEW_YORK).date() if at is not None and attempts_today else None
