"""Fixtures for every test. A test that asks for none of the database's starts no server."""

import secrets
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from leadline.runtime.postgres import Connection, Pool, create_pool
from leadline.runtime.settings.parts import DatabasePart
from tests.support.run import Server, create_database, drop_database, shared_server


@pytest.fixture(scope="session")
def postgres() -> Server:
    """The PostgreSQL of this run, shared by all workers."""
    return shared_server()


@pytest.fixture(scope="session")
def _postgres_admin(postgres: Server) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def empty_database_url(postgres: Server, _postgres_admin: psycopg.Connection) -> Iterator[str]:
    """A database without a schema, dropped after the test."""
    yield from _fresh_database(postgres, _postgres_admin, "template0")


@pytest.fixture
def database_url(postgres: Server, _postgres_admin: psycopg.Connection) -> Iterator[str]:
    """A fresh database at head, dropped after the test whoever is still connected."""
    yield from _fresh_database(postgres, _postgres_admin, postgres.template)


def _fresh_database(postgres: Server, admin: psycopg.Connection, template: str) -> Iterator[str]:
    name = f"leadline_test_{secrets.token_hex(6)}"
    create_database(admin, name, template)
    yield postgres.database_url(name)
    drop_database(admin, name)


@pytest.fixture(scope="module")
def module_database_url(postgres: Server, _postgres_admin: psycopg.Connection) -> Iterator[str]:
    """A fresh database at head for all tests of one module."""
    yield from _fresh_database(postgres, _postgres_admin, postgres.template)


@pytest.fixture
def database_part(database_url: str) -> DatabasePart:
    """Settings for the fresh database."""
    return DatabasePart.model_validate({"database_url": database_url})


@pytest.fixture
async def pool(database_part: DatabasePart) -> AsyncIterator[Pool]:
    """A pool on the fresh database."""
    async with await create_pool(database_part, application_name="test") as pool:
        yield pool


@pytest.fixture
async def conn(pool: Pool) -> AsyncIterator[Connection]:
    """One connection of the pool, outside of any transaction."""
    async with pool.acquire() as connection:
        yield connection
