"""Handlers: parse, call, respond."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from leadline.contracts.events import EventSource
from leadline.contracts.leads import LeadSubmission
from leadline.contracts.leases import LeaseRequest, ReportRequest, SendMarkRequest, StopReport
from leadline.contracts.operators import (
    CampaignList,
    LeadList,
    Reason,
    Reschedule,
    SuppressionRequest,
    SuppressionView,
)
from leadline.contracts.sweep import SweepRunFinished, SweepRunStarted, SweepStep
from leadline.domain.errors import InvalidPhoneNumber
from leadline.domain.ids import CampaignName, LeadId, PhoneNumber
from leadline.domain.phone import normalise_any
from leadline.runtime.http.bearer import CALLER
from leadline.runtime.http.bodies import parse_body, parse_path, parse_query, respond
from leadline.runtime.http.problems import HttpProblem
from leadline.runtime.tracing import current_span, describe
from leadline.store import gate, suppressions, sweep
from leadline.store.clock import get_clock
from leadline.store.connection import Connection
from services.queue_service import diagnosing, explaining, operating, reading, sweeping
from services.queue_service.handling import once, operation_id_of, service_of
from services.queue_service.operating import NotFound
from services.queue_service.service import QueueService

PROMISE_LIMIT = 100
FIRST_YEAR, LAST_YEAR = 2000, 2999
"""A time beyond is a slip of the pen, and near the ends of the calendar no arithmetic holds."""


class _LeadPath(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: UUID


class _RunPath(BaseModel):
    model_config = ConfigDict(extra="forbid")
    run_id: UUID


class _NumberQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    phone_number: str = Field(min_length=1, max_length=64)


class _PlanQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=500, ge=1, le=5000)


# ---------------------------------------------------------------- leads and events


async def submit_lead(request: web.Request) -> web.Response:
    """Take a lead."""
    posted = await parse_body(request, LeadSubmission)
    digest = hashlib.sha256(await request.read()).digest()
    operation_id = operation_id_of(request, needed=False)
    accepted = await service_of(request).submit_lead(posted, request[CALLER], operation_id, digest)
    describe(current_span(), {"campaign": posted.campaign, "lead_id": accepted.id, "status": accepted.status})
    return respond(accepted)


async def store_event(request: web.Request) -> web.Response:
    """Keep an event."""
    source = request.headers.get("X-Leadline-Source", "")
    if source not in set(EventSource):
        raise HttpProblem(400, "unknown_source", f"Send X-Leadline-Source: one of {', '.join(EventSource)}.")
    return respond(await service_of(request).store_event(EventSource(source), await request.read()))


# ---------------------------------------------------------------- the protocol of one attempt


async def lease(request: web.Request) -> web.Response:
    """Lease leads and take stop orders: nothing to a dialer that is gone, and what it did not read is given back."""

    def is_gone() -> bool:
        return request.transport is None or request.transport.is_closing()

    batch = await service_of(request).lease(await parse_body(request, LeaseRequest), is_gone)
    if is_gone():
        service_of(request).give_back(batch)
    return respond(batch)


async def mark(request: web.Request) -> web.Response:
    """Answer `go?`."""
    return respond(await service_of(request).mark(await parse_body(request, SendMarkRequest)))


async def report(request: web.Request) -> web.Response:
    """Take reports."""
    return respond(await service_of(request).report(await parse_body(request, ReportRequest)))


async def report_stop(request: web.Request) -> web.Response:
    """Take what became of a stop order."""
    order_id = parse_path(request, _LeadPath).id
    return respond(await service_of(request).report_stop(order_id, await parse_body(request, StopReport)))


# ---------------------------------------------------------------- operators: leads


async def find_leads(request: web.Request) -> web.Response:
    """Leads of a number."""
    service = service_of(request)
    number = _number(parse_query(request, _NumberQuery).phone_number)
    found = await service.snapshot(lambda conn: reading.find_leads(conn, service.policy, number))
    return respond(LeadList(leads=found))


async def get_lead(request: web.Request) -> web.Response:
    """One lead."""
    service, lead_id = service_of(request), LeadId(parse_path(request, _LeadPath).id)
    return respond(await service.snapshot(lambda conn: reading.read_lead(conn, service.policy, lead_id)))


async def explain_lead(request: web.Request) -> web.Response:
    """Why, or why not."""
    service, lead_id = service_of(request), LeadId(parse_path(request, _LeadPath).id)
    return respond(await service.snapshot(lambda conn: explaining.explain(conn, service.policy, lead_id)))


Verb = Callable[[Connection, QueueService, LeadId, Any, str], Awaitable[None]]


def _lead_verb(model: type[BaseModel], verb: Verb) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that does something to one lead, once per operation id, and answers with the lead."""

    async def handler(request: web.Request) -> web.Response:
        service, lead_id = service_of(request), LeadId(parse_path(request, _LeadPath).id)
        body = await parse_body(request, model)

        async def work(conn: Connection) -> dict[str, Any]:
            await verb(conn, service, lead_id, body, request[CALLER])
            return (await reading.read_leads(conn, service.policy, [lead_id]))[0].model_dump(mode="json")

        return await once(request, work)

    return handler


