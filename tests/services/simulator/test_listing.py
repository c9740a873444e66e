"""`GET /v1/calls`: index paging, inclusive dates, exact filters, silence about what it does not know, and its lag."""

import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.services.simulator.support import NUMBER, START, Servers, Simulator


async def listed(simulator: Simulator, **parameters: str) -> Any:
    status, answer = await simulator.ask("GET", "/v1/calls", params=parameters)
    assert status == 200, answer
    return answer


def ids(answer: Any) -> list[str]:
    return [item["call_id"] for item in answer["calls"]]


@pytest.fixture
async def history(servers: Servers) -> tuple[Simulator, list[str]]:
    """Six calls, one an hour from noon in New York on."""
    simulator = await servers.simulator(national_form_share=0)
    await simulator.script({"outcome": "VOICEMAIL", "times": 100})
    placed = []
    for n in range(6):
        await simulator.set_clock(START + timedelta(hours=n))
        placed.append(
            await simulator.place(f"+1561555012{n}", metadata={"attempt_id": f"a{n}"}, **{"from": "5615550900"})
        )
    return simulator, placed


async def test_newest_first_unless_ascending(history: tuple[Simulator, list[str]]) -> None:
    simulator, placed = history
    assert ids(await listed(simulator)) == placed[::-1]
    assert ids(await listed(simulator, ascending="true")) == placed


async def test_pages_by_index_with_an_exclusive_end(history: tuple[Simulator, list[str]]) -> None:
    simulator, placed = history
    answer = await listed(simulator, ascending="true", **{"from": "2", "to": "4"})
    assert ids(answer) == placed[2:4]
    assert (answer["total_count"], answer["count"]) == (6, 2)
    assert ids(await listed(simulator, ascending="true", limit="2")) == placed[:2]
    assert ids(await listed(simulator, ascending="true", **{"from": "5", "to": "1000"})) == placed[5:]
    assert ids(await listed(simulator, ascending="true", **{"from": "6"})) == []
    assert ids(await listed(simulator, ascending="true", **{"from": "4", "to": "2"})) == []


async def test_a_page_parameter_is_ignored_in_silence(history: tuple[Simulator, list[str]]) -> None:
    simulator, placed = history
    pages = [ids(await listed(simulator, page=str(n), limit="2", pathway_id="p9")) for n in (1, 2, 2094)]
    assert pages == [placed[:-3:-1]] * 3


async def test_a_limit_above_1000_is_1000(simulator: Simulator) -> None:
    for n in range(1003):
        await simulator.place(f"+1561{200 + n // 1000}{n % 10000:04}")
    answer = await listed(simulator, limit="10000")
    assert (answer["total_count"], answer["count"], len(answer["calls"])) == (1003, 1000, 1000)
    rest = await listed(simulator, **{"from": "1000", "to": "99999"})
    assert rest["count"] == 3


async def test_both_dates_are_inclusive(history: tuple[Simulator, list[str]]) -> None:
    simulator, placed = history
    items = (await listed(simulator, ascending="true"))["calls"]
    first, last = items[1]["created_at"], items[3]["created_at"]
    assert ids(await listed(simulator, ascending="true", start_date=first, end_date=last)) == placed[1:4]
    assert ids(await listed(simulator, ascending="true", start_date=last)) == placed[3:]


async def test_a_plain_date_is_its_whole_day_in_utc_or_the_zone_named(servers: Servers) -> None:
    simulator = await servers.simulator()
    await simulator.set_clock(datetime(2026, 1, 5, 23, 30, tzinfo=ZoneInfo("America/New_York")))
    call_id = await simulator.place()
    assert ids(await listed(simulator, start_date="2026-01-06", end_date="2026-01-06")) == [call_id]
    assert ids(await listed(simulator, start_date="2026-01-05", end_date="2026-01-05")) == []
    assert ids(await listed(simulator, created_at="2026-01-05", timezone="America/New_York")) == [call_id]
    assert ids(await listed(simulator, end_date="2026-01-05T23:00:00-05:00")) == []
    assert ids(await listed(simulator, end_date="2026-01-05T23:40:00-05:00")) == [call_id]


