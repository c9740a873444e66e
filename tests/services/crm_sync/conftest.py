"""A sync between a queue-service and a Convoso, both in memory, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from leadline.clients.queue_crm import CrmQueue
from leadline.crm.convoso import convoso_from
from leadline.crm.port import Crm
from leadline.runtime.settings.crm_parts import CrmSyncPart
from services.crm_sync.sync import CrmSync
from tests.services.crm_sync.fake_queue import TOKEN, FakeQueue
from tests.support.fake_convoso import FakeConvoso

LONGEST_WAIT_SECONDS = 90.0


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so; the test's own time-out is the limit."""
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        while not condition():
            await asyncio.sleep(0.005)


@dataclass
class Stage:
    """One sync and the two it stands between."""

    queue: FakeQueue = field(default_factory=FakeQueue)
    convoso: FakeConvoso = field(default_factory=FakeConvoso)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    sync: CrmSync | None = None
    running: asyncio.Task[None] | None = None
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self, *, batch: int = 50, drain_seconds: float = 5, minutes: float = 15, **convoso: Any) -> None:
        queue = await self.stack.enter_async_context(
            CrmQueue(self.queue.url, TOKEN, timeout_seconds=5, deadline_seconds=0.2)
        )
        crm: Crm = await self.stack.enter_async_context(convoso_from(self.convoso.part(**convoso)))
        bounds = CrmSyncPart(crm_sync_poll_seconds=0.02, crm_sync_batch=batch, crm_statuses_minutes=minutes)
        self.sync = CrmSync(crm, queue, bounds, drain_seconds=drain_seconds)
        self.running = asyncio.create_task(self.sync.run(self.stop))

    async def drain(self) -> None:
        self.stop.set()
        assert self.running is not None
        await self.running

    async def reasons(self) -> list[str]:
        assert self.sync is not None
        return await self.sync.not_ready_because()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A stage whose sync the test starts; it is stopped afterwards."""
    made = Stage()
    async with made.queue.serving(), made.convoso.serving(), made.stack:
        yield made
        if made.running is not None and not made.running.done():
            made.running.cancel()
            await asyncio.gather(made.running, return_exceptions=True)
