"""A past for the simulated account: made by order, the same each time, judged by nobody, added to later."""

import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from services.simulator.bland.history import HistoryOrder, people_of
from tests.services.simulator.support import NUMBER, START, Servers, Simulator
from tests.support.simulated import past_call

FROM: Final = START - timedelta(days=30)
OUR_NUMBER: Final = "+15615550900"


async def make(simulator: Simulator, calls: int = 600, **order: Any) -> None:
    wanted = {"calls": calls, "numbers": 150, "starts_at": FROM.isoformat(), "ends_at": START.isoformat(), **order}
    assert await simulator.done("POST", "/simulator/history", wanted) == {"calls": calls}


async def listed(simulator: Simulator, **parameters: str) -> list[dict[str, Any]]:
    """All that the list shows, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        page = {"ascending": "true", "from": str(len(found)), "limit": "1000", **parameters}
        status, answer = await simulator.ask("GET", "/v1/calls", params=page)
        assert status == 200, answer
        found += answer["calls"]
        if len(found) >= answer["total_count"] or not answer["calls"]:
            return found


async def test_a_past_is_listed_and_has_details(simulator: Simulator) -> None:
    await make(simulator)
    items = await listed(simulator)
    assert len(items) == len({item["call_id"] for item in items}) == 600
    created = [datetime.fromisoformat(item["created_at"]) for item in items]
    assert created == sorted(created)
    assert FROM <= created[0] < created[-1] < START
    details = await simulator.details(items[0]["call_id"])
    assert (details["call_id"], details["created_at"]) == (items[0]["call_id"], items[0]["created_at"])
    assert details["end_at"] is not None


async def test_the_same_order_gives_the_same_past(servers: Servers) -> None:
    pasts = []
    for seed in (7, 7, 8):
        simulator = await servers.simulator()
        await make(simulator, seed=seed, shares={"running": 0.1})
        items = await listed(simulator)
        pasts.append([items, [await simulator.details(item["call_id"]) for item in items[::50]]])
    assert pasts[0] == pasts[1]
    assert pasts[0] != pasts[2]


async def test_nobody_is_judged_by_the_past_and_no_webhook_tells_of_it(simulator: Simulator) -> None:
    await make(simulator)
    await simulator.advance(24 * 3600)
    assert await simulator.rows() == []
    board = await simulator.done("GET", "/simulator/scoreboard")
    assert {name: value for name, value in board.items() if value} == {
        name: value for name, value in (await fresh_board(simulator)).items() if value
    }


async def fresh_board(simulator: Simulator) -> Any:
    await simulator.done("DELETE", "/simulator/ledger")
    assert await listed(simulator) == []
    return await simulator.done("GET", "/simulator/scoreboard")


async def test_the_usual_mix_holds_everything_that_a_reader_of_history_meets(simulator: Simulator) -> None:
    await make(simulator, calls=6000, numbers=1500)
    items = await listed(simulator)
    seen: Counter[str] = Counter()
    for item in items:
        seen[f"answered by {item['answered_by']}"] += 1
        seen["inbound"] += item["inbound"]
        seen["running"] += item["queue_status"] in {"queued", "started"}
        seen["number not found"] += "not found" in (item["error_message"] or "")
        seen["own"] += not item["inbound"] and item["to"] in {OUR_NUMBER, OUR_NUMBER.removeprefix("+1")}
        seen["toll-free"] += item["to"].removeprefix("+1").startswith("800")
        seen["spelt without +1"] += not item["to"].startswith("+")
    for sample in items[::10]:
        details = await simulator.details(sample["call_id"])
        seen["metadata"] += bool(details["metadata"])
        seen["no metadata"] += not details["metadata"]
        seen["merged"] += (details["warm_transfer_call"] or {}).get("state") == "MERGED"
        seen["transcript"] += bool(details["transcripts"])
        seen["tag"] += bool(details["pathway_tags"])
        seen["callback"] += "callback_requested" in details["variables"]
        seen["disposition SALE"] += details["disposition_tag"] == "SALE"
    expected = (
        *("answered by voicemail", "answered by human", "answered by no-answer", "answered by None"),
        *("inbound", "running", "number not found", "own", "toll-free", "spelt without +1"),
        *("metadata", "no metadata", "merged", "transcript", "tag", "callback", "disposition SALE"),
    )
    assert [name for name in expected if not seen[name]] == []


async def test_shares_and_outcomes_can_be_ordered(simulator: Simulator) -> None:
    nothing = dict.fromkeys(("own_numbers", "toll_free", "running", "foreign_metadata"), 0)
    await make(simulator, calls=100, shares={"outcomes": {"SALE": 1}, "inbound": 1, **nothing})
    items = await listed(simulator)
    assert all(item["inbound"] and item["to"] == OUR_NUMBER and item["completed"] for item in items)
    people = people_of(HistoryOrder(calls=100, numbers=150, starts_at=FROM, ends_at=START))
    assert {(await simulator.details(item["call_id"]))["from"] for item in items} <= set(people)


async def test_calls_that_still_run_are_active_and_end_later(simulator: Simulator) -> None:
    await make(simulator, calls=20, shares={"running": 1})
    active = (await simulator.done("GET", "/v1/calls/active"))["data"]
    assert len(active) == 20
    call_id = active[0]["call_id"]
    assert (await simulator.details(call_id))["end_at"] is None
    await simulator.advance(2 * 3600)
    assert (await simulator.ended(call_id))["completed"] is True
    assert await simulator.rows() == []


async def test_a_page_at_any_place_shows_the_same_as_the_whole_list(simulator: Simulator) -> None:
    await make(simulator, calls=500)
    every = [item["call_id"] for item in await listed(simulator)]
    start, end = (FROM + timedelta(days=days) for days in (10, 20))
    within = [
        item["call_id"] for item in await listed(simulator, start_date=start.isoformat(), end_date=end.isoformat())
    ]
    assert 0 < len(within) < len(every)
    first = every.index(within[0])
    assert every[first : first + len(within)] == within
    parameters = {"from": "3", "to": "10", "start_date": start.isoformat(), "end_date": end.isoformat()}
    _, ascending = await simulator.ask("GET", "/v1/calls", params={"ascending": "true", **parameters})
    _, descending = await simulator.ask("GET", "/v1/calls", params=parameters)
    assert [item["call_id"] for item in ascending["calls"]] == within[3:10]
    assert [item["call_id"] for item in descending["calls"]] == within[::-1][3:10]
    assert ascending["total_count"] == descending["total_count"] == len(within)


async def test_a_call_that_turns_up_later_shifts_the_list(simulator: Simulator) -> None:
    await make(simulator, calls=10)
    before = [item["call_id"] for item in await listed(simulator)]
    past = [
        past_call(NUMBER, FROM - timedelta(days=1), "DO_NOT_CALL", metadata={"attempt_id": "theirs"}),
        past_call("+15615550124", FROM - timedelta(days=2), "VOICEMAIL", inbound=True, call_id="chosen"),
    ]
    ids = (await simulator.done("POST", "/simulator/history/calls", {"calls": past}))["call_ids"]
    assert ids[1] == "chosen"
    assert [item["call_id"] for item in await listed(simulator)] == [*ids[::-1], *before]
    assert (await simulator.details(ids[0]))["metadata"] == {"attempt_id": "theirs"}
    assert (await simulator.details("chosen"))["from"] == "+15615550124"
    found = await listed(simulator, start_date=past[1]["created_at"], end_date=past[0]["created_at"])
    assert [item["call_id"] for item in found] == ids[::-1]


async def test_a_call_of_the_past_is_listed_only_after_its_own_lag(servers: Servers) -> None:
    # The lag is real time, which a test does not wait for.
    late_by = 0.0
    simulator = await servers.simulator(lambda: time.time() + late_by)
    await make(simulator, calls=5, lag_seconds=60)
    late = past_call(NUMBER, FROM + timedelta(days=1), "BUSY", lag_seconds=120, call_id="late")
    await simulator.done("POST", "/simulator/history/calls", {"calls": [late]})
    assert len(await listed(simulator)) == 0
    late_by = 61.0
    assert len(await listed(simulator)) == 5
    late_by = 121.0
    assert len(await listed(simulator)) == 6
    assert (await simulator.details("late"))["status"] == "busy"


async def test_the_past_uses_up_no_cap_of_the_plan(servers: Servers) -> None:
    simulator = await servers.simulator(plan="start")
    await make(simulator, calls=300)
    await simulator.place(NUMBER)
    assert len(await listed(simulator)) == 301


async def test_a_call_that_runs_runs_however_long_ago_it_began(simulator: Simulator) -> None:
    hanging = past_call(NUMBER, FROM, "SALE", running=True, call_id="hanging")
    await simulator.done("POST", "/simulator/history/calls", {"calls": [hanging]})
    await simulator.advance(60)
    assert (await simulator.details("hanging"))["queue_status"] == "started"


@pytest.mark.parametrize(
    ("path", "body", "status", "named"),
    [
        ("history", {"calls": 0}, 400, "calls"),
        ("history", {"starts_at": START.isoformat()}, 400, "starts_at must be before ends_at"),
        ("history", {"shares": {"outcomes": {"SALE": -1}}}, 400, "weights"),
        ("history", {}, 409, "another seed"),
        ("history/calls", {"calls": []}, 400, "calls"),
        ("history/calls", {"calls": [past_call("12", FROM, "BUSY")]}, 400, "phone_number"),
        ("history/calls", {"calls": [past_call(NUMBER, FROM, "BUSY", call_id="twice")] * 2}, 409, "call_id"),
    ],
)
async def test_a_wrong_order_is_refused_and_makes_nothing(
    simulator: Simulator, path: str, body: dict[str, Any], status: int, named: str
) -> None:
    await make(simulator, calls=3)
    whole = {"calls": 3, "numbers": 150, "starts_at": FROM.isoformat(), "ends_at": START.isoformat(), **body}
    answer = await simulator.ask("POST", f"/simulator/{path}", body if path == "history/calls" else whole)
    assert answer[0] == status
    assert named in answer[1]["error"]
    assert len(await listed(simulator)) == 3