async def _pause(conn: Connection, _: QueueService, lead_id: LeadId, body: Reason, actor: str) -> None:
    await operating.pause_lead(conn, lead_id, body.reason, actor)


async def _resume(conn: Connection, service: QueueService, lead_id: LeadId, body: Reason, actor: str) -> None:
    await operating.resume_lead(conn, service.policy, lead_id, body.reason, actor)


async def _complete(conn: Connection, _: QueueService, lead_id: LeadId, body: Reason, actor: str) -> None:
    await operating.complete_by_operator(conn, lead_id, body.reason, actor)


async def _reopen(conn: Connection, service: QueueService, lead_id: LeadId, body: Reason, actor: str) -> None:
    await operating.reopen_lead(conn, service.policy, lead_id, body.reason, actor)


async def _reschedule(conn: Connection, service: QueueService, lead_id: LeadId, body: Reschedule, actor: str) -> None:
    due_at = _aware(body.due_at)
    await operating.reschedule_lead(conn, service.policy, lead_id, due_at, body.reason, actor)


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise HttpProblem(400, "invalid_body", "due_at needs an offset, as in 2026-01-05T15:30:00-05:00.")
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise HttpProblem(400, "invalid_body", f"due_at lies outside of the years {FIRST_YEAR} to {LAST_YEAR}.")
    return at


pause_lead = _lead_verb(Reason, _pause)
resume_lead = _lead_verb(Reason, _resume)
complete_lead = _lead_verb(Reason, _complete)
reopen_lead = _lead_verb(Reason, _reopen)
reschedule_lead = _lead_verb(Reschedule, _reschedule)


# ---------------------------------------------------------------- operators: numbers, campaigns, account


def _number(text: str) -> PhoneNumber:
    """Any number may be asked for and suppressed, also one that is not called. Raises InvalidPhoneNumber."""
    number = normalise_any(text)
    if number is None:
        raise InvalidPhoneNumber("The text is no telephone number; send it as +15615550123 or (561) 555-0123.")
    return number


async def get_suppression(request: web.Request) -> web.Response:
    """Say whether the number is on the list."""
    number = _number(request.match_info["phone_number"])
    return respond(await service_of(request).read(lambda conn: _suppression(conn, number)))


async def _suppression(conn: Connection, number: PhoneNumber) -> SuppressionView:
    row = await suppressions.find_suppression(conn, number)
    if row is None:
        raise NotFound("the number is not on the suppression list")
    return SuppressionView(**dict(row))


