"""Calls of the provider's history are recorded in groups, each once, whoever told of it first."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from leadline.contracts.events import EventDisposition, EventSource
from leadline.domain.ids import CampaignName, PhoneNumber
from leadline.store import backfill, events, phones, suppressions
from leadline.store.changes import Changes
from leadline.store.clock import get_clock
from leadline.store.connection import Connection
from leadline.store.events import EventResult, NewEvent
from leadline.store.numbers import NumberState, load_numbers
from leadline.store.records import Alarm
from leadline.telephony.bland_result import EventKind
from services.queue_service.applying import apply_event
from services.queue_service.backfilling.history import Recording, foreign_call, inbound_call, may_be_ours
from services.queue_service.backfilling.runs import Run
from services.queue_service.correlating import Incoming, correlate
from services.queue_service.hearing import Applying, stored
from services.queue_service.inbox import Delivery
from services.queue_service.policy import Policy

PROVIDER_SOURCES: Final = (EventSource.WEBHOOK, EventSource.LOOKUP, EventSource.HISTORY)
OTHERS_TURN: Final = 25
"""After so many calls the process serves others: a dialer that asks `go?` does not wait for history."""
_NO_CALL: Final = "-"


class Met(StrEnum):
    """What a body turned out to be; also the counter of such bodies."""

    KNOWN = "known"
    """Recorded before, by whomever."""
    NOT_ENDED = "not_ended"
    UNDETERMINED = "undetermined"
    """The call may be ours: its details decide."""
    RECORDED = "recorded"
    ADOPTED = "adopted"
    """An attempt of ours of which the call was not known."""
    INBOUND = "inbound"
    OWN_NUMBER = "own_number"
    """One of our own numbers was called."""
    NO_NUMBER = "no_number"
    POISON = "poison"
    """No call can be read from it, or recording it failed."""


@dataclass(frozen=True, slots=True)
class HistoryBody:
    """One body of a request."""

    delivery: Delivery
    from_details: bool

    @classmethod
    def read(cls, body: str, *, from_details: bool) -> "HistoryBody":
        """Parse a body; total."""
        return cls(Delivery.read(EventSource.HISTORY, body.encode("utf-8", "surrogatepass")), from_details)


@dataclass(slots=True)
class Recorded:
    """What became of a group."""

    tally: Counter[str] = field(default_factory=Counter)
    needs_details: list[str] = field(default_factory=list)
    new_numbers: list[PhoneNumber] = field(default_factory=list)

    def add(self, other: "Recorded") -> None:
        """Another group, or another turn of this one."""
        self.tally += other.tally
        self.needs_details += other.needs_details
        self.new_numbers += other.new_numbers


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records calls for one run."""

    policy: Policy
    run: Run | None
    """None in a dry run, which notes no news of leads either."""

    @classmethod
    def of_run(cls, policy: Policy, run: Run) -> "Recorder":
        """A run's campaign is the default of its calls."""
        return cls(_with_default(policy, run.campaign), run)

    @classmethod
    def of_dry_run(cls, policy: Policy, campaign: CampaignName | None) -> "Recorder":
        """For the caller to roll back."""
        return cls(_with_default(policy, campaign), None)

    async def record(self, conn: Connection, bodies: Sequence[HistoryBody]) -> Recorded:
        """Record a group inside the caller's transaction. Raises if any of it fails: then record them one by one."""
        recorded = Recorded()
        known = await find_known(conn, [b.delivery.parsed.call_id for b in bodies if b.delivery.parsed.call_id])
        waiting: list[HistoryBody] = []
        for body in bodies:
            parsed = body.delivery.parsed
            if parsed.call_id in known:
                recorded.tally[Met.KNOWN] += 1
            elif parsed.kind in (EventKind.IN_CALL, EventKind.ENRICHMENT):
                recorded.tally[Met.NOT_ENDED] += 1
            else:
                waiting.append(body)
                known |= {parsed.call_id} if parsed.call_id else set()
        placed = [(place, EventSource.HISTORY, body.delivery.parsed) for place, body in enumerate(waiting)]
        incoming = await correlate(conn, self.policy, placed)
        while incoming:
            turn, incoming = _one_per_number(incoming)
            recorded.add(await self._turn(conn, [(item, waiting[item.event_id]) for item in turn]))
        return recorded

    async def _turn(self, conn: Connection, turn: Sequence[tuple[Incoming, HistoryBody]]) -> Recorded:
        """Calls of different numbers: locked, then read, then judged, then kept."""
        wanted = [i.phone_number for i, _ in turn if i.phone_number is not None]
        numbers: dict[PhoneNumber, NumberState] = {}
        removals: dict[PhoneNumber, datetime] = {}
        if wanted:
            await phones.ensure_phones(conn, wanted)
            await phones.lock_phones(conn, wanted)
            numbers = await load_numbers(conn, wanted)
            removals = await suppressions.find_removals(conn, wanted)
        clock = await get_clock(conn)
        recorded = Recorded()
        changes = Changes(now=clock.now, actor="backfill")
        since = self.run.starts_at if self.run else None
        recording = Recording(Applying(self.policy, clock, changes), removals, recorded.tally, since)
        kept: list[tuple[Met, Incoming, HistoryBody]] = []
        for incoming, body in turn:
            met = self._judge(incoming, body, numbers)
            recorded.tally[met] += 1
            if met is Met.UNDETERMINED:
                recorded.needs_details.append(incoming.event.call_id or _NO_CALL)
            elif met is not Met.KNOWN:
                kept.append((met, incoming, body))
        results = await _keep(conn, recording, kept, numbers)
        await changes.flush(conn)
        await self._write(conn, recording)
        await events.settle_events(conn, results)
        recorded.new_numbers = recording.met
        return recorded

    def _judge(self, incoming: Incoming, body: HistoryBody, numbers: dict[PhoneNumber, NumberState]) -> Met:
        event = incoming.event
        if event.kind is EventKind.NONSENSE:
            return Met.POISON
        if incoming.phone_number is None:
            return Met.NO_NUMBER
        number = numbers[incoming.phone_number]
        if any(a.call_id == event.call_id for a in number.attempts.values()):
            return Met.KNOWN
        if incoming.attempt_id is not None:
            return Met.ADOPTED
        if incoming.phone_number in self.policy.callers:
            return Met.OWN_NUMBER
        if event.inbound:
            return Met.INBOUND
        if not body.from_details and may_be_ours(number, event.created_at):
            return Met.UNDETERMINED
        return Met.RECORDED

    async def _write(self, conn: Connection, recording: Recording) -> None:
        await backfill.renumber(conn, recording.numbered)
        await backfill.set_attempts_before(conn, recording.attempts_before)
        if self.run is not None:
            await backfill.note_news(conn, self.run.id, recording.news)


