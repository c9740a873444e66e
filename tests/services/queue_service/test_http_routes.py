"""Every route over HTTP: who may ask, what is answered, and what a wrong request is told."""

from typing import Any
from uuid import uuid4

import pytest

from services.queue_service.permissions import PERMITTED
from services.queue_service.routes import ROUTES, openapi_document
from tests.services.queue_service.desk import PHONE, result
from tests.services.queue_service.web import BECAUSE, KEY, TOKENS, Web, lead_body

NOBODY = str(uuid4())
HOLDS = {"holder": "b1", "lease_seconds": 60}
DAY = {"starts_at": "2026-01-05T00:00:00Z", "ends_at": "2026-01-06T00:00:00Z"}
BODIES: dict[str, Any] = {
    "submit_lead": lead_body(),
    "store_event": b"{}",
    "lease": {"dialer": "d1", "slots": 1, "wait_seconds": 0},
    "mark": {"operation_id": NOBODY, "dialer": "d1", "attempt_ids": [NOBODY]},
    "report": {"reporter": "d1", "reports": [{"attempt_id": NOBODY, "kind": "lost"}]},
    "report_stop": {"result": "stopped"},
    "reschedule_lead": {"due_at": "2026-01-07T15:30:00-05:00", "reason": "x"},
    "finish_sweep_run": {"counters": {}, "succeeded": True},
    "take_outbox": {"limit": 5, "seconds": 60},
    "report_outbox": {"results": [{"id": 1, "result": "sent"}]},
    "replay_outbox": {"ids": [1]},
    "take_questions": {"limit": 5, "seconds": 60},
    "answer_questions": {"answers": [{"lead_id": NOBODY, "standing": "open"}]},
    "put_crm_statuses": {"statuses": [{"code": "NI", "name": "No", "final": True, "success": False, "dnc": False}]},
    "import_leads": {"source": "x", "leads": [{"phone_number": PHONE, "status": "pending"}]},
    "import_numbers": {"kind": "suppressed", "source": "x", "numbers": [{"phone_number": PHONE, "reason": "x"}]},
    "start_backfill": {**HOLDS, **DAY, "window_seconds": 3600},
    "next_backfill_windows": {**HOLDS, "limit": 1},
    "finish_backfill_window": {**HOLDS, "window": DAY, "listed": 0},
    "sift_backfill_calls": {**HOLDS, "calls": [{"call_id": "a", "phone_number": PHONE, "created_at": None}]},
    "record_backfill_calls": {**HOLDS, "bodies": ["{}"]},
    "list_backfill_candidates": {**HOLDS, "limit": 1},
    "decide_backfill_candidates": {**HOLDS, "decisions": [{"lead_id": NOBODY, "learned": None}]},
    "finish_backfill": HOLDS,
}
ANSWERS = {
    **dict.fromkeys(("report_stop", "get_lead", "explain_lead", "get_suppression", "delete_suppression"), 404),
    **dict.fromkeys((name for name in BODIES if "_backfill_" in name or name == "finish_backfill"), 404),
    **dict.fromkeys(("pause_lead", "resume_lead", "complete_lead", "reopen_lead", "reschedule_lead"), 404),
}
"""What an empty system answers to a good request, if it is not 200."""
PARTS = {"id": NOBODY, "run_id": NOBODY, "phone_number": PHONE, "campaign": "awhealth"}
ROUTE_NAMES = {route.operation_id: route for route in ROUTES}


def path_of(name: str) -> str:
    path = ROUTE_NAMES[name].path.format(**PARTS)
    return f"{path}?phone_number=%2B15615550123" if name == "find_leads" else path


def body_of(name: str) -> Any:
    return BODIES.get(name, BECAUSE if ROUTE_NAMES[name].request_model else None)


def headers_of(name: str) -> dict[str, str]:
    source = {"X-Leadline-Source": "bland"} if name == "store_event" else {}
    return {KEY: f"key-of-{name}", **source}


@pytest.mark.parametrize("name", ROUTE_NAMES)
async def test_a_route_answers_a_good_request_and_refuses_the_rest(web: Web, name: str) -> None:
    route = ROUTE_NAMES[name]
    method, path, body, headers = route.method, path_of(name), body_of(name), headers_of(name)
    answer = await web.ask(method, path, body, headers=headers)
    assert answer.status == ANSWERS.get(name, 200), answer.body
    await refuses_whom_it_does_not_know(web, name)
    for caller, permitted in PERMITTED.items():
        answer = await web.ask(method, path, body, caller=caller, headers=headers)
        assert (answer.status != 403) is ((method, route.path) in permitted), (caller, answer.status)
    if route.request_model is not None:
        await refuses_bad_bodies(web, name)
    if any(p.name == KEY and p.required for p in route.parameters):
        missing = await web.ask(method, path, body)
        assert (missing.status, missing.code) == (400, "operation_id_needed")


