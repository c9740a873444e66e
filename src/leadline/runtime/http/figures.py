"""Rate, errors, duration of every route. Labels come from closed sets: method, route template, status."""

import time

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import Counter, Gauge, Histogram

from leadline.runtime.http.exemplars import exemplar
from leadline.runtime.http.problems import route_template

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CLIENT_GONE = "499"
_CRASHED = "500"

REQUESTS = Counter(
    "leadline_http_requests",
    "Requests answered, by route template; status 499: whoever asked was gone before the answer.",
    ("method", "route", "status"),
)
REQUEST_SECONDS = Histogram(
    "leadline_http_request_seconds",
    "Time from a request's head to its answer's, a long poll's wait included.",
    ("method", "route", "status"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
REQUESTS_IN_FLIGHT = Gauge("leadline_http_requests_in_flight", "Requests being answered.")


def figures_middleware() -> Middleware:
    """Count and time every request.

    Put it around `problem_middleware`, so that it sees the final status, and inside of whatever begins the request's
    trace, so that its times name the trace.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        status = _CLIENT_GONE
        REQUESTS_IN_FLIGHT.inc()
        try:
            response = await handler(request)
            status = str(response.status)
            return response
        except web.HTTPException as error:
            status = str(error.status)
            raise
        except Exception:
            status = _CRASHED
            raise
        finally:
            REQUESTS_IN_FLIGHT.dec()
            method = request.method if request.method in _METHODS else "other"
            route = route_template(request)
            REQUESTS.labels(method, route, status).inc()
            REQUEST_SECONDS.labels(method, route, status).observe(time.perf_counter() - began, exemplar())

    return middleware
