"""Questions to the provider: so many at once, so many in one pass, and none any more once nobody answers."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, TypeVar

from leadline.domain.errors import LeadlineError
from leadline.domain.ids import CallId, PhoneNumber
from leadline.telephony.port import (
    Account,
    CallDetails,
    FoundCalls,
    ListedCall,
    ProviderError,
    ProviderNonsense,
    ProviderUnreachable,
    StopAnswer,
    Telephony,
)

SILENT_AFTER_FAILURES: Final = 5
"""So many failures in a row, over all questions, and the provider counts as silent for the rest of the pass."""

Answer = TypeVar("Answer")


class PassOver(LeadlineError):
    """The pass has used up its questions or its time, or was told to stop: the next pass goes on."""

    code = "pass_over"


class Asking:
    """The provider, as one pass may ask it. Answers and errors are those of `Telephony`, and `PassOver`.

    Safe for use by many tasks of one event loop. Once the provider is silent, every question fails with
    `ProviderUnreachable` without being sent.
    """

    def __init__(
        self, provider: Telephony, *, at_once: int, most_lookups: int, seconds: float, stop: asyncio.Event
    ) -> None:
        """Begin a pass.

        Args:
            at_once: most questions in flight.
            most_lookups: most look-ups of the whole pass, those of a reconciliation not counted.
            seconds: real time after which no further question is asked, but for a reconciliation.
            stop: set when the process is told to end; no further question is asked then.
        """
        self._provider = provider
        self._slots = asyncio.Semaphore(at_once)
        self._lookups_left = most_lookups
        self._ends_at = time.monotonic() + seconds
        self._stop = stop
        self._failures_in_row = 0
        self.at_once = at_once

    @property
    def silent(self) -> bool:
        """Whether the provider has stopped answering."""
        return self._failures_in_row >= SILENT_AFTER_FAILURES

    async def find(self, phone_number: PhoneNumber, since: datetime) -> FoundCalls:
        """All calls to a number since an instant (business time)."""
        self._take_lookup()
        return await self._ask(lambda: self._provider.find(phone_number, since))

    async def details(self, call_id: CallId) -> CallDetails | None:
        """What is known of one call; None if the provider has none."""
        self._take_lookup()
        return await self._ask(lambda: self._provider.details(call_id))

    async def reconciled_details(self, call_id: CallId) -> CallDetails | None:
        """As `details`, without the bounds of the pass: half a reconciliation would have to begin again."""
        return await self._ask(lambda: self._provider.details(call_id), bounded=False)

    async def history(self, since: datetime) -> FoundCalls:
        """Every call of the account since an instant (business time); without the bounds of the pass."""
        return await self._ask(lambda: self._provider.history(since), bounded=False)

    async def active(self) -> list[ListedCall]:
        """Every call that is queued or running now."""
        return await self._ask(self._provider.active)

    async def stop(self, call_id: CallId) -> StopAnswer:
        """End a call. Not counted and never held back by a silent provider: a person said stop."""
        async with self._slots:
            self._check_bounds()
            return await self._provider.stop(call_id)

    async def me(self) -> Account:
        """Probe the account. What it answers says nothing of other questions."""
        async with self._slots:
            self._check_bounds()
            return await self._provider.me()

    def _take_lookup(self) -> None:
        if self._lookups_left <= 0:
            raise PassOver("the pass has used up its look-ups")
        self._lookups_left -= 1

    def _check_bounds(self, *, bounded: bool = True) -> None:
        if self._stop.is_set():
            raise PassOver("the pass was told to stop")
        if bounded and time.monotonic() >= self._ends_at:
            raise PassOver("the pass has used up its time")

    async def _ask(self, question: Callable[[], Awaitable[Answer]], *, bounded: bool = True) -> Answer:
        async with self._slots:
            self._check_bounds(bounded=bounded)
            if self.silent:
                raise ProviderUnreachable("the provider has stopped answering; it is not asked again in this pass")
            try:
                answer = await question()
            except ProviderNonsense:
                self._failures_in_row = 0
                raise
            except ProviderError:
                self._failures_in_row += 1
                raise
            self._failures_in_row = 0
            return answer
