"""What operators do to leads and numbers: each verb, when it is refused, and what is written down."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from leadline.contracts.leases import ReportKind
from leadline.store.connection import Connection
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, result
from tests.services.queue_service.scenes import call, due_lead, go
from tests.services.queue_service.web import BECAUSE, Web, lead_body

CALLBACK: dict[str, Any] = {
    "status": "completed",
    "answered_by": "human",
    "variables": {"callback_requested": True, "callback_requested_at": "2026-01-07T15:30:00-05:00"},
}
CALLBACK_AT = datetime(2026, 1, 7, 20, 30, tzinfo=UTC)


async def in_status(web: Web, status: str) -> UUID:
    """A lead in that status."""
    lead_id = await due_lead(web.desk)
    match status:
        case "rescheduled":
            await call(web.desk, **CALLBACK)
        case "held":
            await web.desk.pool.execute("UPDATE due_leads SET not_sent_in_row = 9")
            lease = await web.desk.lease_one()
            await web.desk.report(lease.attempt_id, ReportKind.NOT_SENT)
        case "paused":
            await web.verb(lead_id, "pause")
        case "completed":
            await web.verb(lead_id, "complete")
        case _:
            pass
    assert (await web.desk.lead(lead_id)).status == status
    return lead_id


VERBS = {
    "pause": {"pending": "paused", "rescheduled": "paused", "held": "paused"},
    "resume": {"paused": "pending", "held": "pending"},
    "complete": {"pending": "completed", "rescheduled": "completed", "held": "completed", "paused": "completed"},
    "reschedule": {"pending": "rescheduled", "rescheduled": "rescheduled", "held": "rescheduled"},
    "reopen": {"completed": "pending"},
}


@pytest.mark.parametrize("status", ["pending", "rescheduled", "held", "paused", "completed"])
@pytest.mark.parametrize("verb", VERBS)
async def test_a_verb_on_a_status(web: Web, verb: str, status: str) -> None:
    lead_id = await in_status(web, status)
    extra = {"due_at": "2026-01-08T15:30:00-05:00"} if verb == "reschedule" else {}
    answer = await web.verb(lead_id, verb, **extra)
    after = await web.desk.lead(lead_id)
    if status in VERBS[verb]:
        assert (answer.status, answer.body["status"]) == (200, VERBS[verb][status])
        (entry, *_) = (await web.ask("GET", f"/v1/leads/{lead_id}")).body["history"]
        assert (entry["actor"], entry["verb"]) == ("operator", f"lead_{verb}")
    else:
        assert (answer.status, answer.code) == (409, "illegal_transition")
        assert after.status == status
    assert (await web.desk.service.check_promises(10)).violations == []


@pytest.mark.parametrize("verb", VERBS)
async def test_a_verb_on_no_lead(web: Web, verb: str) -> None:
    extra = {"due_at": "2026-01-08T15:30:00-05:00"} if verb == "reschedule" else {}
    answer = await web.verb(uuid4(), verb, **extra)
    assert (answer.status, answer.code) == (404, "not_found")


async def test_a_promise_outlives_a_pause(web: Web) -> None:
    lead_id = await in_status(web, "rescheduled")
    await web.verb(lead_id, "pause")
    assert (await web.desk.lead(lead_id)).scheduled_callback_at == CALLBACK_AT
    await web.verb(lead_id, "resume")
    lead = await web.desk.lead(lead_id)
    assert (lead.status, lead.next_redial_at) == ("rescheduled", CALLBACK_AT)


async def test_a_promise_made_while_paused_is_kept_and_one_that_was_kept_is_forgotten(web: Web) -> None:
    lead_id = await due_lead(web.desk)
    lease = await web.desk.place("call-1")
    await web.verb(lead_id, "pause")
    await web.desk.event(result(lease.attempt_id, "call-1", **CALLBACK))
    lead = await web.desk.lead(lead_id)
    assert (lead.status, lead.scheduled_callback_at) == ("paused", CALLBACK_AT)
    await web.verb(lead_id, "resume")
    await web.desk.set_now(CALLBACK_AT)
    second = await web.desk.place("call-2")
    await web.verb(lead_id, "pause")
    await web.desk.event(result(second.attempt_id, "call-2"))
    await web.verb(lead_id, "resume")
    lead = await web.desk.lead(lead_id)
    assert (lead.status, lead.scheduled_callback_at) == ("pending", None)
    assert lead.next_redial_at is not None
    assert lead.next_redial_at > CALLBACK_AT + timedelta(minutes=4)


async def test_results_of_a_paused_lead_are_recorded_and_only_a_no_changes_it(web: Web) -> None:
    lead_id = await due_lead(web.desk)
    lease = await web.desk.place()
    await web.verb(lead_id, "pause")
    await web.desk.event(result(lease.attempt_id))
    lead = await web.desk.lead(lead_id)
    assert (lead.status, lead.outcomes, lead.next_redial_at) == ("paused", ["NO_ANSWER"], None)
    await web.desk.event(result(lease.attempt_id, status="completed", disposition_tag="NOT_INTERESTED"))
    assert (await web.desk.lead(lead_id)).status_reason == "not_interested"


@pytest.mark.parametrize(
    ("wanted", "due_at"),
    [
        ("2026-01-08T15:30:00-05:00", datetime(2026, 1, 8, 20, 30, tzinfo=UTC)),
        ("2026-01-08T22:30:00-05:00", datetime(2026, 1, 9, 16, 0, tzinfo=UTC)),
        ("2020-01-01T00:00:00Z", None),
        ("2000-01-01T00:00:00+14:00", None),
    ],
    ids=["in hours", "after hours", "past", "long past"],
)
async def test_an_operators_time_is_moved_into_hours(web: Web, wanted: str, due_at: datetime | None) -> None:
    lead_id = await due_lead(web.desk)
    answer = await web.verb(lead_id, "reschedule", due_at=wanted)
    found = datetime.fromisoformat(answer.body["next_redial_at"])
    if due_at is None:
        assert TUESDAY_NOON <= found < TUESDAY_NOON + timedelta(minutes=1)
    else:
        assert found == due_at


@pytest.mark.parametrize("wanted", ["2026-01-08T15:30:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "soon"])
async def test_a_time_that_is_none_is_refused(web: Web, wanted: str) -> None:
    lead_id = await due_lead(web.desk)
    answer = await web.verb(lead_id, "reschedule", due_at=wanted)
    assert (answer.status, answer.code) == (400, "invalid_body")


async def test_completing_ends_a_call_that_rings_and_refuses_one_that_is_leased(web: Web) -> None:
    lead_id = await due_lead(web.desk)
    lease = await web.desk.place()
    await web.verb(lead_id, "complete")
    (order,) = (await web.desk.lease(0, 2)).stop_orders
    assert (order.attempt_id, order.reason) == (lease.attempt_id, "lead_completed")
    other = await due_lead(web.desk, "+15615550124")
    leased = await web.desk.lease_one()
    await web.verb(other, "complete")
    assert (await web.desk.mark(leased.attempt_id))[0].reason == "status_completed"


async def test_a_reopened_lead_begins_a_new_life(web: Web) -> None:
    lead_id = await due_lead(web.desk)
    for n in range(3):
        if n:
            await web.desk.set_now(TUESDAY_NOON + timedelta(minutes=15 * n))
        await call(web.desk, f"call-{n}")
    await web.verb(lead_id, "complete")
    await web.desk.set_now(TUESDAY_NOON + timedelta(hours=1))
    assert (await web.verb(lead_id, "reopen")).body["status"] == "pending"
    rules = {rule["rule"]: rule["words"] for rule in (await web.explain(lead_id))["rules"]}
    assert rules["life_cap"] == "The lead has had 0 of its 8 attempts."
    assert rules["day_cap"] == "The number has had 3 of 8 attempts today."
    await call(web.desk, "call-anew")
    lead = await web.desk.lead(lead_id)
    assert lead.next_redial_at is not None
    assert lead.next_redial_at - TUESDAY_NOON < timedelta(minutes=62)


async def test_reopening_is_refused_while_the_number_is_suppressed(web: Web) -> None:
    lead_id = await due_lead(web.desk)
    await web.change("PUT", f"/v1/suppressions/{PHONE}", BECAUSE)
    refused = await web.verb(lead_id, "reopen")
    assert (refused.status, refused.code) == (409, "number_suppressed")
    removed = await web.change("DELETE", f"/v1/suppressions/{PHONE}", BECAUSE)
    assert removed.status == 200
    assert (await web.desk.lead(lead_id)).status == "completed", "removing a suppression reopens nothing"
    assert (await web.verb(lead_id, "reopen")).body["status"] == "pending"


async def test_reopening_a_lead_in_a_call_leaves_the_call_alone(web: Web) -> None:
    lead_id = await due_lead(web.desk)
    lease = await web.desk.lease_one()
    await go(web.desk, lease)
    await web.verb(lead_id, "complete")
    assert (await web.verb(lead_id, "reopen")).body["status"] == "calling"
    assert (await web.desk.lease(1, 0.3)).leases == []
    await web.desk.event(result(lease.attempt_id))
    assert (await web.desk.lead(lead_id)).status == "pending"


async def test_the_list_of_suppressed_numbers(web: Web) -> None:
    path = f"/v1/suppressions/{PHONE}"
    assert (await web.ask("GET", path)).code == "not_found"
    assert (await web.change("DELETE", path, BECAUSE)).code == "not_found"
    put = await web.change("PUT", path, {"reason": "wrote a letter", "source": "post"})
    assert (put.body["phone_number"], put.body["reason"], put.body["source"]) == (PHONE, "wrote a letter", "post")
    again = await web.change("PUT", "/v1/suppressions/(561) 555-0123", {"reason": "another"})
    assert again.body == put.body == (await web.ask("GET", path)).body
    assert (await web.change("DELETE", path, BECAUSE)).body == put.body
    verbs = await web.desk.fetch("SELECT verb FROM audit_log WHERE phone_number = $1 ORDER BY id", PHONE)
    assert [row["verb"] for row in verbs] == ["suppressed", "suppression_removed"]


@pytest.mark.parametrize("number", ["+18005550199", "+442079460018", "+16135550123"])
async def test_a_number_that_is_not_called_can_be_found_and_suppressed(web: Web, number: str) -> None:
    await web.ask("POST", "/v1/leads", lead_body(number))
    found = await web.ask("GET", f"/v1/leads?phone_number={number.replace('+', '%2B')}")
    assert [lead["status_reason"] for lead in found.body["leads"]] == ["refused_number"]
    assert (await web.change("PUT", f"/v1/suppressions/{number}", BECAUSE)).status == 200
    assert (await web.change("DELETE", f"/v1/suppressions/{number}", BECAUSE)).status == 200


async def test_what_is_no_number_cannot_be_suppressed(web: Web) -> None:
    for method in ("PUT", "DELETE"):
        answer = await web.change(method, "/v1/suppressions/12345", BECAUSE)
        assert (answer.status, answer.code) == (400, "invalid_phone_number")


async def test_a_question_of_several_statements_sees_one_moment(web: Web) -> None:
    lead_id = await due_lead(web.desk)

    async def ask_twice(conn: Connection) -> list[str]:
        before = await conn.fetchval("SELECT status FROM leads WHERE id = $1", lead_id)
        await web.verb(lead_id, "complete")
        return [before, await conn.fetchval("SELECT status FROM leads WHERE id = $1", lead_id)]

    assert await web.desk.service.snapshot(ask_twice) == ["pending", "pending"]
    assert (await web.desk.lead(lead_id)).status == "completed"
