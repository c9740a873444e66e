"""A window of history: what is asked, what a page says, and what a row proves by itself."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from leadline.domain.ids import CallId
from leadline.telephony.bland import BlandClient
from leadline.telephony.bland_history import LONGEST_MACHINE_SECONDS, read_page, window_query
from leadline.telephony.port import ProviderNonsense, ProviderUnreachable
from tests.unit.telephony.raw_server import http_answer, raw_server

STARTS_AT = datetime(2026, 1, 5, 16, 0, tzinfo=UTC)
ENDS_AT = STARTS_AT + timedelta(hours=1)


def row(**fields: Any) -> dict[str, Any]:
    created_at = "2026-01-05T16:10:00.000Z"
    made = {"call_id": "a", "to": "5615550123", "from": "+15615550900", "created_at": created_at, "completed": True}
    return made | fields


def test_a_window_is_asked_for_by_index_with_offsets() -> None:
    assert window_query(STARTS_AT, ENDS_AT, 1000, 2000) == {
        "start_date": "2026-01-05T16:00:00.000+00:00",
        "end_date": "2026-01-05T17:00:00.000+00:00",
        "ascending": "true",
        "from": "1000",
        "to": "2000",
        "limit": "1000",
    }


def test_edges_within_a_millisecond_lose_no_call() -> None:
    query = window_query(STARTS_AT.replace(microsecond=1999), STARTS_AT.replace(microsecond=2001), 0, 1)
    assert query["start_date"].endswith("16:00:00.001+00:00")
    assert query["end_date"].endswith("16:00:00.003+00:00")


async def test_a_page_over_the_wire() -> None:
    body = json.dumps({"total_count": 7, "count": 1, "calls": [row()]})
    async with raw_server(http_answer(200, body)) as server:
        async with BlandClient(base_url=server.url, api_key="key", timeout_seconds=2) as client:
            page = await client.window(STARTS_AT, ENDS_AT, 0, 1000)
        query = parse_qs(urlsplit(server.requests[0].split(b" ")[1].decode()).query)
    assert query["end_date"] == ["2026-01-05T17:00:00.000+00:00"]
    assert (page.total, page.size) == (7, 1)
    (found,) = page.rows
    assert (found.call_id, found.phone_number) == (CallId("a"), "5615550123")
    assert found.created_at == STARTS_AT + timedelta(minutes=10)
    assert json.loads(found.raw) == row()


async def test_a_wait_that_bland_asks_for_is_told() -> None:
    answer = http_answer(429, '{"message":"Rate limit exceeded"}', "Retry-After: 7")
    async with (
        raw_server(answer) as server,
        BlandClient(base_url=server.url, api_key="key", timeout_seconds=2) as client,
    ):
        with pytest.raises(ProviderUnreachable) as caught:
            await client.window(STARTS_AT, ENDS_AT, 0, 1000)
    assert caught.value.retry_after_seconds == 7.0


def test_a_bare_array_has_no_total() -> None:
    page = read_page([row()])
    assert page.total is None
    assert page.size == 1


@pytest.mark.parametrize("body", [{}, {"calls": None}, {"calls": {}}, "x", 1, None])
def test_what_is_no_list_is_nonsense(body: object) -> None:
    with pytest.raises(ProviderNonsense):
        read_page(body)


@pytest.mark.parametrize("poison", [None, 1, "x", [], {}, {"call_id": None}, {"call_id": "x" * 200}])
def test_rows_without_a_call_id_count_and_hold_nothing_up(poison: object) -> None:
    page = read_page({"total_count": 2, "calls": [poison, row()]})
    assert [found.call_id for found in page.rows] == ["a"]
    assert page.size == 2


def test_the_person_of_an_inbound_call_is_who_called() -> None:
    (found,) = read_page([row(inbound=True)]).rows
    assert found.phone_number == "+15615550900"


@pytest.mark.parametrize(
    "fields",
    [
        {"answered_by": "no-answer"},
        {"answered_by": "busy"},
        {"answered_by": "voicemail", "call_length": 0.5},
        {"answered_by": "machine"},
        {"status": "no-answer"},
        {"status": "busy", "answered_by": None},
        {"status": "failed", "error_message": "the number is not in service"},
        {"status": "canceled"},
    ],
)
def test_a_row_that_says_all(fields: dict[str, Any]) -> None:
    (found,) = read_page([row(**fields)]).rows
    assert found.says_all


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"answered_by": None, "call_length": 4.0},
        {"answered_by": "human", "call_length": 0.1},
        {"answered_by": "unknown", "call_length": 0.1},
        {"answered_by": None, "call_length": 0},
        {"answered_by": "no-answer", "error_message": "the number is not in service"},
        {"answered_by": "voicemail", "call_length": (LONGEST_MACHINE_SECONDS + 1) / 60},
        {"status": "completed", "answered_by": "no-answer"},
        {"status": "failed", "answered_by": "human"},
        {"status": "no-answer", "answered_by": "human"},
        {"answered_by": "no-answer", "warm_transfer_call": {"state": "MERGED"}},
        {"completed": None},
        {"completed": False, "queue_status": "started"},
        {"completed": False, "queue_status": "queued"},
    ],
)
def test_a_row_whose_details_may_say_more(fields: dict[str, Any]) -> None:
    (found,) = read_page([row(**fields)]).rows
    assert not found.says_all