def _with_default(policy: Policy, campaign: CampaignName | None) -> Policy:
    return replace(policy, default_campaign=campaign) if campaign and campaign in policy.campaigns else policy


async def _keep(
    conn: Connection,
    recording: Recording,
    judged: Sequence[tuple[Met, Incoming, HistoryBody]],
    numbers: dict[PhoneNumber, NumberState],
) -> list[EventResult]:
    """Keep bodies in the inbox, then do what they say. A body without a call id may have been kept before."""
    ids = await events.insert_events(conn, [_new_event(body) for _, _, body in judged], recording.applying.changes.now)
    results = []
    for place, (met, incoming, body) in enumerate(judged):
        if place % OTHERS_TURN == 0:
            await asyncio.sleep(0)
        event_id = ids.pop(body.delivery.key, None)
        if event_id is None:
            recording.tally[met] -= 1
            recording.tally[Met.KNOWN] += 1
            continue
        number = numbers[incoming.phone_number] if incoming.phone_number else None
        results.append(_apply(recording, met, replace(incoming, event_id=event_id), number))
    return results


def _new_event(body: HistoryBody) -> NewEvent:
    delivery = body.delivery
    return NewEvent(delivery.source, delivery.parsed.call_id or _NO_CALL, delivery.sha256, delivery.body)


def _apply(recording: Recording, met: Met, incoming: Incoming, number: NumberState | None) -> EventResult:
    if number is None:
        problem = "no JSON object with a call id" if met is Met.POISON else "no telephone number to go by"
        return stored(incoming, EventDisposition.QUARANTINED, met, problem=problem)
    match met:
        case Met.ADOPTED:
            return apply_event(recording.applying, incoming, number)
        case Met.INBOUND:
            return inbound_call(recording, incoming, number)
        case Met.RECORDED:
            return foreign_call(recording, incoming, number)
        case _:
            return stored(incoming, EventDisposition.APPLIED, met)


async def find_known(conn: Connection, call_ids: Sequence[str]) -> set[str]:
    """The calls that are recorded, or that need no record."""
    return await backfill.find_known(conn, call_ids, PROVIDER_SOURCES, EventSource.HISTORY)


def _one_per_number(incoming: Sequence[Incoming]) -> tuple[list[Incoming], list[Incoming]]:
    turn: dict[PhoneNumber | int, Incoming] = {}
    for item in incoming:
        turn.setdefault(item.phone_number or item.event_id, item)
    first = {item.event_id for item in turn.values()}
    return list(turn.values()), [item for item in incoming if item.event_id not in first]


async def quarantine(conn: Connection, body: HistoryBody, error: Exception) -> Recorded:
    """A body whose recording fails by itself is kept for people; the run goes on."""
    clock = await get_clock(conn)
    ids = await events.insert_events(conn, [_new_event(body)], clock.now)
    if not ids:
        return Recorded(Counter({Met.KNOWN: 1}))
    (event_id,) = ids.values()
    problem = f"{type(error).__name__}: {error}"[:500]
    result = EventResult(event_id, EventDisposition.QUARANTINED, Met.POISON, problem=problem)
    await events.settle_events(conn, [result])
    alarm = Alarm("history_not_recorded", details={"event_id": event_id, "problem": problem})
    await Changes(now=clock.now, actor="backfill", alarms=[alarm]).flush(conn)
    return Recorded(Counter({Met.POISON: 1}))
