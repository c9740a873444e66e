"""A queue-service in memory, as the sweep sees one: the contracts on the wire, and rules that lead to an end state."""

import hashlib
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel

from leadline.contracts.events import EventDisposition, EventStored
from leadline.contracts.leases import (
    AttemptReport,
    ReportAnswer,
    ReportBatch,
    ReportKind,
    ReportRequest,
    StopReport,
    StopReported,
    StopResult,
)
from leadline.contracts.operators import Gates, Reason
from leadline.contracts.sweep import (
    DoubtfulAttempt,
    PendingStopOrder,
    PlacedAttempt,
    PromiseCheck,
    PromiseViolation,
    SweepPlan,
    SweepRunFinished,
    SweepRunStarted,
    SweepStep,
)
from leadline.telephony.bland_result import parse_event

TOKEN = "sweep-token"


@dataclass
class FakeAttempt:
    """One attempt. `state` is unknown, placed, ended or not_placed."""

    phone_number: str
    state: str = "unknown"
    call_id: str | None = None
    id: UUID = field(default_factory=uuid4)
    marked_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    quiet_until: float = 0.0
    """`time.monotonic()`."""
    placed_seconds_ago: float = 60.0
    overdue: bool = False
    other_calls: set[str] = field(default_factory=set)
    results: int = 0


@dataclass
class FakeStop:
    attempt: FakeAttempt
    call_id: str | None = None
    id: UUID = field(default_factory=uuid4)
    confirmed: bool = False
    reports: list[StopReport] = field(default_factory=list)


