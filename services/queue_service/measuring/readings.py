"""What is read from the database again and again, and shown while it is fresh."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, Protocol, TypeVar

from leadline.runtime.logging import get_logger

log = get_logger(__name__)

KEPT_SECONDS: Final = 60.0
"""Real time for which a reading is shown while no newer one can be had."""
JITTER: Final = 0.2


class Dated(Protocol):
    """A reading says when it was taken."""

    @property
    def read_at(self) -> float:
        """Monotonic, before the database was asked."""

    @property
    def read_at_unix(self) -> float:
        """The same moment on this machine's clock."""


Read = TypeVar("Read", bound=Dated)


class LastReading(Generic[Read]):
    """The last reading, for as long as it may be shown, and when it was taken for longer than that."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is monotonic."""
        self._clock = clock
        self._reading: Read | None = None
        self._kept_seconds = KEPT_SECONDS

    def note(self, reading: Read | None, kept_seconds: float = KEPT_SECONDS) -> None:
        """Show this from now on, for so long; None shows nothing."""
        self._reading, self._kept_seconds = reading, kept_seconds

    @property
    def fresh(self) -> Read | None:
        """The reading, if it may still be shown."""
        reading = self._reading
        if reading is None or self._clock() - reading.read_at > self._kept_seconds:
            return None
        return reading

    @property
    def read_at_unix(self) -> float | None:
        """When it was taken; None if there is none."""
        return None if self._reading is None else self._reading.read_at_unix


async def keep_reading(
    take: Callable[[], Awaitable[Read]],
    note: Callable[[Read | None], None],
    pause_seconds: Callable[[float, bool], float],
    *,
    failed: str,
) -> None:
    """Read again and again until cancelled; what cannot be read now is asked for again at the next turn.

    `pause_seconds` is told how long the last try took, and whether it failed. `failed` is logged once until one
    succeeds again.
    """
    failing = False
    try:
        while True:
            began = time.monotonic()
            try:
                note(await take())
                failing = False
            except Exception as error:  # noqa: BLE001 -- whatever it is, the figures show that nothing was read
                if not failing:
                    log.warning(failed, error=repr(error))
                failing = True
            await asyncio.sleep(pause_seconds(time.monotonic() - began, failing))
    finally:
        note(None)


def jittered(seconds: float) -> float:
    """About so long, so that replicas do not read in step."""
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 -- jitter
