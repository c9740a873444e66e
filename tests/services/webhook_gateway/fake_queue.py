"""A queue-service in memory, as the gateway sees one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from leadline.contracts.events import EventDisposition, EventStored
from leadline.contracts.leads import LeadAccepted, LeadAnswerStatus, LeadSubmission
from leadline.runtime.http.bodies import parse_body, respond
from leadline.runtime.http.problems import HttpProblem, problem_middleware
from leadline.runtime.http.server import serving
from leadline.runtime.ids import new_uuid7

TOKEN = "gateway-token"


@dataclass
class FakeQueue:
    """Keeps what it was handed. While `problems` has entries, each request is answered with the first of them."""

    status: LeadAnswerStatus = LeadAnswerStatus.QUEUED
    disposition: EventDisposition = EventDisposition.APPLIED
    problems: list[HttpProblem] = field(default_factory=list)
    always: HttpProblem | None = None
    held: asyncio.Event | None = None
    leads: list[LeadSubmission] = field(default_factory=list)
    events: list[bytes] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    requests: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def submit_lead(self, request: web.Request) -> web.Response:
        await self._begin(request)
        lead = await parse_body(request, LeadSubmission)
        self.keys.append(request.headers.get("Idempotency-Key"))
        self._refuse_if_told()
        self.leads.append(lead)
        return respond(LeadAccepted(id=new_uuid7(), lead_id=lead.lead_id, status=self.status))

    async def store_event(self, request: web.Request) -> web.Response:
        await self._begin(request)
        raw = await request.read()
        self._refuse_if_told()
        self.sources.append(request.headers["X-Leadline-Source"])
        self.events.append(raw)
        return respond(EventStored(event_id=len(self.events), disposition=self.disposition))

    async def _begin(self, request: web.Request) -> None:
        self.requests += 1
        self.tokens.add(request.headers["Authorization"])
        if self.held is not None:
            await self.held.wait()

    def _refuse_if_told(self) -> None:
        if self.always is not None:
            raise self.always
        if self.problems:
            raise self.problems.pop(0)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application(middlewares=[problem_middleware({})], client_max_size=16 * 1024 * 1024)
        app.router.add_post("/v1/leads", self.submit_lead)
        app.router.add_post("/v1/events", self.store_event)
        async with serving(app, host="127.0.0.1", port=self.port, drain_seconds=0.05) as self.port:
            yield
