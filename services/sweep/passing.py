"""What every step of a pass has in its hands, and how it works through a list."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from leadline.clients.queue import QueueError
from leadline.contracts.sweep import SweepPlan
from leadline.runtime.logging import get_logger
from leadline.telephony.port import ListedCall, ProviderError
from services.sweep.asking import Asking, PassOver
from services.sweep.counts import Miss, Step, Tally
from services.sweep.telling import Telling

log = get_logger(__name__)
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass: the plan, whom to ask, whom to tell, what to count."""

    plan: SweepPlan
    plan_read_at: float
    """`time.monotonic()` when the plan had arrived: its durations count from no later than this."""
    asking: Asking
    telling: Telling
    tally: Tally


async def each(sweep: Pass, step: Step, items: Collection[Item], work: Callable[[Item], Awaitable[None]]) -> None:
    """Do `work` for every item, as many side by side as the provider may be asked; one that fails stops no other.

    `work` deals with the provider's errors. What could not be told to the queue-service and what the pass has no
    questions left for is counted here.
    """
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            try:
                await work(item)
            except PassOver:
                sweep.tally.miss_in(step, Miss.LEFT_OVER)
            except QueueError as error:
                sweep.tally.miss_in(step, Miss.NOT_REPORTED)
                log.warning("not_reported", step=step, reason=str(error))

    async with asyncio.TaskGroup() as group:
        for _ in range(min(len(items), sweep.asking.at_once)):
            group.create_task(worker())


@dataclass(frozen=True, slots=True)
class ActiveCalls:
    """The provider's list of calls that are queued or running, or why it could not be read."""

    calls: tuple[ListedCall, ...] = ()
    error: ProviderError | None = None

    @classmethod
    async def read(cls, asking: Asking) -> "ActiveCalls":
        """Ask once. Raises PassOver."""
        try:
            return cls(tuple(await asking.active()))
        except ProviderError as error:
            log.warning("active_calls_unreadable", reason=str(error))
            return cls(error=error)
