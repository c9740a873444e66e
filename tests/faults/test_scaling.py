"""Row 11 as an autoscaler does it: dialers come and go under load, some are killed in their drain, and nothing is lost.

What each drain took is printed, for whoever sizes a grace period.
"""

import asyncio
import itertools
import json
import os
import random
import secrets
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.phones import fresh_phone, fresh_phones
from tests.support.processes import ServiceProcess
from tests.support.simulated import ANYBODY, step
from tests.support.stack import Stack
from tests.support.system import TUESDAY_NOON, System, system_open
from tests.support.waiting import until

SEED = int(os.environ.get("LEADLINE_CHAOS_SEED", "0")) or secrets.randbelow(2**31) + 1
LEADS = 300
SIZES = (4, 1, 3, 1, 4, 2, 1)
"""How many dialers there are, again and again while there is something to dial."""
KILLED_SHARE = 0.4
DIALLED_WITHIN_SECONDS = 110.0
IS_WORK_LEFT = """
SELECT EXISTS (SELECT FROM due_leads WHERE NOT calling AND due_at <= business_now())
    OR EXISTS (SELECT FROM attempts WHERE state IN ('leased', 'sending'))
"""
IN_HAND = "SELECT count(*) FROM attempts WHERE state IN ('leased', 'sending')"
SETTLING_SECONDS = 110.0
UNCOUNTED_WAIT = timedelta(seconds=61)
SETTINGS = {
    "LEADLINE_CALLS_PER_SECOND": "25",
    "LEADLINE_DIALER_CONCURRENCY": "12",
    "LEADLINE_BLAND_TIMEOUT_SECONDS": "5",
    "LEADLINE_REPORT_WITHIN_SECONDS": "8",
    "LEADLINE_DRAIN_SECONDS": "15",
    "LEADLINE_SCALE_READ_SECONDS": "0.2",
}
LONG_LEASES = {**SETTINGS, "LEADLINE_LEASE_SECONDS": "600"}
"""Nothing is dialled again because a lease ran out: who waits for that waits in vain."""
SHORT_LEASES = {**SETTINGS, "LEADLINE_LEASE_SECONDS": "4"}


@dataclass
class Fleet:
    """The dialers of one Deployment, and the autoscaler's hand on them."""

    system: System
    dice: random.Random
    made: list[ServiceProcess] = field(default_factory=list)
    running: list[ServiceProcess] = field(default_factory=list)
    stopping: list[asyncio.Task[None]] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)
    drains: list[tuple[float, int]] = field(default_factory=list)
    """Seconds that each drain took, and how many attempts were in hand when it began."""

    async def resize(self, size: int, killed_share: float = 0.0) -> None:
        """Start what is missing; stop what is too much, whichever it is, and do not wait for its end."""
        while len(self.running) > size:
            dialer = self.running.pop(self.dice.randrange(len(self.running)))
            too_late = self.dice.random() < killed_share or (killed_share > 0 and not self.stopping)
            self.stopping.append(asyncio.create_task(self._kill(dialer) if too_late else self._drain(dialer)))
        new = [self.make() for _ in range(size - len(self.running))]
        self.running += new
        for dialer in new:
            dialer.start()
        await asyncio.gather(*(dialer.wait_ready() for dialer in new))

    def make(self) -> ServiceProcess:
        """A dialer that is not started; `close` ends it."""
        self.made.append(self.system.stack.make_dialer(queue_url=self.dice.choice(self.system.stack.queue_urls)))
        return self.made[-1]

    async def _drain(self, dialer: ServiceProcess) -> None:
        assert await dialer.terminate() == 0, dialer.log_tail()
        told = {line.get("event"): line for line in _lines(dialer)}
        self.drains.append((told["drain_finished"]["seconds"], told["drain_started"]["in_hand"]))
        self.ended["drained"] += 1

    async def _kill(self, dialer: ServiceProcess) -> None:
        """As the kubelet does when the grace period is over."""
        dialer.send(signal.SIGTERM)
        await asyncio.sleep(self.dice.uniform(0.0, 0.4))
        await dialer.kill()
        self.ended["killed"] += 1

    async def settle(self) -> None:
        """Until all that were told to stop have ended."""
        await asyncio.gather(*self.stopping)

    async def close(self) -> None:
        """Whatever happened."""
        for task in self.stopping:
            task.cancel()
        await asyncio.gather(*self.stopping, return_exceptions=True)
        for dialer in self.made:
            await dialer.kill()


