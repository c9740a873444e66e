"""`place` sends exactly one POST, never late, and says truly whether a call may exist."""

import asyncio
import dataclasses
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
import uvloop

from leadline.contracts.campaign_file import DEFAULT_DISPOSITIONS, DiallingSettings, Voicemail
from leadline.contracts.leases import RejectionClass
from leadline.domain.ids import AttemptId, CallId, CampaignName, PhoneNumber
from leadline.telephony import gated_http
from leadline.telephony.bland import BlandClient
from leadline.telephony.port import CallRequest, Doubt, Gate, NotSent, PlaceAnswer, Placed, ProviderNonsense, Rejected
from tests.support.gained import Gained
from tests.unit.telephony.raw_server import PLACED, Answer, Connection, RawServer, http_answer, raw_server

ATTEMPT = AttemptId(UUID("01940000-0000-7000-8000-000000000001"))
REQUEST = CallRequest(
    attempt_id=ATTEMPT,
    campaign=CampaignName("awhealth"),
    phone_number=PhoneNumber("+15615550123"),
    dialling=DiallingSettings(pathway_id="p-1", from_number="+15615550900", voicemail=Voicemail(message="Hello")),
    request_data={"first_name": "Maria"},
    traceparent="00-aa-bb-01",
)


def open_gate(seconds: float = 30) -> Gate:
    return Gate(time.monotonic() + seconds)


@asynccontextmanager
async def client_of(server: RawServer, timeout_seconds: float = 5) -> AsyncIterator[BlandClient]:
    client = BlandClient(
        base_url=server.url, api_key="key", timeout_seconds=timeout_seconds, public_url="https://leads.example/"
    )
    async with client:
        yield client


async def place_once(server: RawServer, timeout_seconds: float = 5) -> PlaceAnswer:
    async with client_of(server, timeout_seconds) as client:
        return await client.place(REQUEST, open_gate())


