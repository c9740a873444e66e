"""The gauges that dialers are scaled by, read from the database in the background and the same on every replica.

`leadline_calls_wanted` is how many calls dialers should be able to have in hand together; an autoscaler divides it by
the slots it wants filled in one dialer. Readers of several replicas take the greatest, never the sum.

A reading is shown for a minute. Then the gauges are *absent*, all but the time of the last reading, so that an
autoscaler sees an error and keeps what it has. Absent, and not NaN: KEDA's `metrics-api` trigger fails if the name has
no sample and takes NaN for 0; its `prometheus` trigger fails on an empty result, as on NaN, if `ignoreNullValues` is
false; prometheus-adapter hands an empty list to the HPA, which then does not scale, and makes of NaN whatever integer
the processor makes of it.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from leadline.domain.lead import PriorityBand
from leadline.domain.rules.scaling import CallsWanted, Work, calls_wanted, due_until, most_in_hand
from leadline.store import gate
from leadline.store.connection import Connection, Pool
from leadline.store.gate import Gate
from leadline.store.workload import CountedHead, count_workload
from services.queue_service.claimer import PACE_HORIZON_SECONDS
from services.queue_service.marking import count_calls_left
from services.queue_service.measuring.readings import LastReading, jittered, keep_reading
from services.queue_service.policy import Policy

READ_SECONDS: Final = 10.0
"""Longest time for one reading, the wait for a connection included."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read at one moment."""

    work: Work
    wanted: CallsWanted
    read_at: float
    """Monotonic, before the database was asked."""
    read_at_unix: float
    """The same moment on this machine's clock."""


_GAUGES: Final[dict[str, tuple[str, Callable[[Reading], float]]]] = {
    "leadline_calls_wanted": (
        "Calls that dialers should be able to have in hand together: what they are scaled by. Of replicas, take max.",
        lambda reading: reading.wanted.wanted,
    ),
    "leadline_calls_wanted_bound": (
        "Most that leadline_calls_wanted may be now: what pace and plan let dialers have in hand, or what they have.",
        lambda reading: reading.wanted.bound,
    ),
    "leadline_leads_due_now": (
        "Leads that a dialer would be given now, counted no further than pace and plan let dialers have in hand.",
        lambda reading: reading.work.due_now,
    ),
    "leadline_leads_due_soon": (
        "Leads that fall due within LEADLINE_SCALE_LOOKAHEAD_SECONDS, counted as far as leadline_leads_due_now.",
        lambda reading: reading.work.due_soon,
    ),
    "leadline_attempts_in_hand": (
        "Attempts that hold a slot of some dialer: leased or marked, and not yet reported.",
        lambda reading: reading.work.in_hand,
    ),
}


class ScaleFigures(Collector):
    """The gauges: the last reading while it is fresh, and when it was taken."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is monotonic."""
        self._last: LastReading[Reading] = LastReading(clock)

    def note(self, reading: Reading | None) -> None:
        """Show this from now on; None shows nothing."""
        self._last.note(reading)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """For prometheus_client."""
        reading = self._last.fresh
        for name, (meaning, value) in _GAUGES.items():
            family = GaugeMetricFamily(name, meaning)
            if reading is not None:
                family.add_metric([], value(reading))
            yield family
        read_at = GaugeMetricFamily("leadline_calls_wanted_timestamp_seconds", "When leadline_calls_wanted was read.")
        if self._last.read_at_unix is not None:
            read_at.add_metric([], self._last.read_at_unix)
        yield read_at


FIGURES: Final = ScaleFigures()
REGISTRY.register(FIGURES)


async def keep_figures(pool: Pool, policy: Policy, figures: ScaleFigures = FIGURES) -> None:
    """Read again and again until cancelled. A database that is away is asked again at the next turn."""

    async def take() -> Reading:
        async with asyncio.timeout(READ_SECONDS), pool.acquire() as conn:
            return await read_work(conn, policy)

    await keep_reading(
        take, figures.note, lambda *_: jittered(policy.scale_read_seconds), failed="calls_wanted_not_read"
    )


async def read_work(conn: Connection, policy: Policy) -> Reading:
    """Count what there is to do. A lead counts if a dialer would be given it, by the index that leases read.

    A lead that only its own rules refuse counts until the claimer meets it and plans it anew: moments, while dialers
    ask. What no dialer would be given is not in the index (held, paused, completed) or not asked for (campaigns paused
    or outside their calling hours, everything while dispatch or the account is).
    """
    read_at, read_at_unix = time.monotonic(), time.time()
    state = await gate.read_gate(conn)
    # At five calls a second 18: what is leased ahead of the pace, waits for its slot, and is sent in its send window.
    most = most_in_hand(policy.calls_per_second * state.speed, _seconds_in_hand(policy), policy.caps.concurrent)
    counted = await count_workload(conn, _heads(policy, state), most, policy.longest_hold_seconds)
    calls_left = await count_calls_left(conn, policy, state.now, state.speed, leased_hold_slots=True)
    work = Work(counted.due_now, counted.due_soon, counted.in_hand, most, calls_left)
    return Reading(work, calls_wanted(work), read_at, read_at_unix)


def _seconds_in_hand(policy: Policy) -> float:
    """Real time for which a call is in hand if the provider answers within the send window.

    Not the longest there can be (`longest_hold_seconds`, fifteen times as much): dialers for that would stand idle.
    Where the provider takes longer, what is in hand says so.
    """
    return PACE_HORIZON_SECONDS + (policy.longest_pace_delay_ms + policy.send_within_ms) / 1000


def _heads(policy: Policy, state: Gate) -> list[CountedHead]:
    if not state.open:
        return []
    heads = []
    for name, rules in policy.campaigns.items():
        until = None if name in state.paused_campaigns else due_until(state.now, policy.scale_look_ahead, rules.hours)
        if until is not None:
            heads += [CountedHead(name, band, until.now, until.soon) for band in PriorityBand]
    return heads
