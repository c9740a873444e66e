"""Puts an attempt with a given id into the state `placed`: what a dialer would have done before a sample arrives."""

from datetime import datetime, timedelta
from uuid import UUID

from leadline.runtime.postgres import Connection

_ATTEMPT = """
INSERT INTO attempts (id, lead_id, campaign, phone_number, origin, attempt_no, state, leased_at, marked_at, placed_at,
                      mark_operation_id, send_after_ms, send_within_ms, call_id, dialer)
SELECT $1, l.id, l.campaign, l.phone_number, 'leadline', 1, 'placed', $3, $3, $3, gen_random_uuid(), 0, 2000, $4, 'd1'
FROM leads l WHERE l.phone_number = $2
"""
_NUMBER = "INSERT INTO open_attempts VALUES ($1, $2, clock_timestamp() + interval '1 hour')"
_CALL = "INSERT INTO calls (call_id, attempt_id, recorded_at) VALUES ($1, $2, $3)"
_CALLING = "UPDATE due_leads SET calling = true WHERE phone_number = $1"
_SPACING = "UPDATE phones SET last_sent_by = $2 WHERE phone_number = $1"


async def insert_placed_attempt(
    conn: Connection, attempt_id: UUID, phone_number: str, call_id: str, dispatched_at: datetime
) -> None:
    """The number has one lead, which no call is made for. `dispatched_at` is business time."""
    async with conn.transaction():
        await conn.execute(_ATTEMPT, attempt_id, phone_number, dispatched_at, call_id)
        await conn.execute(_NUMBER, phone_number, attempt_id)
        await conn.execute(_CALL, call_id, attempt_id, dispatched_at)
        await conn.execute(_CALLING, phone_number)
        await conn.execute(_SPACING, phone_number, dispatched_at + timedelta(seconds=2))