async def refuses_whom_it_does_not_know(web: Web, name: str) -> None:
    for authorization in ("", "Bearer wrong", "Basic dG9rZW4=", f"Bearer {TOKENS['operator']}x", "Bearer \xff"):
        headers = headers_of(name) | ({"Authorization": authorization} if authorization else {})
        answer = await web.ask(ROUTE_NAMES[name].method, path_of(name), body_of(name), caller=None, headers=headers)
        assert (answer.status, answer.code) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def refuses_bad_bodies(web: Web, name: str) -> None:
    good = body_of(name)
    unknown = {**good, "unknown_key": 1}
    nul = {**good, "reason": "a\0b"} if "reason" in good else b'{"a": "\x00"}'
    for bad in (b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", {}, unknown, nul, b"[" * 20_000):
        if bad == {} and name in {"submit_lead", "replay_outbox"}:
            continue
        answer = await web.ask(ROUTE_NAMES[name].method, path_of(name), bad, headers=headers_of(name))
        assert (answer.status, answer.code) == (400, "invalid_body"), (bad, answer.body)
        assert "input_value" not in str(answer.body)


def test_the_bodies_above_are_of_routes_that_exist() -> None:
    assert set(BODIES) | set(ANSWERS) <= set(ROUTE_NAMES)


async def test_the_document_is_free_and_is_the_route_tables(web: Web) -> None:
    answer = await web.ask("GET", "/openapi.json", caller=None)
    assert answer.status == 200
    assert answer.body == openapi_document()
    assert {(method.upper(), path) for path, item in answer.body["paths"].items() for method in item} == {
        (route.method, route.path) for route in ROUTES
    }


async def test_what_is_no_route_is_a_problem_too(web: Web) -> None:
    unknown = await web.ask("GET", "/v1/nothing")
    assert (unknown.status, unknown.code) == (404, "not_found")
    wrong = await web.ask("PATCH", "/v1/leads")
    assert (wrong.status, wrong.code, wrong.headers["Allow"]) == (405, "method_not_allowed", "GET,POST")


@pytest.mark.parametrize("path", ["/v1/leads/7", "/v1/leads/7/explanation", "/v1/leads/%00"])
async def test_an_id_that_is_none_is_not_found(web: Web, path: str) -> None:
    answer = await web.ask("GET", path)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "invalid_query"),
        ("?phone_number=", "invalid_query"),
        ("?phone_number=12345", "invalid_phone_number"),
        ("?phone_number=5615550123&limit=3", "invalid_query"),
        ("?phone_number=5615550123&phone_number=5615550124", "invalid_query"),
        ("?phone_number=%00", "invalid_phone_number"),
    ],
)
async def test_a_query_that_does_not_fit_is_refused(web: Web, query: str, code: str) -> None:
    answer = await web.ask("GET", f"/v1/leads{query}")
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize("limit", ["0", "5001", "many", "-1"])
async def test_a_limit_has_limits(web: Web, limit: str) -> None:
    assert (await web.ask("GET", f"/v1/sweep/plan?limit={limit}")).code == "invalid_query"


async def test_an_event_needs_to_say_where_it_comes_from(web: Web) -> None:
    for headers in ({}, {"X-Leadline-Source": "carrier-pigeon"}):
        answer = await web.ask("POST", "/v1/events", b"{}", headers=headers)
        assert (answer.status, answer.code) == (400, "unknown_source")


async def test_a_body_over_the_limit_is_refused_and_one_under_it_is_not(web: Web) -> None:
    source = {"X-Leadline-Source": "bland"}
    assert (await web.ask("POST", "/v1/events", b"x" * 8 * 1024 * 1024, headers=source)).status == 200
    answer = await web.ask("POST", "/v1/events", b"x" * 9 * 1024 * 1024, headers=source)
    assert (answer.status, answer.code) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (lead_body("12345"), 400, "invalid_phone_number"),
        (lead_body(campaign="nobody"), 404, "unknown_campaign"),
        (lead_body(lead_id=""), 400, "invalid_body"),
        (lead_body(fields={"first_name": "a\0b"}), 400, "invalid_body"),
        (lead_body(fields={"age": 61}), 400, "invalid_body"),
        (lead_body(attributes={str(n): "x" for n in range(201)}), 400, "invalid_body"),
    ],
)
async def test_a_lead_that_does_not_fit_is_refused(web: Web, body: dict[str, Any], status: int, code: str) -> None:
    answer = await web.ask("POST", "/v1/leads", body, caller="gateway")
    assert (answer.status, answer.code) == (status, code)


async def test_the_way_of_one_attempt_over_http(web: Web) -> None:
    accepted = await web.ask("POST", "/v1/leads", lead_body(), caller="gateway")
    lease_request = {"dialer": "d1", "slots": 5, "wait_seconds": 5}
    (lease,) = (await web.ask("POST", "/v1/leases", lease_request, caller="dialer")).body["leases"]
    mark = {"operation_id": NOBODY, "dialer": "d1", "attempt_ids": [lease["attempt_id"]]}
    marked = await web.ask("POST", "/v1/send-marks", mark, caller="dialer")
    assert marked.body["answers"][0]["answer"] == "go"
    placed = {"attempt_id": lease["attempt_id"], "kind": "placed", "call_id": "call-1"}
    reported = await web.ask("POST", "/v1/reports", {"reporter": "d1", "reports": [placed]}, caller="dialer")
    assert reported.body["answers"][0]["state"] == "placed"
    source = {"X-Leadline-Source": "bland"}
    stored = await web.ask("POST", "/v1/events", result(lease["attempt_id"]), caller="gateway", headers=source)
    assert stored.body["outcome"] == "NO_ANSWER"
    details = (await web.ask("GET", f"/v1/leads/{accepted.body['id']}")).body
    assert details["lead"]["outcomes"] == ["NO_ANSWER"]
    assert [attempt["state"] for attempt in details["attempts"]] == ["ended"]
    assert [entry["verb"] for entry in details["history"]] == ["result", "lead_received"]
