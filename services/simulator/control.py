"""`/simulator/*`: how tests and `leadline up` steer the simulated world and read its ledger.

No key is asked for: the simulator listens on loopback and holds nothing but invented people.
"""

import asyncio
import json
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from services.simulator.asked import read, refused, sent
from services.simulator.bland.answers import NAMED_REFUSALS
from services.simulator.bland.checks import webhook
from services.simulator.bland.exchange import Exchange
from services.simulator.bland.request import CallRequest
from services.simulator.bland.webhooks import WebhookSender
from services.simulator.carrier import Carrier, Rates
from services.simulator.clock import ClockSetting
from services.simulator.fate import ScriptBody, ScriptStep
from services.simulator.faults import FaultRules
from services.simulator.ledger import Origin, row_view
from services.simulator.phone import e164
from services.simulator.rules import Rulebook
from services.simulator.scoreboard import score
from services.simulator.world import ClockWouldRunBackwards, World

_ROWS_PER_CHUNK: Final = 500


class CallElsewhere(BaseModel):
    """`POST /simulator/calls`: a call that the account has although nobody asked for it with `POST /v1/calls`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phone_number: str
    """The person's, in any spelling."""
    inbound: bool = False
    from_number: str | None = None
    """Our number."""
    webhook: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    step: ScriptStep | None = None
    """How it goes; without it, as scripted or drawn."""


class ControlHandlers:
    """One method per route."""

    def __init__(self, world: World, exchange: Exchange, sender: WebhookSender) -> None:
        """Handlers of one world."""
        self._world = world
        self._exchange = exchange
        self._sender = sender

    def routes(self) -> list[web.RouteDef]:
        """The simulator's own paths."""
        return [
            web.get("/simulator/clock", self.read_clock),
            web.put("/simulator/clock", self.set_clock),
            web.get("/simulator/rates", self.read_rates),
            web.put("/simulator/rates", self.set_rates),
            web.get("/simulator/script", self.read_script),
            web.post("/simulator/script", self.add_script),
            web.delete("/simulator/script", self.clear_script),
            web.get("/simulator/faults", self.read_faults),
            web.post("/simulator/faults", self.add_faults),
            web.delete("/simulator/faults", self.clear_faults),
            web.post("/simulator/calls", self.place_elsewhere),
            web.get("/simulator/ledger", self.read_ledger),
            web.delete("/simulator/ledger", self.clear_ledger),
            web.get("/simulator/scoreboard", self.read_scoreboard),
            web.post("/simulator/scoreboard", self.read_scoreboard),
        ]

    async def read_clock(self, _request: web.Request) -> web.Response:
        """Both clocks; also the sign that the simulator is ready."""
        return sent(self._world.clock.view())

    async def set_clock(self, request: web.Request) -> web.Response:
        """Move the clock; 409 if it would run backwards under calls that exist."""
        setting = await read(request, ClockSetting)
        try:
            self._world.set_clock(setting)
        except ClockWouldRunBackwards:
            raise refused(
                web.HTTPConflict, "business time never runs backwards; DELETE /simulator/ledger first"
            ) from None
        return sent(self._world.clock.view())

    async def read_rates(self, _request: web.Request) -> web.Response:
        """How people take calls."""
        return sent(self._world.carrier.rates)

    async def set_rates(self, request: web.Request) -> web.Response:
        """Change it for calls to come."""
        self._world.carrier = Carrier(await read(request, Rates))
        return sent(self._world.carrier.rates)

    async def read_script(self, _request: web.Request) -> web.Response:
        """How many calls are scripted, by number."""
        return web.json_response(self._world.script.waiting())

    async def add_script(self, request: web.Request) -> web.Response:
        """Script calls to come."""
        self._world.script.add(await read(request, ScriptBody))
        return web.json_response(self._world.script.waiting())

    async def clear_script(self, _request: web.Request) -> web.Response:
        """Script nothing."""
        self._world.script.clear()
        return web.json_response({})

    async def read_faults(self, _request: web.Request) -> web.Response:
        """The rules in force, with what is left of their counts."""
        return web.json_response(self._world.faults.view())

    async def add_faults(self, request: web.Request) -> web.Response:
        """Put rules in force."""
        rules = await read(request, FaultRules)
        for rule in rules.rules:
            if rule.error is not None and rule.error not in NAMED_REFUSALS:
                raise refused(
                    web.HTTPBadRequest, f"no refusal is named {rule.error}; there are {', '.join(NAMED_REFUSALS)}"
                )
        self._world.faults.add(rules)
        return web.json_response(self._world.faults.view())

    async def clear_faults(self, _request: web.Request) -> web.Response:
        """No more faults."""
        self._world.faults.clear()
        return web.json_response([])

    async def place_elsewhere(self, request: web.Request) -> web.Response:
        """Have a foreign or an inbound call."""
        wanted = await read(request, CallElsewhere)
        if self._world.ledger.full:
            raise refused(web.HTTPInternalServerError, "the ledger is full; DELETE /simulator/ledger first")
        number = e164(wanted.phone_number)
        if number is None:
            raise refused(web.HTTPBadRequest, "phone_number: no telephone number")
        if wanted.webhook is not None and (wrong := webhook(wanted.webhook)):
            raise refused(web.HTTPBadRequest, f"webhook: {wrong}")
        call = CallRequest(
            phone_number=number, from_number=wanted.from_number, webhook=wanted.webhook, metadata=wanted.metadata
        )
        clock = self._world.clock
        origin = Origin.INBOUND if wanted.inbound else Origin.ELSEWHERE
        row = self._world.ledger.open(origin, clock.real_now(), clock.now())
        fate = None if wanted.step is None else wanted.step.fate()
        placed = self._exchange.place_elsewhere(call, number, row, fate)
        return web.json_response({"call_id": placed.id})

    async def read_ledger(self, request: web.Request) -> web.StreamResponse:
        """Rows, oldest first: `offset`, `limit` (default: all), `phone_number`. Streamed, so that calls go on."""
        offset, limit = _count(request, "offset", 0), _count(request, "limit", None)
        asked = request.query.get("phone_number")
        total, rows = self._world.ledger.page(offset or 0, limit, e164(asked) or asked)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(f'{{"total": {total}, "rows": ['.encode())
        for start in range(0, len(rows), _ROWS_PER_CHUNK):
            chunk = json.dumps([row_view(row) for row in rows[start : start + _ROWS_PER_CHUNK]])
            await response.write(((", " if start else "") + chunk[1:-1]).encode())
            await asyncio.sleep(0)
        await response.write(b"]}")
        return response

    async def clear_ledger(self, _request: web.Request) -> web.Response:
        """Forget all calls; those that go on never end, and webhooks under way are dropped."""
        self._world.timers.clear()
        self._sender.clear()
        self._exchange.clear()
        self._world.ledger.clear()
        return web.json_response({})

    async def read_scoreboard(self, request: web.Request) -> web.Response:
        """Judge the ledger by the rules in the body; by the spec's defaults without one."""
        rules = await read(request, Rulebook) if request.can_read_body else Rulebook()
        return sent(await asyncio.to_thread(score, self._world.ledger.snapshot(), rules))


def _count(request: web.Request, name: str, default: int | None) -> int | None:
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        raise refused(web.HTTPBadRequest, f"{name}: must be a number")
    return int(text)