async def test_the_one_request() -> None:
    async with raw_server(PLACED) as server:
        assert await place_once(server) == Placed(CallId("call-1"))
    (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert b"Authorization: Bearer key" in head
    assert json.loads(body) == {
        "phone_number": "+15615550123",
        "pathway_id": "p-1",
        "from": "+15615550900",
        "max_duration": 30,
        "voicemail": {"action": "leave_message", "message": "Hello"},
        "dispositions": list(DEFAULT_DISPOSITIONS),
        "request_data": {"first_name": "Maria"},
        "metadata": {"attempt_id": str(ATTEMPT), "campaign": "awhealth", "traceparent": "00-aa-bb-01"},
        "webhook": "https://leads.example/webhooks/bland-callback",
    }


async def reset_at_once(connection: Connection) -> None:
    connection.reset()


async def close_at_once(connection: Connection) -> None:
    connection.writer.close()


async def never(connection: Connection) -> None:
    await asyncio.sleep(60)


async def drip(connection: Connection) -> None:
    connection.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(600):
        connection.writer.write(b" ")
        await connection.writer.drain()
        await asyncio.sleep(0.05)


async def half_an_answer(connection: Connection) -> None:
    connection.writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"call_id"')
    await connection.writer.drain()
    connection.writer.close()


DOUBTS: dict[str, tuple[Answer, str]] = {
    "reset": (reset_at_once, "connection_lost"),
    "closed": (close_at_once, "connection_lost"),
    "no answer": (never, "timeout"),
    "dripping": (drip, "timeout"),
    "cut": (half_an_answer, "answer_broken"),
    "no http": (b"SSH-2.0-OpenSSH\r\n\r\n", "answer_unreadable"),
    "html": (http_answer(200, "<html>", content_type="text/html"), "no_call_id"),
    "no id": (http_answer(200, '{"status":"success"}'), "no_call_id"),
    "an id of null": (http_answer(200, '{"status":"success","call_id":null}'), "no_call_id"),
    "too long": (http_answer(200, b'{"call_id":"x","pad":"' + b"x" * 70_000 + b'"}'), "no_call_id"),
    "500": (http_answer(500, '{"status":"error","message":"oops"}'), "http_500"),
    "503 with retry-after": (http_answer(503, "", "Retry-After: 1"), "http_503"),
    "307": (http_answer(307, "", "Location: /v1/calls"), "redirect"),
    "302": (http_answer(302, "", "Location: /elsewhere"), "redirect"),
    "same number": (
        http_answer(429, '{"status":"error","message":"Calls can only be sent every 10 seconds to the same number"}'),
        "same_number_rule",
    ),
}


@pytest.mark.parametrize("name", DOUBTS)
async def test_doubt_is_one_post(name: str) -> None:
    answer, reason = DOUBTS[name]
    async with raw_server(answer) as server:
        placed = await place_once(server, timeout_seconds=0.5)
        assert isinstance(placed, Doubt)
        assert placed.reason == reason
        await asyncio.sleep(0.05)
        assert (server.posts(), len(server.requests)) == (1, 1)


async def test_rejection_keeps_its_cause() -> None:
    async with raw_server(
        http_answer(401, '{"data":null,"errors":[{"error":"AUTH_FAILURE","message":"No"}]}')
    ) as server:
        assert await place_once(server) == Rejected(RejectionClass.ACCOUNT, "AUTH_FAILURE; No", 401)


async def test_nobody_listens() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        server = RawServer([], port=reserved.getsockname()[1])
        assert await place_once(server) == NotSent("connect_failed")


async def test_a_name_that_is_none() -> None:
    async with BlandClient(base_url="http://nobody.invalid", api_key="k") as client:
        assert await client.place(REQUEST, open_gate()) == NotSent("dns_failed")


async def test_tls_that_fails() -> None:
    async with (
        raw_server(PLACED) as server,
        BlandClient(base_url=f"https://127.0.0.1:{server.port}", api_key="k") as client,
    ):
        answer = await client.place(REQUEST, open_gate())
        assert isinstance(answer, NotSent)
        assert server.requests == []


async def test_closed_gate_before_anything() -> None:
    async with raw_server(PLACED) as server, client_of(server) as client:
        assert await client.place(REQUEST, open_gate(-1)) == NotSent("gate_closed")
        assert server.connections == 0


class ClosingGate(Gate):
    """Its time runs out between its checks: the first is before connecting, then the trace, then the write."""

    def __init__(self, closes_at_check: int) -> None:
        super().__init__(time.monotonic() + 30)
        self._checks_left = closes_at_check - 1

    def check(self) -> None:
        if self._checks_left == 0:
            self._closes_at = time.monotonic() - 0.001
        self._checks_left -= 1
        super().check()


@pytest.mark.parametrize("reused", [False, True])
@pytest.mark.parametrize("check", [2, 3])
async def test_gate_closing_later_still_writes_no_byte(check: int, reused: bool) -> None:
    async with raw_server(PLACED) as server, client_of(server) as client:
        if reused:
            assert isinstance(await client.place(REQUEST, open_gate()), Placed)
        before = len(server.requests)
        gate = ClosingGate(check)
        assert await client.place(REQUEST, gate) == NotSent("gate_closed")
        assert not gate.perhaps_sent
        await asyncio.sleep(0.05)
        assert len(server.requests) == before
        assert isinstance(await client.place(REQUEST, open_gate()), Placed), "the client works on"


async def test_connecting_is_bounded_by_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [_begin_connecting(full.getsockname()) for _ in range(8)]
        try:
            server = RawServer([], port=full.getsockname()[1])
            async with client_of(server, timeout_seconds=30) as client:
                answer = await client.place(REQUEST, open_gate(0.2))
            assert isinstance(answer, NotSent)
        finally:
            for filler in fillers:
                filler.close()


def _begin_connecting(address: tuple[str, int]) -> socket.socket:
    filler = socket.socket()
    filler.setblocking(False)
    filler.connect_ex(address)
    return filler


async def test_connection_dropped_while_idle_is_replaced() -> None:
    async with raw_server(PLACED) as server, client_of(server) as client:
        assert isinstance(await client.place(REQUEST, open_gate()), Placed)
        server.writers[0].close()
        await asyncio.sleep(0.05)
        assert isinstance(await client.place(REQUEST, open_gate()), Placed)
        assert (server.connections, server.posts()) == (2, 2)


@pytest.mark.parametrize("drop", [reset_at_once, close_at_once])
async def test_reused_connection_dropped_after_bytes_is_not_repeated(
    drop: Answer,
) -> None:
    async with raw_server(PLACED, drop, PLACED) as server, client_of(server) as client:
        assert isinstance(await client.place(REQUEST, open_gate()), Placed)
        assert await client.place(REQUEST, open_gate()) == Doubt("connection_lost")
        await asyncio.sleep(0.05)
        assert server.posts() == 2


async def test_cancelled_after_bytes_is_perhaps_sent() -> None:
    async with raw_server(never) as server, client_of(server) as client:
        gate = open_gate()
        task = asyncio.create_task(client.place(REQUEST, gate))
        while not server.requests:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert gate.perhaps_sent


async def test_cancelled_before_bytes_is_not_sent() -> None:
    async with raw_server(PLACED) as server, client_of(server) as client:
        gate = open_gate()
        task = asyncio.create_task(client.place(REQUEST, gate))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not gate.perhaps_sent
        await asyncio.sleep(0.05)
        assert server.requests == []


async def test_socket_options() -> None:
    async with raw_server(never) as server:
        host = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", server.port))
        with gated_http.provider_socket(host) as made:
            assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 3000
            assert made.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == b"\x01\0\0\0\0\0\0\0"


async def test_closing_resets_instead_of_delivering_later() -> None:
    """SO_LINGER(1, 0) is on the very socket that aiohttp uses: the peer sees a reset, not an end."""
    seen: list[type[BaseException] | None] = []

    async def watch(connection: Connection) -> None:
        try:
            await connection.reader.read()
            seen.append(None)
        except ConnectionError as error:
            seen.append(type(error))
            raise

    async with raw_server(watch) as server:
        assert isinstance(await place_once(server, timeout_seconds=0.3), Doubt)
        await asyncio.sleep(0.1)
        assert seen == [ConnectionResetError]


async def test_fifty_at_once_are_fifty_posts() -> None:
    async with raw_server(PLACED) as server, client_of(server) as client:
        answers = await asyncio.gather(*(client.place(REQUEST, open_gate()) for _ in range(50)))
        assert all(isinstance(answer, Placed) for answer in answers)
        assert server.posts() == 50


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (http_answer(200, '{"status":"success","message":"Call ended successfully."}'), "stopped"),
        (http_answer(200, '{"status":"error","message":"SID not found for the given c_id."}'), "not_found"),
        (http_answer(400, '{"status":"error","message":"SID not found for the given c_id."}'), "not_found"),
        (http_answer(404, "{}"), "not_found"),
        (http_answer(200, '{"status":"error","message":"odd"}'), "failed"),
        (http_answer(500, "oops"), "failed"),
        (http_answer(401, "{}"), "failed"),
        (reset_at_once, "failed"),
    ],
)
async def test_stop(answer: Answer, result: str) -> None:
    async with raw_server(answer) as server, client_of(server) as client:
        assert (await client.stop(CallId("a/b c"))).result == result
        assert server.requests[0].startswith(b"POST /v1/calls/a%2Fb%20c/stop ")


