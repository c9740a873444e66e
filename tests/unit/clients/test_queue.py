"""The queue-service's client: what is repeated, with which operation id, and what becomes of every answer."""

import json
from uuid import UUID

import pytest

from leadline.clients.queue import QueueClient, QueueNonsense, QueueRefused, QueueUnavailable
from leadline.contracts.events import EventSource
from leadline.contracts.leads import LeadSubmission
from leadline.contracts.leases import LeaseRequest, SendMarkRequest
from leadline.contracts.operators import Reason, SuppressionRequest
from leadline.runtime.ids import new_uuid7
from tests.support.gained import Gained
from tests.unit.telephony.raw_server import Answer, Connection, RawServer, http_answer, raw_server

GATES = {
    "account_paused": False,
    "account_pause_reason": None,
    "dispatch_held": False,
    "dispatch_held_reason": None,
}
LEASE_REQUEST = LeaseRequest(dialer="d", slots=1, wait_seconds=0)
EMPTY_BATCH = http_answer(200, '{"leases":[],"stop_orders":[]}')
VIEW = {"phone_number": "+1", "reason": "x", "source": "y", "created_at": "2026-01-06T17:10:00Z"}


def client_of(server: RawServer, deadline_seconds: float = 2) -> QueueClient:
    return QueueClient(server.url, "token", timeout_seconds=1, deadline_seconds=deadline_seconds)


def problem(status: int, code: str = "some_code") -> bytes:
    body = {
        "type": "about:blank",
        "title": "T",
        "status": status,
        "detail": "Say why.",
        "code": code,
        "errors": ["a: b"],
    }
    return http_answer(status, json.dumps(body), content_type="application/problem+json")


def header(request: bytes, name: str) -> str:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    return next(line.partition(":")[2].strip() for line in lines if line.lower().startswith(f"{name.lower()}:"))


async def reset(connection: Connection) -> None:
    connection.reset()


async def half(connection: Connection) -> None:
    connection.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    await connection.writer.drain()
    connection.writer.close()


@pytest.mark.parametrize(
    "failure", [http_answer(503, ""), http_answer(502, "<html>"), problem(429), http_answer(504, ""), reset, half]
)
async def test_a_change_is_repeated_with_the_same_operation_id(failure: Answer) -> None:
    async with raw_server(failure, failure, http_answer(200, json.dumps(GATES))) as server, client_of(server) as client:
        assert not (await client.pause_account(Reason(reason="x"))).account_paused
        keys = [header(request, "Idempotency-Key") for request in server.requests]
        assert len(keys) == 3
        assert len({UUID(key) for key in keys}) == 1
        await client.resume_account(Reason(reason="x"))
        assert header(server.requests[-1], "Idempotency-Key") != keys[0]
        assert header(server.requests[0], "Authorization") == "Bearer token"


async def test_a_given_operation_id_is_used() -> None:
    operation_id = new_uuid7()
    async with raw_server(http_answer(200, json.dumps(VIEW))) as server, client_of(server) as client:
        await client.put_suppression("+1561 555/0123", SuppressionRequest(reason="x"), operation_id)
        await client.delete_suppression("+1", Reason(reason="x"), operation_id)
        assert {header(request, "Idempotency-Key") for request in server.requests} == {str(operation_id)}
        assert server.requests[0].startswith(b"PUT /v1/suppressions/%2B1561%20555%2F0123 ")


async def test_the_deadline_ends_it() -> None:
    async with raw_server(http_answer(503, "", "Retry-After: 7")) as server, client_of(server, 0.3) as client:
        with pytest.raises(QueueUnavailable) as caught:
            await client.post_event(b"{}", EventSource.WEBHOOK)
        assert caught.value.retry_after_seconds == 7


async def test_a_long_poll_is_sent_once() -> None:
    async with raw_server(reset) as server, client_of(server) as client:
        with pytest.raises(QueueUnavailable):
            await client.lease(LEASE_REQUEST)
        assert len(server.requests) == 1


