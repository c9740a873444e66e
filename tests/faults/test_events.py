"""Rows 6 to 9: events that come early, often, late, never, of unknown calls, and as poison."""

import asyncio
import json
from datetime import timedelta
from typing import Any

from tests.support.acting import acting_dialer
from tests.support.phones import fresh_phone, fresh_phones
from tests.support.simulated import step
from tests.support.system import System
from tests.support.tcp_proxy import Direction, TcpProxy

OLD_ENOUGH = timedelta(seconds=15)
"""A call placed a moment ago may be missing from the provider's lists for no reason."""
POISON: tuple[bytes, ...] = (
    b"",
    b"\x00",
    b"\xff\xfe\xfa",
    b"not json",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[1, 2, 3]",
    b'"text"',
    b"NaN",
    b'{"call_id": null}',
    b'{"call_id": {"a": 1}, "status": []}',
    b'{"call_id": "',
    b'\xef\xbb\xbf{"call_id": 7e400}',
    b'{"call_id": "\\ud800", "status": "completed"}',
)
CALL_WITH_POISON = b"""{"call_id": "poison-%d", "to": "%s", "completed": true, "status": "comp\\u0000leted\\ud800",
"answered_by": ["human"], "call_length": NaN, "corrected_duration": "1e999", "pathway_tags": [null, {}, 1],
"variables": [1], "metadata": {"attempt_id": "no uuid"}, "transcripts": {"user": 1}, "concatenated_transcript": 5,
"error_message": {"a": null}, "price": "x", "end_at": "never", "warm_transfer_call": "MERGED", "inbound": "perhaps"}"""


async def _events_of(system: System, call_id: str) -> list[dict[str, Any]]:
    rows = await system.db.fetch(
        "SELECT disposition, kind, outcome FROM events WHERE call_id = $1 ORDER BY id", call_id
    )
    return [dict(row) for row in rows]


# ---------------------------------------------------------------- row 6


async def test_row_06_event_before_the_report(system: System) -> None:
    phone = fresh_phone()
    async with TcpProxy(system.stack.queue_ports) as network, system.dialer(queue_url=network.url) as dialer:
        report = network.hold(b"/v1/reports", Direction.THERE)
        await system.add_lead(phone)
        await report.caught()
        early = await system.until_state(phone, "ended")
        report.release()
        assert await dialer.terminate() == 0
        assert "reports_left_behind" not in dialer.log_text()
    (late,) = await system.attempts(phone)
    assert late == early
    assert (await system.lead(phone)).attempts == 1
    assert await system.count("SELECT count(*) FROM alarms WHERE attempt_id = $1", early["id"]) == 0
    await system.assert_promises()


async def test_row_06_event_a_thousand_times_at_once(system: System) -> None:
    phone = fresh_phone()
    await system.add_lead(phone)
    async with acting_dialer(system.stack, webhooks=False) as dialer:
        _, call_id = await dialer.place(phone)
    body = json.dumps(await system.details_at_bland(call_id)).encode()
    answers = await asyncio.gather(*(system.post_event(body) for _ in range(1000)))
    assert set(answers) == {200}
    assert await _events_of(system, call_id) == [{"disposition": "applied", "kind": "result", "outcome": "NO_ANSWER"}]
    ended = await system.until_state(phone, "ended")
    assert ended["call_id"] == call_id
    lead = await system.lead(phone)
    assert (lead.attempts, lead.outcomes) == (1, ["NO_ANSWER"])
    told = await system.count("SELECT count(*) FROM audit_log WHERE lead_id = $1 AND verb = 'result'", lead.id)
    assert told == 1
    await system.assert_promises()


async def test_row_06_out_of_order_and_of_a_second_kind(system: System) -> None:
    kinds = ("citations", "citations_first", "in_call_event", "duplicate", "reorder")
    phones = dict(zip(kinds, fresh_phones(len(kinds)), strict=True))
    for kind, phone in phones.items():
        await system.simulator.script(phone, step("CONFUSED", seconds=2))
        await system.simulator.fault("webhook", kind, phone_number=phone)
    async with system.dialer():
        await system.add_leads(list(phones.values()))
        for kind, phone in phones.items():
            ended = await system.until_state(phone, "ended")
            assert (ended["outcome"], ended["talk_seconds"] is None) == ("CONFUSED", False), kind
            assert (await system.lead(phone)).outcomes == ["CONFUSED"], kind
    await system.assert_promises()


