"""Bugs that were still in the old system's code, each as a test by its name."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadline.contracts.leases import ReportKind
from leadline.domain.ids import LeadId
from leadline.domain.outcome import Outcome
from leadline.runtime.postgres import Pool
from services.queue_service import operating
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, desk_open, make_policy, result
from tests.services.queue_service.scenes import call, campaign, due_lead, go, policy_with

PERSON: dict[str, Any] = {"status": "completed", "answered_by": "human"}
OURS = "+15615550900"


@pytest.mark.parametrize(("fields", "seconds"), [({"call_length": 4.1}, 246), ({"corrected_duration": "25"}, 25)])
async def test_minutes_taken_for_seconds(desk: Desk, fields: dict[str, Any], seconds: float) -> None:
    """A call of four minutes that nobody classified was a no-answer, for it was shorter than five."""
    await due_lead(desk)
    lines = [{"user": "user", "text": "Yes, speaking."}]
    lease = await call(desk, status="completed", answered_by=None, transcripts=lines, **fields)
    (row,) = await desk.fetch("SELECT outcome, talk_seconds FROM attempts WHERE id = $1", lease.attempt_id)
    assert (row["outcome"], round(row["talk_seconds"])) == ("CONFUSED", seconds)


async def test_results_lost_at_a_restart(pool: Pool) -> None:
    async with desk_open(pool, make_policy()) as before:
        lead_id = await due_lead(before)
        lease = await before.place()
    async with desk_open(pool, make_policy(), None) as after:
        stored = await after.event(result(lease.attempt_id, disposition_tag="SALE", **PERSON))
        assert (stored.kind, stored.outcome) == ("result", "SALE")
        assert (await after.lead(lead_id)).status_reason == "sale"


async def test_a_result_of_a_call_whose_report_was_lost_at_a_restart(pool: Pool) -> None:
    async with desk_open(pool, make_policy()) as before:
        lead_id = await due_lead(before)
        lease = await before.lease_one()
        await go(before, lease)
    async with desk_open(pool, make_policy(), None) as after:
        await after.event(result(lease.attempt_id))
        assert (await after.lead(lead_id)).outcomes == ["NO_ANSWER"]


async def test_an_unknown_call_id_taken_for_an_inbound_call(desk: Desk) -> None:
    """After a restart the caller's own number was looked up, updated and blocked."""
    await desk.event(result(None, "unheard-of", disposition_tag="DO_NOT_CALL", **PERSON))
    suppressed = await desk.fetch("SELECT phone_number FROM suppressions")
    assert [row["phone_number"] for row in suppressed] == [PHONE]
    assert await desk.leads_of(OURS) == []
    (event,) = await desk.fetch("SELECT kind FROM events")
    assert event["kind"] == "foreign"


async def test_webhooks_a_b_a_counted_twice(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.place("a")
    first = result(lease.attempt_id, "a")
    await desk.event(first)
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=2))
    second = await desk.place("b")
    await desk.event(result(second.attempt_id, "b"))
    planned = (await desk.lead(lead_id)).next_redial_at
    assert (await desk.event(first)).disposition == "duplicate"
    assert (await desk.event({**first, "summary": "once more"})).kind == "repeated"
    lead = await desk.lead(lead_id)
    assert (lead.attempts, lead.outcomes, lead.next_redial_at) == (2, ["NO_ANSWER", "NO_ANSWER"], planned)


async def test_a_client_timeout_that_frees_the_slot_of_a_ringing_phone(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.lease_one()
    await go(desk, lease)
    await desk.report(lease.attempt_id, ReportKind.DOUBT, message="read timed out")
    await desk.set_now(TUESDAY_NOON + timedelta(hours=1))
    await desk.post_lead()
    assert (await desk.lease(5, 0.3)).leases == []
    await desk.event(result(lease.attempt_id))
    assert (await desk.lead(lead_id)).attempts == 1


async def test_a_no_that_was_dropped_because_another_call_was_pending(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    first = await desk.lease_one()
    await desk.report(first.attempt_id, ReportKind.RETURNED)
    pending = await desk.place("call-2")
    await desk.event(result(first.attempt_id, "call-1", disposition_tag="DO_NOT_CALL", **PERSON))
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason) == ("completed", "dnc")
    (order,) = (await desk.lease(0, 5)).stop_orders
    assert order.attempt_id == pending.attempt_id


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ({"disposition_tag": "SALE", **PERSON}, "sale"),
        ({"disposition_tag": "ACA", **PERSON}, "aca"),
        ({"disposition_tag": "DNC", **PERSON}, "dnc"),
        ({"pathway_tags": [{"name": "Not Interested"}], **PERSON}, "not_interested"),
        ({"status": "failed", "completed": False, "error_message": "The number is not in service"}, "bad_number"),
    ],
    ids=["sale", "aca", "dnc", "no interest", "bad number"],
)
async def test_ends_that_do_not_last(desk: Desk, ending: dict[str, Any], reason: str) -> None:
    """Any later result, an inbound call or the lead posted again put it back into the queue."""
    lead_id = await due_lead(desk)
    lease = await call(desk, **ending)
    wish: dict[str, Any] = {
        "variables": {"callback_requested": True, "callback_requested_at": "2026-01-07T15:30:00-05:00"}
    }
    await desk.event(result(lease.attempt_id, answered_by="voicemail", status="completed"))
    await desk.event(result(None, "elsewhere", **PERSON, **wish))
    await desk.event({**result(None, "in", to=OURS, **PERSON, **wish), "inbound": True, "from": PHONE})
    again = await desk.post_lead(first_name="Maria")
    assert (again.id, again.status) == (lead_id, "suppressed" if reason == "dnc" else "completed")
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason, lead.next_redial_at) == ("completed", reason, None)
    await desk.set_now(datetime(2026, 1, 8, 17, 0, tzinfo=UTC))
    assert (await desk.lease(5, 0.3)).leases == []


