"""One dialer: what it has in hand, and how it starts and stops."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from leadline.clients.queue import QueueClient
from leadline.contracts.campaigns import DiallingSettings
from leadline.contracts.leases import Lease, LeaseBatch
from leadline.crm.port import Crm
from leadline.domain.ids import CampaignName
from leadline.runtime.logging import get_logger
from leadline.telephony.port import Telephony
from services.dialer import figures
from services.dialer.breaker import Breaker, BreakerState
from services.dialer.halts import Halt
from services.dialer.hands import Dialling, Hand
from services.dialer.marks import Marks
from services.dialer.polls import Poll
from services.dialer.reports import Reports
from services.dialer.statuses import keep_statuses
from services.dialer.stop_orders import StopOrders

GATHER_SLOTS_SECONDS: Final = 0.005
"""While most slots are taken: how long freed slots are gathered, so that leads come in batches."""
LAST_REPORTS_SECONDS: Final = 1.0
"""Kept of the drain for reports of what had to be cut off."""
LAST_LEASES_SECONDS: Final = 0.5
"""How long a drain waits for the answer of its last poll: leases that nobody reads keep their numbers to their end."""
UNREACHABLE_AFTER_SECONDS: Final = 30.0
log = get_logger(__name__)


class Dialer:
    """Leases, dials, reports. Run it once."""

    def __init__(
        self,
        *,
        queue: QueueClient,
        telephony: Telephony,
        crm: Crm,
        campaigns: Mapping[CampaignName, DiallingSettings],
        name: str,
        concurrency: int,
        drain_seconds: float,
        breaker: Breaker | None = None,
    ) -> None:
        """Make a dialer.

        Args:
            concurrency: most attempts between their lease and the acceptance of their report.
            drain_seconds: bound of a stop.
        """
        self._concurrency = concurrency
        self._drain_seconds = drain_seconds
        self._halt = Halt()
        self._breaker = breaker or Breaker()
        self._halt.watch(lambda: self._breaker.state is BreakerState.OPEN)
        self._dialling = Dialling(telephony, crm, Marks(queue, name), self._breaker, self._halt, campaigns)
        self._reports = Reports(queue, name)
        self._hands: dict[UUID, Hand] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slot_freed = asyncio.Event()
        self._stop_orders = StopOrders(queue, telephony, self._reports, self._hands.get)
        self._lead_poll = Poll(queue, name, self._free_slots, self._take)
        self._order_poll = Poll(queue, name, _no_slots, self._take)
        figures.SLOTS.set(concurrency)
        figures.BREAKER_STATE.set_function(lambda: float(self._breaker.state))

    async def run(self, stop: asyncio.Event) -> None:
        """Dial until `stop` is set, then finish what was begun within `drain_seconds`."""
        figures.DRAINING.set(0)
        async with asyncio.TaskGroup() as group:
            reporting = group.create_task(self._reports.run())
            leasing = group.create_task(self._lead_poll.run())
            ordering = group.create_task(self._order_poll.run())
            keeping = group.create_task(keep_statuses(self._dialling.crm))
            await stop.wait()
            keeping.cancel()
            await self._drain(leasing)
            ordering.cancel()
            reporting.cancel()

    async def not_ready_because(self) -> list[str]:
        """For `/readyz`."""
        reasons = [self._halt.reason] if self._halt.reason == "draining" else []
        failing_since = self._lead_poll.failing_since
        if failing_since is not None and time.monotonic() - failing_since > UNREACHABLE_AFTER_SECONDS:
            reasons.append("the queue-service does not answer")
        return [reason for reason in reasons if reason]

    def _take(self, batch: LeaseBatch, received_at: float) -> None:
        for order in batch.stop_orders:
            self._stop_orders.begin(order)
        for lease in batch.leases:
            self._take_lease(lease, received_at)

    def _take_lease(self, lease: Lease, received_at: float) -> None:
        hand = Hand(lease, received_at, self._dialling)
        self._hands[lease.attempt_id] = hand
        figures.ATTEMPTS_IN_HAND.set(len(self._hands))
        task = asyncio.get_running_loop().create_task(self._carry_out(hand))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, hand: Hand) -> None:
        """Hold the slot until the report is accepted: what is in memory is bounded by the slots."""
        try:
            report = await hand.carry_out()
            if report is not None:
                await self._reports.deliver(report)
        except asyncio.CancelledError:
            self._reports.post(hand.report_when_cancelled())
            raise
        except Exception:
            log.exception("attempt_crashed", attempt_id=hand.lease.attempt_id)
            await self._reports.deliver(hand.report_when_cancelled())
        finally:
            self._hands.pop(hand.lease.attempt_id, None)
            figures.ATTEMPTS_IN_HAND.set(len(self._hands))
            self._slot_freed.set()

    async def _free_slots(self) -> int:
        while True:
            self._slot_freed.clear()
            slots = self._breaker.slots(self._concurrency, len(self._hands))
            if slots > self._concurrency // 4:
                return slots
            if slots:
                await asyncio.sleep(GATHER_SLOTS_SECONDS)
                return self._breaker.slots(self._concurrency, len(self._hands)) or slots
            await self._slot_or_trial()

    async def _slot_or_trial(self) -> None:
        """Wait for a free slot, or for the moment at which an open breaker allows a trial."""
        try:
            async with asyncio.timeout(self._breaker.seconds_until_half_open or None):
                await self._slot_freed.wait()
        except TimeoutError:
            return

    async def _drain(self, leasing: asyncio.Task[None]) -> None:
        began_at = time.monotonic()
        ends_at = began_at + self._drain_seconds
        figures.DRAINING.set(1)
        log.info("drain_started", in_hand=len(self._hands), seconds=self._drain_seconds)
        self._halt.drain()
        self._lead_poll.close()
        await asyncio.wait([leasing], timeout=min(LAST_LEASES_SECONDS, self._drain_seconds / 4))
        leasing.cancel()
        await self._finish_until(ends_at - min(LAST_REPORTS_SECONDS, self._drain_seconds / 4))
        self._stop_orders.cancel()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks))
        try:
            async with asyncio.timeout(max(0.0, ends_at - time.monotonic())):
                await self._reports.flushed()
        except TimeoutError:
            log.error("reports_left_behind", count=self._reports.waiting)
        log.info("drain_finished", seconds=round(time.monotonic() - began_at, 3))

    async def _finish_until(self, moment: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, moment - time.monotonic())):
                while self._tasks:
                    await asyncio.wait(list(self._tasks))
                await self._stop_orders.finished()
        except TimeoutError:
            log.warning("drain_cut_short", in_hand=len(self._hands))


async def _no_slots() -> int:
    return 0