async def test_row_06_a_poorer_result_never_replaces_a_richer_one(system: System) -> None:
    phone = fresh_phone()
    await system.simulator.script(phone, step("CONFUSED", seconds=2))
    async with system.dialer():
        await system.add_lead(phone)
        first = await system.until_state(phone, "ended")
    poorer = {"call_id": first["call_id"], "to": phone, "status": None, "completed": True, "answered_by": None}
    citations = {"call_id": first["call_id"], "citations": [{"name": "age", "value": "64"}]}
    for body in (poorer, citations):
        assert await system.post_event(body) == 200
    assert await system.attempts(phone) == [first]
    stop = {**poorer, "transcripts": [{"user": "user", "text": "Do not call me again."}]}
    assert await system.post_event(stop) == 200
    (last,) = await system.attempts(phone)
    assert (last["outcome"], last["talk_seconds"]) == ("DO_NOT_CALL", first["talk_seconds"])
    lead = await system.lead(phone)
    assert (lead.status, lead.status_reason, lead.attempts) == ("completed", "dnc", 1)


# ---------------------------------------------------------------- row 7


async def test_row_07_event_never_comes(system: System) -> None:
    over, ringing = fresh_phones(2)
    await system.simulator.script(over, step("CONFUSED", seconds=1))
    await system.simulator.script(ringing, step("CONFUSED", seconds=3600))
    async with system.dialer():
        for phone in (over, ringing):
            await system.simulator.fault("webhook", "never", phone_number=phone)
            await system.add_lead(phone)
            await system.until_state(phone, "placed")
        await system.jump(OLD_ENOUGH)
        ended = await system.sweep_until_state(over, "ended")
        assert (ended["outcome"], (await system.lead(over)).attempts) == ("CONFUSED", 1)
        assert await system.states(ringing) == ["placed"], "what Bland calls running is left alone"
        await system.suppress(ringing)
        await system.sweep_until_state(ringing, "ended")
    await system.assert_promises()


async def test_row_07_placed_but_unknown_to_bland_after_its_longest_end(system: System) -> None:
    phone = fresh_phone()
    await system.simulator.fault("webhook", "never", phone_number=phone)
    await system.simulator.fault("details", "error_404", phone_number=phone)
    async with system.dialer():
        await system.add_lead(phone)
        await system.until_state(phone, "placed")
    await system.jump(OLD_ENOUGH)
    await system.sweep()
    assert await system.states(phone) == ["placed"], "not before its longest end"
    await system.db.execute("UPDATE open_attempts SET deadline_at = clock_timestamp() WHERE phone_number = $1", phone)
    ended = await system.sweep_until_state(phone, "ended")
    lead = await system.lead(phone)
    assert (ended["outcome"], lead.attempts, lead.status) == ("UNKNOWN", 1, "pending")
    kinds = await system.db.fetch("SELECT kind FROM alarms WHERE attempt_id = $1", ended["id"])
    assert [row["kind"] for row in kinds] == ["result_lost"]
    await system.assert_promises()


# ---------------------------------------------------------------- row 8


def _result(phone: str, call_id: str, **fields: Any) -> dict[str, Any]:
    body = {"call_id": call_id, "to": phone, "from": "+15615550900", "inbound": False, "completed": True}
    return {**body, "status": "no-answer", "answered_by": "no-answer", "metadata": {}, **fields}


