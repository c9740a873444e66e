"""What Bland's answers mean: the table of the design, by message and code before status, in both envelopes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from leadline.contracts.leases import RejectionClass
from leadline.domain.ids import CallId
from leadline.runtime.http.answers import retry_after_seconds
from leadline.telephony.bland_answers import answer_class, classify_answer
from leadline.telephony.port import Doubt, Placed, Rejected

BAD, DNC, ACCOUNT = RejectionClass.BAD_NUMBER, RejectionClass.DNC, RejectionClass.ACCOUNT
CAMPAIGN, CAPACITY = RejectionClass.CAMPAIGN, RejectionClass.CAPACITY

REJECTIONS: list[tuple[int, RejectionClass, str, str]] = [
    (400, DNC, "DNC Error", "Number found in DNC list. More attempts will result in being blocked."),
    (400, BAD, "error", "Invalid phone number +1561555"),
    (400, BAD, "error", "phone_number is invalid"),
    (400, CAMPAIGN, "error", "Invalid parameters"),
    (400, CAMPAIGN, "error", "Additional properties are not allowed"),
    (400, CAMPAIGN, "error", "Invalid from phone number"),
    (400, CAMPAIGN, "error", "transfer_phone_number is invalid: Invalid phone number"),
    (400, CAMPAIGN, "error", 'Invalid phone number in "from"'),
    (400, ACCOUNT, "error", "Insufficient balance."),
    (400, CAPACITY, "error", "Rate limit exceeded"),
    (401, ACCOUNT, "error", "Unauthorized"),
    (402, ACCOUNT, "error", "No billing record found."),
    (403, ACCOUNT, "error", "This account was flagged"),
    (404, CAMPAIGN, "error", "Pathway not found"),
    (418, CAMPAIGN, "OBJECTIVE_VALIDATION_ERROR", "Prompt rejected"),
    (422, CAMPAIGN, "error", "Invalid parameters"),
    (422, BAD, "error", "Invalid phone number"),
    (429, BAD, "error", "This number is blacklisted."),
    (429, BAD, "CALL_PLAN_DESTINATION_BLOCKED", "Destination blocked"),
    (429, DNC, "DNC Error", "Number found in DNC list"),
    (429, CAPACITY, "error", "Rate limit exceeded"),
    (429, CAPACITY, "CALL_RL_PLAN_CONCURRENCY", "Too many calls"),
    (429, CAPACITY, "CALL_RL_PLAN_DAILY_MINUTES", "Used up"),
    (429, CAPACITY, "error", "Newly created accounts are limited"),
    (429, CAPACITY, "error", ""),
]


def envelopes(code: str, message: str) -> list[dict[str, Any]]:
    return [
        {"status": code, "message": message},
        {"status": "error", "message": message, "errors": [code]},
        {"data": None, "errors": [{"error": code, "message": message}]},
    ]


@pytest.mark.parametrize(("status", "rejection", "code", "message"), REJECTIONS)
def test_rejections_in_every_envelope(status: int, rejection: RejectionClass, code: str, message: str) -> None:
    for envelope in envelopes(code, message):
        answer = classify_answer(status, {}, json.dumps(envelope).encode())
        assert isinstance(answer, Rejected), envelope
        assert (answer.rejection, answer.http_status) == (rejection, status)
        assert message in answer.message


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, {"status": "error", "message": "Unable to queue call"}, "unable_to_queue"),
        (400, {}, "http_400"),
        (429, {"message": "Calls can only be sent every 10 seconds to the same number"}, "same_number_rule"),
        (405, {"message": "Method not allowed"}, "http_405"),
        (408, {}, "http_408"),
        (409, {"message": "Conflict"}, "http_409"),
        (500, {"message": "This number is blacklisted."}, "http_500"),
        (503, {}, "http_503"),
        (301, {}, "redirect"),
        (100, {}, "http_100"),
        (200, {"status": "error", "message": "Invalid phone number"}, "no_call_id"),
        (200, {"call_id": ""}, "no_call_id"),
        (200, {"call_id": ["x"]}, "no_call_id"),
        (200, {"call_id": "x" * 129}, "no_call_id"),
        (204, {}, "no_call_id"),
    ],
)
def test_doubts(status: int, body: object, reason: str) -> None:
    assert classify_answer(status, {}, json.dumps(body).encode()) == Doubt(reason, status)


@pytest.mark.parametrize("body", [b"", b"<html>You have been blocked: blacklisted</html>", b"\xff\x00", b"[" * 100_000])
def test_a_page_of_a_proxy_is_no_word_of_bland(body: bytes) -> None:
    assert classify_answer(400, {}, body) == Doubt("http_400", 400)
    assert classify_answer(200, {}, body) == Doubt("no_call_id", 200)
    assert classify_answer(429, {}, body) == Rejected(CAPACITY, "HTTP 429", 429)


@pytest.mark.parametrize("body", [{"call_id": "c"}, {"data": {"call_id": "c"}, "errors": None}, {"call_id": " c "}])
def test_placed(body: object) -> None:
    assert classify_answer(200, {}, json.dumps(body).encode()) == Placed(CallId("c"))
    assert classify_answer(201, {}, json.dumps(body).encode()) == Placed(CallId("c"))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("999999999", 86400.0),
        ("soon", None),
        ("", None),
        ("Tue, 06 Jan 2026 12:00:30 GMT", 30.0),
        ("Tue, 06 Jan 2026 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after(header: str, seconds: float | None) -> None:
    headers = CIMultiDict({"retry-after": header, "date": "Tue, 06 Jan 2026 12:00:00 GMT"})
    assert retry_after_seconds(headers) == seconds


def test_retry_after_belongs_to_capacity_alone() -> None:
    headers = {"Retry-After": "5"}
    capacity = classify_answer(429, headers, b'{"message":"Rate limit exceeded"}')
    account = classify_answer(402, headers, b'{"message":"Insufficient balance."}')
    assert isinstance(capacity, Rejected)
    assert isinstance(account, Rejected)
    assert (capacity.retry_after_seconds, account.retry_after_seconds) == (5.0, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["status", "message", "errors", "error", "x"]), inner)
    ),
    max_leaves=8,
)


@given(st.integers(100, 999), JSON.map(lambda body: json.dumps(body).encode()) | st.binary(), st.text())
def test_total(status: int, body: bytes, header: str) -> None:
    answer = classify_answer(status, {"Retry-After": header, "Date": header}, body)
    if isinstance(answer, Placed):
        assert 200 <= status < 300
    if isinstance(answer, Rejected):
        assert 400 <= status < 500
        assert len(answer.message) <= 500
        answer.message.encode()


@pytest.mark.parametrize(
    ("status", "message", "said"),
    [
        (200, "", "ok"),
        (400, "Invalid parameters", "bad_request"),
        (400, "Number found in DNC list.", "dnc"),
        (422, "Insufficient balance.", "payment_required"),
        (400, "auth_failure", "unauthorized"),
        (400, "Your account was flagged", "forbidden"),
        (400, "Rate limit exceeded", "rate_limited"),
        (400, "Call not found", "not_found"),
        (403, "Number found in DNC list.", "forbidden"),
        (429, "", "rate_limited"),
        (500, "Number found in DNC list.", "server_error"),
        (302, "", "unreadable"),
    ],
)
def test_the_class_of_an_answer(status: int, message: str, said: str) -> None:
    for body in envelopes("error", message):
        assert answer_class(status, json.dumps(body).encode()) == said


@given(st.integers(100, 599), st.binary(max_size=64))
def test_every_answer_has_a_class(status: int, body: bytes) -> None:
    assert answer_class(status, body)
