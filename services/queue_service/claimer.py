"""One claimer per process: waits for what falls due, leases in batches, and fans leases out to waiting dialers."""

import asyncio
import itertools
import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from leadline.contracts.leases import MAX_GROUP, Lease, LeaseBatch, LeaseRequest, StopOrder
from leadline.domain.ids import CampaignName
from leadline.domain.lead import PriorityBand
from leadline.runtime.logging import get_logger
from leadline.runtime.postgres import is_unavailable, retry_transaction
from leadline.store import due, gate, open_attempts, pace, stop_orders
from leadline.store.clock import Clock, get_clock
from leadline.store.connection import Connection, Pool
from leadline.store.due import NIL, Candidate, Head, Peek
from leadline.store.gate import Gate
from services.queue_service.counting.committed import counted
from services.queue_service.counting.figures import LAST_LEASE_REQUEST
from services.queue_service.failover import hold_after_failover
from services.queue_service.leasing import Claim, Leased, claim
from services.queue_service.marking import count_calls_left
from services.queue_service.policy import Policy
from services.queue_service.told import tell_lease

log = get_logger(__name__)

START = datetime(1970, 1, 1, tzinfo=UTC)
NEAR_POLL_SECONDS = 0.35
IDLE_POLL_SECONDS = 1.5
HELD_BACK_POLL_SECONDS = 0.1
ERROR_WAIT_SECONDS = 1.0
LEAST_WAIT_SECONDS = 0.1
"""Even who does not want to wait gets what is due now."""
CURSOR_LIFE_SECONDS = 1.0
STOP_ORDER_AGAIN_SECONDS = 10.0
PACE_HORIZON_SECONDS = 1.0
"""Real time for which leads are leased ahead of the pace: enough to keep dialers busy, and not more."""


@dataclass(eq=False, slots=True)
class Waiter:
    """A dialer that is waiting for leads."""

    request: LeaseRequest
    is_gone: Callable[[], bool]
    future: "asyncio.Future[LeaseBatch]"


@dataclass(slots=True)
class _Cursors:
    """Where each (campaign, band) was read to; forgotten once a second for leads that became due behind it."""

    at: dict[tuple[CampaignName, PriorityBand], tuple[datetime, Any]] = field(default_factory=dict)
    since: float = 0.0

    def heads(self, campaigns: Sequence[CampaignName], now: float) -> list[Head]:
        if now - self.since > CURSOR_LIFE_SECONDS:
            self.reset(now)
        return [
            Head(campaign, band, *self.at.get((campaign, band), (START, NIL)))
            for campaign in campaigns
            for band in PriorityBand
        ]

    def reset(self, now: float) -> None:
        self.at.clear()
        self.since = now

    def advance(self, read: Sequence[Candidate]) -> None:
        for candidate in read:
            self.at[candidate.campaign, candidate.band] = (candidate.due_at, candidate.lead_id)