def _lines(process: ServiceProcess) -> list[dict[str, Any]]:
    return [json.loads(line) for line in process.log_text().splitlines() if line.startswith("{")]


@pytest.fixture
def settings() -> dict[str, str]:
    return LONG_LEASES


@pytest.fixture
async def fleet(database_url: str, tmp_path: Path, settings: dict[str, str]) -> AsyncIterator[Fleet]:
    """No dialer yet; two queue-services, and a provider that takes its time."""
    stack = Stack(database_url, tmp_path, settings, queues=2)
    try:
        await stack.start()
        async with system_open(stack) as system:
            fleet = Fleet(system, random.Random(SEED))
            await system.set_clock(TUESDAY_NOON)
            await system.simulator.script(ANYBODY, step("NOT_INTERESTED", seconds=1, times=1_000_000))
            await system.simulator.fault("create", "latency", seconds=0.4)
            try:
                yield fleet
            finally:
                await fleet.close()
    finally:
        await stack.stop()


async def _up_and_down(fleet: Fleet, killed_share: float) -> list[str]:
    """Post leads, and change the number of dialers at random moments while there is something to dial; the numbers."""
    system, phones = fleet.system, fresh_phones(LEADS)
    posting = asyncio.gather(*(system.add_leads(phones[n::10]) for n in range(10)))
    ends_at = asyncio.get_running_loop().time() + DIALLED_WITHIN_SECONDS
    for size in itertools.cycle(SIZES):
        await fleet.resize(size, killed_share)
        await asyncio.sleep(fleet.dice.uniform(0.2, 1.2))
        over = posting.done() and not await system.db.fetchval(IS_WORK_LEFT)
        if over or asyncio.get_running_loop().time() > ends_at:
            break
    await posting
    await fleet.resize(1)
    await fleet.settle()
    _say(fleet)
    return phones


async def _assert_called_once_each(system: System, phones: list[str]) -> None:
    """One request to the provider for each lead, one call, one result, and the lead is done."""
    rows = [row for row in await system.simulator.rows() if row["origin"] == "post"]
    assert Counter(row["phone_number"] for row in rows) == Counter(phones)
    attempts = await system.db.fetch("SELECT phone_number, id, state, outcome FROM attempts WHERE counted")
    assert {(a["phone_number"], str(a["id"]), a["state"], a["outcome"]) for a in attempts} == {
        (row["phone_number"], row["attempt_id"], "ended", "NOT_INTERESTED") for row in rows
    }
    statuses = await system.db.fetch("SELECT DISTINCT status FROM leads")
    assert [row["status"] for row in statuses] == ["completed"]
    assert await system.count("SELECT count(*) FROM open_attempts") == 0
    await system.assert_promises()


def _say(fleet: Fleet) -> None:
    """For whoever reads the output of a failure, or sizes a grace period."""
    took = sorted(seconds for seconds, _ in fleet.drains)
    in_hand = [count for _, count in fleet.drains]
    sys.stdout.write(
        f"LEADLINE_CHAOS_SEED={SEED} {dict(fleet.ended)}, drains of up to {max(in_hand)} in hand took"
        f" {took[len(took) // 2]:.2f} s (median), {took[-1]:.2f} s (longest)\n"
    )


@pytest.mark.slow
@pytest.mark.timeout(DIALLED_WITHIN_SECONDS + SETTLING_SECONDS + 60)
async def test_dialers_up_and_down_under_load_call_everybody_once_and_nobody_waits_for_a_lease(fleet: Fleet) -> None:
    system = fleet.system
    phones = await _up_and_down(fleet, killed_share=0.0)
    await until(lambda: _all_ended(system), "every lead was called", SETTLING_SECONDS)
    await _assert_called_once_each(system, phones)
    assert fleet.ended["drained"] > 3
    assert sum(count for _, count in fleet.drains) > 0, "some were busy"
    assert await system.count("SELECT count(*) FROM alarms") == 0
    released = await system.db.fetch(
        "SELECT close_reason, marked_at IS NOT NULL AS marked, count(*) AS n FROM attempts WHERE state = 'released'"
        " GROUP BY 1, 2"
    )
    sys.stdout.write(f"given back: {[tuple(row.values()) for row in released]}\n")
    await until(lambda: _wanted_everywhere(system, 0), "no dialer is wanted")


