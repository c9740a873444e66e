"""`POST /webhooks/bland-callback`: only what is signed, byte for byte, and never refused once it is signed."""

import asyncio
from pathlib import Path

import pytest

from leadline.contracts.events import EventDisposition
from leadline.runtime.http.problems import HttpProblem
from tests.services.webhook_gateway.conftest import (
    EVENTS_PATH,
    KEY,
    LEAD,
    LEADS_PATH,
    OLD_SECRET,
    SECRET,
    Gateway,
    signature,
)

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "bland"


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
async def test_every_sample_is_handed_on_byte_for_byte(gateway: Gateway, path: Path) -> None:
    answer = await gateway.post_event(path.read_bytes())
    assert (answer.status, answer.body["success"], answer.body["disposition"]) == (200, True, "applied")
    assert gateway.queue.events == [path.read_bytes()]
    assert gateway.queue.sources == ["bland"]


@pytest.mark.parametrize(
    "raw", [b"", b"\x00\xff\xfe", b"[" * 100_000, b'{"a":NaN}', b"\xef\xbb\xbf{}", b"x" * (1 << 20)]
)
async def test_poison_is_stored_if_it_is_signed(gateway: Gateway, raw: bytes) -> None:
    gateway.queue.disposition = EventDisposition.QUARANTINED
    answer = await gateway.post_event(raw)
    assert (answer.status, answer.body["disposition"]) == (200, "quarantined")
    assert gateway.queue.events == [raw]


async def test_the_secret_before_still_signs(gateway: Gateway) -> None:
    assert (await gateway.post_event(b"{}", OLD_SECRET)).status == 200
    headers = {"X-Webhook-Signature": f" {signature(b'{}').upper()} "}
    assert (await gateway.post(EVENTS_PATH, data=b"{}", headers=headers)).status == 200


BODY = b'{"call_id":"x"}'


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Webhook-Signature": ""},
        {"X-Webhook-Signature": "ü"},
        {"X-Webhook-Signature": signature(BODY, b"another secret")},
        {"X-Webhook-Signature": signature(BODY + b" ")},
        {"X-Webhook-Signature": signature(BODY)[:-1]},
        {"X-Webhook-Signature": signature(BODY) + "00"},
        {"X-Webhook-Signature": SECRET.decode()},
        {"X-Bland-Signature": signature(BODY)},
        {"X-Api-Key": KEY},
    ],
)
async def test_unsigned(gateway: Gateway, headers: dict[str, str]) -> None:
    answer = await gateway.post(EVENTS_PATH, data=BODY, headers=headers)
    assert (answer.status, answer.body["code"]) == (401, "bad_signature")
    assert gateway.queue.requests == 0


async def test_size(gateway: Gateway) -> None:
    most = 8 * 1024 * 1024
    assert (await gateway.post_event(b"x" * most)).status == 200
    assert (await gateway.post_event(b"x" * (most + 1))).status == 413
    assert len(gateway.queue.events) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422, 500, 503])
async def test_a_signed_event_is_never_refused(gateway: Gateway, status: int) -> None:
    gateway.queue.always = HttpProblem(status, "no", "No.")
    answer = await gateway.post_event(BODY)
    assert (answer.status, answer.body["code"]) == (503, "not_stored")
    assert "Retry-After" in answer.headers


async def test_a_short_outage_is_bridged(gateway: Gateway) -> None:
    gateway.queue.problems = [HttpProblem(503, "later", "Later.")] * 2
    assert (await gateway.post_event(BODY)).status == 200
    assert gateway.queue.events == [BODY]


async def test_slow_senders_hold_up_nobody(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 25: sockets that send a head and then nothing."""
    monkeypatch.setattr("services.webhook_gateway.handlers.LEAD_READ_SECONDS", 1.0)
    head = f"POST {LEADS_PATH} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {KEY}\r\nContent-Length: 100\r\n\r\n".encode()
    connections = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(300)]
    try:
        for number, (_, writer) in enumerate(connections):
            writer.write(head if number % 2 else head[:40])
        assert (await gateway.post_event(BODY)).status == 200
        answer = await asyncio.wait_for(connections[1][0].readuntil(b"\r\n"), 30)
        assert answer.startswith(b"HTTP/1.1 408")
    finally:
        for _, writer in connections:
            writer.close()


async def test_many_at_once(gateway: Gateway) -> None:
    leads = [gateway.post_lead({**LEAD, "lead_id": str(n)}) for n in range(100)]
    events = [gateway.post_event(b'{"n":%d}' % n) for n in range(100)]
    answers = await asyncio.gather(*leads, *events)
    assert [answer.status for answer in answers] == [202] * 100 + [200] * 100
    assert len(gateway.queue.leads) == len(gateway.queue.events) == 100
