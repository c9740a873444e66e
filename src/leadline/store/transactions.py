"""Transactions that know what happened in them: whatever is noted inside is told if they commit, else forgotten.

The list goes along in the context, as the transaction itself goes along in the connection: whoever decides needs to
know nothing of those who count.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final

from leadline.store.connection import Connection
from leadline.store.decisions import Decided
from leadline.store.happenings import Happening

Noted = Happening | Decided
_happened: Final[ContextVar[list[Noted] | None]] = ContextVar("happened", default=None)


def note(happenings: Iterable[Noted]) -> None:
    """Note what happened in the present transaction; outside of `transaction` nobody wants to know."""
    happened = _happened.get()
    if happened is not None:
        happened.extend(happenings)


@asynccontextmanager
async def transaction(conn: Connection) -> AsyncIterator[list[Noted]]:
    """One transaction; yields what happened in it, which is true once the block was left without an error."""
    happened: list[Noted] = []
    async with conn.transaction():
        token = _happened.set(happened)
        try:
            yield happened
        finally:
            _happened.reset(token)


@asynccontextmanager
async def savepoint(conn: Connection) -> AsyncIterator[None]:
    """A part of a `transaction` that may be undone alone, together with what happened in it."""
    async with transaction(conn) as happened:
        yield
    note(happened)
