"""Handlers of import and export: parse, call, respond."""

from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from leadline.contracts.imports import MAX_IMPORT_GROUP, ImportAnswer, ImportRequest, NumbersAnswer, NumbersRequest
from leadline.runtime.http.bearer import CALLER
from leadline.runtime.http.bodies import parse_body, parse_query, respond
from services.queue_service.handling import SERVICE
from services.queue_service.importing import exporting, leads, numbers


class _PageQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    after: UUID | None = None
    limit: int = Field(default=MAX_IMPORT_GROUP, ge=1, le=MAX_IMPORT_GROUP)


async def import_leads(request: web.Request) -> web.Response:
    """Take leads with their past."""
    asked = await parse_body(request, ImportRequest)
    records = await leads.import_leads(request.app[SERVICE], asked, request[CALLER])
    return respond(ImportAnswer(records=records))


async def import_numbers(request: web.Request) -> web.Response:
    """Take numbers that must not be called."""
    asked = await parse_body(request, NumbersRequest)
    results = await numbers.import_numbers(request.app[SERVICE], asked, request[CALLER])
    return respond(NumbersAnswer(results=results))


async def export_leads(request: web.Request) -> web.Response:
    """One page of leads."""
    query = parse_query(request, _PageQuery)
    return respond(await exporting.export_page(request.app[SERVICE], query.after, query.limit))
