"""The suppression list: numbers that nobody calls, whatever the campaign."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from leadline.domain.ids import PhoneNumber
from leadline.store.connection import Connection, Row

INSERT_SUPPRESSION: Final = """
INSERT INTO suppressions (phone_number, reason, source, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (phone_number) DO NOTHING
"""


async def insert_suppression(
    conn: Connection, phone_number: PhoneNumber, reason: str, source: str, now: datetime
) -> bool:
    """Put a number on the list; False if it was there (the first reason stands). The caller holds its lock."""
    return await conn.execute(INSERT_SUPPRESSION, phone_number, reason, source, now) == "INSERT 0 1"


FIND_SUPPRESSION: Final = """
SELECT phone_number, reason, source, created_at FROM suppressions WHERE phone_number = $1
"""


async def find_suppression(conn: Connection, phone_number: PhoneNumber) -> Row | None:
    """The entry of a number, if it is on the list."""
    return await conn.fetchrow(FIND_SUPPRESSION, phone_number)


DELETE_SUPPRESSION: Final = "DELETE FROM suppressions WHERE phone_number = $1"


async def delete_suppression(conn: Connection, phone_number: PhoneNumber) -> bool:
    """Take a number off the list; reopens nothing. The audit log keeps that it was there."""
    return await conn.execute(DELETE_SUPPRESSION, phone_number) == "DELETE 1"


FIND_REMOVALS: Final = """
SELECT phone_number, max(at) AS removed_at FROM audit_log
WHERE phone_number = ANY($1::text[]) AND verb = 'suppression_removed' GROUP BY phone_number
"""


async def find_removals(conn: Connection, phone_numbers: Iterable[PhoneNumber]) -> dict[PhoneNumber, datetime]:
    """When an operator last took each number off the list, in business time, if one ever did."""
    wanted = sorted(set(phone_numbers))
    rows = await conn.fetch(FIND_REMOVALS, wanted) if wanted else []
    return {PhoneNumber(row["phone_number"]): row["removed_at"] for row in rows}
