"""Stop orders: live calls that must end, given to dialers until one confirms."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from leadline.store.connection import Connection, Row
from leadline.store.records import NewStopOrder

INSERT_STOP_ORDERS: Final = """
INSERT INTO stop_orders (id, attempt_id, phone_number, call_id, reason, created_at, next_try_at)
SELECT c.*, $6, clock_timestamp() FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[])
    AS c(id, attempt_id, phone_number, call_id, reason)
ON CONFLICT DO NOTHING
"""


async def insert_stop_orders(conn: Connection, orders: Sequence[NewStopOrder], now: datetime) -> None:
    """Order calls to be ended; one pending order per call is enough."""
    if orders:
        await conn.execute(
            INSERT_STOP_ORDERS,
            [o.id for o in orders],
            [o.attempt_id for o in orders],
            [o.phone_number for o in orders],
            [o.call_id for o in orders],
            [o.reason for o in orders],
            now,
        )


TAKE_STOP_ORDERS: Final = """
UPDATE stop_orders SET tries = tries + 1, next_try_at = clock_timestamp() + make_interval(secs => $2)
WHERE id IN (SELECT id FROM stop_orders WHERE confirmed_at IS NULL AND next_try_at <= clock_timestamp()
             ORDER BY next_try_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING id, attempt_id, phone_number, reason,
    coalesce(call_id, (SELECT a.call_id FROM attempts a WHERE a.id = attempt_id)) AS call_id
"""


async def take_stop_orders(conn: Connection, limit: int, again_after_seconds: float) -> list[Row]:
    """Give pending orders out; who does not confirm within the time sees them given out again."""
    rows: list[Row] = await conn.fetch(TAKE_STOP_ORDERS, limit, again_after_seconds)
    return rows


UNTAKE_STOP_ORDERS: Final = "UPDATE stop_orders SET next_try_at = clock_timestamp() WHERE id = ANY($1::uuid[])"


async def untake_stop_orders(conn: Connection, order_ids: Sequence[UUID]) -> None:
    """Nobody was there to take them: they are to be given out at the next question."""
    await conn.execute(UNTAKE_STOP_ORDERS, list(order_ids))


LIST_PENDING: Final = """
SELECT id, attempt_id, phone_number, reason,
    coalesce(call_id, (SELECT a.call_id FROM attempts a WHERE a.id = attempt_id)) AS call_id
FROM stop_orders WHERE confirmed_at IS NULL ORDER BY created_at LIMIT $1
"""


async def list_pending_stop_orders(conn: Connection, limit: int) -> list[Row]:
    """Orders that nobody has confirmed, the oldest first."""
    rows: list[Row] = await conn.fetch(LIST_PENDING, limit)
    return rows


CONFIRM: Final = """
UPDATE stop_orders o SET last_result = $2,
    confirmed_at = CASE WHEN $2 = 'stopped' OR ($2 = 'not_found' AND NOT EXISTS
        (SELECT FROM open_attempts a WHERE a.attempt_id = o.attempt_id)) THEN coalesce(confirmed_at, $3)
        ELSE confirmed_at END
WHERE id = $1 RETURNING confirmed_at
"""


async def note_stop_result(
    conn: Connection, order_id: UUID, result: str, now: datetime
) -> tuple[bool, datetime | None]:
    """Record what became of an order; returns (it exists, when it was confirmed).

    `stopped` confirms it, and so does `not_found` of a call whose attempt is closed: there is nothing left to stop.
    """
    row = await conn.fetchrow(CONFIRM, order_id, result, now)
    return (row is not None, row["confirmed_at"] if row else None)


CONFIRM_OVER: Final = """
UPDATE stop_orders SET confirmed_at = $2, last_result = 'over'
WHERE attempt_id = ANY($1::uuid[]) AND confirmed_at IS NULL
"""


async def confirm_over(conn: Connection, attempt_ids: Sequence[UUID], now: datetime) -> None:
    """These attempts are closed: their orders have nothing left to stop. A call that turns up later is ordered anew."""
    if attempt_ids:
        await conn.execute(CONFIRM_OVER, list(attempt_ids), now)
