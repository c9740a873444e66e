"""Waiting: between two requests, before a request is made again, and never past the order to stop."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeVar

from leadline.runtime.logging import get_logger
from leadline.telephony.port import ProviderNonsense, ProviderUnreachable
from services.backfill.errors import ToldToStop

log = get_logger(__name__)
JITTER_SHARE: Final = 0.25
LONGEST_ASKED_SECONDS: Final = 300.0
"""A provider that asks for a longer wait gets this one, and the window is tried again in another run."""

Answer = TypeVar("Answer")
Item = TypeVar("Item")


class Patience:
    """How long this process waits. Seconds are real; safe for use by many tasks of one event loop."""

    def __init__(self, retry_seconds: Sequence[float], stop: asyncio.Event) -> None:
        """`retry_seconds` are the waits before a request is made again; there are no more repetitions than waits."""
        self._retry_seconds = tuple(retry_seconds)
        self._stop = stop

    def check(self) -> None:
        """Raise ToldToStop once the process is to end."""
        if self._stop.is_set():
            raise ToldToStop("told to stop; what was read is kept, and the same command goes on from there")

    async def overdue(self, seconds: float) -> None:
        """Raise ToldToStop once the order to stop is so many seconds old."""
        await self._stop.wait()
        await asyncio.sleep(seconds)
        self.check()

    async def sleep(self, seconds: float) -> None:
        """Wait, unless told to stop meanwhile. Raises ToldToStop."""
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return
        self.check()

    async def before_repetition(self, number: int, least_seconds: float = 0.0) -> bool:
        """Wait before the repetition with this number, from 0; False if so many are not made."""
        if number >= len(self._retry_seconds):
            return False
        # Spread, so that many who failed together do not come back together.
        seconds = self._retry_seconds[number] * random.uniform(1.0, 1.0 + JITTER_SHARE)  # noqa: S311 -- no secret
        await self.sleep(max(seconds, min(least_seconds, LONGEST_ASKED_SECONDS)))
        return True

    async def ask(self, question: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask a provider, again after each wait while it does not answer or answers nonsense.

        Raises ToldToStop, and what the provider's last answer raised; a refusal of our key at once.
        """
        number = 0
        while True:
            self.check()
            try:
                return await question()
            except (ProviderUnreachable, ProviderNonsense) as error:
                asked = error.retry_after_seconds if isinstance(error, ProviderUnreachable) else None
                log.warning("provider_asked_again", reason=str(error), tries=number + 1)
                if not await self.before_repetition(number, asked or 0.0):
                    raise
            number += 1


class Pacer:
    """Lets requests start no closer together than `interval_seconds`; None lets them start at once."""

    def __init__(self, interval_seconds: float | None, patience: Patience) -> None:
        self._interval_seconds = interval_seconds
        self._patience = patience
        self._next_at = 0.0

    async def turn(self) -> None:
        """Wait for the next turn. Raises ToldToStop."""
        self._patience.check()
        if self._interval_seconds is None:
            return
        now = time.monotonic()
        starts_at = max(self._next_at, now)
        self._next_at = starts_at + self._interval_seconds
        if starts_at > now:
            await self._patience.sleep(starts_at - now)


async def side_by_side(
    items: Iterable[Item], work: Callable[[Item], Awaitable[Answer]], *, at_once: int
) -> list[Answer]:
    """Do `work` for every item, `at_once` at a time; the answers in the items' order.

    The first failure ends all others and is raised as it is.
    """
    answers: dict[int, Answer] = {}
    waiting = iter(enumerate(items))

    async def worker() -> None:
        for number, item in waiting:
            answers[number] = await work(item)

    workers = [asyncio.create_task(worker()) for _ in range(at_once)]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return [answers[number] for number in sorted(answers)]
