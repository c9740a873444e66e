"""Handlers: authenticate, read, hand on, answer."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from leadline.contracts.events import EventSource
from leadline.contracts.gateway import CrmEventReceived, EventReceived, LeadReceived
from leadline.runtime.http.bodies import respond
from leadline.runtime.http.problems import HttpProblem
from leadline.runtime.ids import new_uuid7
from leadline.runtime.logging import get_logger
from leadline.runtime.settings import SecretDigest
from leadline.runtime.tracing import current_span, describe
from services.webhook_gateway import figures
from services.webhook_gateway.bodies import read_bounded
from services.webhook_gateway.callers import authenticate
from services.webhook_gateway.event_traces import event_span
from services.webhook_gateway.lead_bodies import read_lead
from services.webhook_gateway.signatures import HEADER, is_signed
from services.webhook_gateway.storing import Storing

MOST_LEAD_BYTES: Final = 64 * 1024
MOST_EVENT_BYTES: Final = 8 * 1024 * 1024
MOST_CRM_EVENT_BYTES: Final = 64 * 1024
LEAD_READ_SECONDS: Final = 10.0
"""Also of the CRM's events, which are as small."""
EVENT_READ_SECONDS: Final = 30.0
LONGEST_KEY: Final = 255
_CAMPAIGN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Gateway:
    """What every handler needs."""

    storing: Storing
    api_keys: Sequence[SecretDigest]
    webhook_secrets: Sequence[bytes]


GATEWAY = web.AppKey("gateway", Gateway)


async def submit_lead(request: web.Request) -> web.Response:
    """Take a lead."""
    gateway, request_id = request.app[GATEWAY], new_uuid7()
    caller = authenticate(request, gateway.api_keys)
    operation_id = _operation_id(request, caller)
    raw = await read_bounded(request, most_bytes=MOST_LEAD_BYTES, within_seconds=LEAD_READ_SECONDS)
    lead = read_lead(_campaign(request), raw, request.content_type, request.charset)
    accepted = await gateway.storing.store_lead(lead, operation_id)
    figures.LEADS.labels(accepted.status).inc()
    told = {"campaign": lead.campaign, "lead_id": accepted.id, "status": accepted.status}
    describe(current_span(), told)
    log.info("lead_stored", request_id=request_id, caller=caller, **told)
    return respond(LeadReceived(request_id=request_id, lead_id=accepted.lead_id, status=accepted.status), status=202)


async def receive_bland_event(request: web.Request) -> web.Response:
    """Take an event of Bland. Once its signature is right, it is stored or asked for again, and never refused."""
    gateway, request_id = request.app[GATEWAY], new_uuid7()
    signature = request.headers.get(HEADER, "")
    if not signature:
        raise _unsigned()
    raw = await read_bounded(request, most_bytes=MOST_EVENT_BYTES, within_seconds=EVENT_READ_SECONDS)
    if not is_signed(raw, signature, gateway.webhook_secrets):
        raise _unsigned()
    with event_span(raw):
        stored = await gateway.storing.store_event(raw, EventSource.WEBHOOK)
        figures.EVENTS.labels(stored.disposition).inc()
        told = {
            "event_id": stored.event_id,
            "disposition": stored.disposition,
            "kind": stored.kind,
            "outcome": stored.outcome,
        }
        describe(current_span(), told)
        log.info("event_stored", request_id=request_id, **told)
    return respond(EventReceived(request_id=request_id, disposition=stored.disposition))


async def receive_convoso_event(request: web.Request) -> web.Response:
    """Take what Convoso Connect tells of one of its leads. From a known caller it is stored, whatever it holds."""
    gateway, request_id = request.app[GATEWAY], new_uuid7()
    caller = authenticate(request, gateway.api_keys)
    raw = await read_bounded(request, most_bytes=MOST_CRM_EVENT_BYTES, within_seconds=LEAD_READ_SECONDS)
    stored = await gateway.storing.store_event(raw, EventSource.CRM)
    figures.CRM_EVENTS.labels(stored.disposition).inc()
    log.info(
        "crm_event_stored",
        request_id=request_id,
        caller=caller,
        event_id=stored.event_id,
        disposition=stored.disposition,
        kind=stored.kind,
    )
    return respond(CrmEventReceived())


def _campaign(request: web.Request) -> str:
    campaign = request.match_info["campaign"]
    if not _CAMPAIGN.fullmatch(campaign):
        raise HttpProblem(404, "unknown_campaign", "There is no campaign of that name.")
    return campaign


def _operation_id(request: web.Request, caller: str) -> str | None:
    """The sender's key as one of ours: two senders may use the same words."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 0 < len(key.strip()) <= LONGEST_KEY:
        detail = f"Idempotency-Key must have 1 to {LONGEST_KEY} characters."
        raise HttpProblem(400, "invalid_idempotency_key", detail)
    return hashlib.sha256(f"{caller}\n{key.strip()}".encode("utf-8", "surrogateescape")).hexdigest()


def _unsigned() -> HttpProblem:
    figures.UNSIGNED_EVENTS.inc()
    detail = f"{HEADER} must be the hex HMAC-SHA256 of the raw body with the webhook secret."
    return HttpProblem(401, "bad_signature", detail)