async def put_suppression(request: web.Request) -> web.Response:
    """Put the number on the list."""
    number, body = _number(request.match_info["phone_number"]), await parse_body(request, SuppressionRequest)
    policy = service_of(request).policy

    async def work(conn: Connection) -> dict[str, Any]:
        await operating.suppress(conn, policy, number, body.reason, body.source, request[CALLER])
        return (await _suppression(conn, number)).model_dump(mode="json")

    return await once(request, work)


async def delete_suppression(request: web.Request) -> web.Response:
    """Take the number off the list."""
    number, body = _number(request.match_info["phone_number"]), await parse_body(request, Reason)

    async def work(conn: Connection) -> dict[str, Any]:
        was = await _suppression(conn, number)
        await operating.unsuppress(conn, number, body.reason, request[CALLER])
        return was.model_dump(mode="json")

    return await once(request, work)


async def list_campaigns(request: web.Request) -> web.Response:
    """Campaigns and their switches."""
    service = service_of(request)
    state = await service.read(gate.read_gate)
    return respond(CampaignList(campaigns=reading.campaign_views(service.policy, state)))


def _campaign_verb(
    verb: Callable[..., Awaitable[None]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        service, campaign = service_of(request), CampaignName(request.match_info["campaign"])
        body = await parse_body(request, Reason)

        async def work(conn: Connection) -> dict[str, Any]:
            await verb(conn, service.policy, campaign, body.reason, request[CALLER])
            views = reading.campaign_views(service.policy, await gate.read_gate(conn))
            return next(v for v in views if v.campaign == campaign).model_dump(mode="json")

        return await once(request, work)

    return handler


pause_campaign = _campaign_verb(operating.pause_campaign)
resume_campaign = _campaign_verb(operating.resume_campaign)


def _gate_verb(verb: Callable[..., Awaitable[object]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        body = await parse_body(request, Reason)

        async def work(conn: Connection) -> dict[str, Any]:
            await verb(conn, body.reason, request[CALLER])
            return reading.gate_view(await gate.read_gate(conn)).model_dump(mode="json")

        return await once(request, work)

    return handler


pause_account = _gate_verb(operating.pause_account)
resume_account = _gate_verb(operating.resume_account)
release_dispatch = _gate_verb(operating.release_dispatch)


async def get_stats(request: web.Request) -> web.Response:
    """The board's figures."""
    return respond(await service_of(request).stats())


async def get_diagnosis(request: web.Request) -> web.Response:
    """How this replica and its database are."""
    service = service_of(request)
    return respond(await service.read(lambda conn: diagnosing.diagnose(conn, service.policy)))


# ---------------------------------------------------------------- sweep


async def get_sweep_plan(request: web.Request) -> web.Response:
    """Everything late or stuck."""
    limit = parse_query(request, _PlanQuery).limit
    return respond(await service_of(request).read(lambda conn: sweeping.read_plan(conn, limit)))


async def sweep_expire(request: web.Request) -> web.Response:
    """Time alone."""
    return respond(SweepStep(counters=await service_of(request).expire()))


async def sweep_apply_events(request: web.Request) -> web.Response:
    """Apply what was kept."""
    return respond(SweepStep(counters=await service_of(request).apply_events()))


async def check_promises(request: web.Request) -> web.Response:
    """The promises as queries."""
    return respond(await service_of(request).check_promises(PROMISE_LIMIT))


async def begin_sweep_run(request: web.Request) -> web.Response:
    """A sweep begins."""
    return respond(SweepRunStarted(run_id=await service_of(request).transaction(sweeping.begin_run)))


async def finish_sweep_run(request: web.Request) -> web.Response:
    """A sweep ended."""
    run_id, body = parse_path(request, _RunPath).run_id, await parse_body(request, SweepRunFinished)

    async def work(conn: Connection) -> bool:
        now = (await get_clock(conn)).now
        return await sweep.finish_run(conn, run_id, now, succeeded=body.succeeded, counters=body.counters)

    finished = await service_of(request).transaction(work)
    return respond(SweepStep(counters={"finished": int(finished)}))
