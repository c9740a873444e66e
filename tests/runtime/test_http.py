"""The HTTP edge: what goes wrong becomes a problem document, and nothing internal leaks."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import REGISTRY
from pydantic import BaseModel, Field, SecretStr

from leadline.contracts.problems import PROBLEM_MEDIA_TYPE, Problem
from leadline.runtime.http.bearer import CALLER, bearer_middleware, find_caller
from leadline.runtime.http.bodies import parse_body, parse_path, parse_query, respond
from leadline.runtime.http.figures import REQUEST_SECONDS, figures_middleware
from leadline.runtime.http.problems import MEDIA_TYPE, HttpProblem, ProblemKind, problem_middleware
from leadline.runtime.http.server import PortTaken, serving
from leadline.runtime.http.traced import tracing_middleware
from leadline.runtime.settings import SecretPair
from leadline.runtime.tracing import current_trace_id, set_up_tracing
from tests.support.gained import Gained, traced_lines
from tests.support.ports import free_port


class Order(BaseModel):
    name: str = Field(max_length=5)
    count: int = 1


class Things(Exception):
    code = "things"


class FewThings(Things):
    code = "few_things"


class Unnamed(Exception):
    pass


TABLE = {
    Things: ProblemKind(409, "Things conflict"),
    Unnamed: ProblemKind(503, "Not now", code="not_now", retry_after_seconds=7),
}
RAISED: dict[str, Exception] = {
    "few": FewThings("three are missing"),
    "unnamed": Unnamed("host db-7 is down"),
    "crash": RuntimeError("password=geheim"),
    "lookup": LookupError("classified"),
    "problem": HttpProblem(418, "teapot", "No coffee.", errors=["cup: wrong"], headers={"X-Pot": "1"}),
}


def classify(error: Exception) -> ProblemKind | None:
    return ProblemKind(424, "Classified", code="classified") if isinstance(error, LookupError) else None


async def order(request: web.Request) -> web.Response:
    return respond(await parse_body(request, Order), status=201)


async def search(request: web.Request) -> web.Response:
    return respond(parse_query(request, Order))


async def item(request: web.Request) -> web.Response:
    return respond(parse_path(request, Order))


async def fail(request: web.Request) -> web.Response:
    raise RAISED[request.match_info["how"]]


async def who(request: web.Request) -> web.Response:
    return web.json_response({"caller": request.get(CALLER)})


@pytest.fixture
async def base_url() -> AsyncIterator[str]:
    tokens = [SecretPair("dialer", SecretStr("t-1")), SecretPair("gateway", SecretStr("t-2"))]
    app = web.Application(
        client_max_size=1000,
        middlewares=[
            figures_middleware(),
            problem_middleware(TABLE, classify),
            bearer_middleware(tokens, open_paths={"/open"}),
        ],
    )
    app.router.add_post("/orders", order)
    app.router.add_get("/search", search)
    app.router.add_get("/items/{name}", item)
    app.router.add_get("/fail/{how}", fail)
    app.router.add_get("/who", who)
    app.router.add_get("/open", who)
    async with serving(app, host="127.0.0.1", port=0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def session(base_url: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(base_url, headers={"Authorization": "Bearer t-1"}) as session:
        yield session


async def problem(response: aiohttp.ClientResponse) -> Problem:
    assert response.content_type == PROBLEM_MEDIA_TYPE == MEDIA_TYPE
    document = Problem.model_validate_json(await response.read())
    assert document.status == response.status
    return document


async def test_a_body_that_fits_is_parsed(session: aiohttp.ClientSession) -> None:
    async with session.post("/orders", data=b'{"name": "a"}') as response:
        assert (response.status, await response.json()) == (201, {"name": "a", "count": 1})


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"{}", "name: field required"),
        (b'{"name": "abcdef", "count": "x"}', "name: string should have at most 5"),
        (b"", "body: invalid JSON"),
        (b"\x00\xff", "body: invalid JSON"),
        (b'{"name": "\\ud800"}', "body: invalid JSON"),
        (b"[" * 900, "body: invalid JSON"),
        (b"null", "body: input should be an object"),
    ],
)
async def test_a_body_that_does_not_fit_names_every_field(
    session: aiohttp.ClientSession, raw: bytes, expected: str
) -> None:
    async with session.post("/orders", data=raw) as response:
        document = await problem(response)
    assert (document.status, document.code) == (400, "invalid_body")
    assert expected in document.errors[0]
    assert "abcdef" not in str(document)


async def test_a_body_that_is_too_large_is_413(session: aiohttp.ClientSession) -> None:
    async with session.post("/orders", data=b"x" * 1001) as response:
        document = await problem(response)
    assert (document.status, document.code) == (413, "body_too_large")


async def test_a_query_is_parsed_and_refused_likewise(session: aiohttp.ClientSession) -> None:
    async with session.get("/search?name=a&count=3") as response:
        assert await response.json() == {"name": "a", "count": 3}
    for query in ("", "name=toolong", "name=a&count=x", "name=a&name=b"):
        async with session.get(f"/search?{query}") as response:
            assert (await problem(response)).code == "invalid_query"


async def test_a_path_that_can_be_nothing_is_404(session: aiohttp.ClientSession) -> None:
    async with session.get("/items/toolong") as response:
        assert (await problem(response)).status == 404


@pytest.mark.parametrize(
    ("how", "status", "code", "detail"),
    [
        ("few", 409, "few_things", "three are missing"),
        ("unnamed", 503, "not_now", "Not now."),
        ("lookup", 424, "classified", "Classified."),
        ("problem", 418, "teapot", "No coffee."),
    ],
)
async def test_typed_errors_become_problems(
    session: aiohttp.ClientSession, how: str, status: int, code: str, detail: str
) -> None:
    async with session.get(f"/fail/{how}") as response:
        document = await problem(response)
        headers = response.headers
    assert (document.status, document.code, document.detail) == (status, code, detail)
    assert headers.get("Retry-After") == ("7" if how == "unnamed" else None)
    assert headers.get("X-Pot") == ("1" if how == "problem" else None)


async def test_a_crash_is_a_500_with_an_id_and_nothing_else(
    session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    async with session.get("/fail/crash") as response:
        document = await problem(response)
    assert document.status == 500
    assert "geheim" not in str(document)
    record = next(record for record in caplog.records if record.msg == "request_crashed")
    assert str(record.__dict__["leadline_data"]["error_id"]) in document.detail
    assert record.exc_info is not None


async def test_wrong_routes_and_methods_are_problems(session: aiohttp.ClientSession) -> None:
    async with session.get("/none") as response:
        assert (await problem(response)).code == "not_found"
    async with session.get("/orders") as response:
        assert (await problem(response)).code == "method_not_allowed"
        assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer t-3", "Basic t-1", "t-1", "Bearer t-1 x", "Bearer \udcff", "Bearer t-"]
)
async def test_who_shows_no_token_is_refused(base_url: str, header: str) -> None:
    async with (
        aiohttp.ClientSession(base_url) as session,
        session.get("/who", headers={"Authorization": header}) as response,
    ):
        assert (await problem(response)).code == "unauthorized"
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_the_token_tells_who_calls(base_url: str, session: aiohttp.ClientSession) -> None:
    async with session.get("/who") as response:
        assert await response.json() == {"caller": "dialer"}
    async with session.get("/who", headers={"Authorization": "bearer t-2"}) as response:
        assert await response.json() == {"caller": "gateway"}
    async with aiohttp.ClientSession(base_url) as stranger, stranger.get("/open") as response:
        assert await response.json() == {"caller": None}


def test_nobody_is_known_without_tokens() -> None:
    assert find_caller("", ()) is None


async def test_figures_carry_templates_and_final_statuses(session: aiohttp.ClientSession) -> None:
    requests, times = Gained("leadline_http_requests_total"), Gained("leadline_http_request_seconds_count")
    async with session.get("/fail/few"):
        pass
    async with session.request("PROPFIND", "/none"):
        pass
    assert requests.by("method", "route", "status") == {"GET /fail/{how} 409": 1, "other unmatched 404": 1}
    assert times.by("method", "route", "status") == {"GET /fail/{how} 409": 1, "other unmatched 404": 1}


async def test_figures_know_the_status_of_what_nobody_turns_into_an_answer() -> None:
    requests = Gained("leadline_http_requests_total")
    app = web.Application(middlewares=[figures_middleware()])
    app.router.add_get("/fail/{how}", fail)
    async with serving(app, host="127.0.0.1", port=0) as port, aiohttp.ClientSession() as session:
        for path in ("fail/crash", "none"):
            async with session.get(f"http://127.0.0.1:{port}/{path}"):
                pass
    assert requests.by("route", "status") == {"/fail/{how} 500": 1, "unmatched 404": 1}


def test_half_a_second_is_the_edge_of_a_bucket() -> None:
    """The objective for events is half a second."""
    REQUEST_SECONDS.labels("GET", "/half", "200").observe(0.5)
    labels = {"method": "GET", "route": "/half", "status": "200", "le": "0.5"}
    assert REGISTRY.get_sample_value("leadline_http_request_seconds_bucket", labels) == 1


async def test_times_of_requests_name_their_trace() -> None:
    set_up_tracing("test")
    app = web.Application(middlewares=[tracing_middleware(), figures_middleware()])
    app.router.add_get("/traced", trace_id)
    async with (
        serving(app, host="127.0.0.1", port=0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        session.get("/traced") as response,
    ):
        told = await response.text()
    (line,) = traced_lines('route="/traced"')
    assert f'# {{trace_id="{told}"}}' in line


async def trace_id(_request: web.Request) -> web.Response:
    return web.Response(text=current_trace_id())


async def test_a_taken_port_is_one_line() -> None:
    port = free_port()
    async with serving(web.Application(), host="127.0.0.1", port=port):
        with pytest.raises(PortTaken, match=f"cannot listen on 127.0.0.1:{port}"):
            async with serving(web.Application(), host="127.0.0.1", port=port):
                pass


async def test_stopping_lets_requests_in_flight_end() -> None:
    began = asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        began.set()
        await asyncio.sleep(0.3)
        return web.Response(text="done")

    app = web.Application()
    app.router.add_get("/slow", slow)
    async with aiohttp.ClientSession() as session:
        async with serving(app, host="127.0.0.1", port=0) as port:
            asking = asyncio.ensure_future(session.get(f"http://127.0.0.1:{port}/slow"))
            await began.wait()
        async with await asking as response:
            assert await response.text() == "done"
