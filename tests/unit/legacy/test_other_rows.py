"""Waiting leads, calls of a day, calls that may still ring, and lists of whom not to call."""

from typing import Any

import pytest

from leadline.domain.ids import PhoneNumber
from leadline.domain.outcome import Outcome
from leadline.legacy.facts import Quarantined
from leadline.legacy.lists import ListedLead, ListedNumber, read_bad_number, read_flag
from leadline.legacy.reading import read_row
from leadline.legacy.shapes import Shape
from leadline.legacy.values import Unreadable
from tests.unit.legacy.rows import CALLED_AT, CLOCK, NUMBER, epoch_ms, read

AT = epoch_ms(CALLED_AT)
PAYLOAD = {
    "phone_number": "5615550123",
    "lead_id": "410233",
    "list_id": "1029",
    "first_name": "Unknown",
    "last_name": "Lead",
    "state": "FL",
    "status": "NEW",
    "email": "maria@example.com",
    "age": 66,
    "nested": {"a": 1},
    "nothing": None,
}


def request(kind: str = "call", **more: Any) -> dict[str, Any]:
    return {"id": "r1", "timestamp": AT, "type": kind, "payload": {**PAYLOAD, **more}, "retryCount": 0}


def test_a_waiting_lead_is_due_since_it_came() -> None:
    row = read(Shape.REQUEST_QUEUE, request())
    assert (row.number, row.wish, row.due_at) == (NUMBER, ("pending", None), CALLED_AT)
    assert (row.lead_id, row.list_id) == ("410233", "1029")
    assert (row.first_name, row.last_name) == (None, None)
    assert row.attributes == {"email": "maria@example.com", "age": "66"}
    assert not row.times_approximate


def test_who_asked_for_a_callback_was_promised_one() -> None:
    row = read(Shape.REQUEST_QUEUE, request("callback"))
    assert (row.wish, row.scheduled_callback_at) == (("rescheduled", None), CALLED_AT)


def test_a_waiting_lead_without_a_list_waits_for_the_crm() -> None:
    assert read(Shape.REQUEST_QUEUE, request("callback", list_id=None)).wish == ("held", "crm_unknown")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({**request(), "type": "sms"}, "type"),
        ({**request(), "payload": "x"}, "payload"),
        ({**request(), "timestamp": None}, "timestamp"),
        (request(phone_number="12"), "phone_number"),
    ],
)
def test_requests_that_cannot_be_used_name_the_field(raw: Any, field: str) -> None:
    found = read_row(Shape.REQUEST_QUEUE, raw, "", CLOCK)
    assert isinstance(found, Quarantined)
    assert found.field == field


def daily(*calls: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"phone_number": NUMBER, "lead_ids": ["410233", 7], "calls": list(calls), "final_outcome": None, **more}


def call(call_id: str, status: str = "completed", **more: Any) -> dict[str, Any]:
    return {"call_id": call_id, "lead_id": "410233", "timestamp": AT, "status": status, "duration": 1.5, **more}


def test_a_days_calls_are_calls_of_the_number_and_ask_for_none() -> None:
    row = read(
        Shape.DAILY_CALLS,
        daily(
            call("c1", outcome="VOICEMAIL"),
            call("c2", "failed"),
            call("c3", answered_by="no-answer"),
            call("c4", "active"),
            call("RESERVED_x", "active"),
        ),
    )
    assert row.wish is None
    assert [(c.call_id, c.outcome) for c in row.calls] == [
        ("c1", Outcome.VOICEMAIL),
        ("c2", Outcome.FAILED),
        ("c3", Outcome.NO_ANSWER),
        ("c4", None),
    ]
    assert row.calls[0].at == CALLED_AT
    assert row.sender_lead_ids == ("410233", "7")


@pytest.mark.parametrize(
    ("more", "wish"),
    [
        ({"blocked": True, "blocked_reason": "Max daily calls reached"}, None),
        ({"blocked": False, "blocked_reason": "DNC"}, None),
        ({"blocked": True, "blocked_reason": "Customer on DNC list"}, ("completed", "dnc")),
        ({"blocked": True, "blocked_reason": "number not in service"}, ("completed", "bad_number")),
        ({"blocked": True, "blocked_reason": "manual"}, ("held", "legacy_unclear")),
        ({"blocked": True}, ("held", "legacy_unclear")),
        ({"final_outcome": "SALE"}, ("completed", "sale")),
        ({"final_outcome": "DO_NOT_CALL"}, ("completed", "dnc")),
    ],
)
def test_a_days_block_means_a_stop_or_nothing_or_that_somebody_must_look(more: Any, wish: Any) -> None:
    assert read(Shape.DAILY_CALLS, daily(**more)).wish == wish


def state(**more: Any) -> dict[str, Any]:
    who = {"lead_id": "410233", "list_id": "1029", "phone_number": NUMBER, "first_name": "Maria"}
    return {"call_id": "c9", **who, "created_at": AT, "status": "pending", "from_number": "+15615550900", **more}


def test_a_pending_call_may_still_ring() -> None:
    row = read(Shape.CALL_STATE, ["c9", state()])
    assert row.wish is None
    assert (row.lead_id, row.list_id, row.first_name) == ("410233", "1029", "Maria")
    assert [(c.call_id, c.at, c.outcome, c.from_number) for c in row.calls] == [("c9", CALLED_AT, None, "+15615550900")]


def test_the_cache_keeps_calls_for_a_while_after_their_end() -> None:
    (ended,) = read(Shape.CALL_STATE, ["c9", state(status="completed")]).calls
    (failed,) = read(Shape.CALL_STATE, ["c9", state(status="failed", error="x")]).calls
    assert (ended.outcome, failed.outcome) == (Outcome.UNKNOWN, Outcome.FAILED)


@pytest.mark.parametrize("raw", [None, [], ["c9"], ["c9", None], ["c9", {}], ["c9", state(created_at=0)], {"c9": {}}])
def test_states_that_cannot_be_used_are_quarantined(raw: Any) -> None:
    assert isinstance(read_row(Shape.CALL_STATE, raw, "", CLOCK), Quarantined)


def test_flags_of_the_blocklist_name_numbers_and_leads() -> None:
    assert read_flag({"field": "phone", "value": "4045550176", "reason": "STOP", "added_at": "2025"}) == ListedNumber(
        PhoneNumber("+14045550176"), "STOP", "2025"
    )
    assert read_flag({"field": "lead_id", "value": 410512}) == ListedLead("410512", "blocklist of the old system")


@pytest.mark.parametrize(
    ("flag", "field"),
    [
        ({"field": "email", "value": "x@example.com"}, "field"),
        ({"value": "4045550176"}, "field"),
        ({"field": "phone", "value": "404"}, "value"),
        ({"field": "phone"}, "value"),
        ({"field": "lead_id", "value": ""}, "value"),
        ("4045550176", "row"),
    ],
)
def test_flags_that_cannot_be_looked_up_name_the_field(flag: Any, field: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_flag(flag)
    assert caught.value.field == field


def test_bad_numbers_give_their_error() -> None:
    row = {"phone_number": "8505550133", "error_message": "The number you dialed is not found."}
    assert read_bad_number(row, "8505550133").reason == "The number you dialed is not found."
    assert read_bad_number({}, "8505550133") == ListedNumber(
        PhoneNumber("+18505550133"), "bad number in the old system"
    )
    with pytest.raises(Unreadable):
        read_bad_number({}, "123")
