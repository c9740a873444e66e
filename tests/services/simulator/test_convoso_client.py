"""The Convoso client against the simulated Convoso, over real HTTP."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pydantic import SecretStr

from leadline.contracts.crm import SendResult
from leadline.crm.convoso import ConvosoClient, convoso_from
from leadline.crm.port import CallNews, CrmRefused, CrmUnreachable
from leadline.domain.crm import CrmStanding
from leadline.domain.ids import PhoneNumber
from leadline.domain.outcome import Outcome
from leadline.runtime.settings.crm_parts import ConvosoPart
from tests.services.simulator.convoso_support import OTHER, TOKEN, Convoso
from tests.services.simulator.support import NUMBER, Servers

PERSON = PhoneNumber(NUMBER)
Opened = Callable[..., Awaitable[ConvosoClient]]


@pytest.fixture
async def convoso(servers: Servers) -> Convoso:
    return Convoso(await servers.simulator(convoso_token=TOKEN))


@pytest.fixture
async def opened(convoso: Convoso) -> AsyncIterator[Opened]:
    async with AsyncExitStack() as stack:

        async def open_client(**settings: Any) -> ConvosoClient:
            wanted = {
                "convoso_base_url": convoso.base,
                "convoso_auth_token": SecretStr(TOKEN),
                "convoso_requests_per_second": 0,
                "convoso_retries": 0,
            }
            client = convoso_from(ConvosoPart(**wanted | settings))
            assert isinstance(client, ConvosoClient)
            return await stack.enter_async_context(client)

        yield open_client


@pytest.fixture
async def client(opened: Opened) -> ConvosoClient:
    return await opened()


async def test_every_status_of_the_account_is_read(convoso: Convoso, client: ConvosoClient) -> None:
    listed = await convoso.simulator.done("GET", "/simulator/convoso/statuses")
    assert {(s.code, s.name, s.final, s.success, s.dnc) for s in await client.statuses()} == {
        (row["status"], row["name"], row["final"], row["success"], row["dnc"]) for row in listed
    }


async def test_more_statuses_than_fit_on_a_page_are_read(convoso: Convoso, client: ConvosoClient) -> None:
    rows = [{"status": f"S{n}", "final": n == 249} for n in range(250)]
    await convoso.simulator.done("PUT", "/simulator/convoso/statuses", rows)
    statuses = await client.statuses()
    assert (len(statuses), [status.code for status in statuses if status.final]) == (250, ["S249"])


@pytest.mark.parametrize(
    ("statuses", "standing", "deciding"),
    [
        (["NEW"], CrmStanding.OPEN, "NEW"),
        (["A", "CB", "NA"], CrmStanding.OPEN, "A"),
        (["A", "SALE"], CrmStanding.SALE, "SALE"),
        (["ACA", "SALE", "DNCA", "NI"], CrmStanding.DNC, "DNCA"),
        (["NI", "ACA"], CrmStanding.ACA, "ACA"),
        (["NI", "VM"], CrmStanding.FINAL, "NI"),
        (["A", "VM"], CrmStanding.UNKNOWN, "VM"),
        ([], CrmStanding.UNKNOWN, None),
    ],
)
async def test_the_strictest_lead_of_a_number_decides(
    convoso: Convoso, client: ConvosoClient, statuses: list[str], standing: CrmStanding, deciding: str | None
) -> None:
    leads = [{"phone_number": NUMBER, "list_id": str(n), "status": code} for n, code in enumerate(statuses)]
    await convoso.leads({"phone_number": OTHER, "status": "DNC"}, *leads)
    for _ in range(4):  # some of the totals are texts
        word = await client.standing(PERSON)
        assert (word.standing, word.status) == (standing, deciding)
        assert (word.problem is None) == (standing is not CrmStanding.UNKNOWN)


async def test_the_deciding_lead_may_stand_on_the_last_page(convoso: Convoso, client: ConvosoClient) -> None:
    leads = [{"phone_number": NUMBER, "list_id": str(n)} for n in range(450)]
    ids = await convoso.leads(*leads, {"phone_number": NUMBER, "list_id": "last", "status": "SALE"})
    word = await client.standing(PERSON)
    assert (word.standing, word.crm_lead_id, word.crm_list_id) == (CrmStanding.SALE, ids[-1], "last")
    assert [asked["parameters"]["offset"] for asked in await convoso.requests("leads/search")] == ["0", "200", "400"]


async def test_a_status_set_by_an_agent_is_seen_at_once(convoso: Convoso, client: ConvosoClient) -> None:
    await convoso.leads({"phone_number": NUMBER})
    assert (await client.standing(PERSON)).standing is CrmStanding.OPEN
    await convoso.agent("SALE")
    assert (await client.standing(PERSON)).standing is CrmStanding.SALE


async def test_a_result_reaches_the_lead(convoso: Convoso, client: ConvosoClient) -> None:
    (lead_id,) = await convoso.leads({"phone_number": NUMBER, "list_id": "9"})
    fields = {"summary": "Nobody there.", "transcript": "assistant: Hi & bye; ünïcode = ok", "talk_seconds": "12"}
    told = await client.tell_result(CallNews(lead_id, "9", PERSON, Outcome.VOICEMAIL, fields))
    assert told.result is SendResult.SENT
    lead = await convoso.lead()
    assert (lead["status"], lead["call_transcript"]) == ("A", fields["transcript"])
    assert (lead["call_summary"], lead["call_duration"]) == ("Nobody there.", "12")


async def test_a_transfer_never_becomes_a_sale(convoso: Convoso, client: ConvosoClient) -> None:
    (lead_id,) = await convoso.leads({"phone_number": NUMBER})
    news = CallNews(lead_id, None, PERSON, Outcome.TRANSFERRED, {"summary": "Put through."})
    assert (await client.tell_result(news)).result is SendResult.SENT
    assert ((await convoso.lead())["status"], (await convoso.lead())["call_summary"]) == ("NEW", "Put through.")
    assert (await client.standing(PERSON)).standing is CrmStanding.OPEN


@pytest.mark.parametrize("outcome", Outcome)
async def test_every_outcome_can_be_told_and_told_again(
    convoso: Convoso, client: ConvosoClient, outcome: Outcome
) -> None:
    (lead_id,) = await convoso.leads({"phone_number": NUMBER})
    news = CallNews(lead_id, None, PERSON, outcome, {"summary": "x"})
    assert [(await client.tell_result(news)).result for _ in range(2)] == [SendResult.SENT] * 2


async def test_a_lead_that_convoso_does_not_have_is_refused(client: ConvosoClient) -> None:
    told = await client.tell_result(CallNews("404", None, PERSON, Outcome.BUSY))
    assert (told.result, told.problem) == (SendResult.REFUSED, "Convoso said: 6001 No such Lead")


async def test_an_account_that_adopts_makes_the_lead_that_an_update_misses(servers: Servers) -> None:
    convoso = Convoso(await servers.simulator(convoso_adopts=True))
    part = ConvosoPart(convoso_base_url=convoso.base, convoso_auth_token=SecretStr(TOKEN))
    async with convoso_from(part) as client:
        told = await client.tell_result(CallNews("by-hand", "7", PERSON, Outcome.BUSY))
        assert told.result is SendResult.SENT
        assert ((await convoso.lead())["id"], (await convoso.lead())["status"]) == ("by-hand", "B")


async def test_a_suppression_may_be_told_twice(convoso: Convoso, client: ConvosoClient) -> None:
    assert [(await client.suppress(PERSON, "said stop")).result for _ in range(2)] == [SendResult.SENT] * 2
    (entry,) = await convoso.simulator.done("GET", "/simulator/convoso/dnc")
    assert (entry["phone_number"], entry["reason"]) == ("5615550123", "said stop")


async def test_a_wrong_token_is_a_clear_word(opened: Opened) -> None:
    client = await opened(convoso_auth_token=SecretStr("wrong"))
    with pytest.raises(CrmRefused, match="Convoso refuses our token: 403 403 Forbidden"):
        await client.statuses()
    word = await client.standing(PERSON)
    assert (word.standing, "refuses our token" in (word.problem or "")) == (CrmStanding.UNKNOWN, True)
    assert (await client.suppress(PERSON, "x")).result is SendResult.LATER


FAULTS: list[dict[str, Any]] = [
    {"kind": "refuse", "status": 503},
    {"kind": "refuse", "status": 429},
    {"kind": "refuse", "status": 200, "body": {"success": False, "code": 500, "text": "Server error"}},
    {"kind": "reset_before_accept"},
    {"kind": "hang_before_accept", "seconds": 60},
    {"kind": "accept_then_reset"},
    {"kind": "accept_then_500"},
    {"kind": "accept_then_drip", "seconds": 60},
]


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_passes_by_itself_is_tried_again(convoso: Convoso, opened: Opened, fault: dict[str, Any]) -> None:
    client = await opened(convoso_retries=1, convoso_timeout_seconds=0.4)
    (lead_id,) = await convoso.leads({"phone_number": NUMBER, "status": "CB"})
    await client.statuses()
    await convoso.simulator.fault({"on": "convoso", "count": 1, **fault})
    assert (await client.standing(PERSON)).standing is CrmStanding.OPEN
    await convoso.simulator.fault({"on": "convoso", "count": 1, **fault})
    assert (await client.tell_result(CallNews(lead_id, None, PERSON, Outcome.BUSY))).result is SendResult.SENT


@pytest.mark.parametrize("fault", [*FAULTS, {"kind": "accept_then_html"}, {"kind": "redirect_307"}])
async def test_while_convoso_is_down_nothing_is_cleared_and_nothing_is_lost(
    convoso: Convoso, opened: Opened, fault: dict[str, Any]
) -> None:
    client = await opened(convoso_timeout_seconds=0.2)
    (lead_id,) = await convoso.leads({"phone_number": NUMBER, "status": "CB"})
    await client.statuses()
    await convoso.simulator.fault({"on": "convoso", **fault})
    assert (await client.standing(PERSON, within_seconds=5)).standing is CrmStanding.UNKNOWN
    assert (await client.tell_result(CallNews(lead_id, None, PERSON, Outcome.BUSY))).result is SendResult.LATER
    assert (await client.suppress(PERSON, "x")).result is SendResult.LATER
    await convoso.simulator.done("DELETE", "/simulator/faults")
    assert (await client.suppress(PERSON, "x")).result is SendResult.SENT


async def test_the_clients_own_pace_keeps_the_accounts_rate(servers: Servers) -> None:
    convoso = Convoso(await servers.simulator(convoso_requests_per_second=20))
    part = ConvosoPart(
        convoso_base_url=convoso.base,
        convoso_auth_token=SecretStr(TOKEN),
        convoso_requests_per_second=10,
        convoso_retries=0,
    )
    async with convoso_from(part) as client:
        told = await asyncio.gather(*(client.suppress(PERSON, "x") for _ in range(22)))
    assert {one.result for one in told} == {SendResult.SENT}


async def test_beyond_the_rate_it_is_told_to_come_later(servers: Servers) -> None:
    convoso = Convoso(await servers.simulator(lambda: 1_767_632_400.0, convoso_requests_per_second=1))
    part = ConvosoPart(convoso_base_url=convoso.base, convoso_auth_token=SecretStr(TOKEN), convoso_retries=0)
    async with convoso_from(part) as client:
        await client.suppress(PERSON, "x")
        with pytest.raises(CrmUnreachable, match="429"):
            await client.statuses()


async def test_the_token_is_sent_in_forms_and_shown_nowhere(
    convoso: Convoso, opened: Opened, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    client = await opened(convoso_retries=1)
    await convoso.leads({"phone_number": NUMBER})
    await convoso.simulator.fault({"on": "convoso_search", "kind": "refuse", "status": 500, "count": 1})
    word = await client.standing(PERSON)
    told = await client.suppress(PERSON, "x")
    requests = await convoso.simulator.done("GET", "/simulator/convoso/requests")
    assert {(asked["method"], asked["token_in"]) for asked in requests["requests"]} == {("POST", "form")}
    records = [str(vars(record)) for record in caplog.records]
    assert TOKEN not in "".join([repr(word), repr(told), repr(client), json.dumps(requests), *records])
    assert TOKEN not in "".join(capfd.readouterr())


async def test_an_agents_status_stays_where_it_is_to_stay(convoso: Convoso, client: ConvosoClient) -> None:
    (lead_id,) = await convoso.leads({"phone_number": NUMBER})
    await convoso.agent("SALE")
    news = CallNews(lead_id, None, PERSON, Outcome.VOICEMAIL, {"summary": "Nobody."}, keeps_status=True)
    assert (await client.tell_result(news)).result is SendResult.SENT
    assert ((await convoso.lead())["status"], (await convoso.lead())["call_summary"]) == ("SALE", "Nobody.")
