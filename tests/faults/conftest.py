"""One running system for each module of fault tests; each test gets a hand on it and leaves nothing planned behind."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from tests.support.fixtures import _fresh_database
from tests.support.run import Server
from tests.support.simulated import ANYBODY, step
from tests.support.stack import Stack
from tests.support.system import TUESDAY_NOON, System, system_open


@pytest.fixture(scope="module")
def module_database_url(postgres: Server, _postgres_admin: psycopg.Connection) -> Iterator[str]:
    """A fresh database at head for a whole module."""
    yield from _fresh_database(postgres, _postgres_admin, postgres.template)


@pytest.fixture(scope="module")
def stack_settings() -> Mapping[str, str]:
    """Settings of the module's stack that differ from the usual ones; modules override this."""
    return {}


@pytest.fixture(scope="module")
def stack(
    module_database_url: str, stack_settings: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The module's running system, on a Tuesday noon in January."""
    folder: Path = tmp_path_factory.mktemp("stack")
    made = Stack(module_database_url, folder, stack_settings)
    try:
        asyncio.run(_start(made))
        yield made
    finally:
        asyncio.run(made.stop())


async def _start(stack: Stack) -> None:
    await stack.start()
    async with system_open(stack) as system:
        await system.set_clock(TUESDAY_NOON)


@pytest.fixture
async def system(stack: Stack) -> AsyncIterator[System]:
    """The running system: nobody answers, at once, unless the test says otherwise."""
    async with system_open(stack) as opened:
        await opened.simulator.script(ANYBODY, step("NO_ANSWER", times=1_000_000))
        yield opened
        await opened.simulator.clear_faults()
        await opened.simulator.clear_script()
        await opened.retire_leads()
