"""A run and its holder: taken from nobody else, kept while we work, given up at once when it is lost."""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

from leadline.clients.queue_backfill import BackfillQueue, is_taken
from leadline.clients.queue_http import QueueError, QueueRefused
from leadline.contracts.backfill import BackfillRun, BackfillStart, SiftRequest
from leadline.domain.errors import LeadlineError
from leadline.runtime.logging import get_logger
from services.backfill.errors import RunBusy, RunLost
from services.backfill.patience import Patience

log = get_logger(__name__)
POLL_SECONDS: Final = 2.0
_SAY_EVERY_SECONDS: Final = 10.0
_RENEWALS_IN_A_LEASE: Final = 3
_GIVEN_BACK_SECONDS: Final = 1.0
"""The shortest lease there is: what a process that ends orderly leaves behind."""
_GIVE_BACK_WITHIN_SECONDS: Final = 3.0
STOP_WITHIN_SECONDS: Final = 8.0
"""How long after the order to stop a request may still be under way, or be made again."""

Answer = TypeVar("Answer")
Say = Callable[[str], None]


def new_holder() -> str:
    """A name that no other process has, not even the one that had our number before."""
    return f"backfill-{socket.gethostname()[:64]}-{os.getpid()}-{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class Hold:
    """A run that is ours as long as we ask often enough."""

    queue: BackfillQueue
    run_id: UUID
    holder: str
    lease_seconds: float

    async def keep(self) -> None:
        """Renew the lease until cancelled, also while the work itself waits.

        Raises:
            RunLost: another process has the run.
        """
        while True:
            await asyncio.sleep(self.lease_seconds / _RENEWALS_IN_A_LEASE)
            try:
                await self._renew(self.lease_seconds)
            except QueueError as error:
                lost = lost_or(error)
                if isinstance(lost, RunLost):
                    raise lost from None
                log.warning("run_not_renewed", reason=str(error))

    async def give_back(self) -> None:
        """Let the next process have the run at once; whatever goes wrong, the lease runs out by itself."""
        try:
            async with asyncio.timeout(_GIVE_BACK_WITHIN_SECONDS):
                await self._renew(_GIVEN_BACK_SECONDS)
        except (QueueError, TimeoutError) as error:
            log.info("run_not_given_back", reason=str(error))

    async def _renew(self, lease_seconds: float) -> None:
        await self.queue.sift(self.run_id, SiftRequest(holder=self.holder, lease_seconds=lease_seconds, calls=[]))

    async def while_kept(self, work: Awaitable[Answer], patience: Patience) -> Answer:
        """Do `work` while the run is kept; a lost run and an old order to stop end it wherever it is."""
        working = asyncio.ensure_future(work)
        watching = {asyncio.create_task(self.keep()), asyncio.create_task(patience.overdue(STOP_WITHIN_SECONDS))}
        try:
            done, _ = await asyncio.wait({working, *watching}, return_when=asyncio.FIRST_COMPLETED)
            for watch in watching & done if working not in done else ():
                watch.result()
            return await working
        except QueueRefused as error:
            raise lost_or(error) from None
        finally:
            for task in (working, *watching):
                task.cancel()
            await asyncio.gather(working, *watching, return_exceptions=True)


async def take_run(
    queue: BackfillQueue, start: BackfillStart, patience: Patience, say: Say, *, wait: bool
) -> BackfillRun:
    """Begin or go on with a run, once whoever holds it has let go.

    Raises:
        RunBusy: somebody else holds it and `wait` is False.
        ToldToStop, QueueError.
    """
    said_at = float("-inf")
    while True:
        try:
            return await queue.start(start)
        except QueueRefused as error:
            if not is_taken(error):
                raise
            if not wait:
                raise RunBusy(error.problem.detail) from None
            if time.monotonic() - said_at >= _SAY_EVERY_SECONDS:
                said_at = time.monotonic()
                say(f"waiting: {error.problem.detail}")
        await patience.sleep(min(POLL_SECONDS, start.lease_seconds))


def lost_or(error: QueueError) -> LeadlineError:
    """The queue-service's refusal, as RunLost if it means that the run is another's."""
    if isinstance(error, QueueRefused) and is_taken(error):
        return RunLost(f"another process has taken over this run, and goes on with it: {error.problem.detail}")
    return error
