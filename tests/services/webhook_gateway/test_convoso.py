"""`POST /webhooks/convoso`: from a known caller everything is handed on, byte for byte, and never refused."""

import base64
from urllib.parse import urlencode

import pytest

from leadline.contracts.events import EventDisposition
from leadline.runtime.http.problems import HttpProblem
from tests.services.webhook_gateway.conftest import KEY, OTHER_KEY, SECRET, Answer, Gateway, signature

PATH = "/webhooks/convoso"
FORM = urlencode({"lead_id": "410233", "phone_number": "5615550123", "status": "SALE"}).encode()
JSON = b'{"lead_id": 410233, "phone_number": "5615550123", "status": "DNC"}'
MEDIA_TYPES = {FORM: "application/x-www-form-urlencoded", JSON: "application/json"}


async def post(gateway: Gateway, raw: bytes, **headers: str) -> Answer:
    sent = {"X-Api-Key": KEY, "Content-Type": MEDIA_TYPES.get(raw, "text/plain")} | headers
    return await gateway.post(PATH, data=raw, headers=sent)


@pytest.mark.parametrize("raw", [FORM, JSON], ids=["form", "json"])
async def test_a_status_is_handed_on_byte_for_byte(gateway: Gateway, raw: bytes) -> None:
    answer = await post(gateway, raw)
    assert (answer.status, answer.body) == (200, {"success": True})
    assert (gateway.queue.events, gateway.queue.sources) == ([raw], ["convoso"])


@pytest.mark.parametrize("raw", [b"", b"\x00\xff\xfe", b"[" * 60_000, b"status=SALE&status=", b'{"status":', b"<a/>"])
async def test_nonsense_is_stored_and_answered_alike(gateway: Gateway, raw: bytes) -> None:
    gateway.queue.disposition = EventDisposition.QUARANTINED
    answer = await post(gateway, raw)
    assert (answer.status, answer.body) == (200, {"success": True})
    assert gateway.queue.events == [raw]


@pytest.mark.parametrize("words", [f"convoso:{OTHER_KEY}", f"{KEY}:", f":{KEY}"])
async def test_basic_is_a_way_to_show_the_key(gateway: Gateway, words: str) -> None:
    headers = {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}", "X-Api-Key": ""}
    assert (await post(gateway, JSON, **headers)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Api-Key": ""},
        {"X-Api-Key": "wrong"},
        {"X-Api-Key": "", "Authorization": f"Bearer {KEY}"},
        {"X-Api-Key": "", "Authorization": "Basic %%%"},
        {"X-Api-Key": "", "X-Webhook-Signature": signature(JSON, SECRET)},
    ],
)
async def test_without_a_key_nothing_is_taken(gateway: Gateway, headers: dict[str, str]) -> None:
    answer = await post(gateway, JSON, **headers)
    assert (answer.status, answer.body["code"]) == (401, "unauthorized")
    assert gateway.queue.requests == 0


async def test_a_key_in_the_address_is_no_key(gateway: Gateway) -> None:
    answer = await gateway.post(f"{PATH}?api_key={KEY}", data=JSON)
    assert answer.status == 401


async def test_size(gateway: Gateway) -> None:
    most = 64 * 1024
    assert (await post(gateway, b"x" * most)).status == 200
    answer = await post(gateway, b"x" * (most + 1))
    assert (answer.status, answer.body["code"]) == (413, "body_too_large")
    assert len(gateway.queue.events) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 413, 422, 500, 503])
async def test_what_is_not_stored_is_asked_for_again(gateway: Gateway, status: int) -> None:
    gateway.queue.always = HttpProblem(status, "no", "No.")
    answer = await post(gateway, JSON)
    assert (answer.status, answer.body["code"]) == (503, "not_stored")
    assert "Retry-After" in answer.headers


async def test_a_short_outage_is_bridged(gateway: Gateway) -> None:
    gateway.queue.problems = [HttpProblem(503, "later", "Later.")] * 2
    assert (await post(gateway, FORM)).status == 200
    assert gateway.queue.events == [FORM]


async def test_get_is_no_way_to_post(gateway: Gateway) -> None:
    async with gateway.session.get(gateway.url + PATH, headers={"X-Api-Key": KEY}) as response:
        assert response.status == 405
