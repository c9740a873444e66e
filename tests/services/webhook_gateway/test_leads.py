"""`POST /webhooks/{campaign}-outbound`: who may post, what is a lead, what is answered."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from leadline.contracts.leads import LeadAnswerStatus
from leadline.runtime.http.problems import HttpProblem
from tests.services.webhook_gateway.conftest import KEY, LEAD, LEADS_PATH, OTHER_KEY, Gateway

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "leads"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def test_a_lead_is_handed_on(gateway: Gateway) -> None:
    answer = await gateway.post_lead({**LEAD, "first_name": "Maria", "utm_source": "spring"})
    assert answer.status == 202
    assert answer.body.keys() == {"success", "request_id", "lead_id", "status"}
    assert (answer.body["success"], answer.body["lead_id"], answer.body["status"]) == (True, "410233", "queued")
    (lead,) = gateway.queue.leads
    assert (lead.campaign, lead.phone_number, lead.lead_id, lead.list_id) == (
        "awhealth",
        "5615550123",
        "410233",
        "1029",
    )
    assert (lead.fields, lead.attributes) == ({"first_name": "Maria"}, {"utm_source": "spring"})
    assert gateway.queue.tokens == {"Bearer gateway-token"}
    assert gateway.queue.keys == [None]


@pytest.mark.parametrize("status", LeadAnswerStatus)
async def test_a_business_refusal_is_a_success(gateway: Gateway, status: LeadAnswerStatus) -> None:
    gateway.queue.status = status
    answer = await gateway.post_lead()
    assert (answer.status, answer.body["success"], answer.body["status"]) == (202, True, status)


SAMPLE_LEADS = {
    "lead.json": ("5615550123", {"first_name", "last_name", "state", "status", "postal_code"}, set()),
    "lead-all-strings-and-blanks.json": ("(561) 555-0123", {"state", "age"}, {"utm_source"}),
    "lead.form": ("+1 561-555-0123", {"first_name", "last_name", "state"}, set()),
    "bad-phone.json": ("12345", set(), set()),
}


@pytest.mark.parametrize("name", SAMPLE_LEADS)
async def test_samples(gateway: Gateway, name: str) -> None:
    phone, fields, attributes = SAMPLE_LEADS[name]
    headers = FORM if name.endswith("form") else {"Content-Type": "application/json"}
    answer = await gateway.post_lead(data=(SAMPLES / name).read_bytes().strip(), headers=headers)
    assert answer.status == 202
    (lead,) = gateway.queue.leads
    assert (lead.phone_number, set(lead.fields), set(lead.attributes)) == (phone, fields, attributes)


async def test_sample_without_a_phone_number(gateway: Gateway) -> None:
    raw = (SAMPLES / "bad-no-phone.json").read_bytes()
    answer = await gateway.post_lead(data=raw, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.body["errors"]) == (400, ["phone_number: field required"])
    assert gateway.queue.requests == 0


async def test_values_of_any_type(gateway: Gateway) -> None:
    lead = {
        "phone_number": 5615550123.0,
        "lead_id": 410233,
        "list_id": True,
        "first_name": None,
        "last_name": "  ",
        "age": 61,
        "city": {"name": "Miami"},
        "consent": False,
        "score": 0.5,
        "nested": {"a": [1, None, "é\ud800\x00"]},
        "nothing": None,
        "nul\x00key": "a\x00b\ud83d",
    }
    assert (await gateway.post_lead(data=json.dumps(lead), headers={"Content-Type": "application/json"})).status == 202
    (stored,) = gateway.queue.leads
    assert (stored.phone_number, stored.lead_id, stored.list_id) == ("5615550123", "410233", "true")
    assert stored.fields == {"age": "61"}
    assert stored.attributes == {
        "city": '{"name":"Miami"}',
        "consent": "false",
        "score": "0.5",
        "nested": '{"a":[1,null,"é?\\u0000"]}',
        "nulkey": "ab?",
    }


@pytest.mark.parametrize(
    ("body", "headers", "phone"),
    [
        ("phone_number=1&phone_number=5615550123&lead_id=1&list_id=2", FORM, "5615550123"),
        ("phone_number=+15615550123&lead_id=1&list_id=2&city=", FORM, "15615550123"),
        (
            b"phone_number=1&lead_id=1&list_id=2&first_name=Jos%E9",
            {"Content-Type": "application/x-www-form-urlencoded; charset=iso-8859-1"},
            "1",
        ),
        ('\ufeff{"phone_number":"1","lead_id":"1","list_id":"2"}', {"Content-Type": "application/json"}, "1"),
        ('{"phone_number":"1","lead_id":"1","list_id":"2"}', {"Content-Type": "text/plain"}, "1"),
        ("phone_number=1&lead_id=1&list_id=2", {"Content-Type": "text/plain"}, "1"),
        ('{"phone_number":"1","lead_id":"1","list_id":"2"}', {"Content-Type": "application/vnd.zap+json"}, "1"),
        ('{"phone_number":"2","phone_number":"1","lead_id":"1","list_id":"2"}', {}, "1"),
    ],
)
async def test_encodings(gateway: Gateway, body: Any, headers: dict[str, str], phone: str) -> None:
    assert (await gateway.post_lead(data=body, headers=headers)).status == 202
    (lead,) = gateway.queue.leads
    assert lead.phone_number == phone
    assert lead.fields.get("first_name", "José") == "José"


REQUIRED = '"phone_number":"1","lead_id":"1","list_id":"2"'
BAD_BODIES: dict[str, tuple[Any, dict[str, str]]] = {
    "nothing": (b"", {}),
    "no json": ("{", {"Content-Type": "application/json"}),
    "an array": ("[]", {"Content-Type": "application/json"}),
    "a text": ('"lead"', {"Content-Type": "application/json"}),
    "NaN": (f'{{{REQUIRED},"age":NaN}}', {"Content-Type": "application/json"}),
    "deep": ('{"a":' * 5000 + "1" + "}" * 5000, {"Content-Type": "application/json"}),
    "a huge number": (f'{{{REQUIRED},"age":{"9" * 5000}}}', {"Content-Type": "application/json"}),
    "no utf-8": (b'{"phone_number":"\xff"}', {"Content-Type": "application/json"}),
    "no such charset": (b"phone_number=1", {"Content-Type": "application/x-www-form-urlencoded; charset=klingon"}),
    "a charset that is none": (b"phone_number=1", {"Content-Type": "application/json; charset=hex"}),
    "a form of many fields": ("&".join(f"a{n}=1" for n in range(500)), FORM),
    "many attributes": (json.dumps({**LEAD, **{f"a{n}": "1" for n in range(201)}}), {}),
    "a long key": (json.dumps({**LEAD, "k" * 129: "1"}), {}),
    "a phone number that is nested": (json.dumps({**LEAD, "phone_number": ["5615550123"]}), {}),
    "a blank phone number": (json.dumps({**LEAD, "phone_number": "  "}), {}),
    "a phone number of null": (json.dumps({**LEAD, "phone_number": None}), {}),
    "a long phone number": (json.dumps({**LEAD, "phone_number": "1" * 65}), {}),
    "a long lead id": (json.dumps({**LEAD, "lead_id": "1" * 129}), {}),
    "a long name": (json.dumps({**LEAD, "first_name": "x" * 1001}), {}),
    "multipart": ("--x\r\n", {"Content-Type": "multipart/form-data; boundary=x"}),
}


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_bad_bodies_are_clear_problems(gateway: Gateway, name: str) -> None:
    body, headers = BAD_BODIES[name]
    answer = await gateway.post_lead(data=body, headers=headers)
    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.body["detail"]
    assert gateway.queue.requests == 0


async def test_size(gateway: Gateway) -> None:
    pad = "x" * (64 * 1024 - len(json.dumps({**LEAD, "note": ""})))
    assert (await gateway.post_lead({**LEAD, "note": pad})).status == 202
    assert (await gateway.post_lead({**LEAD, "note": pad + "x"})).status == 413

    async def unannounced() -> Any:
        for _ in range(70):
            yield b"x" * 1024

    assert (await gateway.post_lead(data=unannounced())).status == 413


def basic(words: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(words.encode()).decode()}


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Api-Key": KEY},
        {"X-Api-Key": OTHER_KEY},
        basic(f"{KEY}:"),
        basic(f":{KEY}"),
        basic(f"anyone:{KEY}"),
        basic(f"anyone:{OTHER_KEY}"),
        {"X-Api-Key": "wrong"} | basic(f"x:{KEY}"),
    ],
)
async def test_keys(gateway: Gateway, headers: dict[str, str]) -> None:
    assert (await gateway.post(LEADS_PATH, json=LEAD, headers=headers)).status == 202


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Api-Key": ""},
        {"X-Api-Key": "zapier"},
        {"X-Api-Key": KEY + " x"},
        {"X-Api-Key": "schlüssel"},
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic"},
        basic("zapier:wrong"),
        basic(":"),
    ],
)
async def test_without_a_key(gateway: Gateway, headers: dict[str, str]) -> None:
    answer = await gateway.post(LEADS_PATH, json=LEAD, headers=headers)
    assert (answer.status, answer.body["code"]) == (401, "unauthorized")
    assert "Basic" in answer.headers["WWW-Authenticate"]
    assert gateway.queue.requests == 0


async def test_a_key_in_the_address_is_none(gateway: Gateway) -> None:
    assert (await gateway.post(f"{LEADS_PATH}?api_key={KEY}", json=LEAD)).status == 401


async def test_the_campaign_is_in_the_path(gateway: Gateway) -> None:
    headers = {"X-Api-Key": KEY}
    assert (await gateway.post("/webhooks/solar-outbound-outbound", json=LEAD, headers=headers)).status == 202
    assert gateway.queue.leads[0].campaign == "solar-outbound"
    for path in ("/webhooks/-outbound", "/webhooks/%00-outbound", f"/webhooks/{'x' * 65}-outbound", "/webhooks/x"):
        assert (await gateway.post(path, json=LEAD, headers=headers)).status == 404


async def test_the_idempotency_key_is_handed_on_and_belongs_to_its_sender(gateway: Gateway) -> None:
    for key in (KEY, KEY, OTHER_KEY):
        headers = {"X-Api-Key": key, "Idempotency-Key": "run 7"}
        assert (await gateway.post(LEADS_PATH, json=LEAD, headers=headers)).status == 202
    first, second, third = gateway.queue.keys
    assert first == second != third
    for bad in ("", " ", "x" * 256):
        headers = {"X-Api-Key": KEY, "Idempotency-Key": bad}
        assert (await gateway.post(LEADS_PATH, json=LEAD, headers=headers)).status == 400


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "invalid_phone_number"), (404, "unknown_campaign"), (422, "idempotency_conflict")],
)
async def test_refusals_that_concern_the_sender_are_relayed(gateway: Gateway, status: int, code: str) -> None:
    gateway.queue.always = HttpProblem(status, code, "Say it otherwise.", errors=["phone_number: x"])
    answer = await gateway.post_lead()
    assert (answer.status, answer.body["code"], answer.body["errors"]) == (status, code, ["phone_number: x"])
    assert gateway.queue.requests == 1


async def test_a_short_outage_is_bridged(gateway: Gateway) -> None:
    gateway.queue.problems = [HttpProblem(503, "later", "Later.")] * 2
    headers = {"Idempotency-Key": "1"}
    assert (await gateway.post_lead(headers=headers)).status == 202
    assert len(gateway.queue.leads) == 1
    assert len(set(gateway.queue.keys)) == 1


@pytest.mark.parametrize("status", [401, 403, 500, 503])
async def test_what_is_not_stored_is_asked_for_again(gateway: Gateway, status: int) -> None:
    gateway.queue.always = HttpProblem(status, "internal_words", "Internal words.")
    answer = await gateway.post_lead()
    assert (answer.status, answer.body["code"]) == (503, "not_stored")
    assert int(answer.headers["Retry-After"]) > 0
    assert "nternal" not in json.dumps(answer.body)


async def test_a_queue_service_that_hangs(gateway: Gateway) -> None:
    gateway.queue.held = asyncio.Event()
    assert (await gateway.post_lead()).status == 503


async def test_other_methods(gateway: Gateway) -> None:
    async with gateway.session.get(gateway.url + LEADS_PATH) as response:
        assert response.status == 405
        assert response.headers["Content-Type"].startswith("application/problem+json")
