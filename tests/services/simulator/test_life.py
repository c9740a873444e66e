"""A call's life in business time: queued, started, ended, stopped, dialled again by the provider itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.services.simulator.support import NUMBER, START, Receiver, Servers, Simulator, eventually

TALK = {"outcome": "CONFUSED", "queue_seconds": 2, "ring_seconds": 8, "talk_seconds": 90}


async def active(simulator: Simulator) -> list[dict[str, Any]]:
    answer = await simulator.done("GET", "/v1/calls/active")
    assert answer["errors"] is None
    return list(answer["data"])


async def test_queued_then_started_then_complete(simulator: Simulator) -> None:
    await simulator.script(TALK)
    call_id = await simulator.place(metadata={"attempt_id": "a1"})
    queued = await simulator.details(call_id)
    assert (queued["queue_status"], queued["completed"], queued["started_at"]) == ("queued", False, None)
    assert queued["metadata"] == {"attempt_id": "a1"}
    (item,) = await active(simulator)
    assert (item["call_id"], item["status"], item["to"]) == (call_id, "QUEUED", NUMBER)
    assert item["timestamp"] == str(round(START.timestamp() * 1000))

    await simulator.advance(5)
    started = await simulator.details(call_id)
    assert (started["queue_status"], started["started_at"]) == ("started", "2026-01-05T17:00:02.000Z")
    assert (await active(simulator))[0]["status"] == "IN_PROGRESS"

    await simulator.advance(96)
    ended = await simulator.ended(call_id)
    assert (ended["queue_status"], ended["status"], ended["completed"]) == ("complete", "completed", True)
    assert ended["end_at"] == "2026-01-05T17:01:40.000Z"
    assert (ended["call_length"], ended["corrected_duration"]) == (1.5, "90")
    assert await active(simulator) == []


async def test_max_duration_is_minutes(simulator: Simulator) -> None:
    await simulator.script({**TALK, "talk_seconds": 4000})
    ended = await simulator.ended(await simulator.place(max_duration=2))
    assert (ended["call_length"], ended["corrected_duration"]) == (2.0, "120")


async def test_a_scheduled_call_waits_for_its_time(simulator: Simulator) -> None:
    await simulator.script(TALK, TALK)
    call_id = await simulator.place(start_time="2026-01-05 13:00:00 -05:00")
    past = await simulator.place("+15615550124", start_time="2026-01-05 09:00:00 -05:00")
    await simulator.advance(1800)
    assert [item["status"] for item in await active(simulator)] == ["QUEUED"]
    assert (await simulator.ended(call_id))["started_at"] == "2026-01-05T18:00:02.000Z"
    assert (await simulator.details(past))["started_at"] == "2026-01-05T17:00:02.000Z"


async def test_a_clock_on_speed_ends_calls_by_itself(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.set_clock(START, speed=50_000)
    await simulator.place(webhook=receiver.url)
    await receiver.got(1)


async def test_stopping_a_call_that_rings_cancels_it(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.script(TALK)
    call_id = await simulator.place(webhook=receiver.url)
    await simulator.advance(5)
    answer = await simulator.done("POST", f"/v1/calls/{call_id}/stop")
    assert answer == {"status": "success", "message": "Call ended successfully."}
    assert await active(simulator) == []
    (event,) = await receiver.got(1)
    assert (event.json["status"], event.json["completed"], event.json["corrected_duration"]) == ("canceled", False, "0")
    (row,) = await simulator.rows()
    assert (row["outcome"], row["ended_business_at"]) == ("FAILED", "2026-01-05T17:00:05.000Z")
    assert row["stopped_real_at"] is not None


async def test_stopping_a_talk_ends_it_where_it_is(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.script({**TALK, "outcome": "SALE"})
    call_id = await simulator.place(webhook=receiver.url)
    await simulator.advance(40)
    await simulator.done("POST", f"/v1/calls/{call_id}/stop")
    (event,) = await receiver.got(1)
    assert (event.json["status"], event.json["corrected_duration"]) == ("completed", "30")
    assert event.json["disposition_tag"] is None
    assert (await simulator.rows())[0]["outcome"] == "CONFUSED"


async def test_a_stopped_call_does_not_end_again(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.script(TALK)
    call_id = await simulator.place(webhook=receiver.url)
    await simulator.done("POST", f"/v1/calls/{call_id}/stop")
    await simulator.ended(call_id)
    await receiver.got(1)
    assert len((await simulator.rows())[0]["deliveries"]) <= 1


async def test_stopping_what_is_over_or_unknown_finds_no_sid(simulator: Simulator) -> None:
    call_id = await simulator.place()
    await simulator.ended(call_id)
    for unknown in (call_id, "no-such-call"):
        status, answer = await simulator.ask("POST", f"/v1/calls/{unknown}/stop")
        assert (status, answer["message"]) == (400, "SID not found for the given c_id.")
    assert (await simulator.ask("GET", "/v1/calls/no-such-call"))[0] == 404


async def test_the_retry_field_makes_the_provider_dial_again(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.script({"outcome": "VOICEMAIL", "times": 5})
    call_id = await simulator.place(
        webhook=receiver.url, retry={"wait": 60}, metadata={"attempt_id": "a1", "campaign": "awhealth"}
    )
    await simulator.ended(call_id)
    await simulator.advance(3600)
    events = await receiver.got(2)
    assert [event.json.get("isRetry") for event in events] == [None, True]
    assert events[1].json["call_id"] != call_id
    assert events[1].json["metadata"]["attempt_id"] == "a1"
    rows = await simulator.rows()
    assert [(row["origin"], row["attempt_id"], row["campaign"]) for row in rows] == [
        ("post", "a1", "awhealth"),
        ("provider_retry", "a1", "awhealth"),
    ]
    await simulator.advance(3600)
    assert len(await simulator.rows()) == 2


async def test_the_retry_field_is_idle_unless_a_voicemail_answered(simulator: Simulator) -> None:
    await simulator.script({"outcome": "NO_ANSWER"})
    await simulator.ended(await simulator.place(retry={"wait": 60}))
    await simulator.advance(3600)
    assert len(await simulator.rows()) == 1


async def test_the_account_pays_for_every_attempt(servers: Servers) -> None:
    simulator = await servers.simulator(balance_dollars=10, plan="build")
    await simulator.script({"outcome": "BUSY"}, {**TALK, "talk_seconds": 600})
    before = await simulator.done("GET", "/v1/me")
    assert before == {"status": "active", "billing": {"current_balance": 10, "refill_to": None}, "total_calls": 0}
    busy = await simulator.ended(await simulator.place())
    assert busy["price"] == 0.015
    assert (await simulator.ended(await simulator.place()))["price"] == 1.2
    after = await simulator.done("GET", "/v1/me")
    assert (after["billing"]["current_balance"], after["total_calls"]) == (8.785, 2)


async def test_calls_made_elsewhere_and_inbound_calls(simulator: Simulator, receiver: Receiver) -> None:
    wanted = {"phone_number": NUMBER, "webhook": receiver.url, "step": {"outcome": "DO_NOT_CALL"}}
    inbound = await simulator.done(
        "POST", "/simulator/calls", wanted | {"inbound": True, "from_number": "+15615550900"}
    )
    foreign = await simulator.done("POST", "/simulator/calls", wanted)
    body = await simulator.ended(inbound["call_id"])
    assert (body["inbound"], body["from"], body["to"]) == (True, NUMBER, "+15615550900")
    assert (await simulator.details(foreign["call_id"]))["inbound"] is False
    await receiver.got(2)
    assert [row["origin"] for row in await simulator.rows()] == ["inbound", "elsewhere"]
    score = await simulator.done("GET", "/simulator/scoreboard")
    assert (score["calls"], score["posts"]) == (0, 0)


@pytest.mark.parametrize(
    "wrong", [{"phone_number": "7"}, {"phone_number": NUMBER, "webhook": "http://example.test/"}, {}]
)
async def test_a_call_elsewhere_that_makes_no_sense_is_refused(simulator: Simulator, wrong: dict[str, str]) -> None:
    assert (await simulator.ask("POST", "/simulator/calls", wrong))[0] == 400


async def test_business_time_never_runs_backwards_under_calls(simulator: Simulator) -> None:
    await simulator.set_clock(START - timedelta(days=30))
    await simulator.place()
    now = datetime.now(UTC).isoformat()
    back = {"real_at": now, "business_at": (START - timedelta(days=60)).isoformat(), "speed": 1}
    assert (await simulator.ask("PUT", "/simulator/clock", back))[0] == 409
    await simulator.done("DELETE", "/simulator/ledger")
    await simulator.done("PUT", "/simulator/clock", back)


async def test_a_reset_forgets_calls_and_their_ends(simulator: Simulator, receiver: Receiver) -> None:
    call_id = await simulator.place(webhook=receiver.url)
    await simulator.done("DELETE", "/simulator/ledger")
    assert (await simulator.ask("GET", f"/v1/calls/{call_id}"))[0] == 404
    await simulator.advance(24 * 3600)
    other = await simulator.place(webhook=receiver.url)
    await simulator.ended(other)
    (event,) = await receiver.got(1)
    assert event.json["call_id"] == other
    assert len(await simulator.rows()) == 1


async def test_many_calls_end_at_once_when_the_clock_jumps(simulator: Simulator, receiver: Receiver) -> None:
    for n in range(1200):
        await simulator.place(f"+1561555{n:04}", webhook=receiver.url)
    await simulator.advance(24 * 3600)
    events = await receiver.got(1200)
    assert len({event.json["call_id"] for event in events}) == 1200

    async def all_told() -> bool:
        score = await simulator.done("GET", "/simulator/scoreboard")
        return bool(score["live_calls"] == 0 and score["undelivered_results"] == 0)

    await eventually(all_told, "every result is answered")
