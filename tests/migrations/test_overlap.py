"""Releases N-1 and N on one database: this version's queue-service while the next version's migrate runs under it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from services.migrate.errors import MigrateError
from services.migrate.revisions import Revisions
from tests.migrations.making import next_version, where, write_revision
from tests.support.phones import fresh_phone
from tests.support.ports import free_port
from tests.support.processes import ServiceProcess
from tests.support.simulated import ANYBODY, step
from tests.support.stack import SETTINGS, Stack
from tests.support.system import System, running, system_open

EXPANDING = (
    "CREATE TABLE languages (code text PRIMARY KEY); ALTER TABLE leads ADD COLUMN language text NOT NULL DEFAULT 'en';",
    "ALTER TABLE phones ADD COLUMN language text;",
    "ALTER TABLE due_leads ADD COLUMN language text;",
    "ALTER TABLE attempts ADD COLUMN language text DEFAULT 'en';",
    "ALTER TABLE open_attempts ADD COLUMN language text;",
    "ALTER TABLE events ADD COLUMN language text;",
    "-- outside a transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS leads_by_language ON leads (language);",
)
CONTRACTING = """
ALTER TABLE leads ALTER COLUMN language DROP DEFAULT;
UPDATE schema_compatibility SET oldest_code = '0004';
"""
FAILING = "CREATE TABLE languages (code text PRIMARY KEY); DO $$ BEGIN RAISE 'no such thing'; END $$;"


@pytest.fixture
def stack(database_url: str, tmp_path: Path) -> Iterator[Stack]:
    """This version, running on its own schema."""
    with running(Stack(database_url, tmp_path)) as made:
        yield made


@pytest.fixture
async def system(stack: Stack) -> AsyncIterator[System]:
    """A hand on it; nobody answers."""
    async with system_open(stack) as opened:
        await opened.simulator.script(ANYBODY, step("NO_ANSWER", times=1_000_000))
        yield opened


async def readiness(process: ServiceProcess) -> tuple[int, list[str]]:
    """Status and reasons of /readyz."""
    url = f"http://127.0.0.1:{process.metrics_port}/readyz"
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return response.status, list((await response.json())["reasons"])


@asynccontextmanager
async def working(system: System) -> AsyncIterator[None]:
    """Leads come in and are called to their end inside the block, at least one of them before it begins."""
    stop, one_called = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        while not stop.is_set():
            phone = fresh_phone()
            await system.add_lead(phone)
            await system.until_state(phone, "ended")
            one_called.set()

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(work())
        try:
            await one_called.wait()
            yield
        finally:
            stop.set()


def fresh_queue_service(stack: Stack, folder: Path, label: str) -> ServiceProcess:
    """One more queue-service of this version."""
    own = {"LEADLINE_DATABASE_URL": stack.database_url, "LEADLINE_QUEUE_PORT": str(free_port())}
    shared = {name: value for name, value in SETTINGS.items() if not name.startswith("LEADLINE_SIMULATOR_")}
    return ServiceProcess("services.queue_service", {**shared, **own}, folder, label=label)


async def test_this_version_serves_on_the_next_ones_schema_until_it_is_contracted(
    system: System, stack: Stack, tmp_path: Path
) -> None:
    folder = tmp_path / "versions"
    (queue,) = stack.queues
    async with system.dialer(), working(system):
        upgrade = next_version(folder, *EXPANDING).upgrade
        assert len(await asyncio.to_thread(upgrade, stack.database_url)) == len(EXPANDING)
        await queue.wait_ready()
        assert where(stack.database_url) == ("0010", "0003")
        async with fresh_queue_service(stack, tmp_path, "fresh") as fresh:
            await fresh.wait_ready()
            await system.add_lead(fresh_phone())
    await system.assert_promises()

    contracting = next_version(folder, *EXPANDING, CONTRACTING)
    assert await asyncio.to_thread(contracting.upgrade, stack.database_url) == ["0011"]
    status, (reason,) = await readiness(queue)
    assert status == 503
    assert "revision 0011, which needs code from 0004 on, and this version's is 0003" in reason
    assert "use a newer one" in reason
    async with fresh_queue_service(stack, tmp_path, "too-old") as too_old:
        assert await too_old.wait() == 1
        (line,) = too_old.log_text().splitlines()
        assert line == f"queue: {reason.removeprefix('database: ')}"


async def test_a_failed_migration_leaves_this_version_serving(system: System, stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "versions"
    (queue,) = stack.queues
    async with system.dialer():
        async with working(system):
            failing = next_version(folder, FAILING)
            with pytest.raises(MigrateError, match="revision 0004 failed: no such thing"):
                await asyncio.to_thread(failing.upgrade, stack.database_url)
            assert where(stack.database_url) == ("0003", "0003")
            assert await readiness(queue) == (200, [])
        async with working(system):
            write_revision(folder, "0004", "0003", EXPANDING[0])
            assert await asyncio.to_thread(Revisions(folder).upgrade, stack.database_url) == ["0004"]
            await queue.wait_ready()
    assert where(stack.database_url) == ("0004", "0003")
    await system.assert_promises()
