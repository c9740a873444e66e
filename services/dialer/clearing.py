"""The CRM's word on a lease's number, between the lease and its `go?`. Nothing learned is sent on as `unknown`."""

import asyncio
import time
from typing import Final

from leadline.contracts.crm import Clearance
from leadline.contracts.leases import Lease
from leadline.crm.port import Crm
from leadline.domain.crm import CrmStanding
from leadline.domain.ids import PhoneNumber
from leadline.domain.phone import masked
from leadline.runtime.logging import get_logger
from services.dialer import figures
from services.dialer.halts import Halt

STALE_AFTER_SECONDS: Final = 30.0
"""Real time; an older word is asked for anew: an agent may have sold while the lease waited for its `go`."""
_SHARE_OF_LEASE: Final = 0.5
log = get_logger(__name__)


class Clearing:
    """Asks for one lease. For use by one task, except `stop`."""

    def __init__(self, lease: Lease, crm: Crm, halt: Halt) -> None:
        """A lease that needs no clearance is never asked about."""
        self._lease = lease
        self._crm = crm
        self._halt = halt
        self._stopped = asyncio.Event()
        self._word: Clearance | None = None
        self._asked_at = 0.0

    def stop(self) -> None:
        """Wake whoever waits for the word: nothing will be sent."""
        self._stopped.set()

    @property
    def wanted(self) -> bool:
        """Whether the CRM is to be asked before the next `go?`."""
        if not self._lease.clearance_needed:
            return False
        return self._word is None or time.monotonic() - self._asked_at > STALE_AFTER_SECONDS

    @property
    def word(self) -> Clearance | None:
        """What the CRM said last; None if it was not to be asked."""
        return self._word

    async def ask(self, *, lease_ends_at: float) -> None:
        """Ask while the lease lives, but no longer than half of one; return sooner if a halt or a stop comes.

        Args:
            lease_ends_at: monotonic; a margin before the queue-service takes the lease back.
        """
        asked_at = time.monotonic()
        within_seconds = max(0.0, min(lease_ends_at - asked_at, self._lease.lease_seconds * _SHARE_OF_LEASE))
        asking = asyncio.create_task(self._standing(within_seconds))
        ends = [asyncio.create_task(self._stopped.wait()), asyncio.create_task(self._halt.sleep(within_seconds + 1))]
        try:
            await asyncio.wait([asking, *ends], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (asking, *ends):
                task.cancel()
        if asking.done() and not asking.cancelled():
            self._word, self._asked_at = asking.result(), asked_at
            self._note(time.monotonic() - asked_at)

    async def _standing(self, within_seconds: float) -> Clearance:
        try:
            async with asyncio.timeout(within_seconds):
                learned = await self._crm.standing(PhoneNumber(self._lease.phone_number), within_seconds=within_seconds)
        except TimeoutError:
            problem = f"The CRM did not answer within {within_seconds:.1f} s."
            return Clearance(attempt_id=self._lease.attempt_id, standing=CrmStanding.UNKNOWN, problem=problem)
        return Clearance(attempt_id=self._lease.attempt_id, **learned.model_dump())

    def _note(self, seconds: float) -> None:
        word = self._word
        if word is None:
            return
        figures.CLEARANCES.labels(word.standing).inc()
        figures.CLEARANCE_SECONDS.observe(seconds)
        say = log.warning if word.standing is CrmStanding.UNKNOWN else log.info
        say(
            "clearance_asked",
            attempt_id=word.attempt_id,
            phone=masked(self._lease.phone_number),
            standing=word.standing,
            status=word.status,
            problem=word.problem,
        )
