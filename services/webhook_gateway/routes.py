"""The route table: what is registered and what `/openapi.json` says."""

from importlib.metadata import version
from typing import Any, Final

from aiohttp import web

from leadline.contracts.gateway import CrmEventReceived, EventReceived, LeadReceived, PostedLead
from leadline.contracts.openapi import FORM_MEDIA_TYPE, JSON_MEDIA_TYPE, Parameter, Route, build_openapi
from services.webhook_gateway import handlers
from services.webhook_gateway.signatures import HEADER

SECURITY_SCHEMES: Final = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "basic": {"type": "http", "scheme": "basic", "description": "The key as password or user"},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": HEADER,
        "description": "Hex HMAC-SHA256 of the raw body with the webhook secret",
    },
}

ROUTES: Final = (
    Route(
        "POST",
        "/webhooks/{campaign}-outbound",
        "submit_lead",
        "Store a lead; it is called when it may be",
        LeadReceived,
        PostedLead,
        (JSON_MEDIA_TYPE, FORM_MEDIA_TYPE),
        status=202,
        problems={
            400: "The body is no lead; `errors` has a line for each field",
            401: "No or a wrong key",
            404: "No such campaign",
            408: "The body came too slowly",
            413: "The body is larger than 64 KiB",
            422: "The Idempotency-Key was used with another body",
            503: "Not stored; send it again",
        },
        auth=("apiKey", "basic"),
        parameters=(
            Parameter("campaign", "path", "Name of the campaign", required=True, schema={"type": "string"}),
            Parameter("Idempotency-Key", "header", "The same key and body get the same answer for 24 hours"),
        ),
    ),
    Route(
        "POST",
        "/webhooks/bland-callback",
        "receive_bland_event",
        "Store an event of Bland, byte for byte, whatever it holds",
        EventReceived,
        request_media_types=(JSON_MEDIA_TYPE,),
        problems={
            401: "No or a wrong signature",
            408: "The body came too slowly",
            413: "The body is larger than 8 MiB",
            503: "Not stored; send it again",
        },
        auth=("signature",),
    ),
    Route(
        "POST",
        "/webhooks/convoso",
        "receive_convoso_event",
        "Store what Convoso Connect tells of a lead, byte for byte, whatever it holds",
        CrmEventReceived,
        request_media_types=(JSON_MEDIA_TYPE, FORM_MEDIA_TYPE),
        problems={
            400: "The body is not encoded as its headers say",
            401: "No or a wrong key",
            408: "The body came too slowly",
            413: "The body is larger than 64 KiB",
            503: "Not stored; send it again",
        },
        auth=("apiKey", "basic"),
    ),
)


def openapi_document() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the gateway."""
    return build_openapi("Leadline gateway", version("leadline"), ROUTES, security_schemes=SECURITY_SCHEMES)


def add_routes(app: web.Application) -> None:
    """Register every route of the table with the handler of its name."""
    for route in ROUTES:
        app.router.add_route(route.method, route.path, getattr(handlers, route.operation_id))
    document = openapi_document()

    async def openapi(_: web.Request) -> web.Response:
        return web.json_response(document)

    app.router.add_get("/openapi.json", openapi)
