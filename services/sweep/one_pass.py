"""One pass: every step once, in order; a step that breaks off stops no other."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from leadline.clients.queue import QueueClient, QueueError
from leadline.contracts.sweep import PromiseViolation, SweepRunFinished
from leadline.domain.phone import masked
from leadline.runtime.logging import get_logger
from leadline.runtime.settings.parts import SweepPart
from leadline.telephony.port import Telephony
from services.sweep.account import probe_account
from services.sweep.asking import Asking, PassOver
from services.sweep.counts import Count, Miss, Step, Tally
from services.sweep.doubtful import resolve_doubtful
from services.sweep.passing import Pass
from services.sweep.placed import compare_placed
from services.sweep.reconcile import reconcile_dispatch
from services.sweep.stop_orders import repeat_stop_orders
from services.sweep.telling import Telling
from services.sweep.undetermined import determine_calls

log = get_logger(__name__)
Result = TypeVar("Result")

_ASKING_STEPS: Final = (
    (Step.STOP_ORDERS, repeat_stop_orders),
    (Step.ACCOUNT, probe_account),
    (Step.DOUBTFUL, resolve_doubtful),
    (Step.PLACED, compare_placed),
    (Step.UNDETERMINED, determine_calls),
    (Step.DISPATCH, reconcile_dispatch),
)
"""The steps that ask the provider. None needs another, and all are idempotent at the queue-service."""


@dataclass(frozen=True, slots=True)
class PassResult:
    """What one pass did."""

    counters: dict[str, int]
    violations: list[PromiseViolation] = field(default_factory=list)
    partial: bool = False
    """Whether something that should have been done could not be."""


class Sweeper:
    """Runs passes with one queue-service and one provider. Passes may overlap, in this process or in others."""

    def __init__(
        self, queue: QueueClient, provider: Telephony, bounds: SweepPart, *, reporter: str, stop: asyncio.Event
    ) -> None:
        """`reporter` names this sweep in its reports; once `stop` is set, no further question is asked."""
        self._queue = queue
        self._provider = provider
        self._bounds = bounds
        self._reporter = reporter
        self._stop = stop

    async def run(self) -> PassResult:
        """Run one pass. Raises QueueError if the queue-service does not take down the run: nothing was done then."""
        tally = Tally()
        run_id = (await self._queue.start_sweep_run()).run_id
        for step, work in (
            (Step.EXPIRE, self._queue.sweep_expire),
            (Step.APPLY_EVENTS, self._queue.sweep_apply_events),
        ):
            if (done := await guarded(tally, step, work())) is not None:
                tally.take(step, done.counters)
        sweep = await guarded(tally, Step.PLAN, self._begin(tally))
        if sweep is not None:
            for step, ask in _ASKING_STEPS:
                await guarded(tally, step, ask(sweep))
        violations = await guarded(tally, Step.PROMISES, self._check_promises(tally)) or []
        succeeded = not tally.partial and not self._stop.is_set()
        finished = SweepRunFinished(counters=tally.as_dict(), succeeded=succeeded)
        await guarded(tally, Step.RUN, self._queue.finish_sweep_run(run_id, finished))
        return PassResult(tally.as_dict(), violations, tally.partial)

    async def _begin(self, tally: Tally) -> Pass:
        plan = await self._queue.sweep_plan(limit=self._bounds.sweep_plan_limit)
        if plan.missed_callbacks:
            tally.add(Count.PLAN_MISSED_CALLBACKS, plan.missed_callbacks)
        asking = Asking(
            self._provider,
            at_once=self._bounds.sweep_concurrency,
            most_lookups=self._bounds.sweep_max_lookups,
            seconds=self._bounds.sweep_pass_seconds,
            stop=self._stop,
        )
        return Pass(plan, time.monotonic(), asking, Telling(self._queue, self._reporter), tally)

    async def _check_promises(self, tally: Tally) -> list[PromiseViolation]:
        check = await self._queue.check_promises()
        tally.add(Count.PROMISES_CHECKED, len(check.checked))
        if check.violations:
            tally.add(Count.PROMISES_VIOLATED, len(check.violations))
        violations = [_without_number(violation) for violation in check.violations]
        for violation in violations:
            log.error("promise_violated", promise=violation.promise, subject=violation.subject)
        return violations


def _without_number(violation: PromiseViolation) -> PromiseViolation:
    """Of some promises the subject is a phone number; the queue-service's alarm tells which."""
    if not violation.subject.startswith("+"):
        return violation
    return violation.model_copy(update={"subject": masked(violation.subject)})


async def guarded(tally: Tally, step: Step, work: Awaitable[Result]) -> Result | None:
    """Do one step; None if it broke off, which is counted: even a bug must not keep the others from running."""
    try:
        return await work
    except PassOver:
        tally.miss_in(step, Miss.LEFT_OVER)
    except QueueError as error:
        tally.miss_in(step, Miss.STEP_FAILED)
        log.error("step_failed", step=step, reason=str(error))
    except Exception as error:
        tally.miss_in(step, Miss.STEP_FAILED)
        log.error("step_crashed", exc_info=error, step=step)
    return None
