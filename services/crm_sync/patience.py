"""How long to leave a CRM alone that says later. Pure, but for the clock and the dice that it is given."""

import random
import time
from collections.abc import Callable
from typing import Final

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
_LATERS_BEFORE_PAUSE: Final = 3


class Patience:
    """Pauses after answers `later` in a row, each time twice as long; one message is then tried before the rest."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        dice: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """`now` gives monotonic seconds, `dice(a, b)` a number between."""
        self._now = now
        self._dice = dice
        self._laters = 0
        self._pauses = 0
        self._resume_at = 0.0

    def note(self, *, later: bool, retry_after_seconds: float | None = None) -> None:
        """Learn from one answer."""
        if not later:
            self._laters = self._pauses = 0
            self._resume_at = 0.0
            return
        self._laters += 1
        if self.seconds == 0 and self._laters >= _LATERS_BEFORE_PAUSE:
            pause = min(FIRST_PAUSE_SECONDS * 2**self._pauses, LONGEST_PAUSE_SECONDS)
            self._pauses = min(self._pauses + 1, 16)
            self._resume_at = self._now() + pause * self._dice(0.5, 1.0)
        if retry_after_seconds:
            asked_for = self._now() + min(retry_after_seconds, LONGEST_PAUSE_SECONDS)
            self._resume_at = max(self._resume_at, asked_for)

    @property
    def seconds(self) -> float:
        """How long nothing is to be taken; 0 if something may."""
        return max(0.0, self._resume_at - self._now())

    def most(self, free: int, in_flight: int) -> int:
        """How many of `free` may be taken now."""
        if self._laters < _LATERS_BEFORE_PAUSE:
            return free
        return 1 if free and not in_flight and self.seconds == 0 else 0
