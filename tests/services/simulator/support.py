"""A simulator in this process, a receiver of its webhooks, and the few verbs that every test needs."""

import asyncio
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.simulator.app import create_app
from services.simulator.settings import SimulatedWorldPart

START: Final = datetime(2026, 1, 5, 17, 0, tzinfo=UTC)
"""A Monday, noon in New York."""
NUMBER: Final = "+15615550123"
KEY: Final = "test-key"
SECRET: Final = "test-secret"
_PATIENCE_SECONDS: Final = 30.0


async def eventually(holds: Callable[[], Awaitable[Any]], what: str) -> Any:
    """What `holds` returns, as soon as it is true."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while not (found := await holds()):
        assert asyncio.get_running_loop().time() < deadline, f"never: {what}"
        await asyncio.sleep(0.005)
    return found


@dataclass
class Received:
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        return "in_call" if "category" in self.json else self.json.get("event_type", "result")

    def signed_with(self, secret: str) -> bool:
        expected = hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()
        return self.headers.get("X-Webhook-Signature") == expected


@dataclass
class Receiver:
    """Where webhooks go. `statuses` are the next answers; then 200."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.received.append(Received(await request.read(), dict(request.headers)))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    async def got(self, count: int) -> list[Received]:
        async def enough() -> bool:
            return len(self.received) >= count

        await eventually(enough, f"{count} webhooks, got {len(self.received)}")
        return self.received


class Simulator:
    """The simulator's HTTP interface as tests speak it. Its clock stands still unless told otherwise."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session = session
        self.base = base

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {KEY}", **options.pop("headers", {})}
        async with self.session.request(method, self.base + path, json=body, headers=headers, **options) as response:
            return response.status, await response.json()

    async def done(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = await self.ask(method, path, body)
        assert status == 200, answer
        return answer

    async def set_clock(self, business_at: datetime, speed: float = 0.0) -> None:
        now = datetime.now(UTC).isoformat()
        setting = {"real_at": now, "business_at": business_at.isoformat(), "speed": speed}
        await self.done("PUT", "/simulator/clock", setting)

    async def now(self) -> datetime:
        return datetime.fromisoformat((await self.done("GET", "/simulator/clock"))["business_at"])

    async def advance(self, seconds: float) -> None:
        await self.set_clock(await self.now() + timedelta(seconds=seconds))

    async def post(self, phone_number: str = NUMBER, **fields: Any) -> tuple[int, Any]:
        return await self.ask("POST", "/v1/calls", {"phone_number": phone_number, "task": "Say hello."} | fields)

    async def place(self, phone_number: str = NUMBER, **fields: Any) -> str:
        status, answer = await self.post(phone_number, **fields)
        assert status == 200, answer
        return str(answer["call_id"])

    async def script(self, *steps: dict[str, Any], number: str = "*") -> None:
        await self.done("POST", "/simulator/script", {number: list(steps)})

    async def fault(self, *rules: dict[str, Any]) -> None:
        await self.done("POST", "/simulator/faults", list(rules))

    async def rows(self) -> list[dict[str, Any]]:
        return list((await self.done("GET", "/simulator/ledger"))["rows"])

    async def details(self, call_id: str) -> Any:
        return await self.done("GET", f"/v1/calls/{call_id}")

    async def ended(self, call_id: str) -> Any:
        """The details of a call, once it has ended (the clock is moved to let it)."""
        await self.advance(24 * 3600)

        async def over() -> Any:
            body = await self.details(call_id)
            return body if body["end_at"] else None

        return await eventually(over, "the call ends")


class Servers:
    """Starts simulators and closes them again."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._servers: list[TestServer] = []
        self._silent: socket.socket | None = None

    async def untouched(self, wall: Callable[[], float] = time.time, **settings: Any) -> Simulator:
        """A simulator whose clock was never set."""
        wanted = {"api_key": KEY, "webhook_secret": SECRET, "webhook_backoff_seconds": 0.01, **settings}
        server = TestServer(create_app(SimulatedWorldPart.model_validate(wanted), wall))
        await server.start_server()
        self._servers.append(server)
        return Simulator(self._session, str(server.make_url("")).rstrip("/"))

    async def simulator(self, wall: Callable[[], float] = time.time, **settings: Any) -> Simulator:
        """A simulator whose clock stands still at `START`."""
        simulator = await self.untouched(wall, **settings)
        await simulator.set_clock(START)
        return simulator

    async def receiver(self) -> Receiver:
        receiver = Receiver()
        app = web.Application()
        app.router.add_post("/hook", receiver.take)
        server = TestServer(app)
        await server.start_server()
        self._servers.append(server)
        receiver.url = str(server.make_url("/hook"))
        return receiver

    def silent_port(self) -> int:
        """A port that takes connections and never answers."""
        self._silent = socket.create_server(("127.0.0.1", 0))
        return int(self._silent.getsockname()[1])

    async def close(self) -> None:
        if self._silent is not None:
            self._silent.close()
        for server in self._servers:
            await server.close()
