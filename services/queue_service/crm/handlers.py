"""Handlers of the CRM: parse, call, respond."""

from typing import Any, Final, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from leadline.contracts.crm import (
    AnswerRequest,
    CrmStatusTable,
    OutboxReport,
    ReplayRequest,
    TakeRequest,
)
from leadline.domain.crm import CrmStatus
from leadline.runtime.http.bearer import CALLER
from leadline.runtime.http.bodies import parse_body, parse_query, respond
from leadline.store import crm_statuses
from leadline.store.connection import Connection
from services.queue_service.crm import outbox, questions
from services.queue_service.handling import once, service_of

LARGEST_ID: Final = 2**63 - 1
LONGEST_CODE: Final = 64
"""In capitals a text may be longer than it was."""


class _ListQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    state: Literal["waiting", "dead", "superseded", "sent"] = "dead"
    after: int = Field(default=0, ge=0, le=LARGEST_ID)
    limit: int = Field(default=100, ge=1, le=1000)


async def take_outbox(request: web.Request) -> web.Response:
    """Give messages to a sender."""
    asked = await parse_body(request, TakeRequest)
    return respond(await service_of(request).transaction(lambda conn: outbox.take(conn, asked.limit, asked.seconds)))


async def report_outbox(request: web.Request) -> web.Response:
    """Take what became of messages."""
    body = await parse_body(request, OutboxReport)
    return respond(await service_of(request).transaction(lambda conn: outbox.report(conn, body.results)))


async def list_outbox(request: web.Request) -> web.Response:
    """Messages in a state."""
    query = parse_query(request, _ListQuery)
    return respond(
        await service_of(request).read(lambda conn: outbox.read(conn, query.state, query.after, query.limit))
    )


async def replay_outbox(request: web.Request) -> web.Response:
    """Send dead letters again."""
    body = await parse_body(request, ReplayRequest)

    async def work(conn: Connection) -> dict[str, Any]:
        return (await outbox.replay(conn, body.ids, request[CALLER])).model_dump(mode="json")

    return await once(request, work)


async def take_questions(request: web.Request) -> web.Response:
    """Give held leads to an asker."""
    asked = await parse_body(request, TakeRequest)
    return respond(await service_of(request).transaction(lambda conn: questions.take(conn, asked.limit, asked.seconds)))


async def answer_questions(request: web.Request) -> web.Response:
    """Take what the CRM said."""
    service, body = service_of(request), await parse_body(request, AnswerRequest)
    step = await service.transaction(lambda conn: questions.answer(conn, service.policy, body.answers))
    service.claimer.poke()
    return respond(step)


async def get_crm_statuses(request: web.Request) -> web.Response:
    """The account's statuses."""
    return respond(await service_of(request).read(_statuses))


async def put_crm_statuses(request: web.Request) -> web.Response:
    """Replace the account's statuses; of a code that is listed twice the last line counts."""
    body = await parse_body(request, CrmStatusTable)
    by_code = {s.code.strip().upper()[:LONGEST_CODE]: s for s in body.statuses}
    listed = [CrmStatus(code, s.name, s.final, s.success, s.dnc) for code, s in sorted(by_code.items()) if code]

    async def work(conn: Connection) -> CrmStatusTable:
        await crm_statuses.replace_statuses(conn, listed)
        return await _statuses(conn)

    return respond(await service_of(request).transaction(work))


async def _statuses(conn: Connection) -> CrmStatusTable:
    return CrmStatusTable.of(await crm_statuses.list_statuses(conn))
