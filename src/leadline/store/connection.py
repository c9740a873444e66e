"""The types that store functions take, and what asyncpg lacks for them."""

from typing import TYPE_CHECKING, Any, Final

import asyncpg
from asyncpg.pool import PoolConnectionProxy

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
    Row = asyncpg.Record
else:
    Connection = Pool = Row = Any


async def fetch_one(conn: Connection, query: str, *arguments: object) -> Row:
    """The row of a query that always has one. Raises LookupError if it has none."""
    row = await conn.fetchrow(query, *arguments)
    if row is None:
        msg = f"a query that always answers had no row: {' '.join(query.split())[:80]}"
        raise LookupError(msg)
    return row


JUDGE_NOW: Final = "SET CONSTRAINTS ALL IMMEDIATE"


async def judge_now(conn: Connection) -> None:
    """Check what is otherwise checked at the commit, for a transaction that will be rolled back."""
    await conn.execute(JUDGE_NOW)
