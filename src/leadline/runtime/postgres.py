"""The pool of connections to PostgreSQL, and what its errors mean for whoever asked.

A pool's sessions are never changed by their users (no SET, LISTEN or session lock), so nothing is reset when one is
given back: that saves a round trip per transaction and lets a pooler in transaction mode stand between.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from leadline.runtime.pool_figures import MeasuredPool
from leadline.runtime.settings.parts import DatabasePart

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
_Result = TypeVar("_Result")

CONNECT_TIMEOUT_SECONDS = 10
IDLE_CONNECTION_SECONDS = 300
IDLE_IN_TRANSACTION_SECONDS = 30
CLIENT_MARGIN_SECONDS = 5
"""How much longer than the server's timeout the client waits: the server's clear error is to come first."""
TRANSACTION_TRIES = 5

INDEXES_ONLY: Mapping[str, str] = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}
"""For sessions that look up few rows of large tables by key, and nothing else.

A plan that was made while a table was small (a new installation, a bulk load) reads the whole table, and is kept until
the next ANALYZE.
"""


async def create_pool(
    database: DatabasePart,
    *,
    application_name: str,
    min_size: int = 1,
    max_size: int | None = None,
    session: Mapping[str, str] | None = None,
    figures: str | None = None,
) -> Pool:
    """Open a pool; `max_size` defaults to the setting. jsonb and json columns are Python values on both sides.

    `session` are further PostgreSQL settings of every session (see `INDEXES_ONLY`). `figures` is what the pool is
    called in metrics; it defaults to the name of the application.

    Raises what asyncpg and the network raise if the first connection cannot be made: see `is_unavailable`.
    """
    size = max_size or database.database_pool_size
    return await MeasuredPool(
        figures or application_name,
        database.database_url.get_secret_value(),
        min_size=min(min_size, size),
        max_size=size,
        max_inactive_connection_lifetime=IDLE_CONNECTION_SECONDS,
        timeout=CONNECT_TIMEOUT_SECONDS,
        command_timeout=database.database_statement_timeout_seconds + CLIENT_MARGIN_SECONDS,
        statement_cache_size=database.database_statement_cache_size,
        reset=_leave_session,
        init=set_json_codecs,
        server_settings={
            "application_name": f"leadline-{application_name}",
            "statement_timeout": _milliseconds(database.database_statement_timeout_seconds),
            "lock_timeout": _milliseconds(database.database_lock_timeout_seconds),
            "idle_in_transaction_session_timeout": _milliseconds(IDLE_IN_TRANSACTION_SECONDS),
            "timezone": "UTC",
            **(session or {}),
        },
    )


async def _leave_session(_connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Nothing to do: asyncpg has rolled back an open transaction before it calls this."""


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


async def set_json_codecs(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Let json and jsonb columns carry Python values. What JSON cannot hold raises ValueError, NaN among it."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, schema="pg_catalog", encoder=_to_json, decoder=json.loads)


def _to_json(value: Any) -> str:  # noqa: ANN401 -- JSON is any value
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


async def retry_transaction(work: Callable[[], Awaitable[_Result]]) -> _Result:
    """Run `work`, which opens and commits one transaction, again when PostgreSQL rolled it back for others' sake.

    Only deadlocks (40P01) and serialisation failures (40001): both are certain not to have committed. At most five
    tries.
    """
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type((asyncpg.DeadlockDetectedError, asyncpg.SerializationError)),
        wait=wait_random_exponential(multiplier=0.01, max=0.5),
        stop=stop_after_attempt(TRANSACTION_TRIES),
        reraise=True,
    ):
        with attempt:
            return await work()
    msg = "tenacity ends with a result or an exception"
    raise AssertionError(msg)


_LOST_SERVER = (
    asyncpg.PostgresConnectionError,  # class 08
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.StatementCompletionUnknownError,
    asyncpg.QueryCanceledError,
)
_LOST_CLIENT = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, asyncio.TimeoutError)
_NO_ROOM = (
    asyncpg.CannotConnectNowError,
    asyncpg.InsufficientResourcesError,  # class 53: connections, memory, disk
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is being promoted
)


def is_doubtful_commit(error: BaseException) -> bool:
    """Whether a transaction that ended with this error may have committed all the same.

    Then the caller says "not now" and is asked again with the same operation id. asyncpg raises InternalClientError,
    which is no PostgresError, when its backend is terminated.
    """
    misuse = isinstance(error, ValueError)  # asyncpg's own, for arguments it cannot encode
    return isinstance(error, (*_LOST_SERVER, *_LOST_CLIENT)) and not misuse


def is_unavailable(error: BaseException) -> bool:
    """Whether the database, not the request, is at fault: the same request may succeed later."""
    return is_doubtful_commit(error) or isinstance(error, _NO_ROOM)
