"""After a failover: the provider's history tells what lost transactions may have known; only then is dialled again.

A standby that took over may lack the last commits: attempts whose calls ring, results already answered with 2xx.
"""

from datetime import timedelta
from functools import partial
from typing import Final

from leadline.contracts.leases import ReportKind
from leadline.domain.ids import CallId
from leadline.runtime.logging import get_logger
from leadline.telephony.port import ProviderError
from services.sweep.asking import PassOver
from services.sweep.counts import Count, Miss, Step
from services.sweep.passing import Pass, each

RECONCILED: Final = timedelta(hours=1)
"""Business time before the hold whose calls are read again."""
_REASON: Final = "the provider's history since an hour before the failover is reconciled"
log = get_logger(__name__)


async def reconcile_dispatch(sweep: Pass) -> None:
    """Store the details of every call since an hour before the hold; release dispatch if none is missing.

    Raises the queue client's errors.
    """
    if not sweep.plan.dispatch_held:
        return
    complete = await _store_history(sweep)
    gates = await sweep.telling.read_plan()
    if not gates.dispatch_held:
        sweep.tally.add(Count.DISPATCH_RELEASED_ELSEWHERE)
    # A second failover in the meantime began a hold of its own, which this history does not cover.
    elif complete and gates.dispatch_held_since == sweep.plan.dispatch_held_since:
        await sweep.telling.release_dispatch(_REASON)
        sweep.tally.add(Count.DISPATCH_RELEASED)
        log.info("dispatch_released", calls=sweep.tally[Count.DISPATCH_LISTED])
    else:
        sweep.tally.miss(Count.DISPATCH_STILL_HELD)
        log.warning("dispatch_still_held", unreadable=sweep.tally[Count.DISPATCH_UNREADABLE])


async def _store_history(sweep: Pass) -> bool:
    """Whether every call of the time in question was listed, read and stored."""
    since = sweep.plan.dispatch_held_since
    if since is None:
        return False
    try:
        history = await sweep.asking.history(since - RECONCILED)
    except (ProviderError, PassOver) as error:
        log.warning("history_unreadable", reason=str(error))
        return False
    sweep.tally.add(Count.DISPATCH_LISTED, len(history.calls))
    await each(
        sweep,
        Step.DISPATCH,
        [call.call_id for call in history.calls],
        partial(_store, sweep),
    )
    return history.complete and sweep.tally[Count.DISPATCH_STORED] == len(history.calls)


async def _store(sweep: Pass, call_id: CallId) -> None:
    try:
        call = await sweep.asking.reconciled_details(call_id)
    except ProviderError as error:
        log.warning("history_call_unreadable", call_id=call_id, reason=str(error))
        call = None
    if call is None:
        sweep.tally.miss(Count.DISPATCH_UNREADABLE)
        return
    if call.parsed.attempt_id is not None and not call.parsed.completed_at_provider:
        await sweep.telling.report(call.parsed.attempt_id, ReportKind.PLACED, call_id)
        sweep.tally.add(Count.DISPATCH_RUNNING_OURS)
    if await sweep.telling.store(call):
        sweep.tally.add(Count.DISPATCH_STORED)
    else:
        sweep.tally.miss_in(Step.DISPATCH, Miss.NOT_REPORTED)
