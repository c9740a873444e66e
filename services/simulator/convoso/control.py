"""`/simulator/convoso/*`: how tests and `leadline up` fill the simulated Convoso, act as its agents and read it."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel

from services.simulator.asked import read, refused
from services.simulator.convoso.agents import Agents
from services.simulator.convoso.book import Lead
from services.simulator.convoso.connect import Connect
from services.simulator.convoso.handlers import Journal
from services.simulator.convoso.statuses import Statuses, StatusRow, default_statuses
from services.simulator.phone import e164, e164_or_raise
from services.simulator.world import World

_Number = Annotated[str, AfterValidator(e164_or_raise)]


class NewLead(BaseModel):
    """One lead of `PUT` or `POST /simulator/convoso/leads`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phone_number: _Number
    id: str | None = Field(default=None, min_length=1, max_length=20)
    list_id: str = "1001"
    status: str = "NEW"
    """Any text: a real account has leads in statuses that it does not list any more."""
    fields: dict[str, str] = {}


class NewLeads(RootModel[list[NewLead]]):
    """Several leads."""


class NewStatuses(RootModel[list[StatusRow]]):
    """All statuses of the account."""


class AgentsAct(BaseModel):
    """`POST /simulator/convoso/agent`: a human agent sets a status, of one lead or of all that a number has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: str
    phone_number: _Number | None = None
    lead_id: str | None = None


class ConvosoControl:
    """One method per route."""

    def __init__(self, world: World, agents: Agents, connect: Connect, journal: Journal) -> None:
        """Handlers of one world."""
        self._book = world.convoso
        self._agents = agents
        self._connect = connect
        self._journal = journal

    def routes(self) -> list[web.RouteDef]:
        """The simulator's own paths."""
        at = "/simulator/convoso"
        return [
            web.get(f"{at}/leads", self.read_leads),
            web.put(f"{at}/leads", self.replace_leads),
            web.post(f"{at}/leads", self.add_leads),
            web.delete(f"{at}/leads", self.clear_leads),
            web.post(f"{at}/agent", self.act),
            web.get(f"{at}/statuses", self.read_statuses),
            web.put(f"{at}/statuses", self.set_statuses),
            web.delete(f"{at}/statuses", self.reset_statuses),
            web.get(f"{at}/dnc", self.read_dnc),
            web.get(f"{at}/requests", self.read_requests),
            web.delete(f"{at}/requests", self.clear_requests),
            web.get(f"{at}/connect", self.read_connect),
        ]

    async def read_leads(self, request: web.Request) -> web.Response:
        """Leads, oldest first: all, or those of `phone_number` or `lead_id`."""
        number, lead_id = request.query.get("phone_number"), request.query.get("lead_id")
        leads = list(self._book) if number is None else self._book.of_number(e164(number) or "")
        views = [lead.view() for lead in leads if lead_id in {None, lead.id}]
        return web.json_response({"total": len(views), "leads": views})

    async def replace_leads(self, request: web.Request) -> web.Response:
        """These leads and no others; the DNC list is empty again."""
        leads = await read(request, NewLeads)
        self._book.clear()
        return self._added(leads)

    async def add_leads(self, request: web.Request) -> web.Response:
        """These leads too; one whose id is known is replaced."""
        return self._added(await read(request, NewLeads))

    def _added(self, leads: NewLeads) -> web.Response:
        added = [
            self._book.add(
                lead.phone_number, lead_id=lead.id, list_id=lead.list_id, status=lead.status, fields=dict(lead.fields)
            )
            for lead in leads.root
        ]
        return web.json_response({"total": len(self._book), "ids": [lead.id for lead in added]})

    async def clear_leads(self, _request: web.Request) -> web.Response:
        """No leads, no DNC list."""
        self._book.clear()
        return web.json_response({})

    async def act(self, request: web.Request) -> web.Response:
        """Set a status as a human agent does."""
        wanted = await read(request, AgentsAct)
        status = wanted.status.upper()
        if self._book.statuses.find(status) is None:
            raise refused(web.HTTPBadRequest, f"status: the account has none that is called {status}")
        leads = self._meant(wanted)
        if not leads:
            raise refused(web.HTTPNotFound, "there is no such lead")
        for lead in leads:
            self._agents.set_status(lead, status)
        return web.json_response({"leads": [lead.view() for lead in leads]})

    def _meant(self, wanted: AgentsAct) -> list[Lead]:
        if wanted.lead_id is not None:
            lead = self._book.get(wanted.lead_id)
            return [] if lead is None else [lead]
        return self._book.of_number(wanted.phone_number or "")

    async def read_statuses(self, _request: web.Request) -> web.Response:
        """The account's statuses."""
        return web.json_response([row.model_dump() for row in self._book.statuses.rows])

    async def set_statuses(self, request: web.Request) -> web.Response:
        """Other statuses than the usual ones; leads keep theirs."""
        statuses = await read(request, NewStatuses)
        rows = tuple(row.model_copy(update={"status": row.status.upper()}) for row in statuses.root)
        self._book.statuses = Statuses(rows)
        return await self.read_statuses(request)

    async def reset_statuses(self, request: web.Request) -> web.Response:
        """The usual statuses again."""
        self._book.statuses = default_statuses()
        return await self.read_statuses(request)

    async def read_dnc(self, _request: web.Request) -> web.Response:
        """The account's DNC list."""
        return web.json_response(list(self._book.dnc.values()))

    async def read_requests(self, request: web.Request) -> web.Response:
        """What Convoso was asked, oldest first, without tokens: all, or those of one `path` (`leads/update`)."""
        path = request.query.get("path")
        entries: list[dict[str, Any]] = [
            asked.view() for asked in self._journal.entries if path is None or asked.path == path
        ]
        return web.json_response({"total": len(entries), "requests": entries})

    async def clear_requests(self, _request: web.Request) -> web.Response:
        """Forget what was asked."""
        self._journal.entries.clear()
        return web.json_response({})

    async def read_connect(self, _request: web.Request) -> web.Response:
        """What Convoso Connect posted, oldest first."""
        return web.json_response(list(self._connect.posts))
