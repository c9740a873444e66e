"""Stop orders that nobody has confirmed: the call is ended, or shown to be over already."""

from functools import partial
from typing import Final

from leadline.contracts.leases import ReportKind, StopReport, StopResult
from leadline.contracts.sweep import PendingStopOrder
from leadline.domain.ids import CallId, PhoneNumber
from leadline.runtime.logging import get_logger
from leadline.telephony.port import ProviderError
from services.sweep.counts import Count, Step
from services.sweep.look_up import calls_to, could_be_anyones
from services.sweep.passing import ActiveCalls, Pass, each

_COUNTS: Final = {
    StopResult.STOPPED: Count.STOP_STOPPED,
    StopResult.NOT_FOUND: Count.STOP_NOT_FOUND,
    StopResult.FAILED: Count.STOP_FAILED,
}
log = get_logger(__name__)


async def repeat_stop_orders(sweep: Pass) -> None:
    """Carry out every stop order of the plan and report what became of it."""
    if not sweep.plan.stop_orders:
        return
    without_call = any(order.call_id is None for order in sweep.plan.stop_orders)
    active = await ActiveCalls.read(sweep.asking) if without_call else ActiveCalls()
    await each(
        sweep,
        Step.STOP_ORDERS,
        sweep.plan.stop_orders,
        partial(_carry_out, sweep, active),
    )


async def _carry_out(sweep: Pass, active: ActiveCalls, order: PendingStopOrder) -> None:
    if order.call_id is not None:
        await _stop(sweep, order, CallId(order.call_id))
        return
    found = await _find_running(sweep, active, order)
    if isinstance(found, StopReport):
        await _report(sweep, order, found)
        return
    await sweep.telling.report(order.attempt_id, ReportKind.PLACED, found)
    await _stop(sweep, order, found)


async def _find_running(sweep: Pass, active: ActiveCalls, order: PendingStopOrder) -> CallId | StopReport:
    """The attempt's call among those that run now, or what to report instead."""
    if active.error is not None:
        return _failed(f"the running calls could not be read: {active.error}")
    unclear = False
    for listed in calls_to(PhoneNumber(order.phone_number), active.calls):
        try:
            call = await sweep.asking.details(listed.call_id)
        except ProviderError as error:
            return _failed(f"a running call could not be read: {error}")
        if call is not None and call.parsed.attempt_id == order.attempt_id:
            return listed.call_id
        unclear |= call is None or could_be_anyones(call)
    if unclear:
        return _failed("a call to the number is running, and nothing says whose it is")
    return StopReport(result=StopResult.NOT_FOUND, message="not among the running calls")


async def _stop(sweep: Pass, order: PendingStopOrder, call_id: CallId) -> None:
    answer = await sweep.asking.stop(call_id)
    result = answer.result
    if result is not StopResult.STOPPED and await _is_over(sweep, call_id):
        sweep.tally.add(Count.STOP_ENDED)
        result = StopResult.NOT_FOUND
    await _report(
        sweep, order, StopReport(result=result, call_id=call_id, message=(answer.message or "")[:500] or None)
    )


async def _is_over(sweep: Pass, call_id: CallId) -> bool:
    """Whether the provider says that the call is over; its result is then stored, which is what confirms the order."""
    try:
        call = await sweep.asking.details(call_id)
    except ProviderError:
        return False
    return call is not None and call.parsed.completed_at_provider and await sweep.telling.store(call)


async def _report(sweep: Pass, order: PendingStopOrder, report: StopReport) -> None:
    await sweep.telling.report_stop(order.id, report)
    count = _COUNTS[report.result]
    log.info("stop_order_carried_out", order_id=order.id, attempt_id=order.attempt_id, verdict=count)
    if report.result is StopResult.FAILED:
        sweep.tally.miss(count)
    else:
        sweep.tally.add(count)


def _failed(message: str) -> StopReport:
    return StopReport(result=StopResult.FAILED, message=message[:500])
