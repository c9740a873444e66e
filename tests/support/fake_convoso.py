"""A Convoso in memory, as its clients see one: answers as it is told, and keeps what it was asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from leadline.runtime.http.server import serving
from leadline.runtime.settings.crm_parts import ConvosoPart

CONVOSO_TOKEN = "convoso-token"
STATUSES = {"NEW": "", "A": "", "CB": "", "CD": "", "NA": "", "SALE": "final success", "ACA": "final success"}
STATUSES |= {"NI": "final", "DNCA": "final dnc"}
Form = dict[str, str]


@dataclass
class FakeConvoso:
    """While `held` is set, every answer waits for it; while `failing` is, every answer has that status of HTTP."""

    statuses: dict[str, str] = field(default_factory=lambda: dict(STATUSES))
    """Code -> its flags."""
    leads: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Digits of a number -> its leads as (id, status)."""
    refusals: dict[str, int] = field(default_factory=dict)
    """Lead id -> error code of its updates."""
    failing: int = 0
    held: asyncio.Event | None = None
    token: str = CONVOSO_TOKEN
    asked: list[tuple[str, Form]] = field(default_factory=list)
    in_flight: int = 0
    port: int = 0

    def part(self, **changes: Any) -> ConvosoPart:
        """Settings of a client that finds this one, and does not wait."""
        fields: dict[str, Any] = {
            "convoso_base_url": f"http://127.0.0.1:{self.port}/v1",
            "convoso_auth_token": CONVOSO_TOKEN,
            "convoso_requests_per_second": 0,
            "convoso_retries": 0,
        }
        return ConvosoPart.model_validate(fields | changes)

    def lead(self, number: str, status: str, lead_id: str = "77") -> None:
        """Give a number one lead in this status."""
        self.leads[number.removeprefix("+1")] = [(lead_id, status)]

    def forms(self, path: str) -> list[Form]:
        """What was posted there, in the order in which it came."""
        return [form for asked, form in self.asked if asked == path]

    async def _answer(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        path = request.path.removeprefix("/v1/")
        self.asked.append((path, form))
        self.in_flight += 1
        try:
            if self.held is not None:
                await self.held.wait()
        finally:
            self.in_flight -= 1
        if self.failing:
            return web.json_response({"success": False, "text": "told to"}, status=self.failing)
        if form.get("auth_token") != self.token:
            return web.json_response({"success": False, "code": 403, "text": "Forbidden"}, status=403)
        return web.json_response(self._body(path, form))

    def _body(self, path: str, form: Form) -> dict[str, Any]:
        if path == "leads/update" and (code := self.refusals.get(form["lead_id"])):
            return {"success": False, "code": code, "text": "No such Lead"}
        rows: list[dict[str, str]] = []
        if path == "status/search":
            rows = [_status(code, flags) for code, flags in self.statuses.items()]
        elif path == "leads/search":
            found = self.leads.get(form["phone_number"], [])
            rows = [
                {"id": lead_id, "list_id": "9", "status": status, "phone_number": form["phone_number"]}
                for lead_id, status in found
            ]
        return {"success": True, "data": {"offset": 0, "limit": 2000, "total": str(len(rows)), "entries": rows}}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application()
        for path in ("status/search", "leads/search", "leads/update", "dnc/insert"):
            app.router.add_post(f"/v1/{path}", self._answer)
        async with serving(app, host="127.0.0.1", port=self.port, drain_seconds=0.05) as self.port:
            yield


def _status(code: str, flags: str) -> dict[str, str]:
    return {"status": code, "name": code.title()} | {
        flag: "Y" if flag in flags.split() else "N" for flag in ("final", "success", "dnc")
    }
