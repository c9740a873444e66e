"""`POST /v1/calls`: what is accepted, what is refused, and in which words."""

import json
from typing import Any

import pytest

from leadline.contracts.leases import RejectionClass
from leadline.telephony.bland_answers import classify_answer
from leadline.telephony.port import Doubt, Rejected
from services.simulator.bland.answers import NAMED_REFUSALS
from tests.services.simulator.support import KEY, NUMBER, Servers, Simulator

ACCEPTED: list[dict[str, Any]] = [
    {},
    {"phone_number": "5615550123"},
    {"phone_number": "(561) 555-0123"},
    {"phone_number": "15615550123"},
    {"from": "+15615550900"},
    {"from": "5615550900"},
    {"max_duration": 30},
    {"max_duration": 0.5},
    {"voicemail": {"action": "hangup"}},
    {"voicemail": {"action": "leave_message", "message": "Hello.", "sensitive": True}},
    {"voicemail": {"message": "Hello.", "sms": {"to": "+15615550123", "from": "+15615550900", "message": "Hello."}}},
    {"metadata": {"attempt_id": "a", "campaign": "awhealth"}},
    {"request_data": {"first_name": "Ann"}},
    {"dispositions": ["SALE", "NOT_INTERESTED"]},
    {"webhook": "https://example.test/hook"},
    {"webhook": "http://127.0.0.1:8080/webhooks/bland-callback"},
    {"webhook": "http://localhost/hook"},
    {"webhook": "http://[::1]:8080/hook"},
    {"webhook": "http://leadline-gateway:8080/webhooks/bland-callback"},
    {"webhook_events": ["call", "citations"]},
    {"start_time": "2026-01-05 10:00:00 -05:00"},
    {"timezone": "America/New_York", "language": "en", "model": "base", "temperature": 0.7},
    {"record": False, "wait_for_greeting": True, "block_interruptions": True, "interruption_threshold": 500},
    {"first_sentence": "", "voice": "maya", "keywords": ["plan"], "background_track": None},
    {"retry": {"wait": 60, "voicemail_action": "hangup"}},
    {"precall_dtmf_sequence": "1w2#", "pathway_version": "production", "citation_schema_ids": ["s1"]},
    {"dialing_strategy": {"type": "local"}, "transfer_phone_number": "+15615550901", "wait": False},
]


@pytest.mark.parametrize("fields", ACCEPTED, ids=lambda fields: ",".join(fields) or "least")
async def test_a_request_as_documented_is_accepted(simulator: Simulator, fields: dict[str, Any]) -> None:
    status, answer = await simulator.post(**fields)
    assert status == 200, answer
    assert answer == {
        "status": "success",
        "message": "Call successfully queued.",
        "call_id": answer["call_id"],
        "batch_id": None,
    }


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"page": 1}, "Additional properties are not allowed ('page' was unexpected)"),
    ({"attempt_id": "a"}, "Additional properties are not allowed ('attempt_id' was unexpected)"),
    ({"phone_number": None}, "phone_number: must be a string"),
    ({"task": None}, "task: must be a string"),
    ({"task": ""}, "task: must have 1 to"),
    ({"pathway_id": "p1"}, "task: must not be sent together with pathway_id"),
    ({"webhook": "http://example.test/hook"}, "webhook: must be a valid https URI"),
    ({"webhook": "ftp://127.0.0.1/hook"}, "webhook: must be a valid https URI"),
    ({"webhook": "https://"}, "webhook: must be a valid https URI"),
    ({"webhook": "https://[broken"}, "webhook: must be a valid https URI"),
    ({"webhook": 7}, "webhook: must be a valid https URI"),
    ({"max_duration": "30"}, "max_duration: must be a number"),
    ({"max_duration": True}, "max_duration: must be a number"),
    ({"max_duration": 0}, "max_duration: must be above 0"),
    ({"max_duration": 721}, "max_duration: must be above 0 and at most 720"),
    ({"metadata": []}, "metadata: must be an object"),
    ({"metadata": "a"}, "metadata: must be an object"),
    ({"request_data": 7}, "request_data: must be an object"),
    ({"voicemail": "hangup"}, "voicemail: must be an object"),
    ({"voicemail": {"action": "shout"}}, "voicemail: action: must be one of"),
    ({"voicemail": {"text": "Hello."}}, "voicemail: Additional properties are not allowed ('text' was unexpected)"),
    ({"voicemail": {"action": "leave_message"}}, "voicemail: message is required to leave a message"),
    ({"voicemail_action": "shout"}, "voicemail_action: must be one of"),
    ({"from": "561"}, "from: must be a 10-digit or 12-digit phone number"),
    ({"dispositions": "SALE"}, "dispositions: must be an array"),
    ({"dispositions": [7]}, "dispositions: item must be a string"),
    ({"keywords": ["k"] * 21}, "keywords: must have at most 20 items"),
    ({"summary_prompt": "s" * 2001}, "summary_prompt: must have 1 to 2000 characters"),
    ({"start_time": "tomorrow"}, "start_time: must look like YYYY-MM-DD HH:MM:SS -HH:MM"),
    ({"timezone": "Mars/Olympus"}, "timezone: must be an IANA time zone"),
    ({"temperature": 2}, "temperature: must be at least 0 and at most 1"),
    ({"record": "yes"}, "record: must be a boolean"),
    ({"retry": {"times": 3}}, "retry: Additional properties are not allowed ('times' was unexpected)"),
    ({"webhook_events": ["rain"]}, "webhook_events: item must be one of"),
    ({"precall_dtmf_sequence": "abc"}, "precall_dtmf_sequence: must consist of"),
]


