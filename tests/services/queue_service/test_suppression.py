"""Promise 3: a stop before the send mark prevents the call, a later one ends it; whatever the campaign."""

import pytest

from leadline.contracts.leases import LeaseBatch, MarkAnswer, ReportKind, StopOrder, StopReport, StopResult
from leadline.domain.attempt import AttemptState
from leadline.domain.ids import LeadId, PhoneNumber
from leadline.runtime.postgres import Pool
from services.queue_service import operating
from tests.services.queue_service.desk import PHONE, Desk, desk_open, result
from tests.services.queue_service.scenes import (
    SECOND,
    TWO_CAMPAIGNS,
    bring_to,
    due_lead,
    end_quiet_time,
    go,
    state_of,
)


async def suppress(desk: Desk) -> None:
    number = PhoneNumber(PHONE)
    await desk.service.transaction(
        lambda conn: operating.suppress(conn, desk.service.policy, number, "asked by mail", "operator", "operator")
    )
    desk.service.claimer.poke()


async def stop_orders(desk: Desk) -> list[StopOrder]:
    batch: LeaseBatch = await desk.lease(0, 2)
    return batch.stop_orders


async def test_before_the_lease_nothing_is_leased(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await suppress(desk)
    assert (await desk.lease(1, 0.3)).leases == []
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason) == ("completed", "dnc")


async def test_between_lease_and_mark_the_mark_is_refused(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await suppress(desk)
    (answer,) = await desk.mark(lease.attempt_id)
    assert answer.answer is MarkAnswer.NO
    assert await state_of(desk, lease.attempt_id) is AttemptState.RELEASED
    assert await desk.fetch("SELECT FROM stop_orders") == []


@pytest.mark.parametrize("state", [AttemptState.SENDING, AttemptState.UNKNOWN, AttemptState.PLACED])
async def test_after_the_mark_the_call_is_stopped(desk: Desk, state: AttemptState) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await bring_to(desk, lease, state)
    await suppress(desk)
    (order,) = await stop_orders(desk)
    assert (order.attempt_id, order.phone_number, order.reason) == (lease.attempt_id, PHONE, "suppressed")
    assert (order.call_id is not None) is (state is AttemptState.PLACED)


async def test_a_call_that_is_placed_after_the_stop_is_ordered_to_end_with_its_id(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await go(desk, lease)
    await suppress(desk)
    await desk.report(lease.attempt_id, ReportKind.PLACED, call_id="call-1")
    assert {order.call_id for order in await stop_orders(desk)} == {"call-1"}


async def test_a_waiting_dialer_hears_of_it_at_once_and_it_is_repeated_until_confirmed(desk: Desk) -> None:
    await due_lead(desk)
    await desk.place()
    await suppress(desk)
    (order,) = await stop_orders(desk)
    assert await stop_orders(desk) == []
    await desk.pool.execute("UPDATE stop_orders SET next_try_at = clock_timestamp()")
    assert [again.id for again in await stop_orders(desk)] == [order.id]
    failed = await desk.service.report_stop(order.id, StopReport(result=StopResult.FAILED))
    assert failed.confirmed_at is None
    stopped = await desk.service.report_stop(order.id, StopReport(result=StopResult.STOPPED))
    assert stopped.confirmed_at is not None
    await desk.pool.execute("UPDATE stop_orders SET next_try_at = clock_timestamp()")
    assert await stop_orders(desk) == []


async def test_an_order_that_nobody_was_there_to_take_is_given_to_the_next(desk: Desk) -> None:
    await due_lead(desk)
    await desk.place()
    await suppress(desk)
    waiting = desk.service.claimer
    async with desk.pool.acquire() as conn:
        await waiting._give_stop_orders(conn, [])
    assert len(await stop_orders(desk)) == 1


async def test_the_end_of_the_call_confirms_the_order(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.place()
    await suppress(desk)
    await desk.event(result(lease.attempt_id))
    (row,) = await desk.fetch("SELECT confirmed_at, last_result FROM stop_orders")
    assert row["confirmed_at"] is not None
    assert row["last_result"] == "over"


async def test_an_order_for_a_call_that_never_was_is_not_repeated_for_ever(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await bring_to(desk, lease, AttemptState.UNKNOWN)
    await suppress(desk)
    (order,) = await stop_orders(desk)
    unseen = await desk.service.report_stop(order.id, StopReport(result=StopResult.NOT_FOUND))
    assert unseen.confirmed_at is None, "the attempt is open: the call may still turn up"
    await end_quiet_time(desk, lease)
    await desk.report(lease.attempt_id, ReportKind.ABSENT)
    (row,) = await desk.fetch("SELECT confirmed_at FROM stop_orders")
    assert row["confirmed_at"] is not None


async def test_not_found_confirms_the_order_for_a_call_whose_attempt_is_closed(desk: Desk) -> None:
    await due_lead(desk)
    first = await desk.lease_one()
    await bring_to(desk, first, AttemptState.RELEASED)
    await desk.place("call-2")
    await desk.report(first.attempt_id, ReportKind.PLACED, call_id="call-1")
    (order,) = await stop_orders(desk)
    answer = await desk.service.report_stop(order.id, StopReport(result=StopResult.NOT_FOUND, call_id="call-1"))
    assert answer.confirmed_at is not None


async def test_it_holds_for_every_campaign_at_once(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await desk.post_lead()
        await desk.post_lead(campaign=SECOND)
        lease = await desk.place()
        said = {"status": "completed", "answered_by": "human"}
        lines = [{"user": "user", "text": "Stop calling me, take me off your list."}]
        await desk.event(result(lease.attempt_id, transcripts=lines, **said))
        assert {(lead.status, lead.status_reason) for lead in await desk.leads_of(PHONE)} == {("completed", "dnc")}
        assert (await desk.lease(1, 0.3)).leases == []


async def test_the_first_reason_stands(desk: Desk) -> None:
    await suppress(desk)
    await desk.event(result(None, "x", status="completed", disposition_tag="DO_NOT_CALL"))
    (row,) = await desk.fetch("SELECT reason, source FROM suppressions")
    assert tuple(row) == ("asked by mail", "operator")


async def test_a_paused_lead_of_a_suppressed_number_is_completed_too(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await desk.service.transaction(lambda conn: operating.pause_lead(conn, LeadId(lead_id), "wait", "operator"))
    await suppress(desk)
    assert (await desk.lead(lead_id)).status == "completed"
