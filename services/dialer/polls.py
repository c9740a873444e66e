"""Long polls at the queue-service: one for leads while there are free slots, one for stop orders all the time."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

from leadline.clients.queue import QueueClient, QueueError
from leadline.contracts.leases import MAX_GROUP, LeaseBatch, LeaseRequest
from leadline.runtime.logging import get_logger

WAIT_SECONDS: Final = 25.0
FIRST_WAIT_SECONDS: Final = 0.2
LONGEST_WAIT_SECONDS: Final = 5.0
_QUICK_SECONDS: Final = 0.1
"""An empty answer sooner than this is no long poll's (the queue-service is closing): not asked again at once."""
log = get_logger(__name__)

TakeBatch = Callable[[LeaseBatch, float], None]
"""Gets a batch and the monotonic moment at which it came."""


class Poll:
    """One loop of long polls. A queue-service that does not answer is asked again with back-off and jitter."""

    def __init__(
        self, queue: QueueClient, dialer: str, free_slots: Callable[[], Awaitable[int]], take: TakeBatch
    ) -> None:
        """`free_slots` returns once there is something to ask for."""
        self._queue = queue
        self._dialer = dialer
        self._free_slots = free_slots
        self._take = take
        self.failing_since: float | None = None
        """Monotonic; None while the queue-service answers."""
        self._closing = False

    def close(self) -> None:
        """Ask no more; what is on its way in the answer that is waited for is still taken."""
        self._closing = True

    async def run(self) -> None:
        """Poll until closed or cancelled."""
        failures = 0
        while True:
            slots = min(await self._free_slots(), MAX_GROUP)
            if self._closing:
                return
            asked_at = time.monotonic()
            try:
                batch = await self._queue.lease(
                    LeaseRequest(dialer=self._dialer, slots=slots, wait_seconds=WAIT_SECONDS)
                )
            except QueueError as error:
                failures += 1
                self._note_failure(error, failures)
                await asyncio.sleep(_pause(failures))
                continue
            failures, self.failing_since = 0, None
            now = time.monotonic()
            if batch.leases or batch.stop_orders:
                self._take(batch, now)
            elif now - asked_at < _QUICK_SECONDS:
                await asyncio.sleep(FIRST_WAIT_SECONDS)

    def _note_failure(self, error: QueueError, failures: int) -> None:
        if self.failing_since is None:
            self.failing_since = time.monotonic()
        log.warning("lease_request_failed", error=str(error), code=error.code, failures=failures)


def _pause(failures: int) -> float:
    longest = min(FIRST_WAIT_SECONDS * (1 << min(failures, 10)), LONGEST_WAIT_SECONDS)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 -- jitter, no secret
