"""Bland's HTTP interface: authentication, the way from a request to the exchange, and what the ledger learns of it."""

import json
from collections.abc import Callable, Mapping

from aiohttp import web

from services.simulator.answer import Answer
from services.simulator.bland import answers
from services.simulator.bland.exchange import Exchange
from services.simulator.bland.listing import list_calls
from services.simulator.bland.request import complaints, read
from services.simulator.faults import Place
from services.simulator.ledger import LedgerRow, Origin
from services.simulator.phone import e164
from services.simulator.settings import SimulatedWorldPart
from services.simulator.transport import Courier, Served
from services.simulator.world import World


class BlandHandlers:
    """One method per route."""

    def __init__(self, settings: SimulatedWorldPart, world: World, exchange: Exchange, courier: Courier) -> None:
        """Handlers of one account."""
        self._settings = settings
        self._world = world
        self._exchange = exchange
        self._courier = courier
        self._key = settings.api_key.get_secret_value() if settings.api_key else None

    def routes(self) -> list[web.RouteDef]:
        """Bland's paths."""
        return [
            web.post("/v1/calls", self.create),
            web.get("/v1/calls", self.history),
            web.get("/v1/calls/active", self.active),
            web.get("/v1/calls/{call_id}", self.details),
            web.post("/v1/calls/{call_id}/stop", self.stop),
            web.get("/v1/me", self.me),
            web.post("/v1/postcall/webhooks/resend", self.resend),
        ]

    async def create(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/calls`: every one of them stands in the ledger, whatever its answer."""
        clock = self._world.clock
        row = self._world.ledger.open(Origin.POST, clock.real_now(), clock.now())
        body = _json(await request.read())
        _note_request(row, body)

        def work() -> Answer:
            self._world.timers.run_due()
            if not self._authorized(request):
                return answers.unauthorized()
            if not isinstance(body, dict):
                return answers.invalid("the body must be a JSON object")
            if wrong := complaints(body):
                return answers.invalid(*wrong)
            return self._with_retry_after(self._exchange.accept(read(body), row))

        def note(served: Served) -> None:
            row.answer, row.http_status = served.seen, served.http_status
            row.refusal = served.seen if served.answer is None else served.answer.refusal

        return await self._courier.serve(request, Place.CREATE, row.phone_number, work, note)

    async def history(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/calls`."""
        asked = e164(request.query.get("to_number", ""))
        return await self._serve(
            request, Place.LIST, asked, lambda: list_calls(self._exchange, request.query, self._world.clock.now())
        )

    async def active(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/calls/active`."""
        return await self._serve(request, Place.ACTIVE, None, self._exchange.active)

    async def details(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/calls/{id}`."""
        call_id = request.match_info["call_id"]
        number = self._exchange.number_of(call_id)
        return await self._serve(request, Place.DETAILS, number, lambda: self._exchange.details(call_id))

    async def stop(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/calls/{id}/stop`."""
        call_id = request.match_info["call_id"]
        number = self._exchange.number_of(call_id)
        return await self._serve(request, Place.STOP, number, lambda: self._exchange.stop(call_id))

    async def me(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/me`."""
        return await self._serve(request, Place.ME, None, self._account)

    async def resend(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/postcall/webhooks/resend`."""
        body = _json(await request.read())
        ids = body.get("call_ids") if isinstance(body, Mapping) else None

        def work() -> Answer:
            if not isinstance(ids, list) or not all(isinstance(call_id, str) for call_id in ids):
                return answers.invalid("call_ids: must be an array of strings")
            return self._exchange.resend(ids)

        return await self._serve(request, Place.RESEND, None, work)

    async def _serve(
        self, request: web.Request, place: Place, number: str | None, work: Callable[[], Answer]
    ) -> web.StreamResponse:
        def authorized_work() -> Answer:
            self._world.timers.run_due()
            return work() if self._authorized(request) else answers.unauthorized()

        return await self._courier.serve(request, place, number, authorized_work)

    def _account(self) -> Answer:
        billing = {"current_balance": round(self._exchange.balance_dollars, 4), "refill_to": None}
        return Answer(200, {"status": "active", "billing": billing, "total_calls": self._exchange.total_calls})

    def _authorized(self, request: web.Request) -> bool:
        """The key stands bare or after `Bearer` in `authorization`; `x-api-key` is not read."""
        shown = request.headers.get("Authorization", "").strip()
        shown = shown[7:].strip() if shown.lower().startswith("bearer ") else shown
        return bool(shown) and self._key in {None, shown}

    def _with_retry_after(self, answer: Answer) -> Answer:
        seconds = self._settings.retry_after_seconds
        if answer.status != 429 or not seconds:
            return answer
        return Answer(answer.status, answer.body, {answers.RETRY_AFTER: str(seconds)}, answer.refusal)


def _json(raw: bytes) -> object:
    """The decoded body; None if it is no JSON."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _note_request(row: LedgerRow, body: object) -> None:
    """What the ledger can read of a body, however wrong the rest of it is."""
    if not isinstance(body, Mapping):
        return
    row.phone_number = e164(body.get("phone_number"))
    metadata = body.get("metadata")
    if isinstance(metadata, Mapping):
        attempt_id, campaign = metadata.get("attempt_id"), metadata.get("campaign")
        row.attempt_id = attempt_id if isinstance(attempt_id, str) else None
        row.campaign = campaign if isinstance(campaign, str) else ""
