"""Convoso's answers, read totally: what proves nothing permits nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.crm.convoso_answers import SaidNo, decode, merged, read_answer, read_lead, read_page, read_statuses
from leadline.crm.port import CrmError, CrmNonsense, CrmRefused, CrmUnreachable
from leadline.domain.crm import CrmStanding

SAMPLES = Path(__file__).parents[2] / "samples" / "convoso"
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def read(body: Any, status: int = 200) -> Any:
    return read_answer(status, json.dumps(body).encode())


def test_an_error_inside_http_200_is_a_no_with_its_code() -> None:
    with pytest.raises(SaidNo, match="6001 No such Lead") as caught:
        read_answer(200, sample("error-200"))
    assert caught.value.said_code == "6001"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"success": "false", "code": "6001"}, SaidNo),
        (200, {"success": 0, "text": "no"}, SaidNo),
        (400, {"success": False, "code": 6002, "text": "No such List"}, SaidNo),
        (200, {"success": False, "code": 401, "text": "x"}, CrmRefused),
        (200, {"success": False, "code": "403", "text": "x"}, CrmRefused),
        (200, {"success": False, "text": "Forbidden"}, CrmRefused),
        (200, {"success": False, "code": 9, "text": "Invalid auth_token"}, CrmRefused),
        (401, {}, CrmRefused),
        (403, "Forbidden", CrmRefused),
        (200, {"success": False, "code": 429, "text": "x"}, CrmUnreachable),
        (200, {"success": False, "code": 1, "text": "Rate limit exceeded"}, CrmUnreachable),
        (200, {"success": False, "code": 503}, CrmUnreachable),
        (429, {}, CrmUnreachable),
        (500, {}, CrmUnreachable),
        (502, "<html>", CrmUnreachable),
        (200, {"data": {"entries": [], "total": 0}}, CrmNonsense),
        (200, [], CrmNonsense),
        (200, None, CrmNonsense),
        (302, {"success": True}, CrmNonsense),
        (404, {"success": False, "code": 6001}, CrmNonsense),
        (400, {"success": True}, CrmNonsense),
    ],
)
def test_every_answer_that_is_no_success_is_raised(status: int, body: Any, kind: type[CrmError]) -> None:
    with pytest.raises(CrmError) as caught:
        read(body, status)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, {"success": True}, "ok"),
        (200, {"success": False, "code": 6008, "text": "Phone Number already exists"}, "ok"),
        (200, {"success": False, "code": 6001, "text": "No such Lead"}, "not_found"),
        (400, {"success": False, "code": 6006, "text": "Invalid Phone Number"}, "bad_request"),
        (200, {"success": False, "code": 6023, "text": "Phone Number is on the DNC list"}, "dnc"),
        (200, {"success": False, "code": "401"}, "unauthorized"),
        (200, {"success": False, "code": 403}, "forbidden"),
        (200, {"success": False, "text": "Forbidden"}, "forbidden"),
        (200, {"success": False, "text": "Invalid auth_token"}, "unauthorized"),
        (200, {"success": False, "text": "Rate limit exceeded"}, "rate_limited"),
        (200, {"success": False, "code": 503}, "server_error"),
        (200, {"data": {}}, "unreadable"),
        (401, {}, "unauthorized"),
        (403, "Forbidden", "forbidden"),
        (429, {}, "rate_limited"),
        (502, "<html>", "server_error"),
    ],
)
def test_the_class_of_an_answer(status: int, body: Any, said: str) -> None:
    assert decode(status, json.dumps(body).encode()).answer_class == said


def test_what_is_told_of_an_error_holds_no_number() -> None:
    with pytest.raises(SaidNo) as caught:
        read({"success": False, "code": 6008, "text": "Phone 5615550123 of +15615550124 exists"})
    assert "5550" not in str(caught.value)


def test_what_retry_after_asked_for_is_kept() -> None:
    with pytest.raises(CrmUnreachable) as caught:
        read_answer(429, b"{}", 7.0)
    assert caught.value.retry_after_seconds == 7.0


def test_a_page_counts_in_numbers_and_in_texts() -> None:
    assert read_page(read_answer(200, sample("leads-search-none"))) == read_page(
        {"data": {"total": "0", "entries": []}}
    )
    page = read_page(read_answer(200, sample("leads-search")))
    assert (page.total, len(page.rows)) == (2, 2)
    assert read_page({"data": {"total": "2", "entries": {"0": {}, "3": {}}}}).rows == ({}, {})
    assert read_page({"data": {"total": "many", "entries": []}}).total is None


@pytest.mark.parametrize("data", [None, [], "x", {}, {"total": 0}, {"total": 3, "entries": 3}, {"entries": None}])
def test_a_search_without_a_place_for_rows_is_not_an_empty_one(data: Any) -> None:
    with pytest.raises(CrmNonsense):
        read_page({"data": data})


def test_a_lead_is_read_whatever_its_id_is_called() -> None:
    lead = read_lead({"lead_id": 77, "status": "SALE", "list_id": 9, "phone_number": "(561) 555-0123"})
    assert (lead.lead_id, lead.list_id, lead.status, lead.phone_number) == ("77", "9", "SALE", "+15615550123")


def test_the_sample_statuses_say_what_they_mean() -> None:
    table = merged(read_statuses(read_page(read_answer(200, sample("status-search"))).rows))
    assert {code: status.standing for code, status in table.items()} == {
        "SALE": CrmStanding.SALE,
        "DNC": CrmStanding.DNC,
        "NI": CrmStanding.FINAL,
        "A": CrmStanding.OPEN,
        "CB": CrmStanding.OPEN,
    }


@pytest.mark.parametrize("yes", ["Y", "y", "yes", " YES ", True, 1, "1", "true"])
@pytest.mark.parametrize("no", ["N", "n", "no", False, 0, "0", "false", "", None])
def test_flags_in_any_spelling(yes: Any, no: Any) -> None:
    (status,) = read_statuses(({"status": "x", "FINAL": yes, "Success": no, "dnc": no},))
    assert (status.code, status.final, status.success, status.dnc) == ("X", True, False, False)


@pytest.mark.parametrize(
    "row",
    [
        {"status": "X", "name": "no flags at all"},
        {"status": "X", "final": "perhaps", "success": "N", "dnc": "N"},
        {"status": "X", "final": ["Y"]},
        {"status": "", "final": "N"},
        {"final": "N"},
        "X",
        None,
    ],
)
def test_a_status_that_does_not_say_whether_it_ends_a_lead_is_left_out(row: Any) -> None:
    assert list(read_statuses((row,))) == []


def test_a_status_that_is_listed_twice_keeps_every_flag() -> None:
    rows = ({"status": "X", "final": "N", "dnc": "Y"}, {"status": "x", "final": "Y", "dnc": "N"})
    status = merged(read_statuses(rows))["X"]
    assert (status.final, status.dnc, status.success) == (True, True, False)


@given(body=ANY_JSON, status=st.integers(100, 599))
def test_no_answer_at_all_breaks_the_reader(body: Any, status: int) -> None:
    raw = json.dumps(body).encode()
    told = ""
    try:
        read_page(read_answer(status, raw))
    except CrmError as error:
        told = str(error)
    assert len(told) < 500


@given(
    row=ANY_JSON, fields=st.dictionaries(st.sampled_from(["status", "final", "dnc", "id", "phone_number"]), ANY_JSON)
)
def test_no_row_at_all_breaks_the_reader(row: Any, fields: dict[str, Any]) -> None:
    for value in (row, fields):
        lead = read_lead(value)
        assert max(len(lead.lead_id), len(lead.list_id), len(lead.status)) <= 128
        merged(read_statuses((value,)))
