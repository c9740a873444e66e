"""Connections of pools, and the wait for them."""

import asyncio
import gc

import asyncpg
import pytest
from prometheus_client import REGISTRY

from leadline.runtime.postgres import create_pool
from leadline.runtime.settings.parts import DatabasePart


def connections(pool: str) -> dict[str, float]:
    found = {
        state: REGISTRY.get_sample_value("leadline_pool_connections", {"pool": pool, "state": state})
        for state in ("idle", "used", "max")
    }
    return {state: value for state, value in found.items() if value is not None}


def waits(pool: str) -> tuple[float, float]:
    """How many, and how many seconds together."""
    labels = {"pool": pool}
    count = REGISTRY.get_sample_value("leadline_pool_wait_seconds_count", labels)
    return count or 0, REGISTRY.get_sample_value("leadline_pool_wait_seconds_sum", labels) or 0


async def test_connections_are_idle_or_used(database_part: DatabasePart) -> None:
    pool = await create_pool(database_part, application_name="test", max_size=3, figures="shown")
    assert connections("shown") == {"idle": 1, "used": 0, "max": 3}
    async with pool.acquire(), pool.acquire():
        assert connections("shown") == {"idle": 0, "used": 2, "max": 3}
    assert connections("shown") == {"idle": 2, "used": 0, "max": 3}
    await pool.close()
    assert connections("shown") == {}


async def test_a_pool_that_nobody_has_is_not_kept(database_part: DatabasePart) -> None:
    pool = await create_pool(database_part, application_name="test", figures="dropped")
    await pool.close()
    del pool
    gc.collect()
    assert connections("dropped") == {}


async def test_every_wait_is_measured(database_part: DatabasePart) -> None:
    async with await create_pool(database_part, application_name="test", max_size=1, figures="waited for") as pool:
        assert await pool.fetchval("SELECT 1") == 1
        assert waits("waited for")[0] == 1
        async with pool.acquire():
            waiting = asyncio.create_task(pool.fetchval("SELECT 2"))
            await asyncio.sleep(0.05)
        assert await waiting == 2
        count, seconds = waits("waited for")
    assert count == 3
    assert seconds > 0.04


async def test_a_wait_that_is_given_up_is_measured_too(database_part: DatabasePart) -> None:
    async with await create_pool(database_part, application_name="test", max_size=1, figures="given up") as pool:
        async with pool.acquire():
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05), pool.acquire():
                    pytest.fail("there was none to be had")
        assert waits("given up")[0] == 2


async def test_it_is_a_pool_like_any_other(database_part: DatabasePart) -> None:
    async with await create_pool(database_part, application_name="test") as pool:
        assert isinstance(pool, asyncpg.Pool)
        conn = await pool.acquire()
        assert await conn.fetchval("SELECT 3") == 3
        await pool.release(conn)
