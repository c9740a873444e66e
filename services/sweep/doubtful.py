"""Attempts whose fate nobody knows: found at the provider, or proven absent; never sent again from here."""

import time
from functools import partial
from typing import Final

from leadline.contracts.leases import ReportKind
from leadline.contracts.sweep import DoubtfulAttempt
from leadline.runtime.logging import get_logger
from leadline.telephony.port import CallDetails
from services.sweep.counts import Count, Step
from services.sweep.look_up import Found, NothingFound, look_up
from services.sweep.passing import ActiveCalls, Pass, each

_COUNTS: Final = {
    ReportKind.ABSENT: Count.DOUBTFUL_ABSENT,
    ReportKind.INCONCLUSIVE: Count.DOUBTFUL_INCONCLUSIVE,
    ReportKind.UNREACHABLE: Count.DOUBTFUL_UNREACHABLE,
}
log = get_logger(__name__)


async def resolve_doubtful(sweep: Pass) -> None:
    """Look up every doubtful attempt of the plan and report what is known of it."""
    if not sweep.plan.doubtful:
        return
    active = await ActiveCalls.read(sweep.asking)
    await each(
        sweep,
        Step.DOUBTFUL,
        sweep.plan.doubtful,
        partial(_resolve, sweep, active),
    )


async def _resolve(sweep: Pass, active: ActiveCalls, attempt: DoubtfulAttempt) -> None:
    # Absence proves something only if it was seen after the quiet time. The queue-service knows when a report arrives,
    # not when the provider was asked.
    quiet_over = time.monotonic() >= sweep.plan_read_at + attempt.quiet_seconds_left
    match await look_up(sweep.asking, attempt, active):
        case Found(calls):
            await _report_found(sweep, attempt, calls)
        case NothingFound(ReportKind.ABSENT) if not quiet_over:
            await _report_nothing(sweep, attempt, ReportKind.INCONCLUSIVE, Count.DOUBTFUL_TOO_EARLY)
        case NothingFound(kind):
            await _report_nothing(sweep, attempt, kind, _COUNTS[kind])


async def _report_found(sweep: Pass, attempt: DoubtfulAttempt, calls: tuple[CallDetails, ...]) -> None:
    for call in calls:
        await sweep.telling.report(attempt.attempt_id, ReportKind.PLACED, call.parsed.call_id)
        log.info("doubtful_found", attempt_id=attempt.attempt_id, call_id=call.parsed.call_id)
        if call.parsed.completed_at_provider and await sweep.telling.store(call):
            sweep.tally.add(Count.DOUBTFUL_ENDED)
    sweep.tally.add(Count.DOUBTFUL_FOUND)


async def _report_nothing(sweep: Pass, attempt: DoubtfulAttempt, kind: ReportKind, count: Count) -> None:
    await sweep.telling.report(attempt.attempt_id, kind)
    log.info("doubtful_not_found", attempt_id=attempt.attempt_id, verdict=count)
    if kind is ReportKind.UNREACHABLE:
        sweep.tally.miss(count)
    else:
        sweep.tally.add(count)
