"""Lateness, speed to lead and kept promises: business time where rules speak, real seconds in the figures."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadline.contracts.leases import ReportKind
from leadline.domain.ids import LeadId, PhoneNumber
from leadline.domain.lead import HeldReason
from leadline.runtime.postgres import Pool
from leadline.store.changes import Changes
from leadline.store.clock import get_clock
from leadline.store.connection import Connection
from leadline.store.numbers import load_numbers
from services.queue_service import operating
from services.queue_service.settle import hold_lead
from tests.services.queue_service.counting.tally import Tally
from tests.services.queue_service.desk import CAMPAIGN, PHONE, TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.imported import bring_one, record
from tests.services.queue_service.scenes import call, campaign, due_lead, end_lease, go, lease_all, policy_with
from tests.support.phones import fresh_phones

LATE, SPEED = "leadline_dispatch_lateness_seconds", "leadline_speed_to_lead_seconds"
CALLBACKS = "leadline_callbacks_total"
OPENING = datetime(2026, 1, 6, 16, 0, tzinfo=UTC)
TOMORROW_AT = datetime(2026, 1, 7, 20, 30, tzinfo=UTC)
PROMISE: dict[str, Any] = {
    "status": "completed",
    "answered_by": "human",
    "variables": {"callback_requested": True, "callback_requested_at": TOMORROW_AT.isoformat()},
}
MINUTE = timedelta(minutes=1)
TIMES = """
SELECT l.created_at, d.due_at, a.marked_at + a.send_after_ms * interval '1 millisecond' AS opens_at
FROM attempts a JOIN leads l ON l.id = a.lead_id JOIN due_leads d ON d.lead_id = l.id WHERE a.state = 'sending'
"""
"""While a call goes on its lead still has the due time that it was called for."""


async def times(desk: Desk) -> tuple[datetime, datetime, datetime]:
    """When the lead of the one marked attempt came in and was due, and when the call might go out."""
    (row,) = await desk.fetch(TIMES)
    return row["created_at"], row["due_at"], row["opens_at"]


@pytest.mark.parametrize("speed", [1.0, 60.0])
async def test_lateness_and_speed_are_real_seconds(pool: Pool, speed: float) -> None:
    async with desk_open(pool, policy_with()) as desk:
        await desk.set_now(TUESDAY_NOON + MINUTE, speed)
        await due_lead(desk)
        await desk.set_now(TUESDAY_NOON + timedelta(minutes=20), speed)
        tally = Tally()
        await go(desk, await desk.lease_one())
        created_at, due_at, opens_at = await times(desk)
        assert tally.of(f"{LATE}_count") == {(CAMPAIGN, "fresh"): 1}
        assert tally.sum_of(f"{LATE}_sum") == pytest.approx((opens_at - due_at).total_seconds() / speed, abs=1e-6)
        raw = (opens_at - created_at).total_seconds() / speed
        assert tally.of(f"{SPEED}_sum") == {
            (CAMPAIGN, "raw"): pytest.approx(raw, abs=1e-6),
            (CAMPAIGN, "open"): pytest.approx(raw, abs=1e-6),
        }


async def test_the_pace_makes_a_call_later(pool: Pool) -> None:
    """Two calls a second of real time, of which the second waits for its slot."""
    async with desk_open(pool, policy_with(calls_per_second=2.5)) as desk:
        for phone in fresh_phones(2):
            await desk.post_lead(phone)
        leases = list((await lease_all(desk, 2)).values())
        tally = Tally()
        (first, second) = await desk.mark(*(lease.attempt_id for lease in leases))
        assert second.send_after_ms > first.send_after_ms
        rows = await desk.fetch(TIMES)
        late = sum((row["opens_at"] - row["due_at"]).total_seconds() for row in rows)
        assert tally.sum_of(f"{LATE}_sum") == pytest.approx(late, abs=1e-6)


async def test_the_open_clock_stands_still_outside_of_calling_hours(pool: Pool) -> None:
    async with desk_open(pool, policy_with(), TUESDAY_NOON - timedelta(hours=20)) as desk:
        await due_lead(desk)
        await desk.set_now(TUESDAY_NOON)
        tally = Tally()
        await go(desk, await desk.lease_one())
        created_at, due_at, opens_at = await times(desk)
        assert due_at == created_at, "it came in at 16:12 on Monday, when calls were made"
        evening = datetime(2026, 1, 6, 1, 0, tzinfo=UTC) - created_at
        seconds = tally.of(f"{SPEED}_sum")
        assert seconds[CAMPAIGN, "raw"] == pytest.approx((opens_at - created_at).total_seconds(), abs=1e-6)
        assert seconds[CAMPAIGN, "open"] == pytest.approx((evening + (opens_at - OPENING)).total_seconds(), abs=1e-6)


async def test_only_the_first_mark_of_a_lead_tells_its_speed(desk: Desk) -> None:
    tally = Tally()
    lead_id = await due_lead(desk)
    lease = await desk.lease_one()
    await go(desk, lease)
    await desk.report(lease.attempt_id, ReportKind.NOT_SENT)
    for n in range(1, 6):
        await desk.set_now(TUESDAY_NOON + timedelta(minutes=30 * n))
        await call(desk, f"call-{n}")
    assert tally.of(f"{SPEED}_count") == {(CAMPAIGN, "raw"): 1, (CAMPAIGN, "open"): 1}
    assert tally.of(f"{LATE}_count") == {(CAMPAIGN, "fresh"): 2, (CAMPAIGN, "warm"): 3, (CAMPAIGN, "cold"): 1}
    assert (await desk.lead(lead_id)).attempts == 5


async def test_a_lead_that_somebody_called_before_tells_no_speed(desk: Desk) -> None:
    tally = Tally()
    await bring_one(desk, record(due_at=TUESDAY_NOON))
    await desk.set_now(TUESDAY_NOON + timedelta(hours=2))
    await go(desk, await desk.lease_one())
    (phone,) = fresh_phones(1)
    await desk.event(result(None, "theirs", to=phone))
    await desk.post_lead(phone)
    await desk.set_now(TUESDAY_NOON + timedelta(hours=4))
    await go(desk, await desk.lease_one())
    assert tally.of(f"{SPEED}_count") == {}
    assert tally.sum_of(f"{LATE}_count") == 2


# ---------------------------------------------------------------- promises

Step = Callable[[Desk], Awaitable[None]]
"""Something that happens to the lead that has a promise."""


async def promised(desk: Desk) -> None:
    """A lead whose person wants to be called tomorrow at half past three."""
    await due_lead(desk)
    await call(desk, "call-0", **PROMISE)


async def suppress(desk: Desk) -> None:
    policy, phone = desk.service.policy, PhoneNumber(PHONE)
    await desk.service.transaction(
        lambda conn: operating.suppress(conn, policy, phone, "said so", "operator", "operator")
    )


async def reschedule(desk: Desk) -> None:
    policy, lead_id, at = desk.service.policy, await the_lead(desk), TOMORROW_AT + timedelta(hours=1)
    await desk.service.transaction(
        lambda conn: operating.reschedule_lead(conn, policy, lead_id, at, "asked", "operator")
    )


async def hold(desk: Desk) -> None:
    """As if the CRM had no word on the number."""
    lead_id, phone = await the_lead(desk), PhoneNumber(PHONE)

    async def work(conn: Connection) -> None:
        number = (await load_numbers(conn, [phone]))[phone]
        changes = Changes(now=(await get_clock(conn)).now, actor="test")
        hold_lead(changes, number.leads[lead_id], HeldReason.CRM_UNKNOWN, cause="test")
        await changes.flush(conn)

    await desk.service.transaction(work)


async def called_by_others(desk: Desk) -> None:
    (row,) = await desk.fetch("SELECT business_now() AS at")
    ended = row["at"].isoformat()
    await desk.event(result(None, "theirs", status="completed", answered_by="human", end_at=ended))


async def called_by_others_while_paused(desk: Desk) -> None:
    lead_id = await the_lead(desk)
    await desk.service.transaction(lambda conn: operating.pause_lead(conn, lead_id, "asked", "operator"))
    await called_by_others(desk)


async def the_lead(desk: Desk) -> LeadId:
    (lead,) = await desk.leads_of(PHONE)
    return LeadId(lead.id)


@pytest.mark.parametrize(
    ("after", "kept"),
    [(timedelta(0), "kept"), (timedelta(minutes=14), "kept"), (timedelta(minutes=16), "late")],
)
async def test_a_promise_is_kept_for_a_quarter_of_an_hour(desk: Desk, after: timedelta, kept: str) -> None:
    tally = Tally()
    await promised(desk)
    assert tally.of(CALLBACKS) == {}
    await desk.set_now(TOMORROW_AT + after)
    await go(desk, await desk.lease_one())
    assert tally.of(CALLBACKS) == {(CAMPAIGN, kept): 1}


@pytest.mark.parametrize("how", ["not_sent", "rejected"])
async def test_one_promise_counts_once_however_often_it_is_dialled(desk: Desk, how: str) -> None:
    tally = Tally()
    await promised(desk)
    for n in range(3):
        await desk.set_now(TOMORROW_AT + timedelta(minutes=10 * n))
        lease = await desk.lease_one()
        await go(desk, lease)
        await desk.report(lease.attempt_id, ReportKind(how))
    await desk.set_now(TOMORROW_AT + timedelta(minutes=40))
    await call(desk)
    assert tally.of(CALLBACKS) == {(CAMPAIGN, "kept"): 1}


async def test_a_lease_that_ran_out_keeps_no_promise(desk: Desk) -> None:
    tally = Tally()
    await promised(desk)
    await desk.set_now(TOMORROW_AT)
    await end_lease(desk, await desk.lease_one())
    await desk.service.expire()
    assert tally.of(CALLBACKS) == {}
    await desk.set_now(TOMORROW_AT + timedelta(hours=1))
    await go(desk, await desk.lease_one())
    assert tally.of(CALLBACKS) == {(CAMPAIGN, "late"): 1}


@pytest.mark.parametrize("let_go", [suppress, hold, reschedule, called_by_others, called_by_others_while_paused])
async def test_a_promise_that_goes_after_its_time_is_missed(desk: Desk, let_go: Step) -> None:
    tally = Tally()
    await promised(desk)
    await desk.set_now(TOMORROW_AT + MINUTE)
    await let_go(desk)
    assert (await desk.leads_of(PHONE))[0].scheduled_callback_at != TOMORROW_AT
    assert tally.of(CALLBACKS) == {(CAMPAIGN, "missed"): 1}


@pytest.mark.parametrize("let_go", [suppress, hold, reschedule])
async def test_a_promise_that_goes_before_its_time_is_none_any_more(desk: Desk, let_go: Step) -> None:
    tally = Tally()
    await promised(desk)
    await desk.set_now(TOMORROW_AT - MINUTE)
    await let_go(desk)
    assert (await desk.leads_of(PHONE))[0].scheduled_callback_at != TOMORROW_AT
    assert tally.of(CALLBACKS) == {}


@pytest.mark.parametrize("let_go", [suppress, called_by_others])
async def test_a_promise_that_was_dialled_is_not_missed(desk: Desk, let_go: Step) -> None:
    tally = Tally()
    await promised(desk)
    await desk.set_now(TOMORROW_AT)
    lease = await desk.lease_one()
    await go(desk, lease)
    await desk.report(lease.attempt_id, ReportKind.REJECTED)
    await let_go(desk)
    assert (await desk.leads_of(PHONE))[0].scheduled_callback_at != TOMORROW_AT
    assert tally.of(CALLBACKS) == {(CAMPAIGN, "kept"): 1}


async def test_a_promise_that_only_moves_is_late_and_not_missed(pool: Pool) -> None:
    """The day is used up, so that it waits for the next one."""
    async with desk_open(pool, policy_with(campaign(max_daily_attempts=1))) as desk:
        tally = Tally()
        await due_lead(desk)
        wanted = {"callback_requested": True, "callback_requested_at": "2026-01-06T15:30:00-05:00"}
        await call(desk, "call-0", **{**PROMISE, "variables": wanted})
        await desk.set_now(TUESDAY_NOON + timedelta(days=1))
        await call(desk)
        assert tally.of(CALLBACKS) == {(CAMPAIGN, "late"): 1}
