"""A desk for every test that asks for one."""

from collections.abc import AsyncIterator

import pytest

from leadline.runtime.postgres import Pool
from tests.services.queue_service.desk import Desk, desk_open, make_policy


@pytest.fixture
async def desk(pool: Pool) -> AsyncIterator[Desk]:
    """The default campaign on Tuesday, 2026-01-06 at 12:12 in New York."""
    async with desk_open(pool, make_policy()) as opened:
        yield opened
