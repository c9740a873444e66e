"""The two loops that read: one often and by index alone, one seldom, which counts whole tables and is nobody's wait."""

import asyncio
import random
import time
from dataclasses import replace
from typing import Final

import asyncpg

from leadline.runtime.logging import get_logger
from leadline.runtime.postgres import CLIENT_MARGIN_SECONDS, INDEXES_ONLY
from leadline.store import gate, measures
from leadline.store.connection import Connection, Pool
from services.queue_service.measuring import leads
from services.queue_service.measuring.account import read_account
from services.queue_service.measuring.backfills import read_backfill
from services.queue_service.measuring.campaigns import read_campaigns
from services.queue_service.measuring.gauges import Sample
from services.queue_service.measuring.readings import JITTER, jittered, keep_reading
from services.queue_service.measuring.showing import FIGURES, Figures, Reading
from services.queue_service.measuring.sweeps import read_sweeps
from services.queue_service.measuring.waiting import read_schema, read_waiting
from services.queue_service.policy import Policy

log = get_logger(__name__)

LOOKED_UP: Final = {**INDEXES_ONLY, "enable_bitmapscan": "off"}
"""Settings of a fast reading: a bitmap holds all that an index has to say, however little is then asked for."""
FAST_SECONDS: Final = 10.0
"""Longest time for one fast reading, the wait for a connection included."""
SLOW_STATEMENT_SECONDS: Final = 60.0
"""Longest time for one count of a whole table: for so long nothing is vacuumed that is changed meanwhile."""
LEAST_SLOW_PAUSE_SECONDS: Final = 30.0
SLOW_PAUSE_RATIO: Final = 20.0
"""A slow reading is made again after so many times as long as the last one took."""
LONGEST_PAUSE_AFTER_FAILURE_SECONDS: Final = 300.0
SLOW_KEPT_SECONDS: Final = 900.0
SLOW_PARTS: Final = (
    leads.count_statuses,
    leads.count_held,
    leads.count_suppressions,
    leads.count_by_attempts,
    leads.count_due_later,
)


async def keep_figures(pool: Pool, policy: Policy, figures: Figures = FIGURES) -> None:
    """Read both, each at its own pace, until cancelled. Uses up to two connections of the pool."""
    async with asyncio.TaskGroup() as group:
        group.create_task(keep_fast(pool, policy, figures))
        group.create_task(keep_slow(pool, policy, figures))


async def keep_fast(pool: Pool, policy: Policy, figures: Figures) -> None:
    """What is looked up by index, as often as the work for dialers is counted."""

    async def take() -> Reading:
        async with asyncio.timeout(FAST_SECONDS), pool.acquire() as conn:
            return await read_fast(conn, policy)

    await keep_reading(
        take, figures.fast.note, lambda *_: jittered(policy.scale_read_seconds), failed="fast_figures_not_read"
    )


async def keep_slow(
    pool: Pool, policy: Policy, figures: Figures, least_pause_seconds: float = LEAST_SLOW_PAUSE_SECONDS
) -> None:
    """What takes as long as the tables are large, and is then shown for longer: until it can have been read again."""

    def note(reading: Reading | None) -> None:
        took = 0.0 if reading is None else time.monotonic() - reading.read_at
        figures.slow.note(reading, max(SLOW_KEPT_SECONDS, 2 * SLOW_PAUSE_RATIO * took))

    await keep_reading(
        lambda: read_slow(pool, policy),
        note,
        lambda took, failed: slow_pause_seconds(took, failed=failed, least_seconds=least_pause_seconds),
        failed="slow_figures_not_read",
    )


def slow_pause_seconds(
    took_seconds: float, *, failed: bool = False, least_seconds: float = LEAST_SLOW_PAUSE_SECONDS
) -> float:
    """How long to wait after a slow reading that took so long: never less than the ratio says.

    A reading fails as a whole if the database cannot be reached: then it was no work for it, but a wait.
    """
    pause = max(least_seconds, SLOW_PAUSE_RATIO * took_seconds)
    if failed:
        pause = min(pause, LONGEST_PAUSE_AFTER_FAILURE_SECONDS)
    return pause * random.uniform(1, 1 + JITTER)  # noqa: S311 -- jitter


async def read_fast(conn: Connection, policy: Policy) -> Reading:
    """Every fast gauge at one moment."""
    reading = Reading.now()
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        await measures.set_locally(conn, LOOKED_UP)
        moment = await measures.read_moment(conn)
        state = await gate.read_gate(conn)
        samples = [
            *await read_campaigns(conn, policy, state, moment),
            *await read_account(conn, policy, state, moment),
            *await read_waiting(conn, moment),
            *await read_sweeps(conn, moment),
            *await read_backfill(conn),
            *await read_schema(conn),
        ]
    return replace(reading, samples=samples)


async def read_slow(pool: Pool, policy: Policy, statement_seconds: float = SLOW_STATEMENT_SECONDS) -> Reading:
    """Every slow gauge, each table at a moment of its own. What takes too long is left out, and the rest is counted.

    A connection is held, and a moment of the database kept alive, for one part only.
    """
    reading = Reading.now()
    samples: list[Sample] = []
    for part in SLOW_PARTS:
        seconds = statement_seconds + CLIENT_MARGIN_SECONDS
        try:
            async with asyncio.timeout(2 * seconds), pool.acquire() as conn, conn.transaction(readonly=True):
                await measures.set_locally(conn, {"statement_timeout": f"{statement_seconds * 1000:.0f}"})
                samples += await part(conn, policy, await measures.read_moment(conn), seconds)
        except asyncpg.QueryCanceledError:
            log.warning("table_takes_too_long_to_count", part=part.__name__, seconds=statement_seconds)
    return replace(reading, samples=samples)