async def test_number_filters_are_exact(history: tuple[Simulator, list[str]]) -> None:
    simulator, placed = history
    assert ids(await listed(simulator, to_number="+15615550123")) == [placed[3]]
    assert ids(await listed(simulator, to_number="5615550123")) == []
    assert ids(await listed(simulator, to_number="+15615550199")) == []
    assert len(ids(await listed(simulator, from_number="+15615550900"))) == 6
    assert ids(await listed(simulator, from_number="+15615550123")) == []


async def test_a_share_of_calls_is_known_only_without_plus_one(servers: Servers) -> None:
    simulator = await servers.simulator(national_form_share=1)
    call_id = await simulator.place()
    assert ids(await listed(simulator, to_number=NUMBER)) == []
    answer = await listed(simulator, to_number="5615550123")
    assert ids(answer) == [call_id]
    assert answer["calls"][0]["to"] == "5615550123"
    assert (await simulator.details(call_id))["to"] == NUMBER


async def test_by_default_some_calls_are_spelt_either_way(simulator: Simulator) -> None:
    for n in range(100):
        await simulator.place(f"+156155501{n:02}")
    spelt = [item["to"] for item in (await listed(simulator))["calls"]]
    national = sum(not to.startswith("+") for to in spelt)
    assert 0 < national < 50


async def test_items_hold_neither_transcripts_nor_metadata_nor_status(history: tuple[Simulator, list[str]]) -> None:
    simulator, placed = history
    details = await simulator.ended(placed[0])
    assert details["metadata"] == {"attempt_id": "a0"}
    item = (await listed(simulator, ascending="true"))["calls"][0]
    names = "call_id created_at call_length to from completed queue_status error_message answered_by batch_id inbound"
    assert set(item) == set(names.split())
    assert item["call_length"] == details["call_length"]


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({"completed": "true"}, 5),
        ({"completed": "false"}, 1),
        ({"inbound": "true"}, 0),
        ({"answered_by": "voicemail"}, 5),
        ({"answered_by": "human"}, 0),
        ({"duration_gt": "0.4"}, 5),
        ({"duration_gt": "25"}, 0),
        ({"duration_lt": "0.4"}, 1),
    ],
)
async def test_other_filters(history: tuple[Simulator, list[str]], parameters: dict[str, str], count: int) -> None:
    simulator, _ = history
    answer = await listed(simulator, **parameters)
    assert (answer["total_count"], answer["count"]) == (count, count)


@pytest.mark.parametrize(
    "parameters",
    [
        {"from": "-1"},
        {"to": "many"},
        {"limit": "1e3"},
        {"ascending": "yes"},
        {"start_date": "yesterday"},
        {"end_date": "2026-13-01"},
        {"created_at": "2026-01-05", "start_date": "2026-01-05"},
        {"timezone": "Mars/Olympus"},
        {"duration_gt": "long"},
        {"start_date": "2026-01-05T10:00:00 05:00"},
    ],
)
async def test_a_known_parameter_with_an_impossible_value_is_refused(
    simulator: Simulator, parameters: dict[str, str]
) -> None:
    status, answer = await simulator.ask("GET", "/v1/calls", params=parameters)
    assert (status, answer["message"]) == (400, "Invalid parameters")


async def test_a_call_is_listed_only_after_the_lag(servers: Servers) -> None:
    # The lag is real time, which a test does not wait for.
    late_by = 0.0
    simulator = await servers.simulator(lambda: time.time() + late_by, listing_lag_seconds=120)
    call_id = await simulator.place()
    assert ids(await listed(simulator)) == []
    assert ids(await listed(simulator, to_number=NUMBER)) == []
    assert (await simulator.details(call_id))["call_id"] == call_id
    assert [item["call_id"] for item in (await simulator.done("GET", "/v1/calls/active"))["data"]] == [call_id]
    late_by = 121.0
    assert ids(await listed(simulator)) == [call_id]


async def test_an_inbound_call_is_listed_under_both_of_its_numbers(servers: Servers) -> None:
    simulator = await servers.simulator(national_form_share=0)
    placed = await simulator.done(
        "POST", "/simulator/calls", {"phone_number": NUMBER, "inbound": True, "from_number": "+15615550900"}
    )
    for parameters in ({"from_number": NUMBER}, {"to_number": "+15615550900"}, {"inbound": "true"}):
        assert ids(await listed(simulator, **parameters)) == [placed["call_id"]]
    assert ids(await listed(simulator, to_number=NUMBER)) == []
