"""A dialer between a queue-service and a provider, both in memory, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from leadline.clients.queue import QueueClient
from leadline.contracts.campaigns import DiallingSettings
from leadline.crm.convoso import convoso_from
from leadline.crm.port import Crm
from leadline.domain.ids import CampaignName
from leadline.telephony.bland import BlandClient
from services.dialer.breaker import Breaker
from services.dialer.dialer import Dialer
from tests.services.dialer.fake_bland import FakeBland
from tests.services.dialer.fake_queue import TOKEN, FakeQueue
from tests.support.fake_convoso import FakeConvoso

LONGEST_WAIT_SECONDS = 30.0


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so; the test's own time-out is the limit."""
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        while not condition():
            await asyncio.sleep(0.005)


@dataclass
class Stage:
    """One dialer and those it talks to."""

    queue: FakeQueue = field(default_factory=FakeQueue)
    bland: FakeBland = field(default_factory=FakeBland)
    convoso: FakeConvoso = field(default_factory=FakeConvoso)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    dialer: Dialer | None = None
    running: asyncio.Task[None] | None = None
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(
        self,
        *,
        concurrency: int = 10,
        drain_seconds: float = 5,
        breaker: Breaker | None = None,
        provider_timeout_seconds: float = 2,
        **convoso: Any,
    ) -> None:
        queue = await self.stack.enter_async_context(
            QueueClient(self.queue.url, TOKEN, timeout_seconds=5, deadline_seconds=0.5)
        )
        telephony = await self.stack.enter_async_context(
            BlandClient(
                base_url=self.bland.url,
                api_key="key",
                timeout_seconds=provider_timeout_seconds,
                public_url="https://leads.example",
            )
        )
        crm: Crm = await self.stack.enter_async_context(convoso_from(self.convoso.part(**convoso)))
        self.dialer = Dialer(
            queue=queue,
            telephony=telephony,
            crm=crm,
            campaigns={CampaignName("awhealth"): DiallingSettings(task="Say hello")},
            name="d-1",
            concurrency=concurrency,
            drain_seconds=drain_seconds,
            breaker=breaker,
        )
        self.running = asyncio.create_task(self.dialer.run(self.stop))

    async def drain(self) -> None:
        self.stop.set()
        assert self.running is not None
        await self.running


Start = Callable[..., Awaitable[Stage]]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A stage whose dialer the test starts; it is stopped afterwards."""
    made = Stage()
    async with made.queue.serving(), made.bland.serving(), made.convoso.serving(), made.stack:
        yield made
        if made.running is not None and not made.running.done():
            made.running.cancel()
            await asyncio.gather(made.running, return_exceptions=True)
