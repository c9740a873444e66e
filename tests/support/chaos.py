"""A bad day: load from outside, a provider with faults, and processes that are killed, frozen and started again.

Everything is drawn from one seed; how it interleaves with the machine is not.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp

from leadline.clients.queue import QueueClient, QueueError
from leadline.contracts.operators import SuppressionRequest
from tests.support.phones import fresh_phone
from tests.support.processes import ServiceProcess
from tests.support.system import System

PROVIDER_FAULTS: Sequence[tuple[str, str, dict[str, float]]] = (
    ("create", "accept_then_reset", {"probability": 0.02}),
    ("create", "accept_then_500", {"probability": 0.02}),
    ("create", "accept_no_id", {"probability": 0.02}),
    ("create", "accept_then_hang", {"probability": 0.02, "seconds": 5}),
    ("create", "reset_before_accept", {"probability": 0.02}),
    ("create", "refuse", {"probability": 0.02, "status": 503}),
    ("create", "latency", {"probability": 0.1, "seconds": 0.5}),
    ("list", "refuse", {"probability": 0.1, "status": 500}),
    ("active", "refuse", {"probability": 0.1, "status": 500}),
    ("webhook", "duplicate", {"probability": 0.1}),
    ("webhook", "reorder", {"probability": 0.1, "seconds": 1}),
    ("webhook", "never", {"probability": 0.05}),
    ("webhook", "late", {"probability": 0.1, "seconds": 3}),
    ("webhook", "bad_signature", {"probability": 0.03}),
    ("webhook", "citations", {"probability": 0.1}),
)
SECONDS_BETWEEN_LEADS = 0.2
SECONDS_BETWEEN_STOPS = 3.0
SECONDS_BETWEEN_SWEEPS = 12.0
STRIKERS = 2
FROZEN_SHARE = 0.25
"""Share of blows that freeze a process for a while instead of killing it."""


@dataclass
class Chaos:
    """One bad day of one running system."""

    system: System
    operator: QueueClient
    """Reaches whichever queue-service lives."""
    victims: Sequence[ServiceProcess]
    seed: int
    accepted: list[str] = field(default_factory=list)
    """Numbers of leads that were answered with 2xx."""
    stopped: dict[str, datetime] = field(default_factory=dict)
    """Real time at which the suppression of a number was answered with 2xx."""
    blows: Counter[str] = field(default_factory=Counter)
    _struck: set[int] = field(default_factory=set)

    async def run(self, seconds: float) -> None:
        """Let the day pass; afterwards every process runs again."""
        over = asyncio.Event()
        for on, kind, rule in PROVIDER_FAULTS:
            await self.system.simulator.fault(on, kind, **rule)
        async with asyncio.TaskGroup() as group:
            works = (self._post_leads, self._stop_people, self._sweep, *[self._strike] * STRIKERS)
            for number, work in enumerate(works):
                group.create_task(work(over, random.Random(f"{self.seed}|{number}")))
            await asyncio.sleep(seconds)
            over.set()
        await self.system.simulator.clear_faults()
        for process in self.victims:
            if not process.running:
                process.start()
            await process.wait_ready()

    async def _post_leads(self, over: asyncio.Event, _dice: random.Random) -> None:
        while not await _happens_within(over, SECONDS_BETWEEN_LEADS):
            phone, status = fresh_phone(), 0
            while status != 202 and not over.is_set():
                with suppress(aiohttp.ClientError, TimeoutError):
                    status, _ = await self.system.post_lead(phone)
                if status not in {0, 202, 503}:
                    raise AssertionError(f"a lead was answered {status}")
                status or await _happens_within(over, 0.1)
            if status == 202:
                self.accepted.append(phone)

    async def _stop_people(self, over: asyncio.Event, dice: random.Random) -> None:
        while not await _happens_within(over, SECONDS_BETWEEN_STOPS):
            if self.accepted:
                phone = dice.choice(self.accepted)
                with suppress(QueueError):
                    await self.operator.put_suppression(phone, SuppressionRequest(reason="asked us to stop"))
                    self.stopped.setdefault(phone, datetime.now(UTC))

    async def _strike(self, over: asyncio.Event, dice: random.Random) -> None:
        while not await _happens_within(over, dice.uniform(0.5, 2.0)):
            number = dice.randrange(len(self.victims))
            if number in self._struck:
                continue
            self._struck.add(number)
            frozen = dice.random() < FROZEN_SHARE
            self.blows["frozen" if frozen else "killed"] += 1
            await (_freeze if frozen else _kill)(self.victims[number], over, dice)
            self._struck.remove(number)

    async def _sweep(self, over: asyncio.Event, _dice: random.Random) -> None:
        """As the CronJob does; a pass that meets a dead queue-service is the next one's business."""
        while not await _happens_within(over, SECONDS_BETWEEN_SWEEPS):
            async with self.system.stack.make_sweep() as sweep:
                await sweep.wait()


async def _freeze(victim: ServiceProcess, over: asyncio.Event, dice: random.Random) -> None:
    victim.pause()
    await _happens_within(over, dice.uniform(0.5, 5.0))
    victim.resume()


async def _kill(victim: ServiceProcess, over: asyncio.Event, dice: random.Random) -> None:
    await victim.kill()
    await _happens_within(over, dice.uniform(0.0, 1.0))
    victim.start()


async def _happens_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