async def test_row_08_event_of_a_call_that_we_do_not_know(system: System) -> None:
    outbound, inbound, control = fresh_phones(3)
    assert await system.post_event(_result(outbound, f"foreign-{outbound}")) == 200
    said = [{"user": "user", "text": "Take me off your list."}]
    phoned = _result("+15615550900", f"inbound-{inbound}", inbound=True, transcripts=said, **{"from": inbound})
    assert await system.post_event(phoned) == 200
    lead = await system.lead(outbound)
    assert (lead.status, lead.status_reason, lead.attempts) == ("held", "foreign", 1)
    status, answer = await system.post_lead(inbound)
    assert (status, answer["status"]) == (202, "suppressed")
    async with system.dialer():
        await system.add_lead(control)
        await system.until_state(control, "ended")
    assert await system.simulator.rows(outbound) == await system.simulator.rows(inbound) == []
    await system.assert_promises()


async def test_row_08_event_after_completion_and_after_a_sale(system: System) -> None:
    refuser, buyer = fresh_phones(2)
    await system.simulator.script(refuser, step("NOT_INTERESTED", seconds=1))
    await system.simulator.script(buyer, step("SALE", seconds=1))
    async with system.dialer():
        await system.add_leads([refuser, buyer])
        for phone, reason in ((refuser, "not_interested"), (buyer, "sale")):
            await system.until_state(phone, "ended")
            assert await system.post_event(_result(phone, f"late-{phone}")) == 200
            wants = _result(phone, f"later-{phone}", variables={"callback_requested": True})
            assert await system.post_event({**wants, "answered_by": "human", "status": "completed"}) == 200
            lead = await system.lead(phone)
            assert (lead.status, lead.status_reason, lead.next_redial_at) == ("completed", reason, None)
        assert await system.post_event(_result(buyer, f"stop-{buyer}", disposition_tag="DO_NOT_CALL")) == 200
        assert await system.queue.get_suppression(buyer) is not None
        assert len(await system.simulator.posts(buyer)) == 1
    await system.assert_promises()


# ---------------------------------------------------------------- row 9


async def test_row_09_unsigned_and_huge_bodies(system: System) -> None:
    body = b'{"call_id": "unsigned"}'
    assert await system.post_event(body, secret=None) == 401
    assert await system.post_event(body, secret="another") == 401
    assert await system.post_event(b" " * (8 * 1024 * 1024 + 1)) == 413
    assert await _events_of(system, "unsigned") == []


async def test_row_09_poison_bodies_are_kept_and_never_refused(system: System) -> None:
    phone = fresh_phone()
    bodies = [*POISON, *(CALL_WITH_POISON % (n, phone.encode()) for n in range(2))]
    for body in bodies:
        assert await system.post_event(body) == 200, body[:50]
        kept = await system.db.fetchrow("SELECT disposition, call_id FROM events WHERE body = $1", body)
        assert kept is not None, body[:50]
        if kept["call_id"] == "-":
            assert kept["disposition"] == "quarantined", body[:50]
        assert kept["disposition"] != "unapplied", body[:50]


async def test_row_09_a_bug_in_apply(system: System) -> None:
    phone = fresh_phone()
    await system.add_lead(phone)
    async with acting_dialer(system.stack, webhooks=False) as dialer:
        _, call_id = await dialer.place(phone)
    await system.db.execute(f"""
        CREATE FUNCTION break_apply() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION 'a bug' USING ERRCODE = 'raise_exception'; END $$;
        CREATE TRIGGER break_apply BEFORE UPDATE ON attempts FOR EACH ROW
            WHEN (NEW.phone_number = '{phone}') EXECUTE FUNCTION break_apply()""")
    try:
        assert await system.post_event(await system.details_at_bland(call_id)) == 200
        (kept,) = await _events_of(system, call_id)
        assert kept["disposition"] == "unapplied"
        await system.sweep()
        assert await system.states(phone) == ["placed"]
        alarms = "SELECT count(*) FROM alarms WHERE kind = 'event_not_applied'"
        assert await system.count(alarms) > 0
    finally:
        await system.db.execute("DROP TRIGGER break_apply ON attempts; DROP FUNCTION break_apply")
    ended = await system.sweep_until_state(phone, "ended")
    assert ended["outcome"] == "NO_ANSWER"
    await system.assert_promises()