async def test_a_mark_has_its_own_deadline() -> None:
    request = SendMarkRequest(operation_id=new_uuid7(), dialer="d", attempt_ids=[new_uuid7()])
    async with raw_server(http_answer(503, "")) as server, client_of(server) as client:
        with pytest.raises(QueueUnavailable):
            await client.mark(request, deadline_seconds=0.2)
        bodies = {sent.partition(b"\r\n\r\n")[2] for sent in server.requests}
        assert len(server.requests) > 1
        assert len(bodies) == 1


async def test_nobody_there() -> None:
    async with client_of(RawServer([], port=1), 0.2) as client:
        with pytest.raises(QueueUnavailable):
            await client.stats()


async def test_a_problem_is_typed() -> None:
    async with raw_server(problem(404, "unknown_campaign")) as server, client_of(server) as client:
        lead = LeadSubmission(campaign="x", phone_number="1", lead_id="1", list_id="1")
        with pytest.raises(QueueRefused) as caught:
            await client.submit_lead(lead)
        assert (caught.value.problem.status, caught.value.problem.code) == (404, "unknown_campaign")
        assert caught.value.problem.errors == ["a: b"]
        assert str(caught.value) == "Say why."
        assert len(server.requests) == 1


async def test_a_number_that_is_not_on_the_list() -> None:
    async with raw_server(problem(404), problem(400)) as server, client_of(server) as client:
        assert await client.get_suppression("+1") is None
        with pytest.raises(QueueRefused):
            await client.get_suppression("+1")


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(200, "<html>"),
        http_answer(200, "{}"),
        http_answer(404, "<html>"),
        http_answer(302, "", "Location: /v1/stats"),
        http_answer(307, "", "Location: /v1/stats"),
        http_answer(204, ""),
    ],
)
async def test_something_else_at_that_address(answer: bytes) -> None:
    async with raw_server(answer, EMPTY_BATCH) as server, client_of(server) as client:
        with pytest.raises(QueueNonsense):
            await client.lease(LEASE_REQUEST)
        assert len(server.requests) == 1


async def test_500_is_unavailable_and_not_repeated_at_once() -> None:
    async with raw_server(problem(500)) as server, client_of(server) as client:
        with pytest.raises(QueueUnavailable):
            await client.resume_account(Reason(reason="x"))
        assert len(server.requests) == 1


async def test_a_newer_queue_service_may_say_more() -> None:
    answer = http_answer(200, '{"leases":[],"stop_orders":[],"news":1}')
    async with raw_server(answer) as server, client_of(server) as client:
        assert (await client.lease(LEASE_REQUEST)).leases == []


async def test_a_large_body_is_streamed_whole() -> None:
    stored = http_answer(200, '{"event_id":1,"disposition":"applied"}')
    async with raw_server(http_answer(503, ""), stored) as server, client_of(server) as client:
        await client.post_event(b"x" * 3_000_000, EventSource.LOOKUP)
        assert [len(request.partition(b"\r\n\r\n")[2]) for request in server.requests] == [3_000_000] * 2
        assert header(server.requests[1], "X-Leadline-Source") == "bland_lookup"


async def test_every_try_is_counted_by_its_route() -> None:
    requests = Gained("leadline_http_client_requests_total")
    lead = UUID("01940000-0000-7000-8000-000000000001")
    answers = (half, http_answer(503, ""), problem(404), http_answer(200, "[]"))
    async with raw_server(*answers) as server, client_of(server) as client:
        with pytest.raises(QueueRefused):
            await client.explain_lead(lead)
        with pytest.raises(QueueNonsense):
            await client.get_lead(lead)
    assert requests.by("peer", "operation", "result") == {
        "queue-service GET /v1/leads/{id}/explanation 5xx": 1,
        "queue-service GET /v1/leads/{id}/explanation connection": 1,
        "queue-service GET /v1/leads/{id}/explanation 4xx": 1,
        "queue-service GET /v1/leads/{id} unreadable": 1,
    }