async def _all_ended(system: System) -> bool:
    ended = await system.count("SELECT count(DISTINCT phone_number) FROM attempts WHERE state = 'ended'")
    return ended == LEADS


async def _wanted_everywhere(system: System, wanted: float) -> bool:
    """Every replica says so, at its own door."""
    said = [await scraped(system, queue) for queue in system.stack.queues]
    return all(figures.get("leadline_calls_wanted") == wanted for figures in said)


async def scraped(system: System, queue: ServiceProcess) -> dict[str, float]:
    """What a queue-service says at /metrics, the scaling figures by name."""
    async with system.http.get(f"http://127.0.0.1:{queue.metrics_port}/metrics") as response:
        assert response.status == 200
        text = await response.text()
    wanted = ("leadline_calls_wanted", "leadline_leads_due", "leadline_attempts_in_hand")
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {sample.name: sample.value for sample in samples if sample.name.startswith(wanted)}


@pytest.mark.slow
@pytest.mark.timeout(DIALLED_WITHIN_SECONDS + SETTLING_SECONDS + 60)
@pytest.mark.parametrize("settings", [SHORT_LEASES], ids=["short leases"])
async def test_dialers_killed_in_their_drain_lose_nothing_and_call_nobody_twice(fleet: Fleet) -> None:
    system = fleet.system
    phones = await _up_and_down(fleet, KILLED_SHARE)

    async def settled() -> bool:
        if await _all_ended(system):
            return True
        await system.sweep()
        await system.jump(UNCOUNTED_WAIT)
        return False

    await until(settled, "every lead was called, after sweeps", SETTLING_SECONDS)
    await _assert_called_once_each(system, phones)
    assert fleet.ended["killed"] > 0
    assert fleet.ended["drained"] > 0


async def test_what_a_stopped_dialer_gives_back_is_dialled_by_another_at_once(fleet: Fleet) -> None:
    """With leases of ten minutes: the other one does not wait for their end."""
    system = fleet.system
    await system.simulator.fault("create", "latency", seconds=1.5)
    one, other = fleet.make(), fleet.make()
    one.start()
    await one.wait_ready()
    phones = fresh_phones(60)
    await system.add_leads(phones)
    await until(lambda: _has_full_hands(system), "the dialer has its hands full")
    assert await one.terminate() == 0
    await until(lambda: _has_empty_hands(system), "nothing is left in a stopped dialer's hand")
    assert len(await system.simulator.rows()) < len(phones)
    other.start()
    await until(lambda: _are_called(system, phones), "everybody was called")
    for phone in phones:
        assert len(await system.simulator.posts(phone)) == 1
    await system.assert_promises()


async def _has_full_hands(system: System) -> bool:
    return await system.count(IN_HAND) >= 10


async def _has_empty_hands(system: System) -> bool:
    return await system.count(IN_HAND) == 0


async def _are_called(system: System, phones: list[str]) -> bool:
    return {row["phone_number"] for row in await system.simulator.rows() if row["call_id"]} == set(phones)


async def test_every_queue_service_shows_what_dialers_are_scaled_by(fleet: Fleet) -> None:
    system = fleet.system
    assert await until(lambda: _wanted_everywhere(system, 0), "nothing is to do yet")
    await system.add_leads([fresh_phone() for _ in range(6)])
    await until(lambda: _wanted_everywhere(system, 6), "six leads are due")
    one, other = [await scraped(system, queue) for queue in system.stack.queues]
    read_at = "leadline_calls_wanted_timestamp_seconds"
    assert {name for name in one if name != read_at} == {
        "leadline_calls_wanted",
        "leadline_calls_wanted_bound",
        "leadline_leads_due_now",
        "leadline_leads_due_soon",
        "leadline_attempts_in_hand",
    }
    assert one.pop(read_at) > 1.7e9
    assert other.pop(read_at) > 1.7e9
    assert one == other
