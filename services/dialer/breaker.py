"""The breaker of a provider account: whether it is worth asking for calls. Pure, but for the clock it is given."""

import random
import time
from collections.abc import Callable
from enum import IntEnum
from typing import Final

from leadline.contracts.leases import RejectionClass
from leadline.telephony.port import PlaceAnswer, Placed, Rejected

OPENS_AFTER_FAILURES: Final = 5
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
_LEAST_SHARE_OF_PAUSE: Final = 0.5
_NOT_THE_PROVIDERS_FAULT: Final = frozenset({"gate_closed", "cancelled", "same_number_rule", "unable_to_queue"})


class BreakerState(IntEnum):
    """How much may be leased."""

    CLOSED = 0
    """As much as there are slots."""
    HALF_OPEN = 1
    """One lead, to see whether the provider is back."""
    OPEN = 2
    """Nothing."""


class Breaker:
    """Opens after failures in a row, or when the provider says that its capacity is used up.

    Each pause without a success between is twice as long as the one before, with jitter, up to a minute.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        dice: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Closed; `now` gives monotonic seconds, `dice(a, b)` a number between."""
        self._now = now
        self._dice = dice
        self._failures = 0
        self._pauses = 0
        self._open_until: float | None = None

    @property
    def state(self) -> BreakerState:
        """The state at this moment."""
        if self._open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._now() < self._open_until else BreakerState.HALF_OPEN

    @property
    def seconds_until_half_open(self) -> float:
        """How long nothing may be leased; 0 if something may."""
        return 0.0 if self._open_until is None else max(0.0, self._open_until - self._now())

    def slots(self, concurrency: int, in_hand: int) -> int:
        """How many more leads may be leased."""
        state = self.state
        if state is BreakerState.CLOSED:
            return max(0, concurrency - in_hand)
        return 1 if state is BreakerState.HALF_OPEN and in_hand == 0 else 0

    def record(self, answer: PlaceAnswer) -> None:
        """Learn from one request for a call."""
        if isinstance(answer, Rejected) and answer.rejection is RejectionClass.CAPACITY:
            self._open(answer.retry_after_seconds or 0.0)
        elif isinstance(answer, Rejected) and answer.rejection is RejectionClass.ACCOUNT:
            # The queue-service pauses the account when it hears of it; until then every further lead would be refused.
            self._open(0.0)
        elif isinstance(answer, Placed | Rejected):
            self._close()
        elif answer.reason not in _NOT_THE_PROVIDERS_FAULT:
            self._fail()

    def _fail(self) -> None:
        self._failures += 1
        if self._failures >= OPENS_AFTER_FAILURES or self.state is BreakerState.HALF_OPEN:
            self._open(0.0)

    def _open(self, least_seconds: float) -> None:
        """Pause. Answers to requests that were in flight already make the pause no longer, unless they name a time."""
        until = self._now() + least_seconds
        if self.state is not BreakerState.OPEN:
            pause = min(FIRST_PAUSE_SECONDS * 2**self._pauses, LONGEST_PAUSE_SECONDS)
            self._pauses = min(self._pauses + 1, 16)
            until = max(until, self._now() + pause * self._dice(_LEAST_SHARE_OF_PAUSE, 1.0))
        self._open_until = max(until, self._open_until or 0.0)

    def _close(self) -> None:
        """A success ends a trial; one that was asked for before the breaker opened does not."""
        if self.state is BreakerState.OPEN:
            return
        self._failures = self._pauses = 0
        self._open_until = None
