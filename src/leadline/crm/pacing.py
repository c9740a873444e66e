"""How fast requests may start: evenly spaced slots on the monotonic clock, handed out in the order of asking."""

import time
from collections.abc import Callable


class Pace:
    """Slots of one process. Not for use by several threads."""

    def __init__(self, per_second: float, now: Callable[[], float] = time.monotonic) -> None:
        """At most `per_second` slots in a second, without bursts; 0: no limit."""
        self._gap_seconds = 1 / per_second if per_second > 0 else 0.0
        self._now = now
        self._next_at = now()

    def take(self, within_seconds: float | None = None) -> float | None:
        """Take the next slot: how long to wait for it, in seconds.

        None if it lies `within_seconds` or more ahead: then no slot is taken, and who asks later loses nothing by it.
        """
        at = max(self._now(), self._next_at)
        wait_seconds = at - self._now()
        if within_seconds is not None and wait_seconds and wait_seconds >= within_seconds:
            return None
        self._next_at = at + self._gap_seconds
        return wait_seconds

    def hold(self, seconds: float) -> None:
        """No slot begins before so many seconds from now: somebody was told to slow down, which is meant for all."""
        self._next_at = max(self._next_at, self._now() + seconds)
