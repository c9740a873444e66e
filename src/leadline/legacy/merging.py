"""All rows of one number, from whatever files and in whatever order, become one lead."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final, TypeVar

from leadline.contracts.imports import ImportedCall, ImportedLead, ImportStatus
from leadline.domain.outcome import Outcome
from leadline.domain.rules.precedence import prevailing
from leadline.legacy.facts import ASK_THE_CRM, PENDING, UNCLEAR, Call, Record, Wish, strictness

MOST_CALLS: Final = 200
MOST_OUTCOMES: Final = 200
_MOST_ATTEMPTS: Final = 30_000
Value = TypeVar("Value")

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def merge(rows: Iterable[Record], also: Iterable[Wish] = ()) -> ImportedLead:
    """One lead from all rows of one number and campaign; the order and repetition of rows leave no trace.

    The newest row that knows the sender's ids names the lead, the strictest status wins, attempts are the most that any
    row counted. `also` are wishes of lists. Raises ValueError if there is no row.
    """
    read = _by_age(rows)
    calls = _calls(read)
    last_call_at = max((at for at in (*(r.last_call_at for r in read), *(c.at for c in calls)) if at), default=None)
    records = [*(_without_kept_promise(record, last_call_at) for record in read[:-1]), *read[-1:]]
    status, reason = wish = _wish(records, calls, also)
    named = _last(record for record in records if record.lead_id and record.list_id) or records[-1]
    dated = _last(record for record in records if record.wish == wish) or records[-1]
    today_on, today = _today(records)
    return ImportedLead(
        campaign=records[0].campaign,
        phone_number=records[0].number,
        lead_id=named.lead_id,
        list_id=named.list_id,
        first_name=_last(record.first_name for record in records),
        last_name=_last(record.last_name for record in records),
        state=_last(record.state for record in records),
        attributes={name: value for record in records for name, value in record.attributes.items()},
        status=status,
        status_reason=reason,
        due_at=dated.due_at if dated.wish == wish else None,
        scheduled_callback_at=_last(record.scheduled_callback_at for record in records),
        attempts=min(max([len(calls), *(record.attempts for record in records)]), _MOST_ATTEMPTS),
        attempts_today=today,
        attempts_today_on=today_on,
        last_call_at=last_call_at,
        outcomes=[str(outcome) for outcome in _outcomes(records, calls)[-MOST_OUTCOMES:]],
        calls=[_imported(call) for call in calls[-MOST_CALLS:]],
        created_at=min((record.created_at for record in records if record.created_at), default=None),
        updated_at=max((record.updated_at for record in records if record.updated_at), default=None),
        times_approximate=any(record.times_approximate for record in records),
    )


def _by_age(rows: Iterable[Record]) -> list[Record]:
    """Each row once, for one file may be given twice; older ones first."""
    given = list(rows)
    return given if len(given) == 1 else sorted({repr(row): row for row in given}.values(), key=_age)


def _age(record: Record) -> tuple[datetime, int, str]:
    """Older first; what stands in the row decides between rows of one age, so that files have no order."""
    return record.updated_at or _NEVER, record.attempts, repr(record)


def _without_kept_promise(record: Record, last_call_at: datetime | None) -> Record:
    """An older row may promise a callback that was made since."""
    promise = record.scheduled_callback_at
    if promise is None or last_call_at is None or promise > last_call_at:
        return record
    wish = PENDING if record.wish == (ImportStatus.RESCHEDULED, None) else record.wish
    return replace(record, wish=wish, scheduled_callback_at=None)


def _wish(records: Sequence[Record], calls: Sequence[Call], also: Iterable[Wish]) -> Wish:
    wishes = [*also, *(record.wish for record in reversed(records) if record.wish)]
    if all(record.wish is None for record in records):
        # Nobody has asked for calls: only traces of some were found. Who the person is, the CRM knows.
        wishes.append(ASK_THE_CRM)
    if _may_still_ring(calls):
        wishes.append(UNCLEAR)
    return min(wishes, key=strictness)


def _may_still_ring(calls: Sequence[Call]) -> bool:
    """Whether nothing is known of the end of the last call; those before it are over: a number has one at a time."""
    ended = max((call.at for call in calls if call.outcome), default=_NEVER)
    return any(call.outcome is None and call.at >= ended for call in calls)


def _calls(records: Sequence[Record]) -> list[Call]:
    found: dict[str, Call] = {}
    for call in sorted((call for record in records for call in record.calls), key=_trust):
        known = found.get(call.call_id)
        found[call.call_id] = call if known is None else _one_call(known, call)
    return sorted(found.values(), key=lambda call: (call.at, call.call_id))


def _trust(call: Call) -> tuple[bool, datetime, str, str, str]:
    """Exact instants before approximate ones, then the earlier one."""
    return call.approximate, call.at, call.call_id, call.outcome or "", call.from_number or ""


def _one_call(better: Call, other: Call) -> Call:
    outcomes = [call.outcome for call in (better, other) if call.outcome]
    return Call(
        better.call_id,
        better.at,
        prevailing(outcomes[0], outcomes[-1]) if outcomes else None,
        better.from_number or other.from_number,
        better.approximate,
    )


def _outcomes(records: Sequence[Record], calls: Sequence[Call]) -> list[Outcome]:
    """The list of the row that counted most, and before it what only calls with ids know of."""
    fullest = max(reversed(records), key=lambda record: (record.attempts, len(record.outcomes)))
    listed = list(fullest.outcomes)
    missing = list(listed)
    earlier = []
    for outcome in (call.outcome for call in calls if call.outcome):
        if outcome in missing:
            missing.remove(outcome)
        else:
            earlier.append(outcome)
    return earlier + listed


def _today(records: Sequence[Record]) -> tuple[date | None, int]:
    dated = [(record.attempts_today_on, record.attempts_today) for record in records if record.attempts_today_on]
    return max(dated, default=(None, 0))


def _last(values: Iterable[Value | None]) -> Value | None:
    """The newest that is known."""
    return next((value for value in reversed(list(values)) if value is not None), None)


def _imported(call: Call) -> ImportedCall:
    return ImportedCall(call_id=call.call_id, at=call.at, outcome=call.outcome, from_number=call.from_number)
