"""A running system for the fault tests of this worker; each test gets a hand on it and leaves nothing planned behind.

A module that needs other settings, or breaks what others stand on, has a `stack` of its own.
"""

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from tests.support.fixtures import _fresh_database
from tests.support.run import Server
from tests.support.simulated import ANYBODY, step
from tests.support.stack import Stack
from tests.support.system import System, running, system_open


@pytest.fixture(scope="session")
def worker_database_url(postgres: Server, _postgres_admin: psycopg.Connection) -> Iterator[str]:
    """A fresh database at head for all tests of this worker."""
    yield from _fresh_database(postgres, _postgres_admin, postgres.template)


@pytest.fixture(scope="session")
def stack(worker_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The usual running system, on a Tuesday noon in January."""
    with running(Stack(worker_database_url, tmp_path_factory.mktemp("stack"))) as made:
        yield made


@pytest.fixture
async def system(stack: Stack) -> AsyncIterator[System]:
    """The running system: nobody answers, at once, unless the test says otherwise."""
    async with system_open(stack) as opened:
        await opened.simulator.script(ANYBODY, step("NO_ANSWER", times=1_000_000))
        yield opened
        await opened.simulator.clear_faults()
        await opened.simulator.clear_script()
        await opened.retire_leads()
