"""The simulated Convoso's interface, as its help pages describe the real one."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.services.simulator.convoso_support import OTHER, TOKEN, Convoso
from tests.services.simulator.support import NUMBER, Servers, Simulator

SAMPLES = Path(__file__).parents[2] / "samples" / "convoso"


@pytest.fixture
async def convoso(servers: Servers) -> Convoso:
    return Convoso(await servers.simulator(convoso_token=TOKEN))


def shape(body: Any) -> Any:
    """Keys and types, however many entries there are."""
    if isinstance(body, dict):
        return {key: shape(value) for key, value in body.items() if key not in {"total", "first_name"}}
    if isinstance(body, list):
        return [shape(body[0])] if body else []
    return type(body).__name__


@pytest.mark.parametrize(
    ("path", "form", "sample"),
    [
        ("leads/search", {"phone_number": "5615550123"}, "leads-search"),
        ("leads/search", {"phone_number": "5615550199"}, "leads-search-none"),
        ("leads/update", {"lead_id": "nobody"}, "error-200"),
        ("status/search", {}, "status-search"),
    ],
)
async def test_answers_have_the_shape_of_the_samples(
    convoso: Convoso, path: str, form: dict[str, str], sample: str
) -> None:
    await convoso.leads({"phone_number": NUMBER}, {"phone_number": NUMBER, "list_id": "1044", "status": "SALE"})
    assert shape(await convoso.ask(path, **form)) == shape(json.loads((SAMPLES / f"{sample}.json").read_bytes()))


async def test_the_statuses_are_those_of_the_account_with_its_flags(convoso: Convoso) -> None:
    listed = (await convoso.ask("status/search", limit="1000"))["data"]["entries"]
    flags = {row["status"]: {name for name, value in row.items() if value == "Y"} for row in listed}
    assert flags["SALE"] >= {"final", "success"}
    assert flags["ACA"] >= {"final", "success"}
    assert all("dnc" in flags[code] for code in ("DNC", "DNCA", "DNCL"))
    assert all("final" in flags[code] for code in ("NI", "WRONG", "BPN"))
    assert not any(flags[code] & {"final", "success", "dnc"} for code in ("CB", "A", "NA", "N", "B", "CD", "NEW"))
    assert {value for row in listed for name, value in row.items() if name not in {"status", "name"}} == {"Y", "N"}


async def test_statuses_can_be_others(convoso: Convoso) -> None:
    rows = [{"status": "vm", "name": "Voicemail", "voicemail": True}]
    await convoso.simulator.done("PUT", "/simulator/convoso/statuses", rows)
    assert [row["status"] for row in (await convoso.ask("status/search"))["data"]["entries"]] == ["VM"]
    usual = await convoso.simulator.done("DELETE", "/simulator/convoso/statuses")
    assert usual == await convoso.simulator.done("GET", "/simulator/convoso/statuses")
    assert len(usual) > 40


async def test_a_search_finds_every_lead_of_ten_digits_alone(convoso: Convoso) -> None:
    await convoso.leads(*({"phone_number": NUMBER, "list_id": str(n)} for n in range(3)), {"phone_number": OTHER})

    async def found(**form: str) -> int:
        return len((await convoso.ask("leads/search", **form))["data"]["entries"])

    assert await found(phone_number="5615550123") == 3
    assert await found(phone_number="+15615550123") == 0
    assert await found(phone_number="15615550123") == 0
    assert await found(phone_number="5615550123", list_id="2") == 1
    assert await found() == 4
    assert await found(status="NEW", list_id="1") == 1


async def test_a_search_has_pages(convoso: Convoso) -> None:
    known = await convoso.leads(*({"phone_number": NUMBER, "list_id": str(n)} for n in range(25)))
    seen, totals = [], []
    for offset in (0, 10, 20, 30):
        data = (await convoso.ask("leads/search", phone_number="5615550123", offset=str(offset)))["data"]
        seen += [entry["id"] for entry in data["entries"]]
        totals.append(data["total"])
    assert seen == known
    assert {int(total) for total in totals} == {25}
    assert (await convoso.ask("leads/search", limit="2001"))["success"] is False
    assert len((await convoso.ask("leads/search", limit="2000"))["data"]["entries"]) == 25


async def test_totals_are_texts_now_and_then_and_the_seed_says_when(servers: Servers) -> None:
    async def kinds() -> list[type]:
        convoso = Convoso(await servers.simulator(seed=3))
        return [type((await convoso.ask("leads/search"))["data"]["total"]) for _ in range(40)]

    first = await kinds()
    assert set(first) == {int, str}
    assert first == await kinds()


async def test_an_update_changes_the_lead(convoso: Convoso) -> None:
    (lead_id,) = await convoso.leads({"phone_number": NUMBER, "list_id": "9"})
    told = {"status": "A", "call_summary": "Nobody there.", "first_name": "Maria"}
    assert (await convoso.ask("leads/update", lead_id=lead_id, list_id="9", **told))["success"] is True
    lead = await convoso.lead()
    assert {name: lead[name] for name in told} == told
    assert [(change["by"], change["status"]) for change in lead["changes"]] == [("control", "NEW"), ("api", "A")]


@pytest.mark.parametrize(
    ("path", "form", "code"),
    [
        ("leads/update", {}, 6001),
        ("leads/update", {"lead_id": "1"}, 6001),
        ("leads/update", {"lead_id": "77", "list_id": "8"}, 6002),
        ("leads/update", {"lead_id": "77", "phone_number": "123"}, 6008),
        ("leads/update", {"lead_id": "77", "status": "UNKNWN"}, 6000),
        ("leads/insert", {"phone_number": "5615550124"}, 6007),
        ("leads/insert", {"list_id": "9", "phone_number": "+15615550124"}, 6008),
        ("leads/insert", {"list_id": "9", "phone_number": "5615550123", "check_dup": "1"}, 6009),
        ("leads/insert", {"list_id": "9", "phone_number": "5615550188", "check_dnc": "1"}, 6023),
        ("dnc/insert", {"phone_number": "12"}, 6006),
        ("dnc/insert", {"phone_number": "5615550188"}, 6008),
    ],
)
async def test_errors_come_inside_http_200(convoso: Convoso, path: str, form: dict[str, str], code: int) -> None:
    await convoso.leads({"id": "77", "phone_number": NUMBER, "list_id": "9"})
    await convoso.ask("dnc/insert", phone_number="5615550188", phone_code="1")
    answer = await convoso.ask(path, **form)
    assert (answer["success"], answer["code"]) == (False, code)


async def test_a_lead_is_inserted_or_found(convoso: Convoso) -> None:
    form = {"list_id": "9", "phone_number": "5615550123", "first_name": "Ann"}
    first = await convoso.ask("leads/insert", **form)
    again = await convoso.ask("leads/insert", **form | {"check_dup": "2", "update_if_found": "1", "first_name": "Eve"})
    other = await convoso.ask("leads/insert", **form | {"check_dup": "2", "list_id": "10"})
    assert first["data"]["lead_id"] == again["data"]["lead_id"] != other["data"]["lead_id"]
    assert (await convoso.lead())["first_name"] == "Eve"


async def test_the_dnc_list_is_kept(convoso: Convoso) -> None:
    await convoso.ask("dnc/insert", phone_number="5615550123", phone_code="1", campaign_id="0", reason="said stop")
    entry = {"phone_number": "5615550123", "phone_code": "1", "campaign_id": "0", "reason": "said stop"}
    assert (await convoso.ask("dnc/search", phone_number="5615550123"))["data"]["entries"] == [entry]
    assert (await convoso.ask("dnc/search", phone_number="5615550199"))["data"]["entries"] == []
    assert await convoso.simulator.done("GET", "/simulator/convoso/dnc") == [entry]


async def test_the_token_is_asked_for(convoso: Convoso) -> None:
    assert (await convoso.raw("status/search", token=None))[0] == 401
    assert (await convoso.raw("status/search", token="wrong"))[0] == 403
    assert (await convoso.raw("status/search"))[0] == 200


async def test_a_query_is_read_too_and_json_is_not(convoso: Convoso) -> None:
    session, url = convoso.simulator.session, f"{convoso.base}/status/search"
    async with session.get(url, params={"auth_token": TOKEN, "limit": "1"}) as response:
        assert (response.status, len((await response.json())["data"]["entries"])) == (200, 1)
    async with session.post(url, json={"auth_token": TOKEN}) as response:
        assert response.status == 401
    requests = await convoso.requests("status/search")
    assert [(asked["method"], asked["token_in"]) for asked in requests] == [("GET", "query"), ("POST", None)]


async def test_what_was_asked_is_written_down_without_the_token(convoso: Convoso) -> None:
    await convoso.ask("leads/update", lead_id="1", status="A")
    await convoso.ask("leads/search", phone_number="5615550123")
    view = await convoso.simulator.done("GET", "/simulator/convoso/requests")
    assert TOKEN not in json.dumps(view)
    update, search = view["requests"]
    assert (update["path"], update["parameters"]) == ("leads/update", {"lead_id": "1", "status": "A"})
    assert (update["answer"], update["refusal"], update["http_status"]) == ("answered", "6001 No such Lead", 200)
    assert (search["refusal"], search["token_in"]) == (None, "form")
    await convoso.simulator.done("DELETE", "/simulator/convoso/requests")
    assert (await convoso.simulator.done("GET", "/simulator/convoso/requests"))["total"] == 0


async def test_too_many_requests_in_a_second_are_refused(servers: Servers) -> None:
    simulator = await servers.simulator(lambda: 1_767_632_400.0, convoso_requests_per_second=3, retry_after_seconds=7)
    statuses = [(await Convoso(simulator).raw("status/search"))[0] for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    async with simulator.session.post(f"{simulator.base}/convoso/v1/status/search") as response:
        assert response.headers["Retry-After"] == "7"


async def test_faults_strike_one_endpoint_or_all(convoso: Convoso) -> None:
    await convoso.leads({"phone_number": NUMBER})
    down = {"on": "convoso", "kind": "refuse", "status": 503, "count": 2}
    forbidden = {"success": False, "code": 403, "text": "Forbidden"}
    search = {"on": "convoso_search", "kind": "refuse", "status": 200, "body": forbidden, "phone_number": NUMBER}
    await convoso.simulator.fault(down, search)
    assert (await convoso.raw("status/search"))[0] == 503
    assert (await convoso.raw("leads/search", phone_number="5615550123"))[0] == 503
    assert (await convoso.raw("leads/search", phone_number="5615550123")) == (200, forbidden)
    assert (await convoso.raw("leads/search", phone_number="5615550124"))[1]["success"] is True
    assert [asked["answer"] for asked in await convoso.requests("leads/search")] == [
        "refuse:503",
        "refuse:200",
        "answered",
    ]


async def test_an_update_may_be_done_although_nobody_hears_of_it(convoso: Convoso) -> None:
    (lead_id,) = await convoso.leads({"phone_number": NUMBER})
    await convoso.simulator.fault({"on": "convoso_update", "kind": "accept_then_500", "count": 1})
    assert (await convoso.raw("leads/update", lead_id=lead_id, status="B"))[0] == 500
    assert (await convoso.lead())["status"] == "B"


@pytest.mark.parametrize(
    "rule",
    [
        {"on": "convoso_search", "kind": "never"},
        {"on": "convoso_connect", "kind": "reset_before_accept"},
        {"on": "convoso_connect", "kind": "citations"},
        {"on": "convoso_search", "kind": "bare_array"},
    ],
)
async def test_faults_that_cannot_be_are_refused(simulator: Simulator, rule: dict[str, Any]) -> None:
    assert (await simulator.ask("POST", "/simulator/faults", rule))[0] == 400


async def test_leads_are_replaced_or_added(convoso: Convoso) -> None:
    simulator = convoso.simulator
    await convoso.leads({"phone_number": NUMBER, "id": "77"}, {"phone_number": OTHER})
    await convoso.leads({"phone_number": OTHER, "id": "77", "status": "CB", "fields": {"first_name": "Ann"}})
    assert (await simulator.done("GET", "/simulator/convoso/leads?phone_number=5615550123"))["total"] == 0
    found = await simulator.done("GET", "/simulator/convoso/leads?lead_id=77")
    assert [(lead["phone_number"], lead["status"], lead["first_name"]) for lead in found["leads"]] == [
        ("5615550124", "CB", "Ann")
    ]
    await simulator.done("PUT", "/simulator/convoso/leads", [{"phone_number": NUMBER}])
    assert (await simulator.done("GET", "/simulator/convoso/leads"))["total"] == 1
    await simulator.done("DELETE", "/simulator/convoso/leads")
    assert (await simulator.done("GET", "/simulator/convoso/leads"))["total"] == 0


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("leads", [{"phone_number": "nobody"}], 400),
        ("leads", {"phone_number": NUMBER}, 400),
        ("agent", {"phone_number": NUMBER, "status": "SALE"}, 404),
        ("agent", {"lead_id": "1", "status": "SALE"}, 404),
        ("agent", {"status": "SALE"}, 404),
        ("agent", {"phone_number": NUMBER, "status": "UNKNWN"}, 400),
    ],
)
async def test_control_that_makes_no_sense_is_refused(convoso: Convoso, path: str, body: Any, status: int) -> None:
    answered, answer = await convoso.simulator.ask("POST", f"/simulator/convoso/{path}", body)
    assert (answered, bool(answer["error"])) == (status, True)
