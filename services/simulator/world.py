"""What all simulated parties share: clock, timers, ledger, faults, how people take calls, and their leads."""

import time
from collections.abc import Callable

from services.simulator.carrier import Carrier, Rates
from services.simulator.clock import Clock, ClockSetting
from services.simulator.convoso.book import LeadBook
from services.simulator.fate import Fate, Script
from services.simulator.faults import Faults
from services.simulator.ledger import Ledger
from services.simulator.settings import SimulatedWorldPart
from services.simulator.timers import Timers

_CLOCK_TOLERANCE_SECONDS = 1.0
"""Business seconds: two ways of writing the same clock differ by rounding."""


class ClockWouldRunBackwards(Exception):
    """Business time never runs backwards under calls that exist: their ends would lie in the future again."""


class World:
    """One simulated world. Single-threaded."""

    def __init__(self, settings: SimulatedWorldPart, wall: Callable[[], float] = time.time) -> None:
        """A fresh world on the wall clock (epoch seconds)."""
        self.clock = Clock(wall)
        self.timers = Timers(self.clock)
        self.ledger = Ledger(settings.ledger_limit)
        self.faults = Faults(settings.seed)
        self.script = Script()
        self.carrier = Carrier(Rates(seed=settings.seed))
        self.convoso = LeadBook(self.clock)

    def fate(self, number: str, ordinal: int) -> Fate:
        """How the `ordinal`-th call to a number goes: as scripted, else as drawn."""
        return self.script.take(number) or self.carrier.draw(number, ordinal, self.clock.now())

    def set_clock(self, setting: ClockSetting) -> None:
        """Move the clock.

        Raises:
            ClockWouldRunBackwards: there are calls, and the new time lies before the present one.
        """
        if len(self.ledger) and self.clock.business_under(setting) < self.clock.now() - _CLOCK_TOLERANCE_SECONDS:
            raise ClockWouldRunBackwards
        self.clock.set(setting)
        self.timers.rearm()
