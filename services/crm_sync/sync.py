"""The CRM's sync: statuses, outbox and questions side by side. Any number of them may run."""

import asyncio
import time
from typing import Final

from leadline.clients.queue_crm import CrmQueue
from leadline.crm.port import Crm
from leadline.runtime.logging import get_logger
from leadline.runtime.settings.crm_parts import CrmSyncPart
from services.crm_sync import figures
from services.crm_sync.asking import Asking
from services.crm_sync.carrying import Carrier
from services.crm_sync.patience import Patience
from services.crm_sync.statuses import Statuses
from services.crm_sync.telling import Telling

UNREACHABLE_AFTER_SECONDS: Final = 30.0
log = get_logger(__name__)


class CrmSync:
    """Run it once."""

    def __init__(self, crm: Crm, queue: CrmQueue, bounds: CrmSyncPart, *, drain_seconds: float) -> None:
        """The caller owns `crm` and `queue`."""
        self._drain_seconds = drain_seconds
        self._draining = False
        self._statuses = Statuses(crm, queue, minutes=bounds.crm_statuses_minutes)
        patience, most, poll_seconds = Patience(), bounds.crm_sync_batch, bounds.crm_sync_poll_seconds
        self._messages = Carrier(
            Telling(crm, queue, patience).job(), most=most, poll_seconds=poll_seconds, patience=patience
        )
        self._questions = Carrier(Asking(crm, queue).job(), most=most, poll_seconds=poll_seconds)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what is in flight within the drain's time."""
        figures.DRAINING.set(0)
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._statuses.run(stop))
            # A code means something only once the statuses are known; but news of a stop does not wait for them.
            await _first_of(self._statuses.tried, stop)
            for carrier in (self._messages, self._questions):
                group.create_task(carrier.run(stop, drain_seconds=self._drain_seconds))
            await stop.wait()
            self._draining = True
            figures.DRAINING.set(1)
            in_flight = self._messages.in_flight + self._questions.in_flight
            log.info("drain_started", in_flight=in_flight, seconds=self._drain_seconds)
            reading.cancel()
        log.info("drain_finished")

    async def not_ready_because(self) -> list[str]:
        """For `/readyz`."""
        reasons = [] if self._statuses.problem is None else [self._statuses.problem]
        since = [carrier.failing_since for carrier in (self._messages, self._questions)]
        if any(at is not None and time.monotonic() - at > UNREACHABLE_AFTER_SECONDS for at in since):
            reasons.append("the queue-service does not answer")
        return ["draining", *reasons] if self._draining else reasons


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