@pytest.mark.parametrize(("fields", "complaint"), REFUSED, ids=lambda value: str(value)[:40])
async def test_a_request_that_does_not_fit_is_refused_with_the_cause(
    simulator: Simulator, fields: dict[str, Any], complaint: str
) -> None:
    status, answer = await simulator.post(**fields)
    assert status == 400
    assert answer["status"] == "error"
    assert answer["message"] == "Invalid parameters"
    assert any(error.startswith(complaint) for error in answer["errors"]), answer["errors"]
    (row,) = await simulator.rows()
    assert (row["http_status"], row["refusal"], row["call_id"]) == (400, "Invalid parameters", None)


@pytest.mark.parametrize("missing", ["phone_number", "task"])
async def test_a_required_field_is_required(simulator: Simulator, missing: str) -> None:
    body = {"phone_number": NUMBER, "task": "Say hello."}
    del body[missing]
    status, answer = await simulator.ask("POST", "/v1/calls", body)
    assert status == 400
    assert any(error.startswith(f"{missing}: is required") for error in answer["errors"])


@pytest.mark.parametrize("raw", [b"", b"no json", b"[]", b'"text"', b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(simulator: Simulator, raw: bytes) -> None:
    headers = {"Authorization": KEY}
    async with simulator.session.post(f"{simulator.base}/v1/calls", data=raw, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["errors"] == ["the body must be a JSON object"]
    assert len(await simulator.rows()) == 1


@pytest.mark.parametrize("number", ["12345", "+1561555012", "+10615550123", "hello", "+1561555012345"])
async def test_a_number_that_is_none_is_refused_as_such(simulator: Simulator, number: str) -> None:
    status, answer = await simulator.post(number)
    assert (status, answer["status"]) == (400, "error")
    assert answer["message"].startswith(f"Invalid phone number {number}")


async def test_another_country_is_a_blocked_destination(simulator: Simulator) -> None:
    status, answer = await simulator.post("+442079460000")
    assert status == 429
    assert answer["errors"][0]["error"] == "CALL_PLAN_DESTINATION_BLOCKED"


async def test_a_pathway_must_exist_if_pathways_are_named(servers: Servers) -> None:
    simulator = await servers.simulator(pathway_ids="p1, p2")
    body = {"phone_number": NUMBER, "pathway_id": "p3"}
    assert (await simulator.ask("POST", "/v1/calls", body))[0] == 404
    assert (await simulator.ask("POST", "/v1/calls", body | {"pathway_id": "p2"}))[0] == 200


async def test_an_empty_account_is_refused_payment_required(servers: Servers) -> None:
    simulator = await servers.simulator(balance_dollars=0)
    status, answer = await simulator.post()
    assert (status, answer["message"]) == (402, "Insufficient balance.")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": KEY}, 200),
        ({"Authorization": f"Bearer {KEY}"}, 200),
        ({"Authorization": f"bearer {KEY}"}, 200),
        ({"Authorization": "another"}, 401),
        ({"Authorization": "Bearer another"}, 401),
        ({"Authorization": ""}, 401),
        ({"x-api-key": KEY}, 401),
    ],
)
async def test_the_key_stands_bare_or_after_bearer(simulator: Simulator, headers: dict[str, str], status: int) -> None:
    body = {"phone_number": NUMBER, "task": "Say hello.", "metadata": {"attempt_id": "a1"}}
    async with simulator.session.post(f"{simulator.base}/v1/calls", json=body, headers=headers) as response:
        assert response.status == status
        answer = await response.json()
    if status == 401:
        assert answer == {"data": None, "errors": [{"error": "AUTH_FAILURE", "message": "Unauthorized"}]}
    assert (await simulator.rows())[0]["attempt_id"] == "a1"


@pytest.mark.parametrize("path", ["/v1/calls", "/v1/calls/active", "/v1/calls/x", "/v1/me"])
async def test_every_route_of_the_provider_wants_the_key(simulator: Simulator, path: str) -> None:
    async with simulator.session.get(simulator.base + path) as response:
        assert response.status == 401


async def test_without_a_set_key_any_key_will_do_but_there_must_be_one(servers: Servers) -> None:
    simulator = await servers.simulator(api_key=None)
    assert (await simulator.ask("GET", "/v1/me", headers={"Authorization": "anything"}))[0] == 200
    assert (await simulator.ask("GET", "/v1/me", headers={"Authorization": ""}))[0] == 401


CLASSES: dict[str, tuple[int, str, RejectionClass | None]] = {
    "error_400_invalid_parameters": (400, "Invalid parameters", RejectionClass.CAMPAIGN),
    "error_400_dnc": (400, "DNC Error", RejectionClass.DNC),
    "error_400_invalid_number": (400, "Invalid phone number", RejectionClass.BAD_NUMBER),
    "error_400_unable_to_queue": (400, "Unable to queue call", None),
    "error_401": (401, "AUTH_FAILURE", RejectionClass.ACCOUNT),
    "error_402": (402, "No billing record found.", RejectionClass.ACCOUNT),
    "error_402_balance": (402, "Insufficient balance.", RejectionClass.ACCOUNT),
    "error_403": (403, "flagged", RejectionClass.ACCOUNT),
    "error_404": (404, "Pathway not found", RejectionClass.CAMPAIGN),
    "error_418": (418, "OBJECTIVE_VALIDATION_ERROR", RejectionClass.CAMPAIGN),
    "error_429_ten_seconds": (429, "every 10 seconds to the same number", None),
    "error_429_rate": (429, "Rate limit exceeded", RejectionClass.CAPACITY),
    "error_429_blacklisted": (429, "This number is blacklisted.", RejectionClass.BAD_NUMBER),
    "error_429_new_account": (429, "Newly created accounts", RejectionClass.CAPACITY),
    "error_429_concurrency": (429, "CALL_RL_PLAN_CONCURRENCY", RejectionClass.CAPACITY),
    "error_429_hourly": (429, "CALL_RL_PLAN_HOURLY", RejectionClass.CAPACITY),
    "error_429_daily": (429, "CALL_RL_PLAN_DAILY", RejectionClass.CAPACITY),
    "error_429_daily_minutes": (429, "CALL_RL_PLAN_DAILY_MINUTES", RejectionClass.CAPACITY),
    "error_429_destination_blocked": (429, "CALL_PLAN_DESTINATION_BLOCKED", RejectionClass.BAD_NUMBER),
    "error_429_unpaid_international": (429, "CALL_UNPAID_INTL_BLOCK", RejectionClass.BAD_NUMBER),
    "error_500_not_created": (500, "Internal server error", None),
}


def test_every_named_refusal_is_in_the_table() -> None:
    assert set(CLASSES) == set(NAMED_REFUSALS)


@pytest.mark.parametrize("name", CLASSES)
async def test_a_named_refusal_has_the_providers_words_and_the_class_of_the_design(
    simulator: Simulator, name: str
) -> None:
    expected_status, phrase, rejection = CLASSES[name]
    await simulator.fault({"on": "create", "kind": name, "count": 1})
    status, answer = await simulator.post()
    assert status == expected_status
    assert phrase in json.dumps(answer)
    assert set(answer) in ({"status", "message"}, {"status", "message", "errors"}, {"data", "errors"})
    judged = classify_answer(status, {}, json.dumps(answer).encode())
    if rejection is None:
        assert isinstance(judged, Doubt)
    else:
        assert isinstance(judged, Rejected)
        assert judged.rejection is rejection
    (row,) = await simulator.rows()
    assert (row["http_status"], row["call_id"]) == (expected_status, None)
    assert row["refusal"]
    assert (await simulator.post())[0] == 200


async def test_retry_after_is_sent_with_429_if_set(servers: Servers) -> None:
    simulator = await servers.simulator(retry_after_seconds=7)
    await simulator.place()
    body = {"phone_number": NUMBER, "task": "Say hello."}
    headers = {"Authorization": KEY}
    async with simulator.session.post(f"{simulator.base}/v1/calls", json=body, headers=headers) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "7")
