"""A queue-service in memory with the operators' routes, in a thread of its own: the command line runs its own loop."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel

from leadline.contracts.diagnosis import Diagnosis
from leadline.contracts.operators import (
    AttemptView,
    AuditEntry,
    CampaignList,
    CampaignView,
    Explanation,
    Gates,
    LeadDetails,
    LeadList,
    LeadView,
    Reason,
    Reschedule,
    RuleView,
    Stats,
    SuppressionRequest,
    SuppressionView,
)
from leadline.contracts.problems import Problem
from leadline.domain.phone import normalise_any
from leadline.runtime.http.server import serving
from leadline.store.schema import EXPECTED_REVISION

TOKEN = "operator-token"
PROCESS_TOKEN = "dialer-token"
NUMBER = "+15615550123"
TWICE = "+15615550177"
LEAD = UUID("01940b2e-7c3f-7a51-9d2e-5b1f0c6a8e44")
OTHER = UUID("01940b2e-7c3f-7a51-9d2e-5b1f0c6a8e55")
THIRD = UUID("01940b2e-7c3f-7a51-9d2e-5b1f0c6a8e66")
NOW = datetime(2026, 1, 6, 17, 12, tzinfo=UTC)


def lead(lead_id: UUID, number: str, campaign: str = "awhealth", **more: Any) -> LeadView:
    fields: dict[str, Any] = {
        "id": lead_id,
        "campaign": campaign,
        "lead_id": "77",
        "list_id": "300",
        "phone_number": number,
        "first_name": "Ada",
        "last_name": "[red]Lovelace\x1b[2J",
        "state": "FL",
        "status": "pending",
        "status_reason": None,
        "attempts": 2,
        "attempts_today": 1,
        "created_at": NOW - timedelta(days=1),
        "updated_at": NOW,
        "next_redial_at": NOW + timedelta(minutes=5),
        "last_call_at": NOW - timedelta(minutes=5),
        "last_outcome": "VOICEMAIL",
        "scheduled_callback_at": None,
        "outcomes": ["NO_ANSWER", "VOICEMAIL"],
    }
    return LeadView(**(fields | more))


def attempt(number: int) -> AttemptView:
    return AttemptView(
        id=UUID(int=number),
        attempt_no=number,
        origin="leadline",
        state="ended",
        close_reason=None,
        leased_at=NOW,
        marked_at=NOW,
        placed_at=NOW,
        closed_at=NOW,
        call_id=f"call-{number}",
        outcome="VOICEMAIL",
        evidence="answered_by",
        answered_by="voicemail",
        talk_seconds=25.0,
        price_dollars=0.02,
    )


class HasApp(Protocol):
    url: str

    def app(self) -> web.Application: ...


Served = TypeVar("Served", bound=HasApp)


class Refusal(Exception):
    def __init__(self, status: int, code: str, detail: str) -> None:
        self.problem = Problem(title=code, status=status, detail=detail, code=code)


class FakeQueue:
    def __init__(self) -> None:
        self.leads = {
            LEAD: lead(LEAD, NUMBER),
            OTHER: lead(OTHER, TWICE),
            THIRD: lead(THIRD, TWICE, campaign="spanish"),
        }
        self.suppressed: dict[str, SuppressionView] = {}
        self.paused_campaigns: dict[str, str] = {}
        self.account_reason: str | None = None
        self.operation_ids: list[str] = []
        self.changes: list[str] = []
        self.stats_more: dict[str, Any] = {}
        self.diagnosis_more: dict[str, Any] = {}
        self.down = False
        self.url = ""

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._gate])
        router = app.router
        router.add_get("/v1/leads", self._find)
        router.add_get("/v1/leads/{id}", self._details)
        router.add_get("/v1/leads/{id}/explanation", self._explanation)
        router.add_post("/v1/leads/{id}/{verb}", self._verb)
        router.add_route("*", "/v1/suppressions/{number}", self._suppression)
        router.add_get("/v1/campaigns", self._campaigns)
        router.add_post("/v1/campaigns/{campaign}/{verb}", self._campaign)
        router.add_post("/v1/account/{verb}", self._account)
        router.add_get("/v1/stats", self._stats)
        router.add_get("/v1/diagnosis", self._diagnosis)
        return app

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._admit(request)
            return await handler(request)
        except Refusal as refusal:
            return web.json_response(
                text=refusal.problem.model_dump_json(),
                status=refusal.problem.status,
                content_type="application/problem+json",
            )

    def _admit(self, request: web.Request) -> None:
        if self.down:
            raise Refusal(503, "unavailable", "The database cannot be reached.")
        if request.headers.get("Authorization") == f"Bearer {PROCESS_TOKEN}" and request.path == "/v1/diagnosis":
            return
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise Refusal(401, "unauthorized", "Show a token.")
        if request.method != "GET":
            self.operation_ids.append(request.headers["Idempotency-Key"])

    async def _find(self, request: web.Request) -> web.Response:
        number = normalise_any(request.query["phone_number"])
        if number is None:
            raise Refusal(400, "invalid_phone_number", "The text is no telephone number; send it as +15615550123.")
        return _sent(LeadList(leads=[lead for lead in self.leads.values() if lead.phone_number == number]))

    def _lead(self, request: web.Request) -> LeadView:
        found = self.leads.get(UUID(request.match_info["id"]))
        if found is None:
            raise Refusal(404, "not_found", "There is no such lead.")
        return found

    async def _details(self, request: web.Request) -> web.Response:
        history = [AuditEntry(at=NOW, actor="gateway", verb="lead_created", reason=None, details={"to": NUMBER})]
        return _sent(LeadDetails(lead=self._lead(request), attempts=[attempt(1), attempt(2)], history=history))

    async def _explanation(self, request: web.Request) -> web.Response:
        found = self._lead(request)
        rules = [
            RuleView(rule="status", allowed=True, code="pending", words="The lead is pending.", until=None),
            RuleView(
                rule="calling_hours",
                allowed=False,
                code="outside_calling_hours",
                words=f"awhealth calls {found.phone_number} from 11:00.",
                until=NOW,
            ),
        ]
        verdict = "Not called now: outside of calling hours."
        return _sent(Explanation(lead_id=found.id, at=NOW, verdict=verdict, next_call_at=NOW, rules=rules))

    async def _verb(self, request: web.Request) -> web.Response:
        found, verb, raw = self._lead(request), request.match_info["verb"], await request.read()
        body = Reschedule.model_validate_json(raw) if verb == "reschedule" else Reason.model_validate_json(raw)
        if verb == "reopen" and found.status != "completed":
            raise Refusal(409, "illegal_transition", "The lead is pending; only a completed lead is reopened.")
        self.changes.append(f"{verb} {found.campaign}: {body.reason}")
        status = {"pause": "paused", "complete": "completed", "reschedule": "rescheduled"}.get(verb, "pending")
        more = {"next_redial_at": body.due_at.astimezone(UTC)} if isinstance(body, Reschedule) else {}
        changed = found.model_copy(update={"status": status, "status_reason": body.reason, **more})
        self.leads[found.id] = changed
        return _sent(changed)

    async def _suppression(self, request: web.Request) -> web.Response:
        number = normalise_any(request.match_info["number"])
        if number is None:
            raise Refusal(400, "invalid_phone_number", "The text is no telephone number; send it as +15615550123.")
        if request.method == "PUT":
            wish = SuppressionRequest.model_validate_json(await request.read())
            view = SuppressionView(phone_number=number, reason=wish.reason, source=wish.source, created_at=NOW)
            self.suppressed[number] = view
        elif number not in self.suppressed:
            raise Refusal(404, "not_suppressed", "The number is not on the list.")
        elif request.method == "DELETE":
            Reason.model_validate_json(await request.read())
            return _sent(self.suppressed.pop(number))
        return _sent(self.suppressed[number])

    async def _campaigns(self, _request: web.Request) -> web.Response:
        return _sent(CampaignList(campaigns=[self._view("awhealth"), self._view("spanish")]))

    def _view(self, campaign: str) -> CampaignView:
        reason = self.paused_campaigns.get(campaign)
        is_open = campaign == "awhealth"
        return CampaignView(
            campaign=campaign,
            paused=reason is not None,
            pause_reason=reason,
            window_open=is_open,
            next_opening_at=None if is_open else NOW + timedelta(hours=1),
        )

    async def _campaign(self, request: web.Request) -> web.Response:
        campaign, body = request.match_info["campaign"], Reason.model_validate_json(await request.read())
        if campaign not in {"awhealth", "spanish"}:
            raise Refusal(404, "unknown_campaign", "There is no such campaign; configured are: awhealth, spanish.")
        if request.match_info["verb"] == "pause":
            self.paused_campaigns[campaign] = body.reason
        else:
            self.paused_campaigns.pop(campaign, None)
        return _sent(self._view(campaign))

    async def _account(self, request: web.Request) -> web.Response:
        body = Reason.model_validate_json(await request.read())
        self.account_reason = body.reason if request.match_info["verb"] == "pause" else None
        return _sent(self._gates())

    def _gates(self) -> Gates:
        return Gates(
            account_paused=self.account_reason is not None,
            account_pause_reason=self.account_reason,
            dispatch_held=False,
            dispatch_held_reason=None,
        )

    async def _stats(self, _request: web.Request) -> web.Response:
        figures: dict[str, Any] = {
            "as_of": NOW,
            "leads_by_status": {"pending": 10, "completed": 3},
            "due_now": 0,
            "oldest_due_seconds": 0.0,
            "next_due_at": NOW + timedelta(minutes=1),
            "open_attempts": {"placed": 2},
            "calls_today": 42,
            "outcomes_today": {"VOICEMAIL": 30, "SALE": 1},
            "suppressions": 4,
            "unapplied_events": 0,
            "unconfirmed_stop_orders": 0,
            "gates": self._gates(),
            "campaigns": [self._view("awhealth"), self._view("spanish")],
            "last_sweep_at": NOW - timedelta(minutes=2),
            "last_sweep_counters": {"promises.checked": 9},
            "alarms": {},
        }
        return _sent(Stats(**(figures | self.stats_more)))

    async def _diagnosis(self, _request: web.Request) -> web.Response:
        now = datetime.now(UTC)
        known: dict[str, Any] = {
            "version": "0.1.0",
            "queue_at": now,
            "database_at": now,
            "database_version": "17.2",
            "database_milliseconds": 0.4,
            "connections": 9,
            "connections_limit": 97,
            "schema_revision": EXPECTED_REVISION,
            "schema_expected": EXPECTED_REVISION,
            "schema_misfit": None,
            "business_at": NOW,
            "clock_speed": 1.0,
            "calls_per_second": 5.0,
            "has_crm": True,
        }
        return _sent(Diagnosis(**(known | self.diagnosis_more)))


def _sent(model: BaseModel) -> web.Response:
    return web.json_response(text=model.model_dump_json())


@contextmanager
def running(queue: Served) -> Iterator[Served]:
    """Serve it in a thread inside the block."""
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with serving(queue.app(), host="127.0.0.1", port=0, drain_seconds=0.1) as port:
            queue.url = f"http://127.0.0.1:{port}"
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(30)
        yield queue
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
