"""The inbox: an event is kept first, then applied; if applying fails it stays kept, and the sweep applies it again."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from leadline.contracts.events import EventDisposition, EventSource, EventStored
from leadline.domain.ids import PhoneNumber
from leadline.runtime.ids import new_uuid7
from leadline.runtime.logging import get_logger
from leadline.store import events, phones
from leadline.store.changes import Changes
from leadline.store.clock import Clock, get_clock
from leadline.store.connection import Connection, Pool
from leadline.store.events import EventResult, NewEvent
from leadline.store.numbers import NumberState, load_numbers
from leadline.store.records import Alarm
from leadline.store.transactions import note, savepoint
from leadline.telephony.bland_result import ParsedEvent, parse_event
from services.queue_service.applying import apply_event
from services.queue_service.correlating import Incoming, correlate
from services.queue_service.counting.committed import counted
from services.queue_service.counting.noting import ends_heard
from services.queue_service.crm.status_events import apply_status
from services.queue_service.hearing import Applying
from services.queue_service.policy import Policy

log = get_logger(__name__)
Key = tuple[str, str, bytes]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One body that came in."""

    source: EventSource
    body: bytes
    parsed: ParsedEvent
    sha256: bytes

    @classmethod
    def read(cls, source: EventSource, body: bytes) -> "Delivery":
        """Parse a body; total."""
        return cls(source, body, parse_event(body), hashlib.sha256(body).digest())

    @property
    def key(self) -> Key:
        """What makes two deliveries the same."""
        return (self.source, self.parsed.call_id or "-", self.sha256)

    @property
    def group_key(self) -> str:
        """Deliveries about one call never share a transaction: each sees what the one before did."""
        return self.parsed.call_id or self.sha256.hex()


async def store_group(conn: Connection, policy: Policy, deliveries: Sequence[Delivery]) -> list[EventStored]:
    """Keep and apply a group inside the caller's transaction. Raises if applying fails: then store them one by one."""
    clock = await get_clock(conn)
    ids = await _insert(conn, clock, deliveries)
    new = [d for d in deliveries if d.key in ids]
    results = await _apply(conn, policy, [(ids[d.key], d.source, d.parsed) for d in new])
    await events.settle_events(conn, results)
    by_key = {d.key: result for d, result in zip(new, results, strict=True)}
    return [_answer(by_key[d.key]) if d.key in by_key else await _duplicate(conn, d.key) for d in deliveries]


async def store_one(conn: Connection, policy: Policy, delivery: Delivery) -> EventStored:
    """Keep one event whatever happens, inside the caller's transaction; apply it under a savepoint."""
    clock = await get_clock(conn)
    ids = await _insert(conn, clock, [delivery])
    if delivery.key not in ids:
        return await _duplicate(conn, delivery.key)
    event_id = ids[delivery.key]

    async def apply() -> EventResult:
        return (await _apply(conn, policy, [(event_id, delivery.source, delivery.parsed)]))[0]

    return await _apply_or_keep(conn, clock, event_id, apply)


async def store_status(conn: Connection, policy: Policy, body: bytes) -> EventStored:
    """Keep one delivery of the CRM whatever happens, inside the caller's transaction; apply it under a savepoint.

    Each delivery is an event of its own: a status may be set, taken back and set again, and its bodies are the same.
    """
    clock = await get_clock(conn)
    row = NewEvent(EventSource.CRM, str(new_uuid7()), hashlib.sha256(body).digest(), body)
    (event_id,) = (await events.insert_events(conn, [row], clock.now)).values()
    return await _apply_or_keep(conn, clock, event_id, lambda: apply_status(conn, policy, event_id, body))


async def _apply_or_keep(
    conn: Connection, clock: Clock, event_id: int, apply: Callable[[], Awaitable[EventResult]]
) -> EventStored:
    try:
        async with savepoint(conn):
            result = await apply()
            await events.settle_events(conn, [result])
    except Exception as error:  # noqa: BLE001 -- whatever applying raised, the event is kept and answered with 200
        await _keep_unapplied(conn, clock, event_id, error)
        return EventStored(event_id=event_id, disposition=EventDisposition.UNAPPLIED)
    return _answer(result)


