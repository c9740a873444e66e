"""The client on the wire: forms, retries, what it makes of failures, and a token that stands nowhere else."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr
from tenacity import Future, RetryCallState

from leadline.contracts.crm import SendResult
from leadline.crm import convoso_http
from leadline.crm.convoso import ConvosoClient, convoso_from
from leadline.crm.no_crm import NoCrm
from leadline.crm.port import CallNews, Crm, CrmNonsense, CrmRefused, CrmUnreachable
from leadline.domain.crm import CrmStanding
from leadline.domain.ids import PhoneNumber
from leadline.domain.outcome import Outcome
from leadline.runtime.settings.crm_parts import ConvosoPart
from leadline.runtime.settings.errors import SettingsError
from tests.support.gained import Gained
from tests.unit.telephony.raw_server import Answer, Connection, RawServer, http_answer, raw_server

SAMPLES = Path(__file__).parents[2] / "samples" / "convoso"
NUMBER = PhoneNumber("+15615550123")
TOKEN = "s3cret-token-of-the-account"
NEWS = CallNews("77", "9", NUMBER, Outcome.VOICEMAIL, {"summary": "A talk of a minute."})
OK = http_answer(200, '{"success": true, "data": {}}')


def sample(name: str) -> bytes:
    return http_answer(200, (SAMPLES / f"{name}.json").read_bytes())


STATUSES = sample("status-search")


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convoso_http, "FIRST_WAIT_SECONDS", 0.001)


async def reset(connection: Connection) -> None:
    connection.reset()


async def silence(connection: Connection) -> None:
    await connection.reader.read()


@asynccontextmanager
async def convoso(*answers: Answer, **settings: Any) -> AsyncIterator[tuple[ConvosoClient, RawServer]]:
    async with raw_server(*answers) as server:
        part = ConvosoPart(
            **{
                "convoso_base_url": f"{server.url}/v1",
                "convoso_auth_token": SecretStr(TOKEN),
                "convoso_requests_per_second": 0,
                **settings,
            }
        )
        client = convoso_from(part)
        assert isinstance(client, ConvosoClient)
        async with client:
            yield client, server


def form_of(request: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.split(b"\r\n\r\n", 1)[1].decode()).items()}


def head_of(request: bytes) -> str:
    return request.split(b"\r\n\r\n", 1)[0].decode()


async def test_statuses_are_read_first_and_once() -> None:
    async with convoso(STATUSES, sample("leads-search"), sample("leads-search-none")) as (client, server):
        first, second = await client.standing(NUMBER), await client.standing(NUMBER)
    assert (first.standing, first.crm_lead_id, first.crm_list_id) == (CrmStanding.SALE, "412871", "1044")
    assert second.standing is CrmStanding.UNKNOWN
    assert [head_of(request).splitlines()[0] for request in server.requests] == [
        "POST /v1/status/search HTTP/1.1",
        "POST /v1/leads/search HTTP/1.1",
        "POST /v1/leads/search HTTP/1.1",
    ]
    assert form_of(server.requests[1]) == {
        "auth_token": TOKEN,
        "phone_number": "5615550123",
        "offset": "0",
        "limit": "200",
    }


async def test_many_at_once_read_the_statuses_once() -> None:
    async with convoso(STATUSES, sample("leads-search")) as (client, server):
        words = await asyncio.gather(*(client.standing(NUMBER) for _ in range(20)))
    assert {word.standing for word in words} == {CrmStanding.SALE}
    assert sum(b"/status/search" in request for request in server.requests) == 1


async def test_who_waited_for_statuses_that_cannot_be_read_does_not_ask_again() -> None:
    async with convoso(http_answer(500), convoso_retries=0) as (client, server):
        words = await asyncio.gather(*(client.standing(NUMBER) for _ in range(20)))
        assert {word.standing for word in words} == {CrmStanding.UNKNOWN}
        assert len(server.requests) == 1
        await client.standing(NUMBER)
        assert len(server.requests) == 2


async def test_a_number_without_a_lead_is_open_if_the_settings_say_so() -> None:
    async with convoso(STATUSES, sample("leads-search-none"), convoso_unlisted="call") as (client, _):
        assert (await client.standing(NUMBER)).standing is CrmStanding.OPEN


async def test_statuses_read_anew_decide_from_then_on() -> None:
    more = {"success": True, "data": {"total": "1", "entries": [{"status": "VM", "name": "Voicemail", "final": "N"}]}}
    async with convoso(STATUSES, http_answer(200, json.dumps(more))) as (client, _):
        assert len(await client.statuses()) == 5
        assert [status.code for status in await client.statuses()] == ["VM"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http_answer(401), CrmRefused),
        (http_answer(200, '{"success": false, "code": 403, "text": "Forbidden"}'), CrmRefused),
        (http_answer(503), CrmUnreachable),
        (reset, CrmUnreachable),
        (http_answer(200, "<html>"), CrmNonsense),
        (http_answer(200, '{"success": true, "data": {"total": 0, "entries": []}}'), CrmNonsense),
        (http_answer(302, "", "Location: /elsewhere"), CrmNonsense),
    ],
)
async def test_statuses_that_cannot_be_read_are_an_error(answer: Answer, kind: type[Exception]) -> None:
    async with convoso(answer, convoso_retries=0) as (client, server):
        with pytest.raises(kind):
            await client.statuses()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(401),
        http_answer(403, "Forbidden"),
        http_answer(429),
        http_answer(500),
        http_answer(200, "no json"),
        http_answer(200, '{"success": true, "data": {"total": 5, "entries": []}}'),
        sample("error-200"),
        reset,
        http_answer(302, "", "Location: /elsewhere"),
        http_answer(200, b"x" * (8 * 1024 * 1024 + 1)),
    ],
)
async def test_whatever_goes_wrong_a_number_is_not_cleared(answer: Answer) -> None:
    async with convoso(STATUSES, answer, convoso_unlisted="call", convoso_retries=1) as (client, _):
        word = await client.standing(NUMBER)
    assert word.standing is CrmStanding.UNKNOWN
    assert word.problem


async def test_an_answer_that_never_comes_ends_in_time() -> None:
    async with convoso(silence, convoso_timeout_seconds=60) as (client, server):
        word = await client.standing(NUMBER, within_seconds=0.2)
        assert (word.standing, word.problem) == (CrmStanding.UNKNOWN, "Convoso did not answer within 0.2 s")
        # It was the first to read the statuses: the next one is not kept waiting by it.
        server.answers[:] = [STATUSES, STATUSES, sample("leads-search")]
        assert (await client.standing(NUMBER)).standing is CrmStanding.SALE


async def test_a_slow_answer_is_given_up_and_asked_for_again() -> None:
    async with convoso(silence, STATUSES, sample("leads-search"), convoso_timeout_seconds=0.3) as (client, server):
        assert (await client.standing(NUMBER)).standing is CrmStanding.SALE
    assert len(server.requests) == 3


@pytest.mark.parametrize("answer", [http_answer(429), http_answer(500), http_answer(503), reset])
async def test_later_is_asked_again_as_often_as_the_settings_say(answer: Answer) -> None:
    async with convoso(answer, answer, STATUSES, convoso_retries=2) as (client, server):
        assert len(await client.statuses()) == 5
        assert len(server.requests) == 3
    async with convoso(answer, convoso_retries=2) as (client, server):
        with pytest.raises(CrmUnreachable):
            await client.statuses()
        assert len(server.requests) == 3


@pytest.mark.parametrize("answer", [http_answer(401), sample("error-200"), http_answer(200, "no json")])
async def test_a_no_is_not_asked_again(answer: Answer) -> None:
    async with convoso(answer, convoso_retries=5) as (client, server):
        await client.standing(NUMBER)
    assert len(server.requests) == 1


async def test_who_is_told_to_come_back_much_later_hands_that_on() -> None:
    async with convoso(STATUSES, http_answer(429, "{}", "Retry-After: 600")) as (client, server):
        await client.statuses()
        told = await client.tell_result(NEWS)
    assert (told.result, told.retry_after_seconds) == (SendResult.LATER, 600.0)
    assert len(server.requests) == 2


async def test_a_wait_beyond_the_time_is_not_begun() -> None:
    async with convoso(http_answer(429, "{}", "Retry-After: 20"), convoso_retries=5) as (client, server):
        word = await client.standing(NUMBER, within_seconds=5)
    assert word.problem == "Convoso answered 429: without a cause"
    assert len(server.requests) == 1


def test_the_wait_is_what_was_asked_for_or_more() -> None:
    state = RetryCallState(retry_object=None, fn=None, args=(), kwargs={})  # type: ignore[arg-type]  # only its outcome is read
    state.outcome = Future(1)
    state.outcome.set_exception(CrmUnreachable("later", 3.0))
    assert convoso_http._WaitAsAsked()(state) >= 3.0
    assert not convoso_http._AskedToWaitLong()(state)
    state.outcome = Future(1)
    state.outcome.set_exception(CrmUnreachable("later", 31.0))
    assert convoso_http._AskedToWaitLong()(state)


async def test_a_result_is_a_form() -> None:
    async with convoso(STATUSES, OK) as (client, server):
        assert (await client.tell_result(NEWS)).result is SendResult.SENT
    assert "application/x-www-form-urlencoded" in head_of(server.requests[1])
    assert form_of(server.requests[1]) == {
        "auth_token": TOKEN,
        "lead_id": "77",
        "list_id": "9",
        "phone_number": "5615550123",
        "status": "A",
        "call_summary": "A talk of a minute.",
    }


async def test_with_nothing_to_tell_nothing_is_asked() -> None:
    async with convoso(STATUSES, OK) as (client, server):
        told = await client.tell_result(CallNews("77", None, NUMBER, Outcome.TRANSFERRED))
    assert told.result is SendResult.SENT
    assert len(server.requests) == 1


async def test_a_lead_without_an_id_cannot_be_told_of() -> None:
    async with convoso(OK) as (client, server):
        assert (await client.tell_result(CallNews("", None, NUMBER, Outcome.BUSY))).result is SendResult.REFUSED
    assert server.requests == []


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (OK, SendResult.SENT),
        (sample("error-200"), SendResult.REFUSED),
        (http_answer(200, '{"success": false, "code": 6079, "text": "e-mail"}'), SendResult.REFUSED),
        (http_answer(401), SendResult.LATER),
        (http_answer(403), SendResult.LATER),
        (http_answer(200, '{"success": false, "code": 401, "text": "?"}'), SendResult.LATER),
        (http_answer(429), SendResult.LATER),
        (http_answer(500), SendResult.LATER),
        (reset, SendResult.LATER),
        (http_answer(404, "not here"), SendResult.LATER),
        (http_answer(200, "<html>"), SendResult.LATER),
    ],
)
async def test_what_becomes_of_a_result(answer: Answer, result: SendResult) -> None:
    async with convoso(STATUSES, answer, convoso_retries=0) as (client, _):
        told = await client.tell_result(NEWS)
        assert (told.result, told.problem is None) == (result, result is SendResult.SENT)
        suppressed = await client.suppress(NUMBER, "said stop")
        assert suppressed.result is result


async def test_results_wait_until_the_statuses_are_known() -> None:
    async with convoso(http_answer(500), convoso_retries=0) as (client, server):
        assert (await client.tell_result(NEWS)).result is SendResult.LATER
    assert b"/leads/update" not in b"".join(server.requests)


async def test_a_number_that_is_on_the_list_already_was_told() -> None:
    exists = http_answer(200, '{"success": false, "code": 6008, "text": "already exists"}')
    async with convoso(exists) as (client, server):
        assert (await client.suppress(NUMBER, "said stop")).result is SendResult.SENT
    assert form_of(server.requests[0]) == {
        "auth_token": TOKEN,
        "phone_number": "5615550123",
        "phone_code": "1",
        "campaign_id": "0",
        "reason": "said stop",
    }


async def test_the_token_stands_in_forms_alone(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = http_answer(200, json.dumps({"success": False, "code": 1, "text": f"no such thing as {TOKEN}"}))
    part = ConvosoPart(convoso_auth_token=SecretStr(TOKEN))
    told = [repr(part)]
    for answer in (http_answer(500), reset, http_answer(403), echo, http_answer(200, TOKEN)):
        async with convoso(answer, convoso_retries=1) as (client, server):
            told += [repr(await client.standing(NUMBER)), repr(await client.suppress(NUMBER, "x"))]
            told += [repr(client), repr(client._http), repr(vars(client._http))]
            with pytest.raises(Exception, match="Convoso") as caught:
                await client.statuses()
            told += [repr(caught.value), repr(caught.value.__cause__)]
            assert server.requests
            assert not [head for head in map(head_of, server.requests) if TOKEN in head]
            assert all(form_of(request)["auth_token"] == TOKEN for request in server.requests)
    assert TOKEN not in "".join([*told, caplog.text, *(str(vars(record)) for record in caplog.records)])
    assert TOKEN not in "".join(capfd.readouterr())


async def test_without_a_token_nothing_is_known_and_nothing_is_lost() -> None:
    for token in (None, SecretStr("")):
        crm: Crm = convoso_from(ConvosoPart(convoso_auth_token=token))
        assert isinstance(crm, NoCrm)
        async with crm:
            word = await crm.standing(NUMBER, within_seconds=1)
            assert word.standing is CrmStanding.UNKNOWN
            assert "no CRM token is set" in (word.problem or "")
            assert (await crm.tell_result(NEWS)).result is SendResult.LATER
            assert (await crm.suppress(NUMBER, "x")).result is SendResult.LATER
            with pytest.raises(CrmRefused):
                await crm.statuses()


async def test_a_setting_that_names_no_outcome_is_refused_before_anything_is_asked() -> None:
    part = ConvosoPart(convoso_auth_token=SecretStr(TOKEN), convoso_statuses={"SOLD": "SALE"})
    with pytest.raises(SettingsError):
        convoso_from(part)


async def test_requests_in_flight_are_bounded() -> None:
    live = most = 0

    async def slow(connection: Connection) -> None:
        nonlocal live, most
        live += 1
        most = max(most, live)
        await asyncio.sleep(0.02)
        live -= 1
        connection.writer.write(OK)
        await connection.writer.drain()

    async with convoso(slow, convoso_concurrency=3) as (client, server):
        await asyncio.gather(*(client.suppress(NUMBER, "x") for _ in range(20)))
    assert (len(server.requests), most) == (20, 3)


async def test_answers_are_counted_by_class() -> None:
    answers = Gained("leadline_provider_answers_total")
    no = http_answer(200, '{"success": false, "code": 401, "text": "no"}')
    async with convoso(STATUSES, http_answer(503), sample("leads-search"), no, convoso_retries=1) as (client, _):
        assert (await client.standing(NUMBER)).standing is CrmStanding.SALE
        assert (await client.suppress(NUMBER, "x")).result is SendResult.LATER
    assert answers.by("provider", "operation", "class") == {
        "convoso POST /status/search ok": 1,
        "convoso POST /leads/search server_error": 1,
        "convoso POST /leads/search ok": 1,
        "convoso POST /dnc/insert unauthorized": 1,
    }


async def test_who_does_not_answer_in_the_time_there_is_has_timed_out() -> None:
    answers = Gained("leadline_provider_answers_total")
    async with convoso(silence, convoso_timeout_seconds=60) as (client, _):
        await client.standing(NUMBER, within_seconds=0.1)
    assert answers.by("operation", "class") == {"POST /status/search timeout": 1}
