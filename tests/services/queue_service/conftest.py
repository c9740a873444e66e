"""A desk for every test that asks for one, and the HTTP application around it.

The tests of this folder are many and small, so that they share a database that is emptied between them.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import psycopg
import pytest

from leadline.runtime.postgres import Pool
from tests.services.queue_service.desk import Desk, desk_open, make_policy
from tests.services.queue_service.web import Web, web_open
from tests.store.databases import module_database
from tests.support.run import Server

_TABLES = """
SELECT tablename FROM pg_tables WHERE schemaname = 'public'
    AND tablename NOT IN ('alembic_version', 'schema_compatibility', 'attempt_arrows', 'dispatch_gate')
"""
_AS_MIGRATED = """
UPDATE dispatch_gate SET system_identifier = (SELECT system_identifier FROM pg_control_system()),
    timeline = cluster_timeline(), held_since = NULL, held_reason = NULL, account_paused_at = NULL,
    account_pause_reason = NULL, account_pause_automatic = false
"""


@dataclass(frozen=True, slots=True)
class Emptied:
    """A database that one test after the other uses."""

    url: str
    admin: psycopg.Connection

    def empty(self) -> None:
        """As it was after its migration. What the triggers forbid has to be done for that."""
        self.admin.execute("SET session_replication_role = replica")
        for (table,) in self.admin.execute(_TABLES).fetchall():
            self.admin.execute(f"DELETE FROM {table}")
        self.admin.execute(_AS_MIGRATED)
        self.admin.execute("SET session_replication_role = origin")


@pytest.fixture(scope="session")
def _emptied(postgres: Server) -> Iterator[Emptied]:
    with module_database(postgres) as url, psycopg.connect(url, autocommit=True) as admin:
        yield Emptied(url, admin)


@pytest.fixture
def database_url(_emptied: Emptied) -> str:
    """An empty database at head."""
    _emptied.empty()
    return _emptied.url


@pytest.fixture
async def desk(pool: Pool) -> AsyncIterator[Desk]:
    """The default campaign on Tuesday, 2026-01-06 at 12:12 in New York."""
    async with desk_open(pool, make_policy()) as opened:
        yield opened


@pytest.fixture
async def web(desk: Desk) -> AsyncIterator[Web]:
    """The same, asked over HTTP."""
    async with web_open(desk) as opened:
        yield opened
