"""A provider in memory, as a dialer sees one: answers calls as it is told, and keeps what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from leadline.runtime.http.server import serving


@dataclass
class Told:
    """One answer to `POST /v1/calls`. With `status` 0 the connection is reset after the request was read."""

    status: int = 200
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    held: asyncio.Event | None = None
    """The answer waits for this."""


@dataclass
class FakeBland:
    """`posts` holds the bodies of all requests for calls, in the order in which they were read."""

    told: Told = field(default_factory=Told)
    by_turn: list[Told] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    running: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Call id -> details; listed as active."""
    stops: list[str] = field(default_factory=list)
    broken_lists: bool = False
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def attempts(self) -> list[str]:
        return [post["metadata"]["attempt_id"] for post in self.posts]

    async def place(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        self.posts.append(body)
        told = self.by_turn.pop(0) if self.by_turn else self.told
        if told.held is not None:
            await told.held.wait()
        if told.status == 0:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        answer = told.body
        if answer is None:
            call_id = f"call-{len(self.posts)}"
            answer = {"status": "success", "call_id": call_id} if told.status == 200 else {}
            if told.status == 200:
                self.run_call(call_id, body["phone_number"], body["metadata"]["attempt_id"])
        return web.json_response(answer, status=told.status, headers=told.headers)

    def run_call(self, call_id: str, number: str, attempt_id: str | None) -> None:
        metadata = {"attempt_id": attempt_id} if attempt_id else {}
        self.running[call_id] = {"call_id": call_id, "to": number, "metadata": metadata, "queue_status": "started"}

    async def active(self, _: web.Request) -> web.Response:
        if self.broken_lists:
            return web.Response(status=500)
        rows = [{"call_id": call_id, "to": call["to"]} for call_id, call in self.running.items()]
        return web.json_response({"data": rows, "errors": None})

    async def details(self, request: web.Request) -> web.Response:
        call = self.running.get(request.match_info["id"])
        return web.json_response(call or {"message": "Call not found"}, status=200 if call else 404)

    async def stop(self, request: web.Request) -> web.Response:
        call_id = request.match_info["id"]
        self.stops.append(call_id)
        if self.running.pop(call_id, None) is None:
            return web.json_response({"status": "error", "message": "SID not found for the given c_id."})
        return web.json_response({"status": "success", "message": "Call ended successfully."})

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_post("/v1/calls", self.place)
        app.router.add_get("/v1/calls/active", self.active)
        app.router.add_get("/v1/calls/{id}", self.details)
        app.router.add_post("/v1/calls/{id}/stop", self.stop)
        async with serving(app, host="127.0.0.1", port=self.port, drain_seconds=0.05) as self.port:
            yield
