"""Webhooks: signed over the raw bytes, the same bytes at every try, retried until 2xx, spoilt on demand."""

from typing import Any

import pytest

from tests.services.simulator.support import NUMBER, SECRET, Receiver, Servers, Simulator, eventually


async def call(simulator: Simulator, receiver: Receiver, number: str = NUMBER, **fields: Any) -> str:
    """A call that has ended."""
    call_id = await simulator.place(number, webhook=receiver.url, **fields)
    await simulator.ended(call_id)
    return call_id


async def delivered(simulator: Simulator, count: int) -> list[dict[str, Any]]:
    """Every delivery in the ledger, once there are so many."""

    async def enough() -> list[dict[str, Any]]:
        found = [delivery for row in await simulator.rows() for delivery in row["deliveries"]]
        return found if len(found) >= count else []

    return list(await eventually(enough, f"{count} deliveries"))


async def test_the_result_is_posted_once_signed_and_equal_to_the_details(
    simulator: Simulator, receiver: Receiver
) -> None:
    await simulator.script({"outcome": "VOICEMAIL"})
    call_id = await call(simulator, receiver, metadata={"attempt_id": "a1", "campaign": "awhealth"})
    (event,) = await receiver.got(1)
    assert event.signed_with(SECRET)
    assert event.headers["Content-Type"] == "application/json"
    assert event.json == await simulator.details(call_id)
    assert event.json["metadata"] == {"attempt_id": "a1", "campaign": "awhealth"}
    await delivered(simulator, 1)
    (row,) = await simulator.rows()
    assert row["outcome"] == "VOICEMAIL"
    assert row["delivered_real_at"] == row["deliveries"][0]["real_at"]
    assert [delivery["status"] for delivery in row["deliveries"]] == [200]
    assert len(receiver.received) == 1


async def test_without_a_secret_there_is_no_signature(servers: Servers, receiver: Receiver) -> None:
    simulator = await servers.simulator(webhook_secret=None)
    await call(simulator, receiver)
    (event,) = await receiver.got(1)
    assert "X-Webhook-Signature" not in event.headers


