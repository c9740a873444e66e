"""Looking calls up: both spellings, index paging to the end, completeness by the provider's own count."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from leadline.domain.ids import CallId, PhoneNumber
from leadline.telephony import bland_lists
from leadline.telephony.bland import BlandClient
from leadline.telephony.bland_lists import same_number
from leadline.telephony.bland_result import EventKind
from leadline.telephony.port import ProviderError, ProviderNonsense, ProviderRefused, ProviderUnreachable
from tests.unit.telephony.raw_server import Answer, Connection, RawServer, http_answer, raw_server

NUMBER = PhoneNumber("+15615550123")
SINCE = datetime(2026, 1, 6, 17, 0, tzinfo=UTC)
EMPTY = http_answer(200, '{"total_count":0,"count":0,"calls":[]}')


def client_of(server: RawServer) -> BlandClient:
    return BlandClient(base_url=server.url, api_key="key", timeout_seconds=2)


def page(*ids: str, total: int | None = None, to: str = "+15615550123") -> bytes:
    calls = [{"call_id": call_id, "to": to, "from": "+1", "created_at": "2026-01-06T17:10:00Z"} for call_id in ids]
    return http_answer(200, json.dumps({"total_count": len(ids) if total is None else total, "calls": calls}))


def queries(server: RawServer) -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(request.split(b" ")[1].decode()).query) for request in server.requests]


async def test_both_spellings_without_an_end() -> None:
    async with raw_server(page("a"), page("a", "b", to="5615550123")) as server, client_of(server) as client:
        found = await client.find(NUMBER, SINCE)
        assert [call.call_id for call in found.calls] == ["a", "b"]
        assert found.complete
        first, second = queries(server)
        assert (first["to_number"], second["to_number"]) == (["+15615550123"], ["5615550123"])
        assert first["start_date"] == ["2026-01-06T17:00:00+00:00"]
        assert first["ascending"] == ["true"]
        assert not {"page", "end_date"} & (first.keys() | second.keys())


async def test_pages_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bland_lists, "PAGE_CALLS", 2)
    pages = (page("a", "b", total=5), page("c", "d", total=5), page("e", total=5), EMPTY)
    async with raw_server(*pages) as server, client_of(server) as client:
        found = await client.find(NUMBER, SINCE)
        assert [call.call_id for call in found.calls] == ["a", "b", "c", "d", "e"]
        assert found.complete
        assert [(query["from"], query["to"]) for query in queries(server)][:3] == [
            (["0"], ["2"]),
            (["2"], ["4"]),
            (["4"], ["6"]),
        ]


async def test_the_same_page_for_ever_is_not_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bland_lists, "PAGE_CALLS", 2)
    async with raw_server(page("a", "b", total=9)) as server, client_of(server) as client:
        found = await client.find(NUMBER, SINCE)
        assert not found.complete
        assert len(server.requests) == 4


async def test_too_many_pages_are_not_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bland_lists, "PAGE_CALLS", 1)
    monkeypatch.setattr(bland_lists, "MOST_PAGES", 3)
    async with raw_server(*(page(str(n), total=99) for n in range(9))) as server, client_of(server) as client:
        assert not (await client.find(NUMBER, SINCE)).complete


@pytest.mark.parametrize(
    ("body", "complete"),
    [
        ('{"total_count":3,"calls":[{"call_id":"a"}]}', False),
        ('{"calls":[{"call_id":"a"}]}', False),
        ('[{"call_id":"a"}]', False),
        ('{"total_count":1,"calls":[{"call_id":"a"}]}', True),
        ('{"total_count":2,"calls":[{"call_id":"a"},null]}', False),
        ('{"total_count":2,"calls":[{"call_id":"a"},{"to":"+15615550123"}]}', False),
    ],
)
async def test_completeness(body: str, complete: bool) -> None:
    async with raw_server(http_answer(200, body)) as server, client_of(server) as client:
        found = await client.find(NUMBER, SINCE)
        assert (found.complete, [call.call_id for call in found.calls]) == (complete, ["a"])


async def test_an_ignored_filter_lists_other_numbers() -> None:
    async with raw_server(page("x", to="+18135550142"), EMPTY) as server, client_of(server) as client:
        assert (await client.find(NUMBER, SINCE)).calls == ()


async def test_history_is_the_whole_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bland_lists, "PAGE_CALLS", 2)
    pages = (page("a", "b", total=3), page("c", total=3, to="+18135550142"))
    async with raw_server(*pages) as server, client_of(server) as client:
        history = await client.history(SINCE)
        assert [call.call_id for call in history.calls] == ["a", "b", "c"]
        assert history.complete
        assert all("to_number" not in query for query in queries(server))


def test_same_number() -> None:
    assert all(same_number(spelt, NUMBER) for spelt in ("+15615550123", "5615550123", "15615550123", "(561) 555-0123"))
    assert not any(same_number(spelt, NUMBER) for spelt in ("", "+15615550124", "555-0123", "x"))


async def refuse(connection: Connection) -> None:
    connection.reset()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (http_answer(500, ""), ProviderUnreachable),
        (http_answer(429, '{"message":"Rate limit exceeded"}'), ProviderUnreachable),
        (refuse, ProviderUnreachable),
        (http_answer(401, '{"errors":[{"error":"AUTH_FAILURE"}]}'), ProviderRefused),
        (http_answer(403, ""), ProviderRefused),
        (http_answer(200, "<html>"), ProviderNonsense),
        (http_answer(200, "{}"), ProviderNonsense),
        (http_answer(200, '"calls"'), ProviderNonsense),
        (http_answer(302, "", "Location: /"), ProviderNonsense),
        (http_answer(400, '{"message":"bad"}'), ProviderNonsense),
    ],
)
async def test_questions_that_prove_nothing(answer: Answer, error: type[ProviderError]) -> None:
    async with raw_server(answer) as server, client_of(server) as client:
        with pytest.raises(error):
            await client.find(NUMBER, SINCE)
        with pytest.raises(error):
            await client.active()


async def test_active() -> None:
    rows = [{"call_id": "a", "to": "+15615550123", "from": "+1", "status": "QUEUED", "timestamp": "1767719400000"}]
    answer = http_answer(200, json.dumps({"data": rows, "errors": None}))
    async with raw_server(answer) as server, client_of(server) as client:
        (call,) = await client.active()
    assert (call.call_id, call.to_number, call.created_at) == ("a", NUMBER, datetime(2026, 1, 6, 17, 10, tzinfo=UTC))


async def test_active_with_holes_proves_nothing() -> None:
    answer = http_answer(200, '{"data":[{"to":"+1"}],"errors":null}')
    async with raw_server(answer) as server, client_of(server) as client:
        with pytest.raises(ProviderNonsense):
            await client.active()


async def test_details_keep_the_bytes() -> None:
    body = b'{"call_id":"a","status":null,"completed":false,"queue_status":"started", "metadata":{"attempt_id":"x"}}'
    async with raw_server(http_answer(200, body)) as server, client_of(server) as client:
        details = await client.details(CallId("a"))
        assert details is not None
        assert details.raw == body
        assert details.parsed.kind is EventKind.IN_CALL


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        (http_answer(404, ""), True),
        (http_answer(400, '{"status":"error","message":"Call not found"}'), True),
        (http_answer(200, '{"status":"error","message":"No call found"}'), True),
        (http_answer(200, '{"status":"error","message":"Database error"}'), False),
        (http_answer(200, "[]"), False),
        (http_answer(400, '{"status":"error","message":"odd"}'), False),
    ],
)
async def test_a_call_that_is_not_there(answer: bytes, known: bool) -> None:
    async with raw_server(answer) as server, client_of(server) as client:
        if known:
            assert await client.details(CallId("a")) is None
        else:
            with pytest.raises(ProviderNonsense):
                await client.details(CallId("a"))


async def test_me() -> None:
    async with (
        raw_server(
            http_answer(200, '{"status":"active","billing":{"current_balance":"12.5"}}'), http_answer(402, "{}")
        ) as server,
        client_of(server) as client,
    ):
        assert (await client.me()).balance_dollars == 12.5
        with pytest.raises(ProviderRefused):
            await client.me()
