"""Faults do to the socket what their names say, and the ledger tells what was truly done."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.services.simulator.support import KEY, NUMBER, Simulator, eventually

RESET = "reset"
CLOSED = "closed"


async def raw_post(simulator: Simulator, number: str = NUMBER, patience_seconds: float = 30.0) -> tuple[bytes, str]:
    """What comes back on a plain socket, and how the connection ended."""
    parts = urlsplit(simulator.base)
    assert parts.hostname is not None
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    body = json.dumps({"phone_number": number, "task": "Say hello.", "metadata": {"attempt_id": "a1"}}).encode()
    head = (
        f"POST /v1/calls HTTP/1.1\r\nHost: simulator\r\nAuthorization: {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    got = b""
    try:
        while chunk := await asyncio.wait_for(reader.read(65_536), patience_seconds):
            got += chunk
    except ConnectionResetError:
        return got, RESET
    except TimeoutError:
        return got, "open"
    finally:
        writer.transport.abort()
    return got, CLOSED


async def only_row(simulator: Simulator) -> dict[str, Any]:
    (row,) = await simulator.rows()
    return row


async def calls_of(simulator: Simulator) -> int:
    return int((await simulator.done("GET", "/v1/calls"))["total_count"])


async def test_without_a_fault_the_answer_is_whole(simulator: Simulator) -> None:
    got, end = await raw_post(simulator)
    assert end == CLOSED
    assert b'"call_id"' in got
    row = await only_row(simulator)
    assert (row["answer"], row["http_status"]) == ("answered", 200)


@pytest.mark.parametrize("kind", ["reset_before_accept", "hang_before_accept"])
async def test_a_connection_reset_before_anything_was_done(simulator: Simulator, kind: str) -> None:
    await simulator.fault({"on": "create", "kind": kind, "count": 1, "seconds": 0.05})
    assert await raw_post(simulator) == (b"", RESET)
    row = await only_row(simulator)
    assert (row["answer"], row["http_status"], row["call_id"]) == (kind, None, None)
    assert row["attempt_id"] == "a1"
    assert await calls_of(simulator) == 0


@pytest.mark.parametrize("kind", ["accept_then_reset", "accept_then_hang"])
async def test_a_call_whose_answer_is_lost_in_a_reset(simulator: Simulator, kind: str) -> None:
    await simulator.fault({"on": "create", "kind": kind, "count": 1, "seconds": 0.05})
    assert await raw_post(simulator) == (b"", RESET)
    row = await only_row(simulator)
    assert (row["answer"], row["http_status"]) == (kind, None)
    assert row["call_id"] is not None
    assert await calls_of(simulator) == 1


async def test_a_hanging_answer_sends_nothing_while_it_hangs(simulator: Simulator) -> None:
    await simulator.fault({"on": "create", "kind": "accept_then_hang", "seconds": 600})
    assert await raw_post(simulator, patience_seconds=1.0) == (b"", "open")
    assert (await only_row(simulator))["call_id"] is not None


async def test_a_hanging_answer_does_not_keep_the_process_from_ending(simulator: Simulator) -> None:
    await simulator.fault({"on": "create", "kind": "accept_then_hang", "seconds": 600})
    hanging = asyncio.create_task(raw_post(simulator))

    async def accepted() -> bool:
        return await calls_of(simulator) == 1

    await eventually(accepted, "the call is accepted")
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)


SPOILT = [
    ("accept_then_500", 500, b"Internal server error"),
    ("accept_then_400", 400, b"Unable to queue call"),
    ("accept_then_html", 200, b"<html>"),
    ("accept_no_id", 200, b"Call successfully queued."),
]


@pytest.mark.parametrize(("kind", "status", "phrase"), SPOILT)
async def test_an_accepted_call_with_a_misleading_answer(
    simulator: Simulator, kind: str, status: int, phrase: bytes
) -> None:
    await simulator.fault({"on": "create", "kind": kind, "count": 1})
    got, end = await raw_post(simulator)
    assert end == CLOSED
    assert got.startswith(f"HTTP/1.1 {status} ".encode())
    assert phrase in got
    assert b"call_id" not in got
    row = await only_row(simulator)
    assert (row["answer"], row["http_status"]) == (kind, status)
    assert row["call_id"] is not None
    assert await calls_of(simulator) == 1


async def test_a_dripping_answer_comes_in_pieces_and_not_whole(simulator: Simulator) -> None:
    await simulator.fault({"on": "create", "kind": "accept_then_drip", "count": 1, "seconds": 600})
    got, end = await raw_post(simulator, patience_seconds=1.0)
    assert end == "open"
    assert got.startswith(b"HTTP/1.1 200 ")
    head, _, body = got.partition(b"\r\n\r\n")
    assert b"Content-Length" in head
    assert 0 < len(body) < 20
    assert (await only_row(simulator))["call_id"] is not None


async def test_a_dripping_answer_is_right_in_the_end(simulator: Simulator) -> None:
    await simulator.fault({"on": "create", "kind": "accept_then_drip", "count": 1, "seconds": 0.1})
    got, end = await raw_post(simulator)
    assert end == CLOSED
    assert json.loads(got.partition(b"\r\n\r\n")[2])["call_id"] == (await only_row(simulator))["call_id"]


async def test_a_redirect_leads_to_the_same_place_and_does_nothing(simulator: Simulator) -> None:
    await simulator.fault({"on": "create", "kind": "redirect_307", "count": 1})
    got, _ = await raw_post(simulator)
    assert got.startswith(b"HTTP/1.1 307 ")
    assert b"Location: /v1/calls\r\n" in got
    assert await calls_of(simulator) == 0


async def test_a_client_that_follows_the_redirect_has_posted_twice(simulator: Simulator) -> None:
    await simulator.fault({"on": "create", "kind": "redirect_307", "count": 1})
    await simulator.place(metadata={"attempt_id": "a1"})
    assert (await simulator.done("GET", "/simulator/scoreboard"))["second_posts"] == 1


async def test_any_status_and_body_can_be_told(simulator: Simulator) -> None:
    told = {"status": 503, "body": "upstream", "headers": {"Retry-After": "9"}}
    await simulator.fault({"on": "create", "kind": "refuse", "count": 1, **told})
    got, _ = await raw_post(simulator)
    assert got.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 9" in got
    assert got.endswith(b"upstream")
    row = await only_row(simulator)
    assert (row["answer"], row["refusal"], row["call_id"]) == ("refuse:503", "told 503", None)


async def test_headers_can_be_added_to_a_named_refusal(simulator: Simulator) -> None:
    await simulator.fault({"on": "create", "kind": "error_429_rate", "headers": {"Retry-After": "9"}})
    got, _ = await raw_post(simulator)
    assert got.startswith(b"HTTP/1.1 429 ")
    assert b"Retry-After: 9" in got
    assert b"Rate limit exceeded" in got


async def test_latency_only_delays(simulator: Simulator) -> None:
    await simulator.fault({"on": "create", "kind": "latency", "count": 1, "seconds": 600})
    assert await raw_post(simulator, patience_seconds=0.5) == (b"", "open")
    row = await only_row(simulator)
    assert (row["answer"], row["call_id"]) == ("unanswered", None)


@pytest.mark.parametrize(
    ("place", "method", "path"),
    [
        ("list", "GET", "/v1/calls"),
        ("active", "GET", "/v1/calls/active"),
        ("details", "GET", "/v1/calls/{id}"),
        ("stop", "POST", "/v1/calls/{id}/stop"),
        ("me", "GET", "/v1/me"),
    ],
)
async def test_every_other_route_can_fail_too(simulator: Simulator, place: str, method: str, path: str) -> None:
    call_id = await simulator.place()
    await simulator.fault({"on": place, "kind": "error_402", "count": 1}, {"on": place, "kind": "refuse", "count": 1})
    path = path.format(id=call_id)
    assert (await simulator.ask(method, path))[0] == 402
    assert (await simulator.ask(method, path))[0] == 500
    assert (await simulator.ask(method, path))[0] == 200


async def test_a_stop_whose_answer_is_lost_has_stopped_the_call(simulator: Simulator) -> None:
    call_id = await simulator.place()
    await simulator.fault({"on": "stop", "kind": "accept_then_500", "count": 1})
    assert (await simulator.ask("POST", f"/v1/calls/{call_id}/stop"))[0] == 500
    assert (await simulator.done("GET", "/v1/calls/active"))["data"] == []


async def test_the_list_can_come_as_a_bare_array(simulator: Simulator) -> None:
    call_id = await simulator.place()
    await simulator.fault({"on": "list", "kind": "bare_array", "count": 1})
    (item,) = await simulator.done("GET", "/v1/calls")
    assert item["call_id"] == call_id


async def test_rules_strike_in_order_by_number_and_as_often_as_told(simulator: Simulator) -> None:
    await simulator.fault(
        {"on": "create", "kind": "error_403", "phone_number": "+15615550111"},
        {"on": "create", "kind": "accept_then_500", "count": 1},
        {"on": "create", "kind": "error_404", "count": 2},
    )
    statuses = [(await simulator.post(f"+156155501{n:02}"))[0] for n in (1, 2, 3, 4, 11, 11)]
    assert statuses == [500, 404, 404, 200, 403, 403]


async def test_a_spoilt_answer_is_not_used_up_by_a_refusal(simulator: Simulator) -> None:
    await simulator.fault({"on": "create", "kind": "accept_no_id", "count": 1})
    assert (await simulator.post(page=1))[0] == 400
    assert "call_id" not in (await simulator.post())[1]
    assert await simulator.done("GET", "/simulator/faults") == []


async def test_a_probability_is_drawn_from_the_seed(simulator: Simulator) -> None:
    await simulator.fault({"on": "me", "kind": "error_401", "probability": 0.5})
    statuses = [(await simulator.ask("GET", "/v1/me"))[0] for _ in range(60)]
    assert set(statuses) == {200, 401}


async def test_faults_are_cleared(simulator: Simulator) -> None:
    await simulator.fault({"on": "create", "kind": "error_401"})
    await simulator.done("DELETE", "/simulator/faults")
    assert (await simulator.post())[0] == 200


@pytest.mark.parametrize(
    "rule",
    [
        {"on": "create", "kind": "never"},
        {"on": "webhook", "kind": "accept_then_500"},
        {"on": "details", "kind": "accept_no_id"},
        {"on": "create", "kind": "bare_array"},
        {"on": "create", "kind": "error_599"},
        {"on": "create", "kind": "error_401", "count": 0},
        {"on": "moon", "kind": "refuse"},
        {"on": "create", "kind": "refuse", "often": True},
        {"on": "create", "kind": "refuse", "phone_number": "nobody"},
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused(simulator: Simulator, rule: dict[str, Any]) -> None:
    status, answer = await simulator.ask("POST", "/simulator/faults", rule)
    assert status == 400
    assert answer["error"]
    assert await simulator.done("GET", "/simulator/faults") == []
