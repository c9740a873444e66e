"""Convoso's HTTP interface: parameters, token, rate, and the journal of everything that was asked."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from hmac import compare_digest
from typing import Any, Final

from aiohttp import web

from services.simulator.answer import Answer
from services.simulator.clock import iso
from services.simulator.convoso.account import Account, Endpoint
from services.simulator.faults import Place
from services.simulator.phone import e164
from services.simulator.settings import SimulatedWorldPart
from services.simulator.transport import Courier, Served
from services.simulator.world import World

PREFIX: Final = "/convoso/v1"
_TOKEN: Final = "auth_token"  # noqa: S105 -- the name of a parameter
_MOST_ENTRIES: Final = 200_000
_ENDPOINTS: Final[Mapping[str, tuple[Place, Endpoint]]] = {
    "status/search": (Place.CONVOSO_STATUSES, Account.search_statuses),
    "leads/search": (Place.CONVOSO_SEARCH, Account.search_leads),
    "leads/update": (Place.CONVOSO_UPDATE, Account.update_lead),
    "leads/insert": (Place.CONVOSO_INSERT, Account.insert_lead),
    "dnc/insert": (Place.CONVOSO_DNC, Account.insert_dnc),
    "dnc/search": (Place.CONVOSO_DNC, Account.search_dnc),
}


@dataclass(slots=True, eq=False)
class Asked:
    """One request to Convoso, without its token."""

    path: str
    method: str
    parameters: dict[str, str]
    token_in: str | None
    """`form` or `query`; None: there was none."""
    real_at: float
    business_at: float
    answer: str = "unanswered"
    """`answered`, or the fault's name."""
    refusal: str | None = None
    http_status: int | None = None

    def view(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "path": self.path,
            "method": self.method,
            "parameters": self.parameters,
            "token_in": self.token_in,
            "real_at": iso(self.real_at),
            "business_at": iso(self.business_at),
            "answer": self.answer,
            "refusal": self.refusal,
            "http_status": self.http_status,
        }


@dataclass(slots=True)
class Journal:
    """The last requests, oldest first."""

    entries: deque[Asked] = field(default_factory=lambda: deque(maxlen=_MOST_ENTRIES))


class ConvosoHandlers:
    """All endpoints of one account, by POST and by GET."""

    def __init__(self, settings: SimulatedWorldPart, world: World, courier: Courier, journal: Journal) -> None:
        """Handlers of one world."""
        self._world = world
        self._account = Account(world.convoso, settings.seed, adopts=settings.convoso_adopts)
        self._courier = courier
        self._journal = journal
        self._token = settings.convoso_token.get_secret_value() if settings.convoso_token else None
        self._retry_after_seconds = settings.retry_after_seconds
        self._rate = settings.convoso_requests_per_second
        self._recent: deque[float] = deque()

    def routes(self) -> list[web.RouteDef]:
        """Convoso's paths."""
        return [
            route(f"{PREFIX}/{path}", partial(self._serve, path))
            for path in _ENDPOINTS
            for route in (web.post, partial(web.get, allow_head=False))
        ]

    async def _serve(self, path: str, request: web.Request) -> web.StreamResponse:
        parameters, token, token_in = await _parameters(request)
        clock = self._world.clock
        asked = Asked(path, request.method, parameters, token_in, clock.real_now(), clock.now())
        self._journal.entries.append(asked)
        place, endpoint = _ENDPOINTS[path]

        def work() -> Answer:
            self._world.timers.run_due()
            return self._turned_away(token) or endpoint(self._account, parameters)

        def note(served: Served) -> None:
            asked.answer, asked.http_status = served.seen, served.http_status
            asked.refusal = served.answer.refusal if served.answer else served.seen

        return await self._courier.serve(request, place, self._number(parameters), work, note)

    def _turned_away(self, token: str | None) -> Answer | None:
        if self._too_fast():
            headers = {"Retry-After": str(self._retry_after_seconds)} if self._retry_after_seconds else {}
            return Answer(429, _no(429, "Too Many Requests"), headers, refusal="429")
        if token is None:
            return Answer(401, _no(401, "auth_token is missing"), refusal="401")
        if self._token is not None and not compare_digest(token.encode(), self._token.encode()):
            return Answer(403, _no(403, "Forbidden"), refusal="403")
        return None

    def _too_fast(self) -> bool:
        """Whether a request goes beyond the rate of the last second (real time); one that does is not counted."""
        if not self._rate:
            return False
        now = self._world.clock.real_now()
        while self._recent and self._recent[0] <= now - 1.0:
            self._recent.popleft()
        if len(self._recent) >= self._rate:
            return True
        self._recent.append(now)
        return False

    def _number(self, parameters: Mapping[str, str]) -> str | None:
        """Whom a request concerns, for faults that concern a number."""
        lead = self._world.convoso.get(parameters.get("lead_id", ""))
        return e164(parameters.get("phone_number")) or (lead.phone_number if lead else None)


def _no(code: int, text: str) -> dict[str, Any]:
    return {"success": False, "code": code, "text": text}


async def _parameters(request: web.Request) -> tuple[dict[str, str], str | None, str | None]:
    """Query and form together, the token, and where it stood. A JSON body says nothing: no document promises it."""
    query = dict(request.query)
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    token_in = "form" if _TOKEN in form else "query" if _TOKEN in query else None
    parameters = query | form
    token = parameters.pop(_TOKEN, None)
    return parameters, token or None, token_in
