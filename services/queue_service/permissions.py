"""Who may ask what: each process of Leadline has the routes that its work needs, and operators have all.

The caller's name decides, which its token has or the settings give its ServiceAccount. The names of our own processes
are limited; every other name is an operator's.
"""

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from leadline.runtime.http.bearer import CALLER
from leadline.runtime.http.problems import HttpProblem, route_template

_LEADS: Final = {("POST", "/v1/leads")}
_EVENTS: Final = {("POST", "/v1/events")}
_REPORTS: Final = {("POST", "/v1/reports"), ("POST", "/v1/stop-orders/{id}/report")}
_SWITCHES: Final = {("POST", "/v1/account/resume"), ("POST", "/v1/dispatch/release")}
_SWEEP: Final = {
    ("GET", "/v1/sweep/plan"),
    ("POST", "/v1/sweep/expire"),
    ("POST", "/v1/sweep/apply-events"),
    ("POST", "/v1/sweep/check-promises"),
    ("POST", "/v1/sweep/runs"),
    ("POST", "/v1/sweep/runs/{run_id}/finish"),
}

_OUTBOX: Final = {
    ("POST", "/v1/crm/outbox/take"),
    ("POST", "/v1/crm/outbox/report"),
    ("POST", "/v1/crm/questions/take"),
    ("POST", "/v1/crm/questions/answer"),
}
_STATUSES: Final = {("GET", "/v1/crm/statuses"), ("PUT", "/v1/crm/statuses")}
_RUN: Final = "/v1/backfill/runs/{id}"
_BACKFILL: Final = {
    ("POST", "/v1/backfill/runs"),
    ("POST", f"{_RUN}/windows/next"),
    ("POST", f"{_RUN}/windows/finish"),
    ("POST", f"{_RUN}/sift"),
    ("POST", f"{_RUN}/calls"),
    ("POST", f"{_RUN}/candidates"),
    ("POST", f"{_RUN}/decisions"),
    ("POST", f"{_RUN}/finish"),
}

_DIAGNOSIS: Final = {("GET", "/v1/diagnosis")}
"""For `leadline doctor` in any pod: it tells of no lead."""

PERMITTED: Final = {
    "gateway": frozenset(_LEADS | _EVENTS | _DIAGNOSIS),
    "dialer": frozenset({("POST", "/v1/leases"), ("POST", "/v1/send-marks")} | _REPORTS | _DIAGNOSIS),
    "sweep": frozenset(_SWEEP | _EVENTS | _REPORTS | _SWITCHES | _DIAGNOSIS),
    "crm-sync": frozenset(_OUTBOX | _STATUSES | _DIAGNOSIS),
    "backfill": frozenset(_BACKFILL | {("PUT", "/v1/crm/statuses")} | _DIAGNOSIS),
}


@web.middleware
async def permissions(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 403 to a process that asks for what is not its work. Goes inside the bearer middleware."""
    permitted = PERMITTED.get(request.get(CALLER, ""))
    route = (request.method, route_template(request))
    if permitted is not None and request.match_info.http_exception is None and route not in permitted:
        raise HttpProblem(
            403, "not_permitted", f"The token of {request[CALLER]!r} is not for this route; use an operator's."
        )
    return await handler(request)
