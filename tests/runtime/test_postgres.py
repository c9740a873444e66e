"""The pool, and what database errors mean."""

import asyncio

import asyncpg
import pytest

from leadline.runtime.postgres import (
    TRANSACTION_TRIES,
    Connection,
    Pool,
    create_pool,
    is_doubtful_commit,
    is_unavailable,
    retry_transaction,
)
from leadline.runtime.settings.parts import DatabasePart


async def test_sessions_have_their_limits(pool: Pool) -> None:
    async with pool.acquire() as connection:
        shown = {
            name: await connection.fetchval(f"SHOW {name}")
            for name in (
                "application_name",
                "statement_timeout",
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "timezone",
            )
        }
    assert shown == {
        "application_name": "leadline-test",
        "statement_timeout": "15s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "30s",
        "timezone": "UTC",
    }


async def test_jsonb_columns_are_values(conn: Connection) -> None:
    value = {"a": [1, None, "ü", {"b": 0.5}]}
    assert await conn.fetchval("SELECT $1::jsonb", value) == value
    assert await conn.fetchval("SELECT $1::json", [1]) == [1]
    with pytest.raises(asyncpg.DataError) as caught:
        await conn.fetchval("SELECT $1::jsonb", float("nan"))
    assert not is_unavailable(caught.value)


async def test_an_open_transaction_ends_when_its_connection_is_given_back(database_part: DatabasePart) -> None:
    async with await create_pool(database_part, application_name="test", max_size=1) as pool:
        async with pool.acquire() as connection:
            await connection.execute("CREATE TABLE t ()")
        async with pool.acquire() as connection:
            await connection.execute("BEGIN; DROP TABLE t")
        async with pool.acquire() as connection:
            assert await connection.fetchval("SELECT to_regclass('t') IS NOT NULL")


async def test_no_prepared_statements_behind_a_pooler(database_url: str) -> None:
    part = DatabasePart.model_validate({"database_url": database_url, "database_statement_cache_size": 0})
    async with await create_pool(part, application_name="test") as pool, pool.acquire() as connection:
        assert await connection.fetchval("SELECT $1::int + 1", 1) == 2
        assert (
            await connection.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%+ 1%'") == 0
        )


async def test_deadlocks_are_tried_again(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)")
    both_began = asyncio.Barrier(2)
    tries = 0

    async def add(first: int, second: int) -> None:
        own_tries = 0

        async def work() -> None:
            nonlocal tries, own_tries
            tries += 1
            own_tries += 1
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("UPDATE t SET n = n + 1 WHERE id = $1", first)
                if own_tries == 1:
                    await both_began.wait()
                await connection.execute("UPDATE t SET n = n + 1 WHERE id = $1", second)

        await retry_transaction(work)

    await asyncio.gather(add(1, 2), add(2, 1))
    assert tries == 3
    async with pool.acquire() as connection:
        assert [row["n"] for row in await connection.fetch("SELECT n FROM t")] == [2, 2]


async def test_tries_are_bounded() -> None:
    tries = 0

    async def work() -> None:
        nonlocal tries
        tries += 1
        raise asyncpg.SerializationError("again")

    with pytest.raises(asyncpg.SerializationError):
        await retry_transaction(work)
    assert tries == TRANSACTION_TRIES


async def test_a_backend_that_is_terminated_leaves_doubt(pool: Pool) -> None:
    async with pool.acquire() as victim, pool.acquire() as killer:
        pid = await victim.fetchval("SELECT pg_backend_pid()")
        sleeping = asyncio.ensure_future(victim.execute("SELECT pg_sleep(60)"))
        await asyncio.sleep(0.05)
        await killer.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)) as during:
            await sleeping
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)) as after:
            await victim.execute("SELECT 1")
    assert is_doubtful_commit(during.value)
    assert is_doubtful_commit(after.value)


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    part = DatabasePart.model_validate({"database_url": "postgresql://u:p@127.0.0.1:1/x"})
    with pytest.raises(OSError, match="Connect") as caught:
        (await create_pool(part, application_name="test")).terminate()
    assert is_unavailable(caught.value)


@pytest.mark.parametrize(
    ("error", "doubtful", "unavailable"),
    [
        (asyncpg.InternalClientError("got result for unknown protocol state"), True, True),
        (asyncpg.ConnectionDoesNotExistError("x"), True, True),
        (asyncpg.AdminShutdownError("x"), True, True),
        (TimeoutError(), True, True),
        (ConnectionResetError(), True, True),
        (asyncpg.InterfaceError("pool is closing"), True, True),
        (asyncpg.TooManyConnectionsError("x"), False, True),
        (asyncpg.DiskFullError("x"), False, True),
        (asyncpg.CannotConnectNowError("x"), False, True),
        (asyncpg.DeadlockDetectedError("x"), False, True),
        (asyncpg.UniqueViolationError("x"), False, False),
        (asyncpg.UndefinedTableError("x"), False, False),
        (ValueError("x"), False, False),
    ],
)
def test_what_errors_mean(error: Exception, doubtful: bool, unavailable: bool) -> None:
    assert (is_doubtful_commit(error), is_unavailable(error)) == (doubtful, unavailable)
