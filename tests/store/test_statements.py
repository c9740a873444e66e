"""Every statement of the store fits the migrated schema, and none hides inside a function."""

import asyncpg

from leadline.runtime.postgres import Connection
from leadline.store.promises import PROMISES
from tests.store.statements import queries_without_a_name, statements

BUILT_FROM_CONSTANTS = 1
"""`promises.find_violations` wraps each promise's constant to bound it."""


async def test_every_statement_prepares_against_the_migrated_schema(conn: Connection) -> None:
    refused: dict[str, str] = {}
    for statement in statements():
        try:
            await conn.prepare(statement.text)
        except asyncpg.PostgresError as error:
            refused[statement.name] = str(error)
    assert refused == {}


def test_the_statements_are_found() -> None:
    found = {statement.name for statement in statements()}
    assert len(found) > 80
    assert {"due.LIST_DUE", "numbers.LOAD_ATTEMPTS", "phones.LOCK_FREE_PHONES", "promises.WAITING_FOR_EVER"} <= found
    assert {"imports.INSERT_IMPORTED", "imports.FILL_BLANKS", "imports.SET_PAST", "exports.LIST_PAGE"} <= found


async def test_every_promise_prepares_as_it_is_run(conn: Connection) -> None:
    for promise in PROMISES:
        await conn.prepare(f"SELECT subject FROM ({promise.query}) AS broken LIMIT 1")


def test_no_query_is_written_where_it_is_run() -> None:
    assert len(list(queries_without_a_name())) <= BUILT_FROM_CONSTANTS, list(queries_without_a_name())
