"""A span for each request that is answered or made, and nothing in it of whatever was asked about."""

from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from opentelemetry.trace import SpanKind, StatusCode

from leadline.runtime.http.problems import HttpProblem, problem_middleware
from leadline.runtime.http.traced import RequestSpan, tracing_middleware
from leadline.runtime.tracing import current_ids, current_traceparent, span
from tests.support.spans import Spans, exported_spans

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
Client = TestClient[web.Request, web.Application]


@pytest.fixture
def spans() -> Iterator[Spans]:
    with exported_spans() as made:
        yield made


async def _answer(request: web.Request) -> web.Response:
    how = request.match_info.get("how", "")
    if how == "crash":
        raise ValueError("+15615550123")
    if how == "refuse":
        raise HttpProblem(400, "no", "No.")
    return web.json_response({"ids": current_ids()})


@pytest.fixture
async def client(spans: Spans) -> AsyncIterator[Client]:
    app = web.Application(middlewares=[tracing_middleware(untraced={"/poll"}), problem_middleware({})])
    app.router.add_get("/numbers/{how}", _answer)
    app.router.add_get("/poll", _answer)
    async with TestClient(TestServer(app)) as made:
        yield made


async def test_a_request_is_a_span_of_its_callers_trace_named_by_its_route(client: Client, spans: Spans) -> None:
    async with client.get("/numbers/+15615550123?name=Maria", headers={"traceparent": PARENT}) as response:
        trace_id, span_id = (await response.json())["ids"]
    made = spans.one("GET /numbers/{how}")
    assert made.kind is SpanKind.SERVER
    assert made.context is not None
    assert (trace_id, span_id) == (PARENT.split("-")[1], f"{made.context.span_id:016x}")
    assert made.parent is not None
    assert f"{made.parent.span_id:016x}" == PARENT.split("-")[2]
    assert dict(made.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/numbers/{how}",
        "http.response.status_code": 200,
    }
    assert "5550123" not in made.to_json()
    assert "Maria" not in made.to_json()


async def test_a_request_without_a_caller_begins_a_trace(client: Client, spans: Spans) -> None:
    async with client.get("/numbers/x") as response:
        assert response.status == 200
    assert spans.one("GET /numbers/{how}").parent is None


@pytest.mark.parametrize(
    ("how", "status", "code"), [("crash", 500, StatusCode.ERROR), ("refuse", 400, StatusCode.UNSET)]
)
async def test_only_what_is_our_fault_fails(
    client: Client, spans: Spans, how: str, status: int, code: StatusCode
) -> None:
    async with client.get(f"/numbers/{how}") as response:
        assert response.status == status
    made = spans.one("GET /numbers/{how}")
    assert made.status.status_code is code
    assert "5550123" not in made.to_json()


async def test_long_polls_and_unknown_paths_cost_and_tell_nothing(client: Client, spans: Spans) -> None:
    async with client.get("/poll") as response:
        assert (await response.json())["ids"] is None
    assert spans.all() == []
    async with client.get("/+15615550123") as response:
        assert response.status == 404
    assert [made.name for made in spans.all()] == ["GET unmatched"]


def _ask(status: int | None, failure: str | None = None) -> str | None:
    request = RequestSpan("bland", "POST /v1/calls/{call_id}/stop")
    request.begin()
    handed_on = current_traceparent()
    request.end(status, failure)
    return handed_on


def test_a_request_made_is_a_child_of_what_goes_on(spans: Spans) -> None:
    with span("dial") as dialling:
        handed_on = _ask(200)
    made = spans.one("POST /v1/calls/{call_id}/stop")
    assert (made.kind, made.parent) == (SpanKind.CLIENT, dialling.get_span_context())
    assert handed_on is not None
    assert made.context is not None
    assert handed_on.split("-")[2] == f"{made.context.span_id:016x}"
    assert dict(made.attributes or {}) == {
        "peer.service": "bland",
        "url.template": "/v1/calls/{call_id}/stop",
        "http.request.method": "POST",
        "http.response.status_code": 200,
    }


@pytest.mark.parametrize(("status", "failure", "told"), [(429, None, "429"), (None, "timeout", "timeout")])
def test_a_refusal_and_a_failure_show(spans: Spans, status: int | None, failure: str | None, told: str) -> None:
    with span("dial"):
        _ask(status, failure)
    made = spans.one("POST /v1/calls/{call_id}/stop")
    assert (made.status.status_code, made.status.description) == (StatusCode.ERROR, told)


def test_where_nothing_goes_on_there_is_no_span(spans: Spans) -> None:
    assert _ask(200) is None
    assert spans.all() == []
