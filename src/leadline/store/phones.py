"""Phone rows: the lock that every transaction about a number takes first."""

from collections.abc import Sequence
from typing import Final

from leadline.domain.ids import AttemptId, PhoneNumber
from leadline.store.connection import Connection

ENSURE_PHONES: Final = """
INSERT INTO phones (phone_number) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING
"""


async def ensure_phones(conn: Connection, phone_numbers: Sequence[PhoneNumber]) -> None:
    """Make sure that each number has a row to lock. Inserts in sorted order, so that two callers cannot deadlock."""
    await conn.execute(ENSURE_PHONES, sorted(set(phone_numbers)))


LOCK_PHONES: Final = """
SELECT phone_number FROM phones WHERE phone_number = ANY($1::text[]) ORDER BY phone_number FOR NO KEY UPDATE
"""


async def lock_phones(conn: Connection, phone_numbers: Sequence[PhoneNumber]) -> None:
    """Lock the rows in sorted order, waiting for each. What is read before this call may be stale after it."""
    await conn.execute(LOCK_PHONES, sorted(set(phone_numbers)))


LOCK_FREE_PHONES: Final = """
SELECT phone_number FROM phones WHERE phone_number = ANY($1::text[])
ORDER BY phone_number FOR NO KEY UPDATE SKIP LOCKED
"""


async def lock_free_phones(conn: Connection, phone_numbers: Sequence[PhoneNumber]) -> set[PhoneNumber]:
    """Lock what nobody else holds; returns the numbers that are now ours until the transaction ends."""
    rows = await conn.fetch(LOCK_FREE_PHONES, sorted(set(phone_numbers)))
    return {PhoneNumber(row["phone_number"]) for row in rows}


LOCK_PHONES_OF_ATTEMPTS: Final = """
SELECT phone_number FROM phones
WHERE phone_number = ANY(ARRAY(SELECT a.phone_number FROM attempts a WHERE a.id = ANY($1::uuid[])))
ORDER BY phone_number FOR NO KEY UPDATE
"""


async def lock_phones_of_attempts(conn: Connection, attempt_ids: Sequence[AttemptId]) -> list[PhoneNumber]:
    """Lock the numbers of attempts in sorted order, waiting for each; an attempt's number never changes."""
    rows = await conn.fetch(LOCK_PHONES_OF_ATTEMPTS, list(attempt_ids))
    return [PhoneNumber(row["phone_number"]) for row in rows]