def test_under_the_loop_that_the_services_run_on() -> None:
    """The gate holds, and the socket options are set, under uvloop as well."""

    async def scenario() -> None:
        async with raw_server(PLACED, reset_at_once) as server, client_of(server) as client:
            assert isinstance(await client.place(REQUEST, open_gate()), Placed)
            for check in (2, 3):
                assert await client.place(REQUEST, ClosingGate(check)) == NotSent("gate_closed")
            assert server.posts() == 1
            assert await client.place(REQUEST, open_gate()) == Doubt("connection_lost")
            assert server.posts() == 2

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())


async def test_a_request_that_cannot_be_built_is_not_sent() -> None:
    odd = dataclasses.replace(REQUEST, request_data={"first_name": object()})  # type: ignore[dict-item]  # on purpose
    async with raw_server(PLACED) as server, client_of(server) as client:
        assert isinstance(await client.place(odd, open_gate()), NotSent)
        assert server.connections == 0


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (PLACED, "ok"),
        (http_answer(200, "{}"), "unreadable"),
        (http_answer(401, "{}"), "unauthorized"),
        (http_answer(402, "{}"), "payment_required"),
        (http_answer(403, '{"message": "forbidden"}'), "forbidden"),
        (http_answer(400, '{"errors": [{"error": "X", "message": "On the DNC list"}]}'), "dnc"),
        (http_answer(429, "{}"), "rate_limited"),
        (http_answer(503, "{}"), "server_error"),
        (reset_at_once, "connection"),
        (never, "timeout"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_answered_is_counted_by_class(answer: Answer, said: str) -> None:
    answers, requests = Gained("leadline_provider_answers_total"), Gained("leadline_http_client_requests_total")
    async with raw_server(answer) as server:
        await place_once(server, timeout_seconds=0.5 if answer is never else 5)
    assert answers.by("provider", "operation", "class") == {f"bland POST /v1/calls {said}": 1}
    assert requests.by("peer", "operation") == {"bland POST /v1/calls": 1}


async def test_a_call_that_was_kept_back_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = Gained("leadline_http_client_requests_total")
    async with raw_server(PLACED) as server, client_of(server) as client:
        gate = open_gate()
        monkeypatch.setattr(gate, "pass_first_byte", lambda: Gate(0).check())
        assert isinstance(await client.place(REQUEST, gate), NotSent)
        assert server.posts() == 0
    assert requests.by("operation") == {}


async def test_questions_are_counted_by_what_is_asked() -> None:
    answers = Gained("leadline_provider_answers_total")
    async with raw_server(http_answer(404, '{"message": "no call"}')) as server, client_of(server) as client:
        assert await client.details(CallId("c/1")) is None
        assert (await client.stop(CallId("c/1"))).result == "not_found"
    async with raw_server(http_answer(200, "<html>")) as server, client_of(server) as client:
        with pytest.raises(ProviderNonsense):
            await client.me()
    assert answers.by("operation", "class") == {
        "GET /v1/calls/{call_id} not_found": 1,
        "POST /v1/calls/{call_id}/stop not_found": 1,
        "GET /v1/me unreadable": 1,
    }
