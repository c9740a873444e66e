"""A queue-service in memory, as a dialer sees one: the contracts on the wire and no rules."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from aiohttp import web

from leadline.contracts.leases import (
    AttemptReport,
    Lease,
    LeaseBatch,
    LeaseRequest,
    MarkAnswer,
    ReportAnswer,
    ReportBatch,
    ReportKind,
    ReportRequest,
    SendMark,
    SendMarkBatch,
    SendMarkRequest,
    StopOrder,
    StopReport,
    StopReported,
)
from leadline.runtime.http.bodies import parse_body, respond
from leadline.runtime.http.problems import HttpProblem, problem_middleware
from leadline.runtime.http.server import serving
from leadline.runtime.ids import new_uuid7

TOKEN = "dialer-token"
NUMBER = "+15615550123"


def go(send_after_ms: int = 0, send_within_ms: int = 5000) -> Callable[[UUID], SendMark]:
    return lambda attempt_id: SendMark(
        attempt_id=attempt_id,
        answer=MarkAnswer.GO,
        send_after_ms=send_after_ms,
        send_within_ms=send_within_ms,
    )


def wait(retry_after_ms: int = 10) -> Callable[[UUID], SendMark]:
    return lambda attempt_id: SendMark(
        attempt_id=attempt_id, answer=MarkAnswer.WAIT, retry_after_ms=retry_after_ms, reason="pace"
    )


def no(attempt_id: UUID) -> SendMark:
    return SendMark(attempt_id=attempt_id, answer=MarkAnswer.NO, reason="suppressed")


@dataclass
class FakeQueue:
    """What it was asked stands in the lists; what it shall answer is set on it."""

    due: list[Lease] = field(default_factory=list)
    stop_orders: list[StopOrder] = field(default_factory=list)
    mark: Callable[[UUID], SendMark] = field(default_factory=go)
    marks_by_turn: list[Callable[[UUID], SendMark]] = field(default_factory=list)
    """Answers of the first mark requests; then `mark`."""
    before_mark: Callable[[], Awaitable[None]] | None = None
    after_lease: Callable[[], Awaitable[None]] | None = None
    """When leases are given out and their answer is on its way."""
    failing: dict[str, int] = field(default_factory=dict)
    """Route -> status that it answers with, until it is taken out."""
    refuse_report: Callable[[AttemptReport], bool] = lambda _: False

    lease_requests: list[LeaseRequest] = field(default_factory=list)
    mark_requests: list[SendMarkRequest] = field(default_factory=list)
    report_requests: list[ReportRequest] = field(default_factory=list)
    reports: list[AttemptReport] = field(default_factory=list)
    stop_reports: dict[UUID, StopReport] = field(default_factory=dict)
    failures: int = 0
    in_hand: set[UUID] = field(default_factory=set)
    most_in_hand: int = 0
    port: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, count: int = 1, **changes: object) -> list[UUID]:
        """Leads fall due."""
        leases = [_lease(**changes) for _ in range(count)]
        self.due.extend(leases)
        self._news.set()
        return [lease.attempt_id for lease in leases]

    def order_stop(self, attempt_id: UUID, call_id: str | None = None, number: str = NUMBER) -> StopOrder:
        order = StopOrder(
            id=new_uuid7(), attempt_id=attempt_id, phone_number=number, call_id=call_id, reason="suppressed"
        )
        self.stop_orders.append(order)
        self._news.set()
        return order

    def reports_of(self, attempt_id: UUID) -> list[AttemptReport]:
        return [report for report in self.reports if report.attempt_id == attempt_id]

    def kinds(self) -> list[ReportKind]:
        return [report.kind for report in self.reports]

    async def lease(self, request: web.Request) -> web.Response:
        self._fail_if_told("leases")
        asked = await parse_body(request, LeaseRequest)
        self.lease_requests.append(asked)
        ends_at = time.monotonic() + asked.wait_seconds
        while not (self.stop_orders or (self.due and asked.slots)) and time.monotonic() < ends_at:
            self._news.clear()
            try:
                async with asyncio.timeout(ends_at - time.monotonic()):
                    await self._news.wait()
            except TimeoutError:
                break
        leases, self.due = self.due[: asked.slots], self.due[asked.slots :]
        orders, self.stop_orders = self.stop_orders, []
        self.in_hand |= {lease.attempt_id for lease in leases}
        self.most_in_hand = max(self.most_in_hand, len(self.in_hand))
        if leases and self.after_lease is not None:
            await self.after_lease()
        return respond(LeaseBatch(leases=leases, stop_orders=orders))

    async def send_marks(self, request: web.Request) -> web.Response:
        asked = await parse_body(request, SendMarkRequest)
        self.mark_requests.append(asked)
        self._fail_if_told("send-marks")
        if self.before_mark is not None:
            await self.before_mark()
        answer = self.marks_by_turn.pop(0) if self.marks_by_turn else self.mark
        answers = [answer(attempt_id) for attempt_id in asked.attempt_ids]
        self.in_hand -= {mark.attempt_id for mark in answers if mark.answer is MarkAnswer.NO}
        return respond(SendMarkBatch(answers=answers))

    async def take_reports(self, request: web.Request) -> web.Response:
        self._fail_if_told("reports")
        asked = await parse_body(request, ReportRequest)
        self.report_requests.append(asked)
        if any(self.refuse_report(report) for report in asked.reports):
            raise HttpProblem(422, "invalid_report", "No.")
        self.reports.extend(asked.reports)
        self.in_hand -= {report.attempt_id for report in asked.reports}
        answers = [ReportAnswer(attempt_id=r.attempt_id, state="any", changed=True) for r in asked.reports]
        return respond(ReportBatch(answers=answers))

    async def stop_report(self, request: web.Request) -> web.Response:
        order_id = UUID(request.match_info["id"])
        self.stop_reports[order_id] = await parse_body(request, StopReport)
        return respond(StopReported(id=order_id, confirmed_at=None))

    def _fail_if_told(self, route: str) -> None:
        if status := self.failing.get(route):
            self.failures += 1
            raise HttpProblem(status, "told_to_fail", "Told to.")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application(middlewares=[problem_middleware({})])
        app.router.add_post("/v1/leases", self.lease)
        app.router.add_post("/v1/send-marks", self.send_marks)
        app.router.add_post("/v1/reports", self.take_reports)
        app.router.add_post("/v1/stop-orders/{id}/report", self.stop_report)
        async with serving(app, host="127.0.0.1", port=self.port, drain_seconds=0.05) as self.port:
            yield


def _lease(**changes: object) -> Lease:
    fields: dict[str, object] = {
        "attempt_id": new_uuid7(),
        "lead_id": new_uuid7(),
        "campaign": "awhealth",
        "phone_number": NUMBER,
        "attempt_no": 1,
        "lease_seconds": 30,
        "request_data": {"first_name": "Maria"},
    }
    return Lease.model_validate(fields | changes)
