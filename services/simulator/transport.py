"""Answers on the wire, whole or spoilt: what a fault does to a socket happens here and nowhere else."""

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web

from services.simulator.answer import Answer
from services.simulator.faults import AFTER, BEFORE, FaultKind, FaultRule, Faults, Place

_NO_LINGER: Final = struct.pack("ii", 1, 0)
_DRIP_SECONDS: Final = 0.25
_PROXY_PAGE: Final = (
    "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
)


@dataclass(slots=True)
class Served:
    """What a request got, for the ledger: the answer that was decided, and what was seen of it."""

    answer: Answer | None
    """None: nothing was done."""
    seen: str = "answered"
    """`answered`, or the name of the fault."""
    http_status: int | None = None
    """None: no status line was sent."""


Note = Callable[[Served], None]


class Courier:
    """Serves requests under the faults in force. One for all parties."""

    def __init__(self, faults: Faults, refusals: Mapping[str, Callable[[], Answer]]) -> None:
        """`refusals`: the party's own, by name."""
        self._faults = faults
        self._refusals = refusals
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every connection that hangs or drips."""
        self._closing.set()

    async def serve(
        self,
        request: web.Request,
        place: Place,
        phone_number: str | None,
        work: Callable[[], Answer],
        note: Note | None = None,
    ) -> web.StreamResponse:
        """Do `work` and send its answer, unless a fault strikes before or after it.

        `note` is called before the first byte is sent: a client that has its answer finds it in the ledger.
        """
        note = note or _unnoted
        if slow := self._faults.take(place, {FaultKind.LATENCY}, phone_number):
            await self._pause(slow.seconds)
        rule = self._faults.take(place, BEFORE | AFTER, phone_number)
        if rule is not None and rule.kind in BEFORE:
            return await self._instead(request, rule, note)
        answer = work()
        if rule is not None and answer.accepted:
            return await self._spoilt(request, rule, answer, note)
        if rule is not None:
            self._faults.give_back(rule)
        note(Served(answer, http_status=answer.status))
        return plain(answer)

    async def _instead(self, request: web.Request, rule: FaultRule, note: Note) -> web.StreamResponse:
        """Nothing is done; the rule says what is answered."""
        if rule.kind is FaultKind.REFUSE:
            refusal = self._refusal(rule)
            note(Served(refusal, f"refuse:{rule.error or rule.status}", refusal.status))
            return plain(refusal)
        if rule.kind is FaultKind.REDIRECT_307:
            note(Served(None, rule.kind, 307))
            return web.Response(status=307, headers={"Location": str(request.rel_url)})
        note(Served(None, rule.kind))
        if rule.kind is FaultKind.HANG_BEFORE_ACCEPT:
            await self._pause(rule.seconds)
        return _reset(request)

    def _refusal(self, rule: FaultRule) -> Answer:
        if rule.error is None:
            return Answer(rule.status, rule.body, rule.headers, refusal=f"told {rule.status}")
        named = self._refusals[rule.error]()
        return replace(named, headers={**named.headers, **rule.headers})

    async def _spoilt(self, request: web.Request, rule: FaultRule, answer: Answer, note: Note) -> web.StreamResponse:
        """It was done, and the rule spoils the answer."""
        if rule.kind in {FaultKind.ACCEPT_THEN_RESET, FaultKind.ACCEPT_THEN_HANG}:
            note(Served(answer, rule.kind))
            if rule.kind is FaultKind.ACCEPT_THEN_HANG:
                await self._pause(rule.seconds)
            return _reset(request)
        if rule.kind is FaultKind.ACCEPT_THEN_DRIP:
            note(Served(answer, rule.kind, answer.status))
            return await self._drip(request, answer, rule.seconds)
        response = _other_response(rule, answer)
        note(Served(answer, rule.kind, response.status))
        return response

    async def _drip(self, request: web.Request, answer: Answer, seconds: float) -> web.StreamResponse:
        body = json.dumps(answer.body).encode()
        response = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
        response.content_length = len(body)
        await response.prepare(request)
        turns = max(1, round(seconds / _DRIP_SECONDS))
        size = max(1, len(body) // turns)
        for start in range(0, len(body), size):
            try:
                await response.write(body[start : start + size])
            except ConnectionError:
                break
            await self._pause(seconds * size / len(body))
        return response

    async def _pause(self, seconds: float) -> None:
        """Wait, but not beyond the end of the process."""
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return


def _unnoted(_served: Served) -> None:
    """Requests that no ledger writes down."""


def plain(answer: Answer) -> web.Response:
    """The answer as it is meant; a body that is a text stands for itself."""
    if isinstance(answer.body, str):
        return web.Response(text=answer.body, status=answer.status, headers=answer.headers)
    return web.json_response(answer.body, status=answer.status, headers=answer.headers)


def _other_response(rule: FaultRule, answer: Answer) -> web.Response:
    match rule.kind:
        case FaultKind.ACCEPT_THEN_500:
            return web.json_response({"status": "error", "message": "Internal server error"}, status=500)
        case FaultKind.ACCEPT_THEN_400:
            return web.json_response({"status": "error", "message": "Unable to queue call"}, status=400)
        case FaultKind.ACCEPT_THEN_HTML:
            return web.Response(text=_PROXY_PAGE, content_type="text/html")
        case FaultKind.BARE_ARRAY:
            return web.json_response(answer.body["calls"])
        case _:
            return web.json_response({key: value for key, value in answer.body.items() if key != "call_id"})


def _reset(request: web.Request) -> web.Response:
    """Send RST instead of a response; what is returned reaches nobody."""
    transport = request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()
    return web.Response(status=500)
