"""A desk for every test that asks for one, and the HTTP application around it."""

from collections.abc import AsyncIterator

import pytest

from leadline.runtime.postgres import Pool
from tests.services.queue_service.desk import Desk, desk_open, make_policy
from tests.services.queue_service.web import Web, web_open


@pytest.fixture
async def desk(pool: Pool) -> AsyncIterator[Desk]:
    """The default campaign on Tuesday, 2026-01-06 at 12:12 in New York."""
    async with desk_open(pool, make_policy()) as opened:
        yield opened


@pytest.fixture
async def web(desk: Desk) -> AsyncIterator[Web]:
    """The same, asked over HTTP."""
    async with web_open(desk) as opened:
        yield opened
