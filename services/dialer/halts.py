"""Why unmarked leases are given back at this moment, if they are."""

import asyncio
from collections.abc import Callable


class Halt:
    """Set while nothing more may be begun. Those who sleep in it wake when it is set."""

    def __init__(self) -> None:
        self._draining = False
        self._breaker_open: Callable[[], bool] = lambda: False
        self._set = asyncio.Event()

    def watch(self, breaker_open: Callable[[], bool]) -> None:
        """Count the breaker's being open as a halt."""
        self._breaker_open = breaker_open

    @property
    def reason(self) -> str | None:
        """`draining`, `breaker_open`, or None."""
        if self._draining:
            return "draining"
        return "breaker_open" if self._breaker_open() else None

    def drain(self) -> None:
        """From now on for ever."""
        self._draining = True
        self._set.set()

    def wake(self) -> None:
        """The breaker has changed: whoever sleeps looks again."""
        self._set.set()
        if not self._draining:
            self._set = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Sleep, or less if a halt comes."""
        try:
            async with asyncio.timeout(seconds):
                await self._set.wait()
        except TimeoutError:
            return
