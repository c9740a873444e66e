"""Everything that happens later: two heaps (business and real time) behind one armed timer of the event loop."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Final

from services.simulator.clock import Clock

Act = Callable[[], None]

_LONGEST_SLEEP_SECONDS: Final = 30.0
"""The wall clock may step; looking again now and then bounds how late an act can be."""
_ACTS_PER_TURN: Final = 256
"""A clock that jumps over a day must not block the loop while a day's calls end."""


class Timers:
    """Acts by time, in order of time within a heap. Needs a running loop; acts must not raise and not block."""

    def __init__(self, clock: Clock) -> None:
        """Nothing is armed until something is planned."""
        self._clock = clock
        self._business: list[tuple[float, int, Act]] = []
        self._real: list[tuple[float, int, Act]] = []
        self._order = itertools.count()
        self._armed: asyncio.TimerHandle | None = None
        self._running = False

    def at_business(self, when: float, act: Act) -> None:
        """Do it at a business instant (epoch seconds); at once if that is past."""
        entry = (when, next(self._order), act)
        heapq.heappush(self._business, entry)
        if self._business[0] is entry:
            self.rearm()

    def after_real(self, seconds: float, act: Act) -> None:
        """Do it after so many real seconds (monotonic)."""
        entry = (asyncio.get_running_loop().time() + seconds, next(self._order), act)
        heapq.heappush(self._real, entry)
        if self._real[0] is entry:
            self.rearm()

    def rearm(self) -> None:
        """Look again when to wake: after a plan that became the first, or a moved clock."""
        if self._running:
            return
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None
        loop = asyncio.get_running_loop()
        waits = [_LONGEST_SLEEP_SECONDS]
        if self._business:
            waits.append(self._clock.real_seconds_until(self._business[0][0]))
        if self._real:
            waits.append(self._real[0][0] - loop.time())
        if len(waits) > 1:
            self._armed = loop.call_later(max(0.0, min(waits)), self._wake)

    def run_due(self) -> None:
        """Do what is due by now, a bounded number of acts."""
        loop = asyncio.get_running_loop()
        for _ in range(_ACTS_PER_TURN):
            if self._real and self._real[0][0] <= loop.time():
                heapq.heappop(self._real)[2]()
            elif self._business and self._business[0][0] <= self._clock.now():
                heapq.heappop(self._business)[2]()
            else:
                return

    def clear(self) -> None:
        """Forget every plan."""
        self._business.clear()
        self._real.clear()
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None

    def _wake(self) -> None:
        self._armed = None
        self._running = True
        try:
            self.run_due()
        finally:
            self._running = False
            self.rearm()