class Claimer:
    """Answers lease requests. Safe beside any number of other claimers: correctness is the database's."""

    def __init__(self, pool: Pool, policy: Policy, give_back: Callable[[LeaseBatch], None]) -> None:
        self._pool = pool
        self._policy = policy
        self._give_back = give_back
        self._waiters: deque[Waiter] = deque()
        self._wake = asyncio.Event()
        self._cursors = _Cursors()
        self._closing = False

    async def lease(self, request: LeaseRequest, is_gone: Callable[[], bool]) -> LeaseBatch:
        """Wait up to the request's `wait_seconds` for leads or stop orders; both lists are empty when time ran out.

        While `is_gone` nothing is leased for it.
        """
        if self._closing:
            return LeaseBatch(leases=[], stop_orders=[])
        LAST_LEASE_REQUEST.set_to_current_time()
        waiter = Waiter(request, is_gone, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        self._wake.set()
        try:
            async with asyncio.timeout(max(request.wait_seconds, LEAST_WAIT_SECONDS)):
                return await asyncio.shield(waiter.future)
        except TimeoutError:
            return waiter.future.result() if waiter.future.done() else LeaseBatch(leases=[], stop_orders=[])
        except asyncio.CancelledError:
            if waiter.future.done() and not waiter.future.cancelled():  # answered, but nobody is there to read it
                self._give_back(waiter.future.result())
            raise
        finally:
            waiter.future.cancel()

    def poke(self) -> None:
        """Something may have become due, or a call must be stopped: look now."""
        self._wake.set()

    def close(self) -> None:
        """Answer every waiting dialer with nothing and stop."""
        self._closing = True
        self._wake.set()

    async def run(self) -> None:
        """Serve waiting dialers until closed. A database that is away is waited for."""
        while not self._closing:
            try:
                pause = await self._serve()
            except Exception as error:
                if not is_unavailable(error):
                    log.error("claim_failed", exc_info=error)
                pause = ERROR_WAIT_SECONDS
            await self._sleep(pause)
        for waiter in self._drop_gone():
            waiter.future.set_result(LeaseBatch(leases=[], stop_orders=[]))

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    def _drop_gone(self) -> list[Waiter]:
        for waiter in self._waiters:
            if not waiter.future.done() and waiter.is_gone():
                waiter.future.set_result(LeaseBatch(leases=[], stop_orders=[]))
        self._waiters = deque(w for w in self._waiters if not w.future.done())
        return list(self._waiters)

    async def _serve(self) -> float:
        """Give out what can be given now; returns how long (real seconds) to sleep unless poked."""
        if not self._drop_gone():
            return IDLE_POLL_SECONDS
        async with self._pool.acquire() as conn:
            heads = self._cursors.heads(list(self._policy.campaigns), asyncio.get_running_loop().time())
            next_up = await due.peek(conn, heads)
            if next_up.stop_orders:
                await self._give_stop_orders(conn, self._drop_gone())
            seconds = _seconds_until(next_up)
            if seconds > 0 or not self._wanted():
                return _poll_within(seconds or IDLE_POLL_SECONDS)
            state = await self._permitted(conn)
            if not state.open:
                return IDLE_POLL_SECONDS
            campaigns = [c for c in self._policy.campaigns if c not in state.paused_campaigns]
            return await self._give_leads(conn, state, campaigns)

    async def _permitted(self, conn: Connection) -> Gate:
        state = await gate.read_gate(conn)
        return await hold_after_failover(conn, self._policy, state) if state.failover else state

    async def _give_stop_orders(self, conn: Connection, waiting: Sequence[Waiter]) -> None:
        rows = await stop_orders.take_stop_orders(conn, 50, STOP_ORDER_AGAIN_SECONDS)
        if not rows:
            return
        batch = LeaseBatch(leases=[], stop_orders=[StopOrder(**dict(row)) for row in rows])
        waiter = next((w for w in waiting if not w.future.done()), None)
        if waiter is None:  # whoever was waiting left meanwhile
            await stop_orders.untake_stop_orders(conn, [order.id for order in batch.stop_orders])
        else:
            waiter.future.set_result(batch)

    def _wanted(self) -> list[Waiter]:
        """One entry for each free slot, dialers taking turns, so that none gets all."""
        waiting = self._drop_gone()
        rounds = max((w.request.slots for w in waiting), default=0)
        turns = (w for turn in range(rounds) for w in waiting if w.request.slots > turn)
        return list(itertools.islice(turns, MAX_GROUP))

    async def _give_leads(self, conn: Connection, state: Gate, campaigns: Sequence[CampaignName]) -> float:
        """Claim while leads are due, slots free, and pace and plan have room; returns how long to sleep."""
        pause = NEAR_POLL_SECONDS
        while wanted := self._wanted():
            wanted = wanted[: await self._budget(conn, state)]
            if not wanted:
                return HELD_BACK_POLL_SECONDS
            from_start = not self._cursors.at
            heads = self._cursors.heads(campaigns, asyncio.get_running_loop().time())
            result = await self._claim(conn, heads, wanted)
            self._cursors.advance(result.chosen)
            if result.leased or result.replanned:
                pause = 0.0
            if len(result.chosen) < len(wanted):
                self._cursors.reset(asyncio.get_running_loop().time())
                if from_start or not result.chosen:
                    return pause
        return pause

    async def _claim(self, conn: Connection, heads: Sequence[Head], wanted: Sequence[Waiter]) -> Claim:
        async def once() -> tuple[Claim, Clock]:
            async with counted(conn, self._policy):
                clock = await get_clock(conn)
                return await claim(conn, self._policy, heads, [w.request.dialer for w in wanted], clock.now), clock

        result, clock = await retry_transaction(once)
        batches: dict[Waiter, list[Lease]] = {}
        for leased in result.leased:
            batches.setdefault(wanted[leased.slot], []).append(_lease(leased, self._policy.lease_seconds))
        for waiter, leases in batches.items():
            if waiter.future.done():
                self._give_back(LeaseBatch(leases=leases, stop_orders=[]))
            else:
                waiter.future.set_result(LeaseBatch(leases=leases, stop_orders=[]))
        _tell_leases(result.leased, clock)
        return result

    async def _budget(self, conn: Connection, state: Gate) -> int:
        """How many leads are worth leasing now. Advisory: the send mark enforces pace and plan."""
        budget = MAX_GROUP
        calls_left = await count_calls_left(conn, self._policy, state.now, state.speed, leased_hold_slots=True)
        if calls_left is not None:
            budget = min(budget, calls_left)
        interval = self._policy.pace_interval
        if interval is not None:
            clock = await get_clock(conn)
            next_slot_at = await pace.read_pace(conn, self._policy.account)
            until = clock.now + clock.business(PACE_HORIZON_SECONDS)
            slots = math.ceil((until - max(clock.now, next_slot_at or clock.now)) / interval)
            leased, _ = await open_attempts.count_in_hand(conn)
            budget = min(budget, slots - leased)
        return max(0, budget)


def _tell_leases(leased: Sequence[Leased], clock: Clock) -> None:
    for one in leased:
        late = clock.now - (one.lead.due_at or clock.now)
        tell_lease(one.root, one.attempt, clock.real_seconds(late))


def _seconds_until(next_up: Peek) -> float:
    """Real seconds until the next lead falls due; 0 if one is, much if none will."""
    if next_up.next_due_at is None:
        return IDLE_POLL_SECONDS
    return max(0.0, (next_up.next_due_at - next_up.now).total_seconds() / next_up.speed)


def _poll_within(seconds: float) -> float:
    """The timer on the next due time, within the poll that news from other replicas needs."""
    idle = IDLE_POLL_SECONDS * random.uniform(0.7, 1.0)  # noqa: S311 -- jitter between replicas, no secret
    return min(seconds, NEAR_POLL_SECONDS if seconds < IDLE_POLL_SECONDS else idle)


def _lease(leased: Leased, lease_seconds: float) -> Lease:
    attempt, lead = leased.attempt, leased.lead
    known = {
        "first_name": lead.first_name,
        "last_name": lead.last_name,
        "lead_id": lead.sender_lead_id,
        "list_id": lead.list_id,
    }
    return Lease(
        attempt_id=attempt.id,
        lead_id=lead.id,
        campaign=attempt.campaign,
        phone_number=attempt.phone_number,
        attempt_no=attempt.attempt_no,
        lease_seconds=lease_seconds,
        request_data={key: value for key, value in known.items() if value},
        traceparent=attempt.traceparent,
        clearance_needed=leased.clearance_needed,
    )
