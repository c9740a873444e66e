"""A second provider call under one attempt: counted by itself, told to an operator, and nothing it says is lost."""

from datetime import timedelta

import pytest

from leadline.contracts.leases import LeaseBatch, ReportKind
from leadline.domain.attempt import AttemptState
from leadline.runtime.postgres import Pool
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.scenes import SECOND, TWO_CAMPAIGNS, bring_to, due_lead, end_lease, state_of

CALLBACK = {"callback_requested": True, "callback_requested_at": "2026-01-07T15:30:00-05:00"}
PERSON = {"status": "completed", "answered_by": "human"}


async def test_it_counts_and_the_first_result_plans_with_both(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.place("call-1")
    second = await desk.event(result(lease.attempt_id, "call-2", status="completed", answered_by="voicemail"))
    assert second.kind == "second_call"
    shown = await desk.lead(lead_id)
    assert (shown.status, shown.attempts) == ("calling", 2)
    assert (await desk.lease(1, 0.3)).leases == []
    await desk.event(result(lease.attempt_id, "call-1"))
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.attempts, sorted(lead.outcomes)) == ("pending", 2, ["NO_ANSWER", "VOICEMAIL"])
    assert lead.next_redial_at is not None
    # Two calls were made: the third comes after the cadence's third wait.
    assert lead.next_redial_at - TUESDAY_NOON >= timedelta(minutes=5)


async def test_a_promise_made_in_it_is_kept_when_the_first_call_ends(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.place("call-1")
    await desk.event(result(lease.attempt_id, "call-2", variables=CALLBACK, **PERSON))
    assert (await desk.lead(lead_id)).status == "calling"
    await desk.event(result(lease.attempt_id, "call-1"))
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.next_redial_at) == ("rescheduled", lead.scheduled_callback_at)


async def test_a_first_result_after_the_second_still_plans(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.place("call-1")
    await desk.report(lease.attempt_id, ReportKind.PLACED, call_id="call-2")
    await desk.event(result(lease.attempt_id, "call-1", variables=CALLBACK, **PERSON))
    assert (await desk.lead(lead_id)).status == "rescheduled"


async def test_a_stop_said_in_it_suppresses_and_stops_the_first(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.place("call-1")
    await desk.event(result(lease.attempt_id, "call-2", disposition_tag="DO_NOT_CALL", **PERSON))
    assert (await desk.lead(lead_id)).status_reason == "dnc"
    (order,) = (await desk.lease(0, 5)).stop_orders
    assert (order.attempt_id, order.call_id, order.reason) == (lease.attempt_id, "call-1", "suppressed")


async def test_a_late_call_beside_another_is_counted_and_stopped(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    first = await desk.lease_one()
    await bring_to(desk, first, AttemptState.RELEASED)
    second = await desk.place("call-2")
    late = await desk.report(first.attempt_id, ReportKind.PLACED, call_id="call-1")
    assert (late.state, late.alarm) == ("ended", "placed_without_mark_or_late")
    assert await state_of(desk, second.attempt_id) is AttemptState.PLACED
    assert "two_live_calls" in await desk.alarms()
    (order,) = (await desk.lease(0, 5)).stop_orders
    assert (order.attempt_id, order.call_id, order.reason) == (first.attempt_id, "call-1", "second_live_call")
    assert (await desk.lead(lead_id)).attempts == 2


@pytest.mark.parametrize("same_lead", [True, False])
async def test_a_mere_lease_gives_way_to_a_late_call(pool: Pool, same_lead: bool) -> None:
    """Else the person's call would be stopped, and the lease go on to a second one."""
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await desk.post_lead()
        first = await desk.lease_one()
        await bring_to(desk, first, AttemptState.RELEASED)
        if not same_lead:
            await desk.pool.execute("UPDATE due_leads SET due_at = due_at + interval '1 hour'")
            await desk.post_lead(campaign=SECOND)
        lease = await desk.lease_one()
        late = await desk.report(first.attempt_id, ReportKind.PLACED, call_id="call-1")
        assert (late.state, late.alarm) == ("placed", "placed_without_mark_or_late")
        assert (await desk.lease(5, 0.3)) == LeaseBatch(leases=[], stop_orders=[])
        assert (await desk.mark(lease.attempt_id))[0].reason == "attempt_released"
        shown = {found.campaign: found.status for found in await desk.leads_of(PHONE)}
        assert shown == {"awhealth": "calling"} | ({} if same_lead else {"second": "pending"})
        await desk.event(result(first.attempt_id, "call-1"))
        assert {found.status for found in await desk.leads_of(PHONE)} == {"pending"}
        assert (await desk.service.check_promises(10)).violations == []


async def test_a_lease_is_void_when_a_late_result_plans_its_lead(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    first = await desk.lease_one()
    await bring_to(desk, first, AttemptState.RELEASED)
    lease = await desk.lease_one()
    await desk.event(result(first.attempt_id, "call-1"))
    assert (await desk.mark(lease.attempt_id))[0].reason == "attempt_released"
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.attempts) == ("pending", 1)
    assert lead.next_redial_at is not None
    assert lead.next_redial_at - TUESDAY_NOON >= timedelta(seconds=59), "the cadence counts from the call that was made"


async def test_a_late_result_plans_although_a_later_lease_came_to_nothing(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    first = await desk.lease_one()
    await bring_to(desk, first, AttemptState.RELEASED)
    second = await desk.lease_one()
    await end_lease(desk, second)
    await desk.service.expire()
    await desk.event(result(first.attempt_id, "call-1"))
    lead = await desk.lead(lead_id)
    assert lead.next_redial_at is not None
    assert lead.next_redial_at - TUESDAY_NOON >= timedelta(seconds=59)
    assert (await desk.lease(1, 0.3)).leases == []


async def test_a_late_result_does_not_plan_over_a_later_call(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    first = await desk.lease_one()
    await bring_to(desk, first, AttemptState.RELEASED)
    second = await desk.place("call-2")
    await desk.event(result(second.attempt_id, "call-2"))
    planned = (await desk.lead(lead_id)).next_redial_at
    await desk.event(result(first.attempt_id, "call-1"))
    lead = await desk.lead(lead_id)
    assert (lead.attempts, lead.next_redial_at) == (2, planned)
