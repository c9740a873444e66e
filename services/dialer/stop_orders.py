"""Carries stop orders out at once: a person said stop while a call was being made."""

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

from leadline.clients.queue import QueueClient, QueueError
from leadline.contracts.leases import AttemptReport, ReportKind, StopOrder, StopReport, StopResult
from leadline.domain.ids import CallId, PhoneNumber
from leadline.domain.phone import masked
from leadline.runtime.logging import get_logger
from leadline.runtime.tracing import describe, span
from leadline.telephony.bland_lists import same_number
from leadline.telephony.port import NotSent, Placed, ProviderError, Telephony
from services.dialer import figures
from services.dialer.hands import Hand
from services.dialer.reports import Reports

LOOKS: Final = 3
SECONDS_BETWEEN_LOOKS: Final = 1.0
"""A call that was only just accepted may not be listed yet. An order that is not confirmed comes again by itself."""
MOST_AT_ONCE: Final = 20
log = get_logger(__name__)


class StopOrders:
    """The stop orders of one dialer; an order that is being carried out is not begun a second time."""

    def __init__(
        self,
        queue: QueueClient,
        telephony: Telephony,
        reports: Reports,
        hand_of: Callable[[UUID], Hand | None],
    ) -> None:
        """`hand_of` finds an attempt that this dialer has in hand."""
        self._queue = queue
        self._telephony = telephony
        self._reports = reports
        self._hand_of = hand_of
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._at_once = asyncio.Semaphore(MOST_AT_ONCE)

    def begin(self, order: StopOrder) -> None:
        """Carry an order out in a task of its own."""
        if order.id not in self._tasks:
            task = asyncio.get_running_loop().create_task(self._carry_out(order))
            self._tasks[order.id] = task
            task.add_done_callback(lambda _: self._tasks.pop(order.id, None))

    async def finished(self) -> None:
        """Return when no order is being carried out."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    def cancel(self) -> None:
        """Leave the rest to the sweep."""
        for task in self._tasks.values():
            task.cancel()

    async def _carry_out(self, order: StopOrder) -> None:
        with span("stop order", root=True) as stopping:
            describe(stopping, {"attempt_id": order.attempt_id})
            await self._carry_out_inside(order)

    async def _carry_out_inside(self, order: StopOrder) -> None:
        async with self._at_once:
            try:
                report = await self._stop(order)
            except ProviderError as error:
                report = StopReport(result=StopResult.FAILED, message=str(error)[:500])
        figures.STOP_ORDERS.labels(report.result).inc()
        log.info(
            "stop_order_carried_out",
            order_id=order.id,
            attempt_id=order.attempt_id,
            phone=masked(order.phone_number),
            result=report.result,
        )
        try:
            await self._queue.report_stop(order.id, report)
        except QueueError as error:
            log.warning("stop_order_not_reported", order_id=order.id, error=str(error))

    async def _stop(self, order: StopOrder) -> StopReport:
        if order.call_id is not None:
            return await self._stop_call(CallId(order.call_id))
        if (hand := self._hand_of(order.attempt_id)) is not None:
            hand.stop()
            answer = await asyncio.shield(hand.answer)
            if answer is None or isinstance(answer, NotSent):
                return StopReport(result=StopResult.NOT_FOUND, message="nothing was sent")
            if isinstance(answer, Placed):
                return await self._stop_call(answer.call_id)
        return await self._stop_running(order)

    async def _stop_call(self, call_id: CallId) -> StopReport:
        answer = await self._telephony.stop(call_id)
        return StopReport(result=answer.result, call_id=call_id, message=(answer.message or "")[:500] or None)

    async def _stop_running(self, order: StopOrder) -> StopReport:
        """Find the call among those that run now, by number and metadata."""
        for look in range(LOOKS):
            if look:
                await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            call_id = await self._find_running(order)
            if call_id is not None:
                self._reports.post(AttemptReport(attempt_id=order.attempt_id, kind=ReportKind.PLACED, call_id=call_id))
                return await self._stop_call(call_id)
        return StopReport(result=StopResult.NOT_FOUND, message="not among the running calls")

    async def _find_running(self, order: StopOrder) -> CallId | None:
        for listed in await self._telephony.active():
            if not same_number(listed.to_number, PhoneNumber(order.phone_number)):
                continue
            details = await self._telephony.details(listed.call_id)
            if details is not None and details.parsed.attempt_id == order.attempt_id:
                return listed.call_id
        return None