async def test_a_pause_that_does_not_last(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.place()
    await desk.service.transaction(lambda conn: operating.pause_lead(conn, LeadId(lead_id), "asked", "operator"))
    await desk.event(result(lease.attempt_id))
    await desk.event({**result(None, "in", to=OURS, **PERSON), "inbound": True, "from": PHONE})
    await desk.event(result(None, "elsewhere"))
    assert (await desk.post_lead()).status == "duplicate"
    assert (await desk.lead(lead_id)).status == "paused"
    await desk.set_now(TUESDAY_NOON + timedelta(hours=5))
    assert (await desk.lease(5, 0.3)).leases == []


async def test_a_sale_at_the_first_call_forgotten_when_the_lead_is_posted_again(desk: Desk) -> None:
    await due_lead(desk)
    await call(desk, disposition_tag="SALE", **PERSON)
    assert (await desk.post_lead()).status == "completed"
    await desk.set_now(TUESDAY_NOON + timedelta(hours=1))
    assert (await desk.lease(1, 0.3)).leases == []


async def test_callbacks_that_are_never_dialled(desk: Desk) -> None:
    """They stood in the list of successes, and their time was read from the wrong place."""
    assert Outcome.CALLBACK not in make_policy().rules_for(make_policy().default_campaign).final_outcomes
    await due_lead(desk)
    wish = {"callback_requested": "true", "callback_requested_at": "2026-01-07T15:30:00"}
    await call(desk, variables=wish, **PERSON)
    await desk.set_now(datetime(2026, 1, 7, 20, 30, tzinfo=UTC))
    assert (await desk.lease_one()).attempt_no == 2


async def test_clocks_that_are_five_hours_slow(pool: Pool) -> None:
    """Summer time, and a wait over the change of clocks: what is stored is an instant, never a wall time."""
    spring = datetime(2026, 3, 6, 23, 30, tzinfo=UTC)
    async with desk_open(pool, policy_with(), spring) as desk:
        lead_id = await due_lead(desk)
        wish = {"callback_requested": True, "callback_requested_at": "2026-03-09T15:30:00"}
        await call(desk, variables=wish, **PERSON)
        assert (await desk.lead(lead_id)).next_redial_at == datetime(2026, 3, 9, 19, 30, tzinfo=UTC)


async def test_a_lead_that_was_removed_and_comes_back(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await desk.service.transaction(
        lambda conn: operating.complete_by_operator(conn, LeadId(lead_id), "asked by mail", "operator")
    )
    assert (await desk.post_lead()).reason == "removed"
    await desk.event(result(None, "elsewhere"))
    assert (await desk.lead(lead_id)).status == "completed"


@pytest.mark.parametrize("said", ["stop calling me", "take me off your list", "do not call me again"])
async def test_a_stop_on_an_outbound_call_that_is_redialled(desk: Desk, said: str) -> None:
    lead_id = await due_lead(desk)
    lines = [{"user": "assistant", "text": "Hello"}, {"user": "user", "text": f"Please {said}."}]
    await call(desk, transcripts=lines, **PERSON)
    assert (await desk.lead(lead_id)).status_reason == "dnc"


async def test_a_closing_time_that_still_counts(pool: Pool) -> None:
    closing = datetime(2026, 1, 7, 1, 0, tzinfo=UTC)
    async with desk_open(pool, make_policy(), closing) as desk:
        lead_id = await due_lead(desk)
        assert (await desk.lease(1, 0.3)).leases == []
        assert (await desk.lead(lead_id)).next_redial_at == datetime(2026, 1, 7, 16, 0, tzinfo=UTC)


async def test_an_exhausted_lead_that_looks_like_a_success(pool: Pool) -> None:
    async with desk_open(pool, policy_with(campaign(max_attempts=1))) as desk:
        lead_id = await due_lead(desk)
        await call(desk)
        lead = await desk.lead(lead_id)
        assert (lead.status, lead.status_reason) == ("completed", "exhausted")
