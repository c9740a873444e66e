"""The queue-service's routes of import and export in memory, in a thread of its own."""

import json
from typing import Any
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Handler

from leadline.contracts.imports import (
    ExportedLead,
    ExportPage,
    ImportAnswer,
    ImportedLead,
    ImportedRecord,
    ImportRequest,
    ImportResult,
    NumberResult,
    NumbersAnswer,
    NumbersRequest,
)
from leadline.contracts.operators import CampaignList, CampaignView
from leadline.contracts.problems import Problem
from tests.services.cli.fake_queue import TOKEN


class FakeImports:
    """Keeps what is posted, in order; answers as the contract says. `refuse_after` requests it is broken."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[ImportRequest | NumbersRequest] = []
        self.leads: dict[tuple[str | None, str], ImportedLead] = {}
        self.listed: set[tuple[str, str]] = set()
        self.refuse_after: int | None = None
        self.problem_of: dict[str, str] = {}

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._gate], client_max_size=8 * 1024 * 1024)
        app.router.add_post("/v1/imports/leads", self._leads)
        app.router.add_post("/v1/imports/numbers", self._numbers)
        app.router.add_get("/v1/exports/leads", self._export)
        app.router.add_get("/v1/campaigns", self._campaigns)
        return app

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _refused(401, "unauthorized", "Show a token.")
        if self.refuse_after is not None and len(self.requests) >= self.refuse_after:
            return _refused(500, "broken", "Something is broken.")
        return await handler(request)

    async def _leads(self, request: web.Request) -> web.Response:
        asked = ImportRequest.model_validate_json(await request.read())
        self.requests.append(asked)
        return _sent(ImportAnswer(records=[self._take(lead, dry_run=asked.dry_run) for lead in asked.leads]))

    def _take(self, lead: ImportedLead, *, dry_run: bool) -> ImportedRecord:
        if problem := self.problem_of.get(lead.phone_number):
            return ImportedRecord(result=ImportResult.QUARANTINED, problem=problem)
        key = (lead.campaign, lead.phone_number)
        known = self.leads.get(key)
        result = ImportResult.TAKEN if known is None else ImportResult.MERGED
        if known == lead:
            result = ImportResult.UNCHANGED
        if not dry_run:
            self.leads[key] = lead
        return ImportedRecord(result=result, lead_id=UUID(int=1), status=lead.status, status_reason=lead.status_reason)

    async def _numbers(self, request: web.Request) -> web.Response:
        asked = NumbersRequest.model_validate_json(await request.read())
        self.requests.append(asked)
        entries = [(asked.kind.value, entry.phone_number) for entry in asked.numbers]
        results = [NumberResult.KNOWN if entry in self.listed else NumberResult.ADDED for entry in entries]
        if not asked.dry_run:
            self.listed.update(entries)
        return _sent(NumbersAnswer(results=results))

    async def _export(self, request: web.Request) -> web.Response:
        leads = [
            ExportedLead(id=UUID(int=number), record=lead.model_copy(update={"campaign": lead.campaign or "awhealth"}))
            for number, lead in enumerate(self.leads.values(), start=1)
        ]
        after = UUID(request.query.get("after", str(UUID(int=0)))).int
        page = leads[after : after + 3]
        is_last = after + 3 >= len(leads)
        return _sent(ExportPage(leads=page, next_after=None if is_last else page[-1].id))

    async def _campaigns(self, _request: web.Request) -> web.Response:
        view = CampaignView(
            campaign="awhealth", paused=False, pause_reason=None, window_open=True, next_opening_at=None
        )
        return _sent(CampaignList(campaigns=[view]))

    def lead(self, number: str) -> ImportedLead:
        (found,) = [lead for lead in self.leads.values() if lead.phone_number == number]
        return found

    def numbers_of(self, kind: str) -> set[str]:
        return {number for listed, number in self.listed if listed == kind}


def _sent(model: Any) -> web.Response:
    return web.json_response(text=model.model_dump_json())


def _refused(status: int, code: str, detail: str) -> web.Response:
    problem = Problem(title=code, status=status, detail=detail, code=code)
    return web.json_response(
        text=json.dumps(problem.model_dump(mode="json")), status=status, content_type="application/problem+json"
    )
