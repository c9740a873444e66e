"""The calls of an imported lead: those with an id enter the ledger, the rest is a number, words and a last instant."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from leadline.domain.attempt import COUNTED_STATES, AttemptOrigin, AttemptState
from leadline.domain.ids import AttemptId, CallId
from leadline.domain.wall_clock import day_of
from leadline.runtime.ids import new_uuid7
from leadline.store.changes import Changes
from leadline.store.imports import PastOfLead
from leadline.store.numbers import AttemptRow, LeadRow, NumberState
from leadline.store.records import NewAttempt
from services.queue_service.importing.checking import Record

EPOCH = datetime.fromtimestamp(0, UTC)
"""Beginning of the first life of every lead."""


def past_of(lead: LeadRow) -> PastOfLead:
    """What the lead knows of calls without a record."""
    return PastOfLead(
        id=lead.id,
        attempts_before=lead.attempts_before,
        attempts_before_on=lead.attempts_before_on,
        attempts_before_that_day=lead.attempts_before_that_day,
        attempts_before_until=lead.attempts_before_until,
        outcomes_before=list(lead.outcomes_before),
        last_call_before=lead.last_call_before,
    )


def record_calls(
    changes: Changes, number: NumberState, lead: LeadRow, record: Record, known: Collection[str]
) -> list[AttemptRow]:
    """Enter the record's calls that nobody knows into the ledger, as calls made elsewhere.

    Calls that were counted without a record until now are counted once: `attempts_before` gives way to them. A call
    from the future is one of now, for its clock is wrong.
    """
    mine = {a.call_id for a in number.attempts.values()}
    added = []
    for call in record.calls:
        if call.id in known or call.id in mine:
            continue
        at = min(call.at, changes.now)
        new = NewAttempt(
            id=AttemptId(new_uuid7()),
            lead_id=lead.id,
            campaign=lead.campaign,
            phone_number=number.phone_number,
            attempt_no=number.attempts_of(lead) + 1,
            state=AttemptState.ENDED,
            leased_at=at,
            origin=AttemptOrigin.ELSEWHERE,
            call_id=CallId(call.id),
            closed_at=at,
            close_reason="imported",
            outcome=call.outcome,
            evidence="an imported record",
        )
        changes.new_attempts.append(new)
        changes.calls.append((call.id, new.id))
        row = AttemptRow.of_new(new)
        number.attempts[row.id] = row
        added.append(row)
    return added


def number_calls(changes: Changes, number: NumberState, lead: LeadRow) -> None:
    """The calls of a new lead come after those that have no record."""
    for new in changes.new_attempts:
        if new.lead_id == lead.id:
            new.attempt_no += lead.attempts_before
            number.attempts[new.id].attempt_no = new.attempt_no


def give_way(lead: LeadRow, added: Sequence[AttemptRow], zone: ZoneInfo) -> None:
    """Calls that now have a record are no longer counted among those that have none."""
    until = lead.attempts_before_until
    for call in added:
        if until is not None and call.dispatched_at <= until:
            lead.attempts_before = max(0, lead.attempts_before - 1)
            if day_of(call.dispatched_at, zone) == lead.attempts_before_on:
                lead.attempts_before_that_day = max(0, lead.attempts_before_that_day - 1)
    lead.outcomes_before = without(lead.outcomes_before, (a.outcome for a in added if a.outcome))


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """What the record says beyond the calls that are in the ledger."""

    attempts: int
    that_day: int
    outcomes: list[str]
    last_call_at: datetime | None
    """None if a call in the ledger is as new."""


def unrecorded(record: Record, number: NumberState, lead: LeadRow, zone: ZoneInfo) -> Unrecorded:
    """Compare a record with the ledger as it now is."""
    said, known = record.said, _ledger(record, number, lead)
    today = sum(day_of(a.dispatched_at, zone) == said.attempts_today_on for a in known)
    latest = max((a.dispatched_at for a in known), default=EPOCH)
    return Unrecorded(
        attempts=max(0, said.attempts - len(known)),
        that_day=max(0, said.attempts_today - today) if said.attempts_today_on else 0,
        outcomes=without(record.outcomes, (a.outcome for a in known if a.outcome)),
        last_call_at=said.last_call_at if said.last_call_at is not None and said.last_call_at > latest else None,
    )


def _ledger(record: Record, number: NumberState, lead: LeadRow) -> list[AttemptRow]:
    """The counted calls of the ledger, by time, that the record counts too."""
    ids, until = {call.id for call in record.calls}, record.said_until
    known = [
        a
        for a in number.attempts.values()
        if a.state in COUNTED_STATES
        and (a.call_id in ids or (a.lead_id == lead.id and _is_meant(a.dispatched_at, lead, until)))
    ]
    return sorted(known, key=lambda a: a.dispatched_at)


def _is_meant(at: datetime, lead: LeadRow, until: datetime | None) -> bool:
    return at >= lead.life_started_at and (until is None or at <= until)


def learn(lead: LeadRow, record: Record, news: Unrecorded) -> None:
    """Raise what the lead knows to what the record says; nothing is lowered, so that a repetition changes nothing."""
    if news.attempts > lead.attempts_before:
        lead.attempts_before = news.attempts
        lead.attempts_before_until = _latest(lead.attempts_before_until, record.said_until)
    if len(news.outcomes) > len(lead.outcomes_before):
        lead.outcomes_before = news.outcomes
    on = record.said.attempts_today_on
    if news.that_day and on is not None and (lead.attempts_before_on is None or on >= lead.attempts_before_on):
        same_day = lead.attempts_before_that_day if on == lead.attempts_before_on else 0
        lead.attempts_before_on, lead.attempts_before_that_day = on, max(same_day, news.that_day)
    lead.last_call_before = _latest(lead.last_call_before, news.last_call_at)


def _latest(*instants: datetime | None) -> datetime | None:
    return max((at for at in instants if at is not None), default=None)


def without(outcomes: Sequence[str], known: Iterable[str]) -> list[str]:
    """The outcomes without those of known calls, each taken away once, the newest first."""
    left = list(outcomes)
    for outcome in reversed(list(known)):
        for place in reversed(range(len(left))):
            if left[place] == outcome:
                del left[place]
                break
    return left
