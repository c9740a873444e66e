"""Rows 16 and 23: a database that kills connections, dies, and is away. Nothing acknowledged is lost."""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from services.cli.embedded_postgres import EmbeddedPostgres
from services.migrate.revisions import Revisions
from tests.support.phones import fresh_phone
from tests.support.run import RUN_DIR_VARIABLE
from tests.support.simulated import ANYBODY, step
from tests.support.stack import Stack
from tests.support.system import TUESDAY_NOON, System, system_open
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import until, until_true

STORM_APPLICATION = "leadline-queue%"
UNCOUNTED_WAIT = timedelta(seconds=61)
POSTERS = 8


@pytest.fixture(scope="module")
def postgres_of_our_own() -> Iterator[EmbeddedPostgres]:
    """A durable server that may be killed."""
    folder = Path(os.environ[RUN_DIR_VARIABLE]) / f"own-{secrets.token_hex(4)}"
    server = EmbeddedPostgres(folder, options={"max_connections": "100"})
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


@dataclass
class Site:
    """A running system whose database is reached through a network of ours."""

    server: EmbeddedPostgres
    network: TcpProxy
    system: System
    direct_url: str
    accepted: list[str] = field(default_factory=list)
    """Numbers of leads that were answered with 2xx: the client's own log."""

    @asynccontextmanager
    async def posting(self) -> AsyncIterator[None]:
        """Post leads all the time, each again until it is accepted."""
        stop = asyncio.Event()

        async def post() -> None:
            while not stop.is_set():
                phone = fresh_phone()
                while (status := (await self.system.post_lead(phone))[0]) == 503:
                    pass
                assert status == 202
                self.accepted.append(phone)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 0.2)

        async with asyncio.TaskGroup() as group:
            for _ in range(POSTERS):
                group.create_task(post())
            yield
            stop.set()

    async def until_accepted(self, more: int) -> None:
        """Wait until so many more leads are accepted."""
        wanted = len(self.accepted) + more
        await until_true(lambda: len(self.accepted) >= wanted, f"{more} more leads are accepted")

    async def until_called(self) -> None:
        """Every accepted lead is called and its result is known; doubts are resolved by the sweep."""

        async def all_ended() -> bool:
            ended = await self.system.db.fetch("SELECT phone_number FROM attempts WHERE state = 'ended'")
            return {row["phone_number"] for row in ended} >= set(self.accepted)

        async def none_is_open() -> bool:
            if await self.system.count("SELECT count(*) FROM open_attempts") == 0:
                return True
            await self.system.sweep()
            return False

        await until(none_is_open, "no attempt is open")
        await self.system.jump(UNCOUNTED_WAIT)
        await until(all_ended, "every accepted lead is called")
        await self.system.assert_promises()

    async def assert_nothing_is_lost(self) -> None:
        """What was answered with 2xx, of leads and of events, is in the database."""
        leads = await self.system.db.fetch("SELECT phone_number FROM leads")
        assert {row["phone_number"] for row in leads} >= set(self.accepted)
        ended = await self.system.db.fetch("SELECT call_id FROM attempts WHERE state = 'ended'")
        delivered = {row["call_id"] for row in await self.system.simulator.rows() if row["delivered_real_at"]}
        assert {row["call_id"] for row in ended} >= delivered


@pytest.fixture
async def site(postgres_of_our_own: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Site]:
    """A system of its own for each test, on a fresh database of the server that may be killed."""
    server = postgres_of_our_own
    url = await server.ensure_database(f"faults_{secrets.token_hex(4)}")
    await asyncio.to_thread(Revisions().upgrade, url)
    async with TcpProxy([server.port]) as network:
        parts = urlsplit(url)
        through = parts._replace(netloc=parts.netloc.replace(f":{server.port}", f":{network.port}"))
        stack = Stack(urlunsplit(through), tmp_path)
        try:
            await stack.start()
            async with system_open(stack) as system:
                await system.set_clock(TUESDAY_NOON)
                await system.simulator.script(ANYBODY, step("NO_ANSWER", times=1_000_000))
                yield Site(server, network, system, url)
        finally:
            await stack.stop()


async def test_row_16_storm_of_terminated_backends(site: Site) -> None:
    admin = await asyncpg.connect(site.direct_url)
    terminated = 0
    async with site.system.dialer():
        async with site.posting():
            for _ in range(30):
                terminated += await admin.fetchval(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE application_name LIKE $1 AND datname = current_database()",
                    STORM_APPLICATION,
                )
                await site.until_accepted(1)
            await site.until_accepted(POSTERS)
        await site.assert_nothing_is_lost()
        await site.until_called()
    await site.assert_nothing_is_lost()
    assert terminated > 0
    await admin.close()


async def test_row_16_sigkill_and_restart_of_postgres(site: Site) -> None:
    async with site.system.dialer():
        async with site.posting():
            await site.until_accepted(20)
            os.killpg(site.server.pid, signal.SIGKILL)
            await site.server.stop()
            await site.server.start()
            site.network.targets = [site.server.port]
            await site.until_accepted(20)
        await site.assert_nothing_is_lost()
        await site.until_called()
    await site.assert_nothing_is_lost()


async def test_row_23_postgres_down_while_leads_arrive(site: Site) -> None:
    system, refused = site.system, [fresh_phone() for _ in range(10)]
    event = b'{"call_id": "while-it-was-away", "status": "completed", "completed": true}'
    site.network.cut()
    leads, event_status = await asyncio.gather(
        asyncio.gather(*(system.post_lead_raw(phone) for phone in refused)), system.post_event(event)
    )
    assert {lead.status for lead in leads} == {503}
    assert all(int(lead.headers["Retry-After"]) > 0 for lead in leads)
    assert event_status == 503
    site.network.heal()
    site.accepted = [fresh_phone() for _ in range(10)]
    await system.add_leads(site.accepted)
    assert await system.post_event(event) == 200
    stored = await system.db.fetch("SELECT phone_number FROM leads WHERE phone_number = ANY($1)", refused)
    assert stored == [], "what was refused was not stored half"
    async with system.dialer():
        await site.until_called()
