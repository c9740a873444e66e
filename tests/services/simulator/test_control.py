"""`/simulator/*`: clock, ledger and scoreboard over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.services.simulator.support import NUMBER, START, Receiver, Servers, Simulator, eventually


async def test_an_untouched_clock_is_the_wall_clock(servers: Servers) -> None:
    simulator = await servers.untouched()
    view = await simulator.done("GET", "/simulator/clock")
    assert view["business_at"] == view["real_at"]
    assert view["speed"] == 1


async def test_business_time_is_where_and_as_fast_as_it_was_set(simulator: Simulator) -> None:
    real_at = datetime.now(UTC) - timedelta(seconds=10)
    setting = {"real_at": real_at.isoformat(), "business_at": "2026-01-05T10:55:00-05:00", "speed": 120}
    view = await simulator.done("PUT", "/simulator/clock", setting)
    elapsed = datetime.fromisoformat(view["real_at"]) - real_at
    business = datetime.fromisoformat(view["business_at"])
    expected = datetime(2026, 1, 5, 15, 55, tzinfo=UTC) + elapsed * 120
    assert abs(business - expected) < timedelta(seconds=1)


@pytest.mark.parametrize(
    "setting",
    [
        {},
        {"real_at": "2026-01-05T10:55:00Z"},
        {"real_at": "2026-01-05T10:55:00", "business_at": "2026-01-05T10:55:00Z"},
        {"real_at": "2026-01-05T10:55:00Z", "business_at": "2026-01-05T10:55:00Z", "speed": -1},
        {"real_at": "2026-01-05T10:55:00Z", "business_at": "2026-01-05T10:55:00Z", "zone": "UTC"},
    ],
)
async def test_a_clock_that_makes_no_sense_is_refused(simulator: Simulator, setting: dict[str, Any]) -> None:
    status, answer = await simulator.ask("PUT", "/simulator/clock", setting)
    assert (status, bool(answer["error"])) == (400, True)


async def test_the_ledger_has_every_request_with_both_times(simulator: Simulator) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    await simulator.post(metadata={"attempt_id": "a1", "campaign": "awhealth"})
    await simulator.post(metadata={"attempt_id": "a2", "campaign": "awhealth"})
    await simulator.post("nonsense", metadata={"attempt_id": 7})
    first, second, third = await simulator.rows()
    assert first["received_business_at"] == "2026-01-05T17:00:00.000Z"
    assert before <= datetime.fromisoformat(first["received_real_at"]) <= datetime.now(UTC)
    assert (first["attempt_id"], first["campaign"], first["phone_number"]) == ("a1", "awhealth", NUMBER)
    assert (first["call_id"] is None, first["refusal"], first["http_status"]) == (False, None, 200)
    assert (second["attempt_id"], second["call_id"], second["http_status"]) == ("a2", None, 429)
    assert second["refusal"].startswith("Calls can only be sent every 10 seconds")
    assert (third["phone_number"], third["attempt_id"], third["http_status"]) == (None, None, 400)


async def test_the_ledger_tells_how_a_call_went(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.script({"outcome": "VOICEMAIL", "queue_seconds": 1, "ring_seconds": 9, "talk_seconds": 20})
    await simulator.ended(await simulator.place(webhook=receiver.url))

    async def told() -> Any:
        (row,) = await simulator.rows()
        return row if row["delivered_real_at"] else None

    row = await eventually(told, "the result is delivered")
    assert row["started_business_at"] == "2026-01-05T17:00:01.000Z"
    assert row["ended_business_at"] == "2026-01-05T17:00:30.000Z"
    assert (row["outcome"], row["wants_result"]) == ("VOICEMAIL", True)
    assert [(found["kind"], found["status"]) for found in row["deliveries"]] == [("result", 200)]


async def test_the_ledger_is_read_in_pages_or_by_number(simulator: Simulator) -> None:
    for n in range(1203):
        await simulator.post(f"+1561555{n:04}")
    whole = await simulator.done("GET", "/simulator/ledger")
    assert (whole["total"], len(whole["rows"])) == (1203, 1203)
    assert [row["seq"] for row in whole["rows"]] == list(range(1, 1204))
    page = await simulator.done("GET", "/simulator/ledger?offset=1200&limit=2")
    assert [row["seq"] for row in page["rows"]] == [1201, 1202]
    _, one = await simulator.ask("GET", "/simulator/ledger", params={"phone_number": "+15615550007"})
    assert (one["total"], one["rows"][0]["phone_number"]) == (1, "+15615550007")
    assert (await simulator.ask("GET", "/simulator/ledger?limit=many"))[0] == 400


async def test_an_empty_ledger_is_json_too(simulator: Simulator) -> None:
    assert await simulator.done("GET", "/simulator/ledger") == {"total": 0, "rows": []}


async def test_a_full_ledger_refuses_rather_than_forgets(servers: Servers) -> None:
    simulator = await servers.simulator(ledger_limit=2)
    statuses = [(await simulator.post(f"+156155501{n:02}"))[0] for n in range(3)]
    assert statuses == [200, 200, 500]
    assert len(await simulator.rows()) == 2


async def test_the_scoreboard_judges_by_the_rules_it_is_given(simulator: Simulator) -> None:
    await simulator.set_clock(datetime(2026, 1, 5, 3, 0, tzinfo=UTC))
    await simulator.place()
    assert (await simulator.done("GET", "/simulator/scoreboard"))["calls_out_of_hours"] == 1
    always = {"default": {"calling_hours": "Mon-Sun 00:00-24:00", "legal_profile": "none"}}
    assert (await simulator.done("POST", "/simulator/scoreboard", always))["calls_out_of_hours"] == 0


@pytest.mark.parametrize(
    "rules",
    [
        {"default": {"calling_hours": "always"}},
        {"default": {"calling_timezone": "Mars/Olympus"}},
        {"plan": "free"},
        {"stopped": {NUMBER: "2026-01-05T10:00:00"}},
        {"hours": "Mon-Fri 11:00-20:00"},
    ],
)
async def test_rules_that_make_no_sense_are_refused(simulator: Simulator, rules: dict[str, Any]) -> None:
    status, answer = await simulator.ask("POST", "/simulator/scoreboard", rules)
    assert (status, bool(answer["error"])) == (400, True)


async def test_a_scoreboard_of_everything_that_went_wrong(simulator: Simulator, receiver: Receiver) -> None:
    """One of each, over the wire: what the pure functions find, the endpoint reports."""
    await simulator.script({"outcome": "DO_NOT_CALL", "talk_seconds": 600}, {"outcome": "BUSY", "times": 50})
    await simulator.place(webhook=receiver.url, metadata={"attempt_id": "a1"})
    await simulator.advance(20)
    await simulator.place(webhook=receiver.url, metadata={"attempt_id": "a1"})
    await simulator.advance(3600)
    await receiver.got(2)

    async def told() -> bool:
        return not (await simulator.done("GET", "/simulator/scoreboard"))["undelivered_results"]

    await eventually(told, "both results are delivered")
    for _ in range(8):
        await simulator.place()
        await simulator.advance(60)
    await simulator.set_clock(START + timedelta(hours=10))
    await simulator.place()
    board = await simulator.done("GET", "/simulator/scoreboard")
    assert board["second_posts"] == 1
    assert board["overlapping_calls"] == 1
    assert board["calls_after_final_result"] == board["calls_after_stop"] == 9
    assert board["over_a_cap"]["day"] == board["calls_over_a_cap"] == 3
    assert board["calls_out_of_hours"] == 1
    assert board["people_reached"] == 1
