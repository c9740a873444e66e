"""Human agents of the simulated Convoso: what they sell, whom they tell, and that nobody is called after it."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from services.simulator.ledger import CrmWord, LedgerRow
from services.simulator.rules import Rulebook
from tests.services.simulator.convoso_support import OTHER, Convoso
from tests.services.simulator.support import NUMBER, Receiver, Servers, Simulator, eventually
from tests.services.simulator.test_judgement import NOON, call, scored

KEY = "connect-key"
CONTROL = "/simulator/convoso"


async def status_of(convoso: Convoso, phone_number: str = NUMBER) -> str:
    return str((await convoso.lead(phone_number))["status"])


async def transferred(simulator: Simulator, phone_number: str = NUMBER, **fields: Any) -> None:
    await simulator.script({"outcome": "TRANSFERRED"}, number=phone_number)
    await simulator.ended(await simulator.place(phone_number, **fields))


async def decided(convoso: Convoso, phone_number: str = NUMBER) -> str:
    """What the agent makes of the lead (the clock is moved to let him)."""
    await convoso.simulator.advance(3600)

    async def by_agent() -> bool:
        return bool((await convoso.lead(phone_number))["changes"][-1]["by"] == "agent")

    await eventually(by_agent, "an agent decides")
    return await status_of(convoso, phone_number)


@pytest.mark.parametrize("share", [0.0, 1.0])
async def test_an_agent_sells_to_the_share_of_transferred_people(servers: Servers, share: float) -> None:
    convoso = Convoso(await servers.simulator(convoso_sale_share=share))
    await convoso.leads({"phone_number": NUMBER})
    await transferred(convoso.simulator)
    assert (await decided(convoso) == "SALE") == (share == 1.0)


async def test_a_status_takes_minutes_of_business_time(servers: Servers) -> None:
    convoso = Convoso(await servers.simulator())
    await convoso.leads({"phone_number": NUMBER})
    step = {"outcome": "TRANSFERRED", "queue_seconds": 0, "ring_seconds": 1, "talk_seconds": 59}
    await convoso.simulator.script(step)
    call_id = await convoso.simulator.place()
    await convoso.simulator.advance(61)

    async def over() -> Any:
        return (await convoso.simulator.details(call_id))["end_at"]

    await eventually(over, "the call ends")
    assert await status_of(convoso) == "NEW"
    assert await decided(convoso) != "NEW"


async def test_agents_decide_alike_in_every_run_of_a_seed(servers: Servers) -> None:
    numbers = [f"+1561555{n:04}" for n in range(130, 142)]

    async def run() -> list[str]:
        convoso = Convoso(await servers.simulator(seed=5))
        await convoso.leads(*({"phone_number": number} for number in numbers))
        for number in numbers:
            await transferred(convoso.simulator, number)
        return [await decided(convoso, number) for number in numbers]

    first = await run()
    assert len({status == "SALE" for status in first}) == 2
    assert first == await run()


async def test_the_lead_that_the_call_named_is_the_one_that_is_sold_to(servers: Servers) -> None:
    convoso = Convoso(await servers.simulator(convoso_sale_share=1))
    _, second = await convoso.leads({"phone_number": NUMBER}, {"phone_number": NUMBER, "list_id": "7"})
    await transferred(convoso.simulator, request_data={"lead_id": second})
    await convoso.simulator.advance(3600)

    async def sold() -> bool:
        leads = (await convoso.simulator.done("GET", f"{CONTROL}/leads"))["leads"]
        return [lead["status"] for lead in leads] == ["NEW", "SALE"]

    await eventually(sold, "the second lead is sold to")


@pytest.mark.parametrize("outcome", ["VOICEMAIL", "CONFUSED", "SALE"])
async def test_who_was_not_put_through_meets_no_agent(servers: Servers, outcome: str) -> None:
    convoso = Convoso(await servers.simulator(convoso_sale_share=1))
    await convoso.leads({"phone_number": NUMBER}, {"phone_number": OTHER})
    await convoso.simulator.script({"outcome": outcome}, number=NUMBER)
    await convoso.simulator.ended(await convoso.simulator.place())
    await transferred(convoso.simulator, OTHER)
    await decided(convoso, OTHER)
    assert await status_of(convoso) == "NEW"


async def test_what_is_over_is_not_decided_again(servers: Servers) -> None:
    convoso = Convoso(await servers.simulator(convoso_sale_share=1))
    await convoso.leads({"phone_number": NUMBER}, {"phone_number": OTHER})
    await transferred(convoso.simulator)
    await convoso.agent("DNC")
    await transferred(convoso.simulator, OTHER)
    await decided(convoso, OTHER)
    assert await status_of(convoso) == "DNC"


async def connected(servers: Servers, receiver: Receiver) -> Convoso:
    simulator = await servers.simulator(convoso_connect_url=receiver.url, convoso_connect_key=KEY)
    convoso = Convoso(simulator)
    await convoso.leads({"phone_number": NUMBER, "id": "77", "list_id": "9"})
    return convoso


async def posts(convoso: Convoso, count: int) -> list[Any]:
    async def enough() -> Any:
        found = await convoso.simulator.done("GET", f"{CONTROL}/connect")
        return found if len(found) >= count else None

    return list(await eventually(enough, f"{count} posts"))


async def test_connect_tells_of_an_agents_status(servers: Servers, receiver: Receiver) -> None:
    convoso = await connected(servers, receiver)
    await convoso.agent("sale")
    (told,) = await receiver.got(1)
    assert told.headers["X-Api-Key"] == KEY
    assert told.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(told.body.decode()) == {
        "lead_id": ["77"],
        "list_id": ["9"],
        "phone_number": ["5615550123"],
        "status": ["SALE"],
    }
    (post,) = await posts(convoso, 1)
    assert (post["status"], post["http_status"]) == ("SALE", 200)


async def test_connect_does_not_try_twice(servers: Servers, receiver: Receiver) -> None:
    convoso = await connected(servers, receiver)
    receiver.statuses = [500]
    await convoso.agent("CB")
    await posts(convoso, 1)
    await convoso.agent("SALE")
    assert [post["http_status"] for post in await posts(convoso, 2)] == [500, 200]
    assert len(receiver.received) == 2


async def test_connect_is_silent_where_nobody_answers(servers: Servers) -> None:
    simulator = await servers.simulator(convoso_connect_url="http://127.0.0.1:9/hook")
    convoso = Convoso(simulator)
    await convoso.leads({"phone_number": NUMBER})
    await convoso.agent("SALE")
    assert [post["http_status"] for post in await posts(convoso, 1)] == [None]


async def test_connect_loses_and_doubles_as_it_is_told(servers: Servers, receiver: Receiver) -> None:
    convoso = await connected(servers, receiver)
    await convoso.simulator.fault({"on": "convoso_connect", "kind": "never", "count": 1})
    await convoso.agent("CB")
    await convoso.simulator.fault({"on": "convoso_connect", "kind": "duplicate", "count": 1})
    await convoso.simulator.fault({"on": "convoso_connect", "kind": "late", "seconds": 0.01, "count": 1})
    await convoso.agent("SALE")
    assert [parse_qs(told.body.decode())["status"] for told in await receiver.got(2)] == [["SALE"], ["SALE"]]


async def test_what_the_api_writes_is_not_told_by_connect(servers: Servers, receiver: Receiver) -> None:
    convoso = await connected(servers, receiver)
    await convoso.ask("leads/update", lead_id="77", status="SALE")
    await convoso.agent("CB")
    await posts(convoso, 1)
    assert len(receiver.received) == 1


async def zeros(simulator: Simulator, **rules: Any) -> int:
    board = await simulator.done("POST", "/simulator/scoreboard", rules)
    return int(board["calls_after_sale_in_crm"])


async def sold_and_called(convoso: Convoso, wait_seconds: float, *, asked: bool = False) -> int:
    await convoso.leads({"phone_number": NUMBER})
    if asked:
        await convoso.ask("leads/search", phone_number="5615550123")
    await convoso.agent("SALE")
    await convoso.simulator.advance(wait_seconds)
    await convoso.simulator.place()
    return await zeros(convoso.simulator)


async def test_a_call_after_a_sale_in_the_crm_is_found(simulator: Simulator) -> None:
    assert await sold_and_called(Convoso(simulator), 60) == 1
    (row,) = await simulator.rows()
    assert row["crm_ended_business_at"] == "2026-01-05T17:00:00.000Z"


async def test_a_call_in_the_seconds_in_which_nobody_can_know_is_none(simulator: Simulator) -> None:
    assert await sold_and_called(Convoso(simulator), 3) == 0
    assert await zeros(simulator, crm_news_seconds=2) == 1


async def test_who_asked_just_before_may_rely_on_it(simulator: Simulator) -> None:
    assert await sold_and_called(Convoso(simulator), 60, asked=True) == 0
    assert await zeros(simulator, crm_clearance_seconds=0) == 1


async def test_who_asked_and_was_told_of_the_sale_may_not(simulator: Simulator) -> None:
    convoso = Convoso(simulator)
    await convoso.leads({"phone_number": NUMBER, "status": "SALE"})
    await convoso.ask("leads/search", phone_number="5615550123")
    await simulator.advance(60)
    await simulator.place()
    assert await zeros(simulator) == 1


async def test_what_we_wrote_ourselves_and_what_was_opened_again_is_none(simulator: Simulator) -> None:
    convoso = Convoso(simulator)
    (lead_id,) = await convoso.leads({"phone_number": NUMBER})
    await convoso.ask("leads/update", lead_id=lead_id, status="NI")
    await simulator.advance(60)
    await simulator.place()
    await convoso.agent("SALE")
    await convoso.agent("CB")
    await simulator.advance(3600)
    await simulator.place()
    assert await zeros(simulator) == 0


async def test_a_sale_that_the_api_wrote_over_is_still_one(simulator: Simulator) -> None:
    convoso = Convoso(simulator)
    (lead_id,) = await convoso.leads({"phone_number": NUMBER})
    await convoso.agent("SALE")
    await convoso.ask("leads/update", lead_id=lead_id, status="A")
    await simulator.advance(60)
    await simulator.place()
    assert await zeros(simulator) == 1


@pytest.mark.parametrize(
    ("ended", "cleared", "faults"),
    [
        (-5.0, None, 0),
        (-5.1, None, 1),
        (-3600.0, -5.0, 0),
        (-3600.0, -5.1, 1),
        (-1.0, -3600.0, 0),
    ],
)
def test_the_counter_counts_rows(ended: float, cleared: float | None, faults: int) -> None:
    word = CrmWord(NOON + ended, None if cleared is None else NOON + cleared)
    rows: list[LedgerRow] = [call(crm_word=word), call(3600.0)]
    board = scored(*rows, rules=Rulebook())
    assert board.calls_after_sale_in_crm == faults
    assert len(board.examples.get("calls_after_sale_in_crm", [])) == faults