async def _insert(conn: Connection, clock: Clock, deliveries: Sequence[Delivery]) -> dict[Key, int]:
    rows = [NewEvent(d.source, d.parsed.call_id or "-", d.sha256, d.body) for d in deliveries]
    ids = await events.insert_events(conn, rows, clock.now)
    note(ends_heard([(d.source, d.parsed) for d in deliveries if d.key in ids], clock))
    return ids


async def _duplicate(conn: Connection, key: Key) -> EventStored:
    row = await events.get_event(conn, key)
    return EventStored(
        event_id=row["id"], disposition=EventDisposition.DUPLICATE, kind=row["kind"], outcome=row["outcome"]
    )


async def _keep_unapplied(conn: Connection, clock: Clock, event_id: int, error: Exception) -> None:
    log.error("event_not_applied", event_id=event_id, exc_info=error)
    await events.note_failure(conn, event_id, f"{type(error).__name__}: {error}"[:500])
    changes = Changes(now=clock.now, actor="queue-service")
    changes.alarms.append(Alarm("event_not_applied", details={"event_id": event_id}))
    await changes.flush(conn)


async def _apply(
    conn: Connection, policy: Policy, new: Sequence[tuple[int, EventSource, ParsedEvent]]
) -> list[EventResult]:
    """Apply events one after the other, each on what the ones before left; a number's second event waits its turn."""
    incoming = await correlate(conn, policy, new)
    results: dict[int, EventResult] = {}
    while incoming:
        turn, later = _one_per_number(incoming)
        results |= await _apply_turn(conn, policy, turn)
        incoming = await correlate(conn, policy, [(i.event_id, i.source, i.event) for i in later])
    return [results[event_id] for event_id, _, _ in new]


def _one_per_number(incoming: Sequence[Incoming]) -> tuple[list[Incoming], list[Incoming]]:
    turn: list[Incoming] = []
    later: list[Incoming] = []
    seen: set[PhoneNumber] = set()
    for item in incoming:
        if item.phone_number in seen:
            later.append(item)
            continue
        turn.append(item)
        if item.phone_number is not None:
            seen.add(item.phone_number)
    return turn, later


async def _apply_turn(conn: Connection, policy: Policy, turn: Sequence[Incoming]) -> dict[int, EventResult]:
    wanted = [item.phone_number for item in turn if item.phone_number is not None]
    numbers: dict[PhoneNumber, NumberState] = {}
    if wanted:
        await phones.ensure_phones(conn, wanted)
        await phones.lock_phones(conn, wanted)
        numbers = await load_numbers(conn, wanted)
    clock = await get_clock(conn)
    applying = Applying(policy, clock, Changes(now=clock.now, actor="event"))
    results = {
        item.event_id: apply_event(applying, item, numbers.get(item.phone_number) if item.phone_number else None)
        for item in turn
    }
    await applying.changes.flush(conn)
    return results


def _answer(result: EventResult) -> EventStored:
    return EventStored(
        event_id=result.event_id,
        disposition=EventDisposition(result.disposition),
        kind=result.kind,
        outcome=result.outcome,
    )


async def apply_unapplied(pool: Pool, policy: Policy, limit: int) -> dict[str, int]:
    """Apply what is kept unapplied, each event in a transaction of its own; counts by what became of it."""
    async with pool.acquire() as conn:
        rows = await events.list_unapplied(conn, limit)
    counters = {"events_applied": 0, "events_still_unapplied": 0}
    for row in rows:
        applied = await _apply_kept(pool, policy, row["id"], EventSource(row["source"]), bytes(row["body"]))
        counters["events_applied" if applied else "events_still_unapplied"] += 1
    return counters


async def _apply_kept(pool: Pool, policy: Policy, event_id: int, source: EventSource, body: bytes) -> bool:
    try:
        async with pool.acquire() as conn, counted(conn, policy):
            if not await events.lock_unapplied(conn, event_id):
                return True
            if source is EventSource.CRM:
                result = await apply_status(conn, policy, event_id, body)
            else:
                (result,) = await _apply(conn, policy, [(event_id, source, parse_event(body))])
            await events.settle_events(conn, [result])
            return result.disposition != EventDisposition.UNAPPLIED
    except Exception as error:
        log.error("event_not_applied", event_id=event_id, exc_info=error)
        async with pool.acquire() as conn:
            await events.note_failure(conn, event_id, f"{type(error).__name__}: {error}"[:500])
        return False
