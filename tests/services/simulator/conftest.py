"""Fixtures of the simulator's tests."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.services.simulator.support import Receiver, Servers, Simulator


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with aiohttp.ClientSession() as session:
        servers = Servers(session)
        yield servers
        await servers.close()


@pytest.fixture
async def simulator(servers: Servers) -> Simulator:
    return await servers.simulator()


@pytest.fixture
async def receiver(servers: Servers) -> Receiver:
    return await servers.receiver()
