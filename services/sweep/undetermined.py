"""Calls that an event told of without metadata, to numbers with an open attempt: their details say whose they are."""

from functools import partial

from leadline.contracts.leases import ReportKind
from leadline.domain.ids import CallId
from leadline.runtime.logging import get_logger
from leadline.telephony.port import ProviderError
from services.sweep.counts import Count, Miss, Step
from services.sweep.passing import Pass, each

log = get_logger(__name__)


async def determine_calls(sweep: Pass) -> None:
    """Read the details of every undetermined call of the plan and hand them on."""
    await each(
        sweep,
        Step.UNDETERMINED,
        [CallId(call_id) for call_id in sweep.plan.undetermined_calls],
        partial(_determine, sweep),
    )


async def _determine(sweep: Pass, call_id: CallId) -> None:
    try:
        call = await sweep.asking.details(call_id)
    except ProviderError as error:
        log.warning("undetermined_unreadable", call_id=call_id, reason=str(error))
        sweep.tally.miss(Count.UNDETERMINED_UNREADABLE)
        return
    if call is None:
        sweep.tally.add(Count.UNDETERMINED_NOT_KNOWN)
        return
    if call.parsed.attempt_id is not None:
        await sweep.telling.report(call.parsed.attempt_id, ReportKind.PLACED, call_id)
        sweep.tally.add(Count.UNDETERMINED_OURS)
    if await sweep.telling.store(call):
        sweep.tally.add(Count.UNDETERMINED_STORED)
    else:
        sweep.tally.miss_in(Step.UNDETERMINED, Miss.NOT_REPORTED)
