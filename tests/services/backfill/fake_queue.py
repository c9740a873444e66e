"""A queue-service in memory, as a backfill sees one: the contracts on the wire, one holder, windows, known calls."""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel

from leadline.contracts.backfill import (
    BackfillRun,
    BackfillStart,
    BackfillState,
    BackfillStep,
    BackfillWindow,
    Candidate,
    CandidateBatch,
    CandidateRequest,
    DecideRequest,
    Decision,
    FailedWindow,
    Held,
    NextWindows,
    RecordRequest,
    RunFinished,
    Sifted,
    SiftRequest,
    WindowBatch,
    WindowDone,
)
from leadline.contracts.crm import CrmStatusTable

TOKEN = "backfill-token"
_RUN = "/v1/backfill/runs/{id}"
Body = TypeVar("Body", bound=BaseModel)


@dataclass
class FakeQueue:
    """One run; as strict about its holder as the real one."""

    now: datetime = field(default_factory=lambda: datetime(2026, 1, 20, tzinfo=UTC))
    run_id: UUID = field(default_factory=uuid4)
    begun: BackfillStart | None = None
    ends_at: datetime | None = None
    state: BackfillState = BackfillState.LISTING
    holder: str = ""
    held_until: float = 0.0
    windows: dict[tuple[datetime, datetime], str | None] = field(default_factory=dict)
    """Waiting ones have an empty text, failed ones their problem, done ones None."""
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What was recorded, by call id."""
    proofs: dict[str, bool] = field(default_factory=dict)
    """Whether it was recorded from details, by call id."""
    doubtful: set[str] = field(default_factory=set)
    """Calls for which the sift wants details."""
    doubtful_late: set[str] = field(default_factory=set)
    """Calls for which only the recording wants them."""
    candidates: list[Candidate] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    statuses: CrmStatusTable | None = None
    tried: list[RecordRequest] = field(default_factory=list)
    """Requests of dry runs."""
    asked: Counter[str] = field(default_factory=Counter)
    group_sizes: list[int] = field(default_factory=list)
    before: Callable[["FakeQueue", str], None] | None = None
    """Called before each request with its route; may change anything."""

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._gate], client_max_size=8 * 1024 * 1024)
        for path, handler in (
            ("/v1/backfill/runs", self._start),
            (f"{_RUN}/windows/next", self._next),
            (f"{_RUN}/windows/finish", self._finish_window),
            (f"{_RUN}/sift", self._sift),
            (f"{_RUN}/calls", self._record),
            (f"{_RUN}/candidates", self._candidates),
            (f"{_RUN}/decisions", self._decide),
            (f"{_RUN}/finish", self._finish),
        ):
            app.router.add_post(path, handler)
        app.router.add_put("/v1/crm/statuses", self._statuses)
        return app

    def take_away(self, seconds: float = 60.0) -> None:
        """Somebody else holds the run now."""
        self.holder, self.held_until = "somebody-else", time.monotonic() + seconds

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        route = request.path.rsplit("/", 1)[-1]
        self.asked[route] += 1
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _problem(401, "unauthorized", "The token is not known.")
        if self.before is not None:
            self.before(self, route)
        return await handler(request)

    def _keep(self, held: Held | BackfillStart) -> None:
        if self.holder != held.holder and self.held_until > time.monotonic():
            body = {"code": "backfill_taken", "title": "taken", "status": 409, "detail": f"{self.holder} holds it."}
            raise web.HTTPConflict(text=json.dumps(body), content_type="application/problem+json")
        self.holder, self.held_until = held.holder, time.monotonic() + held.lease_seconds

    async def _start(self, request: web.Request) -> web.Response:
        start = await _read(request, BackfillStart)
        ends_at = min(start.ends_at, self.now)
        if ends_at <= start.starts_at:
            return _problem(400, "impossible_range", "Nothing of this range is surely listed yet.")
        if start.dry_run:
            return _sent(self._view(start, ends_at, resumed=False))
        self._keep(start)
        resumed = self.begun is not None
        if self.begun is None:
            self.begun, self.ends_at = start, ends_at
            width = timedelta(seconds=start.window_seconds)
            at = start.starts_at
            while at < ends_at:
                self.windows[at, min(at + width, ends_at)] = ""
                at += width
        if self.state is BackfillState.INCOMPLETE:
            self.state = BackfillState.LISTING
            self.windows = {window: "" if problem else problem for window, problem in self.windows.items()}
        return _sent(self._view(self.begun, self.ends_at or ends_at, resumed=resumed))

    def _view(self, start: BackfillStart, ends_at: datetime, *, resumed: bool) -> BackfillRun:
        return BackfillRun(
            id=self.run_id,
            starts_at=start.starts_at,
            ends_at=ends_at,
            campaign=start.campaign,
            state=self.state,
            resumed=resumed,
            windows_done=sum(problem is None for problem in self.windows.values()),
            windows_waiting=sum(problem == "" for problem in self.windows.values()),
            failed=[FailedWindow(starts_at=w[0], ends_at=w[1], problem=p) for w, p in self.windows.items() if p],
            counters={"recorded": len(self.bodies), "added": len(self.decisions)},
        )

    async def _next(self, request: web.Request) -> web.Response:
        asked = await _read(request, NextWindows)
        self._keep(asked)
        waiting = sorted(window for window, problem in self.windows.items() if problem == "")[: asked.limit]
        return _sent(WindowBatch(windows=[BackfillWindow(starts_at=s, ends_at=e) for s, e in waiting]))

    async def _finish_window(self, request: web.Request) -> web.Response:
        done = await _read(request, WindowDone)
        self._keep(done)
        window = done.window.starts_at, done.window.ends_at
        assert window in self.windows
        if done.halve:
            del self.windows[window]
            middle = window[0] + (window[1] - window[0]) / 2
            self.windows[window[0], middle] = self.windows[middle, window[1]] = ""
        else:
            self.windows[window] = done.problem
        return _sent(BackfillStep(counters={}))

    async def _sift(self, request: web.Request) -> web.Response:
        asked = await _read(request, SiftRequest)
        if not asked.dry_run:
            self._keep(asked)
        ids = [call.call_id for call in asked.calls if call.call_id not in self.bodies]
        needs = [call_id for call_id in ids if call_id in self.doubtful]
        return _sent(Sifted(new=[call_id for call_id in ids if call_id not in needs], needs_details=needs))

    async def _record(self, request: web.Request) -> web.Response:
        asked = await _read(request, RecordRequest)
        self.group_sizes.append(len(asked.bodies))
        if asked.dry_run:
            self.tried.append(asked)
        else:
            self._keep(asked)
        wanting: list[str] = []
        counters: Counter[str] = Counter()
        for text, from_details in zip(asked.bodies, asked.from_details, strict=True):
            body = json.loads(text)
            if body["call_id"] in self.doubtful_late and not from_details:
                wanting.append(body["call_id"])
                continue
            counters["known" if body["call_id"] in self.bodies else "recorded"] += 1
            if not asked.dry_run:
                self.bodies[body["call_id"]] = body
                self.proofs[body["call_id"]] = from_details
        return _sent(BackfillStep(counters=counters, needs_details=wanting))

    async def _candidates(self, request: web.Request) -> web.Response:
        asked = await _read(request, CandidateRequest)
        self._keep(asked)
        self.state = BackfillState.DECIDING
        decided = {decision.lead_id for decision in self.decisions}
        left = [c for c in sorted(self.candidates, key=lambda c: c.lead_id) if c.lead_id not in decided]
        after = asked.after or UUID(int=0)
        return _sent(CandidateBatch(candidates=[c for c in left if c.lead_id > after][: asked.limit]))

    async def _decide(self, request: web.Request) -> web.Response:
        asked = await _read(request, DecideRequest)
        self._keep(asked)
        self.decisions += asked.decisions
        return _sent(BackfillStep(counters={"added": len(asked.decisions)}))

    async def _finish(self, request: web.Request) -> web.Response:
        self._keep(await _read(request, RunFinished))
        assert "" not in self.windows.values()
        missing = any(problem for problem in self.windows.values())
        self.state = BackfillState.INCOMPLETE if missing else BackfillState.FINISHED
        self.held_until = 0.0
        assert self.begun is not None
        assert self.ends_at is not None
        return _sent(self._view(self.begun, self.ends_at, resumed=False))

    async def _statuses(self, request: web.Request) -> web.Response:
        self.statuses = await _read(request, CrmStatusTable)
        return _sent(self.statuses)


async def _read(request: web.Request, model: type[Body]) -> Body:
    return model.model_validate_json(await request.read())


def _sent(body: BaseModel) -> web.Response:
    return web.Response(text=body.model_dump_json(), content_type="application/json")


def _problem(status: int, code: str, detail: str) -> web.Response:
    document = {"title": code, "status": status, "code": code, "detail": detail}
    return web.json_response(document, status=status, content_type="application/problem+json")