class FakeQueue:
    def __init__(self) -> None:
        self.attempts: dict[UUID, FakeAttempt] = {}
        self.stops: dict[UUID, FakeStop] = {}
        self.undetermined: list[str] = []
        self.bodies: dict[str, bytes] = {}
        self.reports: list[AttemptReport] = []
        self.runs: dict[UUID, SweepRunFinished | None] = {}
        self.violations: list[PromiseViolation] = []
        self.account_paused = False
        self.pause_automatic = False
        self.held_since: datetime | None = None
        self.hold_again_on_event = False
        self.missed_callbacks = 0
        self.unappliable = False
        self.failing: set[str] = set()
        """Paths that are answered 500."""
        self.asked: Counter[str] = Counter()

    def add(self, attempt: FakeAttempt) -> FakeAttempt:
        self.attempts[attempt.id] = attempt
        return attempt

    def order_stop(self, attempt: FakeAttempt, call_id: str | None = None) -> FakeStop:
        order = FakeStop(attempt, call_id)
        self.stops[order.id] = order
        return order

    def kinds(self, attempt: FakeAttempt) -> list[ReportKind]:
        return [report.kind for report in self.reports if report.attempt_id == attempt.id]

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._gate])
        app.router.add_post("/v1/sweep/runs", self._start)
        app.router.add_post("/v1/sweep/runs/{run_id}/finish", self._finish)
        app.router.add_post("/v1/sweep/expire", self._expire)
        app.router.add_post("/v1/sweep/apply-events", self._apply_events)
        app.router.add_post("/v1/sweep/check-promises", self._check)
        app.router.add_get("/v1/sweep/plan", self._plan)
        app.router.add_post("/v1/reports", self._report)
        app.router.add_post("/v1/events", self._event)
        app.router.add_post("/v1/stop-orders/{order_id}/report", self._stop)
        app.router.add_post("/v1/account/resume", self._resume)
        app.router.add_post("/v1/dispatch/release", self._release)
        return app

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked[f"{request.method} {request.path}"] += 1
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"title": "no", "status": 401, "detail": "no", "code": "unauthorized"}, status=401)
        if request.path in self.failing:
            return web.json_response({"title": "no", "status": 500, "detail": "no", "code": "internal"}, status=500)
        return await handler(request)

    async def _start(self, _request: web.Request) -> web.Response:
        run_id = uuid4()
        self.runs[run_id] = None
        return _sent(SweepRunStarted(run_id=run_id))

    async def _finish(self, request: web.Request) -> web.Response:
        finished = SweepRunFinished.model_validate_json(await request.read())
        self.runs[UUID(request.match_info["run_id"])] = finished
        return _sent(SweepStep(counters={}))

    async def _expire(self, _request: web.Request) -> web.Response:
        return _sent(SweepStep(counters={"leases_expired": 2}))

    async def _apply_events(self, _request: web.Request) -> web.Response:
        return _sent(SweepStep(counters={"events_applied": 1}))

    async def _check(self, _request: web.Request) -> web.Response:
        return _sent(PromiseCheck(checked=list(range(1, 10)), violations=self.violations))

    async def _plan(self, request: web.Request) -> web.Response:
        limit = int(request.query["limit"])
        now = time.monotonic()
        return _sent(
            SweepPlan(
                business_now=datetime.now(UTC),
                expired_leases=2,
                silent_sends=0,
                unapplied_events=1,
                missed_callbacks=self.missed_callbacks,
                doubtful=[
                    DoubtfulAttempt(
                        attempt_id=a.id,
                        phone_number=a.phone_number,
                        marked_at=a.marked_at,
                        quiet_seconds_left=max(0.0, a.quiet_until - now),
                    )
                    for a in self._in_state("unknown")
                ][:limit],
                placed=[
                    PlacedAttempt(
                        attempt_id=a.id,
                        phone_number=a.phone_number,
                        call_id=a.call_id or "",
                        placed_seconds_ago=a.placed_seconds_ago,
                        overdue=a.overdue,
                    )
                    for a in self._in_state("placed")
                ][:limit],
                stop_orders=[
                    PendingStopOrder(
                        id=s.id,
                        attempt_id=s.attempt.id,
                        phone_number=s.attempt.phone_number,
                        call_id=s.call_id,
                        reason="suppressed",
                    )
                    for s in self.stops.values()
                    if not s.confirmed
                ][:limit],
                undetermined_calls=self.undetermined[:limit],
                account_paused=self.account_paused,
                account_pause_automatic=self.pause_automatic,
                dispatch_held=self.held_since is not None,
                dispatch_held_since=self.held_since,
            )
        )

    def _in_state(self, state: str) -> list[FakeAttempt]:
        return [attempt for attempt in self.attempts.values() if attempt.state == state]

    async def _report(self, request: web.Request) -> web.Response:
        body = ReportRequest.model_validate_json(await request.read())
        answers = []
        for report in body.reports:
            self.reports.append(report)
            attempt = self.attempts.get(report.attempt_id)
            before = attempt.state if attempt else None
            if attempt is not None:
                self._take(attempt, report)
            state = attempt.state if attempt else None
            answers.append(ReportAnswer(attempt_id=report.attempt_id, state=state, changed=state != before))
        return _sent(ReportBatch(answers=answers))

    def _take(self, attempt: FakeAttempt, report: AttemptReport) -> None:
        if report.kind is ReportKind.PLACED and report.call_id is not None:
            if attempt.call_id not in {None, report.call_id}:
                attempt.other_calls.add(report.call_id)
            attempt.call_id = attempt.call_id or report.call_id
            if attempt.state in {"unknown", "not_placed"}:
                attempt.state = "placed"
        elif (
            report.kind is ReportKind.ABSENT and attempt.state == "unknown" and attempt.quiet_until <= time.monotonic()
        ):
            attempt.state = "not_placed"
        elif report.kind is ReportKind.LOST and attempt.state == "placed":
            attempt.state = "ended"

    async def _event(self, request: web.Request) -> web.Response:
        assert request.headers["X-Leadline-Source"] == "bland_lookup"
        raw = await request.read()
        key = hashlib.sha256(raw).hexdigest()
        if self.hold_again_on_event and self.held_since is not None:
            self.held_since += timedelta(seconds=1)
        if self.unappliable:
            return _sent(EventStored(event_id=1, disposition=EventDisposition.UNAPPLIED))
        if key in self.bodies:
            return _sent(EventStored(event_id=1, disposition=EventDisposition.DUPLICATE))
        self.bodies[key] = raw
        self._apply(raw)
        return _sent(EventStored(event_id=len(self.bodies), disposition=EventDisposition.APPLIED))

    def _apply(self, raw: bytes) -> None:
        event = parse_event(raw)
        if event.call_id in self.undetermined:
            self.undetermined.remove(event.call_id)
        for attempt in self.attempts.values():
            if attempt.call_id == event.call_id or attempt.id == event.attempt_id:
                attempt.call_id = attempt.call_id or event.call_id
                if event.completed_at_provider:
                    attempt.results += attempt.state != "ended"
                    attempt.state = "ended"

    async def _stop(self, request: web.Request) -> web.Response:
        order = self.stops[UUID(request.match_info["order_id"])]
        report = StopReport.model_validate_json(await request.read())
        order.reports.append(report)
        over = order.attempt.state == "ended"
        order.confirmed |= report.result is StopResult.STOPPED or (report.result is StopResult.NOT_FOUND and over)
        confirmed_at = datetime.now(UTC) if order.confirmed else None
        return _sent(StopReported(id=order.id, confirmed_at=confirmed_at))

    async def _resume(self, request: web.Request) -> web.Response:
        Reason.model_validate_json(await request.read())
        if self.pause_automatic:
            self.account_paused = self.pause_automatic = False
        return _sent(self._gates())

    async def _release(self, request: web.Request) -> web.Response:
        Reason.model_validate_json(await request.read())
        self.held_since = None
        return _sent(self._gates())

    def _gates(self) -> Gates:
        held = self.held_since is not None
        return Gates(
            account_paused=self.account_paused,
            account_pause_reason=None,
            dispatch_held=held,
            dispatch_held_reason="failover" if held else None,
        )


def _sent(model: BaseModel) -> web.Response:
    return web.json_response(text=model.model_dump_json())
