"""The route table: what is registered, validated against and published as OpenAPI."""

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any, Final

from aiohttp import web

from leadline.contracts.diagnosis import Diagnosis
from leadline.contracts.events import EventSource, EventStored
from leadline.contracts.leads import LeadAccepted, LeadSubmission
from leadline.contracts.leases import (
    LeaseBatch,
    LeaseRequest,
    ReportBatch,
    ReportRequest,
    SendMarkBatch,
    SendMarkRequest,
    StopReport,
    StopReported,
)
from leadline.contracts.openapi import BEARER, Parameter, Route, build_openapi
from leadline.contracts.operators import (
    CampaignList,
    CampaignView,
    Explanation,
    Gates,
    LeadDetails,
    LeadList,
    LeadView,
    Reason,
    Reschedule,
    Stats,
    SuppressionRequest,
    SuppressionView,
)
from leadline.contracts.sweep import PromiseCheck, SweepPlan, SweepRunFinished, SweepRunStarted, SweepStep
from services.queue_service import handlers
from services.queue_service.backfilling import handlers as backfill_handlers
from services.queue_service.backfilling.routes import BACKFILL_ROUTES
from services.queue_service.crm import handlers as crm_handlers
from services.queue_service.crm.routes import CRM_ROUTES
from services.queue_service.importing import handlers as import_handlers
from services.queue_service.importing.routes import IMPORT_ROUTES
from services.queue_service.route_parts import AUTH, CHANGE, ID, MISSING, NOT_TAKEN, UUID

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_KEY: Final = Parameter("Idempotency-Key", "header", "Operation id: a repetition gets the first answer", required=True)
_OPTIONAL_KEY: Final = Parameter("Idempotency-Key", "header", "Replays the answer for 24 hours")
_RUN: Final = Parameter("run_id", "path", "The sweep's run", required=True, schema=UUID)
_NUMBER: Final = Parameter("phone_number", "path", "Any usual spelling, E.164 best", required=True)
_NUMBER_QUERY: Final = Parameter("phone_number", "query", "Any usual spelling, E.164 best", required=True)
_LIMIT: Final = Parameter("limit", "query", "Longest list", schema={"type": "integer", "minimum": 1, "maximum": 5000})
_SOURCE: Final = Parameter(
    "X-Leadline-Source", "header", "Where the body came from", required=True, schema={"enum": list(EventSource)}
)


def _lead_verb(verb: str, summary: str, model: type[Any] = Reason) -> Route:
    return Route(
        "POST", f"/v1/leads/{{id}}/{verb}", f"{verb}_lead", summary, LeadView, model,
        problems=CHANGE, auth=AUTH, parameters=(ID, _KEY),
    )  # fmt: skip  # a table is read in columns


def _switch(path: str, operation_id: str, summary: str, answer: type[Any]) -> Route:
    return Route("POST", path, operation_id, summary, answer, Reason, problems=CHANGE, auth=AUTH, parameters=(_KEY,))


