"""A running system for the fault tests of this worker; each test gets a hand on it and leaves nothing planned behind.

A module that needs other settings, or breaks what others stand on, has a `stack` of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg
import pytest

from tests.support.fixtures import _fresh_database
from tests.support.run import Server
from tests.support.simulated import ANYBODY, step
from tests.support.stack import Stack
from tests.support.system import TUESDAY_NOON, System, system_open


@pytest.fixture(scope="session")
def worker_database_url(postgres: Server, _postgres_admin: psycopg.Connection) -> Iterator[str]:
    """A fresh database at head for all tests of this worker."""
    yield from _fresh_database(postgres, _postgres_admin, postgres.template)


@pytest.fixture(scope="module")
def module_database_url(postgres: Server, _postgres_admin: psycopg.Connection) -> Iterator[str]:
    """A fresh database at head for all tests of one module."""
    yield from _fresh_database(postgres, _postgres_admin, postgres.template)


@pytest.fixture(scope="session")
def stack(worker_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The usual running system, on a Tuesday noon in January."""
    with running(Stack(worker_database_url, tmp_path_factory.mktemp("stack"))) as made:
        yield made


@contextmanager
def running(stack: Stack, business_at: datetime = TUESDAY_NOON, speed: float = 1.0) -> Iterator[Stack]:
    """Run a stack inside the block; `business_at` is set before anything can be dialled."""
    try:
        asyncio.run(_start(stack, business_at, speed))
        yield stack
    finally:
        asyncio.run(stack.stop())


async def _start(stack: Stack, business_at: datetime, speed: float) -> None:
    await stack.start()
    async with system_open(stack) as system:
        await system.set_clock(business_at, speed)


@pytest.fixture
async def system(stack: Stack) -> AsyncIterator[System]:
    """The running system: nobody answers, at once, unless the test says otherwise."""
    async with system_open(stack) as opened:
        await opened.simulator.script(ANYBODY, step("NO_ANSWER", times=1_000_000))
        yield opened
        await opened.simulator.clear_faults()
        await opened.simulator.clear_script()
        await opened.retire_leads()
