"""Attempts: the ledger of every attempt and every call that was met."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from leadline.domain.attempt import OPEN_STATES
from leadline.domain.ids import AttemptId, PhoneNumber
from leadline.store.connection import Connection
from leadline.store.records import AttemptChange, NewAttempt, StateConflict

INSERT_ATTEMPTS: Final = """
INSERT INTO attempts (id, lead_id, campaign, phone_number, attempt_no, state, leased_at, origin, parent_id, dialer,
                      traceparent, call_id, closed_at, close_reason, outcome, evidence, answered_by,
                      provider_ended_at, talk_seconds, price_dollars, callback_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::timestamptz[],
                     $8::text[], $9::uuid[], $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::text[],
                     $15::text[], $16::text[], $17::text[], $18::timestamptz[], $19::float8[], $20::float8[],
                     $21::timestamptz[])
"""


async def insert_attempts(conn: Connection, attempts: Sequence[NewAttempt]) -> None:
    """Insert attempt rows; open ones hold their number by the end of the transaction or it does not commit."""
    if attempts:
        await conn.execute(
            INSERT_ATTEMPTS,
            [a.id for a in attempts],
            [a.lead_id for a in attempts],
            [a.campaign for a in attempts],
            [a.phone_number for a in attempts],
            [a.attempt_no for a in attempts],
            [a.state for a in attempts],
            [a.leased_at for a in attempts],
            [a.origin for a in attempts],
            [a.parent_id for a in attempts],
            [a.dialer for a in attempts],
            [a.traceparent for a in attempts],
            [a.call_id for a in attempts],
            [a.closed_at for a in attempts],
            [a.close_reason for a in attempts],
            [a.outcome for a in attempts],
            [a.evidence for a in attempts],
            [a.answered_by for a in attempts],
            [a.provider_ended_at for a in attempts],
            [a.talk_seconds for a in attempts],
            [a.price_dollars for a in attempts],
            [a.callback_at for a in attempts],
        )


CHANGE_ATTEMPTS: Final = """
UPDATE attempts a SET
    state = c.to_state,
    close_reason = coalesce(c.close_reason, a.close_reason),
    mark_operation_id = coalesce(c.mark_operation_id, a.mark_operation_id),
    send_after_ms = coalesce(c.send_after_ms, a.send_after_ms),
    send_within_ms = coalesce(c.send_within_ms, a.send_within_ms),
    marked_at = coalesce(c.marked_at, a.marked_at),
    placed_at = coalesce(a.placed_at, c.placed_at),
    closed_at = CASE WHEN c.to_state = ANY($19::text[]) THEN NULL ELSE coalesce(a.closed_at, c.closed_at) END,
    call_id = coalesce(a.call_id, c.call_id),
    outcome = coalesce(c.outcome, a.outcome),
    evidence = coalesce(c.evidence, a.evidence),
    answered_by = coalesce(c.answered_by, a.answered_by),
    provider_ended_at = coalesce(c.provider_ended_at, a.provider_ended_at),
    talk_seconds = coalesce(c.talk_seconds, a.talk_seconds),
    price_dollars = coalesce(c.price_dollars, a.price_dollars),
    callback_at = coalesce(c.callback_at, a.callback_at)
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::int[], $7::int[], $8::timestamptz[],
            $9::timestamptz[], $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::text[],
            $15::timestamptz[], $16::float8[], $17::float8[], $18::timestamptz[])
    AS c(id, from_state, to_state, close_reason, mark_operation_id, send_after_ms, send_within_ms, marked_at,
         placed_at, closed_at, call_id, outcome, evidence, answered_by, provider_ended_at, talk_seconds,
         price_dollars, callback_at)
WHERE a.id = c.id AND a.state = c.from_state
"""


async def change_attempts(conn: Connection, changes: Sequence[AttemptChange]) -> None:
    """Move attempts along their arrows. Raises StateConflict if any was not in the state that was expected."""
    if not changes:
        return
    status = await conn.execute(
        CHANGE_ATTEMPTS,
        [c.id for c in changes],
        [c.from_state for c in changes],
        [c.to_state for c in changes],
        [c.close_reason for c in changes],
        [c.mark_operation_id for c in changes],
        [c.send_after_ms for c in changes],
        [c.send_within_ms for c in changes],
        [c.marked_at for c in changes],
        [c.placed_at for c in changes],
        [c.closed_at for c in changes],
        [c.call_id for c in changes],
        [c.outcome for c in changes],
        [c.evidence for c in changes],
        [c.answered_by for c in changes],
        [c.provider_ended_at for c in changes],
        [c.talk_seconds for c in changes],
        [c.price_dollars for c in changes],
        [c.callback_at for c in changes],
        [str(state) for state in OPEN_STATES],
    )
    changed = int(status.rsplit(" ", 1)[1])
    if changed != len(changes):
        raise StateConflict(f"{len(changes) - changed} of {len(changes)} attempts were not in the expected state")


RECORD_CALLS: Final = """
INSERT INTO calls (call_id, attempt_id, recorded_at)
SELECT call_id, attempt_id, $3 FROM unnest($1::text[], $2::uuid[]) AS c(call_id, attempt_id)
ON CONFLICT (call_id) DO NOTHING
"""


async def record_calls(conn: Connection, calls: Sequence[tuple[str, AttemptId]], now: datetime) -> None:
    """Remember which attempt a provider's call belongs to; the first answer stands."""
    if calls:
        await conn.execute(RECORD_CALLS, [c[0] for c in calls], [c[1] for c in calls], now)


FIND_BY_IDS: Final = "SELECT id, phone_number FROM attempts WHERE id = ANY($1::uuid[])"


async def find_phones(conn: Connection, attempt_ids: Sequence[AttemptId]) -> dict[AttemptId, PhoneNumber]:
    """The number of each attempt that exists; unknown ids are missing from the answer."""
    rows = await conn.fetch(FIND_BY_IDS, list(attempt_ids))
    return {AttemptId(row["id"]): PhoneNumber(row["phone_number"]) for row in rows}


FIND_BY_CALLS: Final = """
SELECT c.call_id, c.attempt_id, a.phone_number
FROM calls c JOIN attempts a ON a.id = c.attempt_id
WHERE c.call_id = ANY($1::text[])
"""


async def find_by_calls(conn: Connection, call_ids: Sequence[str]) -> dict[str, tuple[AttemptId, PhoneNumber]]:
    """The attempt and number that each known call belongs to."""
    rows = await conn.fetch(FIND_BY_CALLS, list(call_ids))
    return {r["call_id"]: (AttemptId(r["attempt_id"]), PhoneNumber(r["phone_number"])) for r in rows}