async def test_without_a_webhook_nothing_is_sent(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.ended(await simulator.place())
    (row,) = await simulator.rows()
    assert (row["wants_result"], row["deliveries"]) == (False, [])


@pytest.mark.parametrize("status", [302, 400, 401, 429, 500, 503])
async def test_everything_but_2xx_is_tried_again_with_the_same_bytes(
    simulator: Simulator, receiver: Receiver, status: int
) -> None:
    receiver.statuses = [status] * 3
    await call(simulator, receiver)
    events = await receiver.got(4)
    assert len({event.body for event in events}) == 1
    assert [delivery["status"] for delivery in await delivered(simulator, 4)] == [status] * 3 + [200]
    assert (await simulator.done("GET", "/simulator/scoreboard"))["undelivered_results"] == 0


async def test_a_receiver_that_is_not_there_is_tried_until_it_is_given_up(servers: Servers) -> None:
    simulator = await servers.simulator(webhook_attempts=3)
    call_id = await simulator.place(webhook="http://127.0.0.1:1/hook")
    await simulator.ended(call_id)
    assert [delivery["status"] for delivery in await delivered(simulator, 3)] == [None] * 3
    assert (await simulator.rows())[0]["delivered_real_at"] is None
    assert (await simulator.done("GET", "/simulator/scoreboard"))["undelivered_results"] == 1

    async def complete_error() -> bool:
        return bool((await simulator.details(call_id))["queue_status"] == "complete_error")

    await eventually(complete_error, "the failed webhook shows in the details")


async def test_a_receiver_that_is_too_slow_counts_as_silent(servers: Servers) -> None:
    simulator = await servers.simulator(webhook_timeout_seconds=0.05, webhook_attempts=1)
    call_id = await simulator.place(webhook=f"http://127.0.0.1:{servers.silent_port()}/hook")
    await simulator.ended(call_id)
    assert [delivery["status"] for delivery in await delivered(simulator, 1)] == [None]


async def test_duplicates(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.fault({"on": "webhook", "kind": "duplicate", "count": 1, "copies": 9})
    await call(simulator, receiver)
    events = await receiver.got(10)
    assert len({event.body for event in events}) == 1
    assert len(await delivered(simulator, 10)) == 10


async def test_never(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.fault({"on": "webhook", "kind": "never", "phone_number": NUMBER})
    await call(simulator, receiver)
    await call(simulator, receiver, "+15615550124")
    (event,) = await receiver.got(1)
    assert event.json["to"] == "+15615550124"
    rows = await simulator.rows()
    assert rows[0]["deliveries"] == []
    assert rows[0]["outcome"] is not None


async def test_late(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.fault(
        {"on": "webhook", "kind": "late", "count": 1, "seconds": 600},
        {"on": "webhook", "kind": "late", "count": 1, "seconds": 0.05},
    )
    await call(simulator, receiver)
    await call(simulator, receiver, "+15615550124")
    await call(simulator, receiver, "+15615550125")
    assert {event.json["to"] for event in await receiver.got(2)} == {"+15615550124", "+15615550125"}


async def test_reordered_events_come_after_the_next_one(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.fault({"on": "webhook", "kind": "reorder", "count": 1, "seconds": 600})
    await call(simulator, receiver)
    assert receiver.received == []
    await call(simulator, receiver, "+15615550124")
    assert [event.json["to"] for event in await receiver.got(2)] == ["+15615550124", NUMBER]


async def test_a_reordered_event_comes_by_itself_in_the_end(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.fault({"on": "webhook", "kind": "reorder", "count": 1, "seconds": 0.05})
    await call(simulator, receiver)
    await receiver.got(1)


async def test_a_bad_signature_is_followed_by_a_good_one(simulator: Simulator, receiver: Receiver) -> None:
    receiver.statuses = [401]
    await simulator.fault({"on": "webhook", "kind": "bad_signature", "count": 1})
    await call(simulator, receiver)
    events = await receiver.got(2)
    assert [event.signed_with(SECRET) for event in events] == [False, True]


async def test_citations_follow_when_asked_for(simulator: Simulator, receiver: Receiver) -> None:
    call_id = await call(simulator, receiver, citation_schema_ids=["s1"])
    await simulator.advance(60)
    events = await receiver.got(2)
    assert [event.kind for event in events] == ["result", "citations"]
    assert events[1].signed_with(SECRET)
    assert set(events[1].json) == {"call_id", "user_id", "event_type", "timestamp", "citations"}
    assert events[1].json["call_id"] == call_id
    assert [delivery["kind"] for delivery in await delivered(simulator, 2)] == ["result", "citations"]


async def test_a_share_of_calls_is_followed_by_citations(servers: Servers, receiver: Receiver) -> None:
    simulator = await servers.simulator(citations_share=1)
    await call(simulator, receiver)
    await simulator.advance(60)
    assert {event.kind for event in await receiver.got(2)} == {"result", "citations"}


async def test_citations_can_come_first(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.fault(
        {"on": "webhook", "kind": "citations_first", "phone_number": NUMBER, "seconds": 600},
        {"on": "webhook", "kind": "citations_first", "seconds": 0.05},
    )
    await call(simulator, receiver)
    (first,) = await receiver.got(1)
    assert first.kind == "citations"
    await call(simulator, receiver, "+15615550124")
    events = await receiver.got(3)
    assert sorted(event.kind for event in events[1:]) == ["citations", "result"]


async def test_an_in_call_event_comes_when_subscribed_to(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.script({"outcome": "CONFUSED", "queue_seconds": 1, "ring_seconds": 5, "talk_seconds": 600})
    call_id = await simulator.place(webhook=receiver.url, webhook_events=["call"])
    await simulator.advance(10)
    (event,) = await receiver.got(1)
    assert event.json == {"message": "Agent speech", "call_id": call_id, "category": "call", "log_level": "info"}
    await simulator.ended(call_id)
    assert [event.kind for event in await receiver.got(2)] == ["in_call", "result"]


async def test_an_in_call_event_can_come_unasked(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.fault({"on": "webhook", "kind": "in_call_event", "count": 1})
    await call(simulator, receiver)
    assert {event.kind for event in await receiver.got(2)} == {"in_call", "result"}


async def test_only_what_was_sent_is_sent_again(simulator: Simulator, receiver: Receiver) -> None:
    sent = await call(simulator, receiver)
    live = await simulator.place("+15615550124", webhook=receiver.url)
    await receiver.got(1)
    answer = await simulator.done("POST", "/v1/postcall/webhooks/resend", {"call_ids": [sent, live, "unknown"]})
    assert answer["data"]["resent"] == [sent]
    assert set(answer["data"]["failed"]) == {live, "unknown"}
    events = await receiver.got(2)
    assert events[0].body == events[1].body
    assert (await simulator.ask("POST", "/v1/postcall/webhooks/resend", {"call_ids": "all"}))[0] == 400


async def test_a_raw_body_is_sent_byte_for_byte(simulator: Simulator, receiver: Receiver) -> None:
    raw = '{"call_id":"x","summary":"a\\u0000b \\ud800 c"}'
    await simulator.script({"outcome": "CONFUSED", "raw": raw})
    await call(simulator, receiver)
    (event,) = await receiver.got(1)
    assert event.body == raw.encode()
    assert event.signed_with(SECRET)
