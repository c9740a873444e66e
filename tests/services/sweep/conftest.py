"""Fixtures of the sweep's tests."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from leadline.runtime.http.server import serving
from services.simulator.app import create_app
from services.simulator.settings import SimulatedWorldPart
from tests.services.sweep.fake_queue import FakeQueue
from tests.services.sweep.support import Bland, Scene


@pytest.fixture
def world() -> SimulatedWorldPart:
    """How the simulated Bland behaves; a test module may replace it."""
    return SimulatedWorldPart(national_form_share=0.5)


@pytest.fixture
async def scene(world: SimulatedWorldPart) -> AsyncIterator[Scene]:
    queue = FakeQueue()
    async with (
        serving(create_app(world), host="127.0.0.1", port=0, drain_seconds=0.1) as bland_port,
        serving(queue.app(), host="127.0.0.1", port=0, drain_seconds=0.1) as queue_port,
        aiohttp.ClientSession() as session,
    ):
        yield Scene(Bland(f"http://127.0.0.1:{bland_port}", session), queue, f"http://127.0.0.1:{queue_port}")
