"""Calls that were placed and whose result has not come: ended here if the provider says that they are over."""

from functools import partial
from typing import Final

from leadline.contracts.leases import ReportKind
from leadline.contracts.sweep import PlacedAttempt
from leadline.domain.ids import CallId
from leadline.runtime.logging import get_logger
from leadline.telephony.port import CallDetails, ProviderError
from services.sweep.counts import Count, Miss, Step
from services.sweep.passing import ActiveCalls, Pass, each

YOUNG_SECONDS: Final = 10.0
"""Real time after its placing in which a call may be missing from the provider's list for no reason."""
log = get_logger(__name__)


async def compare_placed(sweep: Pass) -> None:
    """Compare every placed attempt of the plan with what runs at the provider."""
    if not sweep.plan.placed:
        return
    active = await ActiveCalls.read(sweep.asking)
    running = frozenset(call.call_id for call in active.calls)
    if active.error is not None:
        sweep.tally.miss(Count.PLACED_UNREADABLE)
    await each(
        sweep,
        Step.PLACED,
        sweep.plan.placed,
        partial(_compare, sweep, running, list_known=active.error is None),
    )


async def _compare(sweep: Pass, running: frozenset[CallId], attempt: PlacedAttempt, *, list_known: bool) -> None:
    call_id = CallId(attempt.call_id)
    if call_id in running:
        sweep.tally.add(Count.PLACED_OVERDUE_ACTIVE if attempt.overdue else Count.PLACED_ACTIVE)
    elif attempt.placed_seconds_ago < YOUNG_SECONDS:
        sweep.tally.add(Count.PLACED_YOUNG)
    else:
        await _look_at_details(sweep, call_id, attempt, list_known=list_known)


async def _look_at_details(sweep: Pass, call_id: CallId, attempt: PlacedAttempt, *, list_known: bool) -> None:
    try:
        call = await sweep.asking.details(call_id)
    except ProviderError as error:
        log.warning("placed_unreadable", attempt_id=attempt.attempt_id, call_id=call_id, reason=str(error))
        sweep.tally.miss(Count.PLACED_UNREADABLE)
        return
    if call is not None:
        await _take_details(sweep, call)
    elif attempt.overdue and list_known:
        await sweep.telling.report(attempt.attempt_id, ReportKind.LOST, call_id)
        log.warning("placed_lost", attempt_id=attempt.attempt_id, call_id=call_id)
        sweep.tally.add(Count.PLACED_LOST)
    else:
        sweep.tally.add(Count.PLACED_NOT_KNOWN)


async def _take_details(sweep: Pass, call: CallDetails) -> None:
    if not call.parsed.completed_at_provider:
        sweep.tally.add(Count.PLACED_RUNNING_UNLISTED)
    elif await sweep.telling.store(call):
        sweep.tally.add(Count.PLACED_ENDED)
    else:
        sweep.tally.miss_in(Step.PLACED, Miss.NOT_REPORTED)