CORE_ROUTES: Final = (
    Route("POST", "/v1/leads", "submit_lead", "Store a lead", LeadAccepted, LeadSubmission,
          problems={**MISSING, 413: "Too large", 422: "The key was used for another body"}, auth=AUTH,
          parameters=(_OPTIONAL_KEY,)),
    Route("POST", "/v1/events", "store_event", "Store the raw body of an event and apply it", EventStored,
          request_media_types=("application/octet-stream",), problems={**NOT_TAKEN, 413: "Too large"}, auth=AUTH,
          parameters=(_SOURCE,)),
    Route("POST", "/v1/leases", "lease", "Lease due leads (long poll)", LeaseBatch, LeaseRequest,
          problems=NOT_TAKEN, auth=AUTH),
    Route("POST", "/v1/send-marks", "mark", "May these attempts be sent now?", SendMarkBatch, SendMarkRequest,
          problems=NOT_TAKEN, auth=AUTH),
    Route("POST", "/v1/reports", "report", "Report what is known of attempts", ReportBatch, ReportRequest,
          problems=NOT_TAKEN, auth=AUTH),
    Route("POST", "/v1/stop-orders/{id}/report", "report_stop", "Report what became of a stop order", StopReported,
          StopReport, problems=MISSING, auth=AUTH, parameters=(ID,)),
    Route("GET", "/v1/leads", "find_leads", "The leads of a number", LeadList, problems=NOT_TAKEN, auth=AUTH,
          parameters=(_NUMBER_QUERY,)),
    Route("GET", "/v1/leads/{id}", "get_lead", "One lead with its attempts and history", LeadDetails,
          problems=MISSING, auth=AUTH, parameters=(ID,)),
    Route("GET", "/v1/leads/{id}/explanation", "explain_lead", "Why it is due when it is, or why it is not called",
          Explanation, problems=MISSING, auth=AUTH, parameters=(ID,)),
    _lead_verb("pause", "Plan the lead no more until it is resumed"),
    _lead_verb("resume", "Plan a paused or held lead again"),
    _lead_verb("complete", "Never call the lead again"),
    _lead_verb("reopen", "Give a completed lead a new life"),
    _lead_verb("reschedule", "Call the lead at another time", Reschedule),
    Route("GET", "/v1/suppressions/{phone_number}", "get_suppression", "Is the number on the list?", SuppressionView,
          problems=MISSING, auth=AUTH, parameters=(_NUMBER,)),
    Route("PUT", "/v1/suppressions/{phone_number}", "put_suppression", "Never call the number again",
          SuppressionView, SuppressionRequest, problems=CHANGE, auth=AUTH, parameters=(_NUMBER, _KEY)),
    Route("DELETE", "/v1/suppressions/{phone_number}", "delete_suppression", "Take the number off the list",
          SuppressionView, Reason, problems=CHANGE, auth=AUTH, parameters=(_NUMBER, _KEY)),
    Route("GET", "/v1/campaigns", "list_campaigns", "Campaigns and their switches", CampaignList,
          problems=NOT_TAKEN, auth=AUTH),
    _switch("/v1/campaigns/{campaign}/pause", "pause_campaign", "Dial no lead of the campaign", CampaignView),
    _switch("/v1/campaigns/{campaign}/resume", "resume_campaign", "Dial the campaign's leads again", CampaignView),
    _switch("/v1/account/pause", "pause_account", "Dial nothing at all", Gates),
    _switch("/v1/account/resume", "resume_account", "Dial again", Gates),
    _switch("/v1/dispatch/release", "release_dispatch", "Dial again after a failover", Gates),
    Route("GET", "/v1/stats", "get_stats", "Figures for people and dashboards", Stats, problems=NOT_TAKEN, auth=AUTH),
    Route("GET", "/v1/diagnosis", "get_diagnosis", "Are this replica and its database well?", Diagnosis,
          problems=NOT_TAKEN, auth=AUTH),
    Route("GET", "/v1/sweep/plan", "get_sweep_plan", "Everything late or stuck", SweepPlan, problems=NOT_TAKEN,
          auth=AUTH, parameters=(_LIMIT,)),
    Route("POST", "/v1/sweep/expire", "sweep_expire", "Release leases that ran out, doubt silent sends", SweepStep,
          problems=NOT_TAKEN, auth=AUTH),
    Route("POST", "/v1/sweep/apply-events", "sweep_apply_events", "Apply events that were left unapplied", SweepStep,
          problems=NOT_TAKEN, auth=AUTH),
    Route("POST", "/v1/sweep/check-promises", "check_promises", "Run every promise as a query", PromiseCheck,
          problems=NOT_TAKEN, auth=AUTH),
    Route("POST", "/v1/sweep/runs", "begin_sweep_run", "Begin the record of a sweep", SweepRunStarted,
          problems=NOT_TAKEN, auth=AUTH),
    Route("POST", "/v1/sweep/runs/{run_id}/finish", "finish_sweep_run", "End the record of a sweep", SweepStep,
          SweepRunFinished, problems=MISSING, auth=AUTH, parameters=(_RUN,)),
)  # fmt: skip  # a table is read in columns


GROUPS: Final = (
    (CORE_ROUTES, handlers),
    (CRM_ROUTES, crm_handlers),
    (BACKFILL_ROUTES, backfill_handlers),
    (IMPORT_ROUTES, import_handlers),
)
"""Route tables, each with the module that has a handler of each route's name."""

ROUTES: Final = tuple(route for routes, _ in GROUPS for route in routes)


def openapi_document() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the queue-service."""
    return build_openapi("Leadline queue-service", version("leadline"), ROUTES, security_schemes={"bearer": BEARER})


def add_routes(app: web.Application) -> None:
    """Register every route of the tables with the handler of its name."""
    for routes, module in GROUPS:
        for route in routes:
            handler: Handler = getattr(module, route.operation_id)
            app.router.add_route(route.method, route.path, handler)
    document = openapi_document()

    async def openapi(_: web.Request) -> web.Response:
        return web.json_response(document)

    app.router.add_get("/openapi.json", openapi)
