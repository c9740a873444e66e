"""The account's pace and the plan's caps, with two services that ask at once: one account, one book."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from leadline.contracts.leases import Lease, MarkAnswer, ReportKind, SendMark
from leadline.runtime.postgres import Pool
from services.queue_service.policy import PLAN_CAPS, PlanCaps, Policy
from tests.services.queue_service.desk import TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.scenes import campaign, due_lead, lease_all, policy_with
from tests.support.phones import fresh_phones

PACED = policy_with(calls_per_second=5.0)


def capped(**caps: int) -> Policy:
    return policy_with(campaign(), caps=PlanCaps(**caps))


@asynccontextmanager
async def two_desks(pool: Pool, policy: Policy) -> AsyncIterator[tuple[Desk, Desk]]:
    """Two services on one database, at the time that it has."""
    async with desk_open(pool, policy, None) as one, desk_open(pool, policy, None) as other:
        yield one, other


async def many_leased(pool: Pool, count: int) -> list[Lease]:
    """So many leases, more than pace or plan would let out at once."""
    async with desk_open(pool, policy_with()) as desk:
        for phone in fresh_phones(count):
            await desk.post_lead(phone)
        return list((await lease_all(desk, count)).values())


async def mark_everything(desks: Sequence[Desk], leases: Sequence[Lease]) -> dict[UUID, SendMark]:
    """Ask for all at both services at once, again for those that are to wait, until each has its answer."""
    waiting = {lease.attempt_id for lease in leases}
    answered: dict[UUID, SendMark] = {}
    while waiting:
        groups = _batches(list(waiting), 7)
        asked = await asyncio.gather(*(desks[n % len(desks)].mark(*group) for n, group in enumerate(groups)))
        for mark in itertools.chain.from_iterable(asked):
            if mark.answer is not MarkAnswer.WAIT:
                answered[mark.attempt_id] = mark
                waiting.discard(mark.attempt_id)
        await asyncio.sleep(0.05)
    return answered


def _batches(items: list[UUID], size: int) -> list[list[UUID]]:
    return [items[n : n + size] for n in range(0, len(items), size)]


SENT = """
SELECT marked_at + make_interval(secs => send_after_ms / 1000.0) AS at FROM attempts WHERE marked_at IS NOT NULL
"""


async def test_at_most_so_many_in_any_second_whoever_asks(pool: Pool) -> None:
    leases = await many_leased(pool, 15)
    async with two_desks(pool, PACED) as desks:
        answered = await mark_everything(desks, leases)
        assert {mark.answer for mark in answered.values()} == {MarkAnswer.GO}
        sent: list[datetime] = sorted(row["at"] for row in await desks[0].fetch(SENT))
        assert len(sent) == 15
        for first, sixth in zip(sent, sent[5:], strict=False):
            assert sixth - first >= timedelta(seconds=1), sent


async def test_a_slot_far_away_is_answered_with_wait_and_the_lease_stays(pool: Pool) -> None:
    leases = await many_leased(pool, 8)
    async with desk_open(pool, PACED, None) as desk:
        answers = await desk.mark(*(lease.attempt_id for lease in leases))
        waits = [mark for mark in answers if mark.answer is MarkAnswer.WAIT]
        assert waits
        assert all(mark.reason == "pace" and mark.retry_after_ms > 0 for mark in waits)
        goes = [mark.send_after_ms for mark in answers if mark.answer is MarkAnswer.GO]
        assert goes == sorted(goes)
        assert all(later - earlier >= 200 for earlier, later in itertools.pairwise(goes))
        states = await desk.fetch("SELECT state, count(*) AS n FROM attempts GROUP BY state ORDER BY state")
        assert {row["state"]: row["n"] for row in states} == {"leased": len(waits), "sending": len(goes)}


async def test_no_more_is_leased_than_the_pace_can_send_soon(pool: Pool) -> None:
    async with desk_open(pool, PACED) as desk:
        for phone in fresh_phones(30):
            await desk.post_lead(phone)
        first = await desk.lease(30, 2)
        assert 1 <= len(first.leases) <= 6
        assert (await desk.lease(30, 0.3)).leases == []


@pytest.mark.parametrize("cap", ["concurrent", "per_hour", "per_day"])
async def test_a_cap_of_the_plan_holds_with_two_services_at_once(pool: Pool, cap: str) -> None:
    leases = await many_leased(pool, 12)
    async with two_desks(pool, capped(**{cap: 5})) as desks:
        asked = await asyncio.gather(*(desks[n % 2].mark(lease.attempt_id) for n, lease in enumerate(leases)))
        answers = [(mark.answer, mark.reason) for (mark,) in asked]
        assert sorted(answers) == [(MarkAnswer.GO, None)] * 5 + [(MarkAnswer.WAIT, "plan_cap")] * 7


async def test_whatever_is_under_way_holds_a_slot_and_an_end_frees_it(pool: Pool) -> None:
    async with desk_open(pool, capped(concurrent=3)) as desk:
        for phone in fresh_phones(5):
            await desk.post_lead(phone)
        leases = await lease_all(desk, 3)
        assert (await desk.lease(5, 0.3)).leases == [], "a lease holds a slot"
        unknown, placed, sending = leases.values()
        for lease in leases.values():
            await desk.mark(lease.attempt_id)
        await desk.report(unknown.attempt_id, ReportKind.DOUBT)
        await desk.report(placed.attempt_id, ReportKind.PLACED, call_id="call-1")
        assert (await desk.lease(5, 0.3)).leases == []
        await desk.event(result(placed.attempt_id, "call-1", to=placed.phone_number))
        assert len((await desk.lease(5, 2)).leases) == 1
        await desk.report(sending.attempt_id, ReportKind.NOT_SENT)
        assert len((await desk.lease(5, 2)).leases) == 1


@pytest.mark.parametrize(
    ("caps", "later"), [({"per_hour": 2}, timedelta(hours=1)), ({"per_day": 2}, timedelta(days=1))]
)
async def test_hours_and_days_of_the_plan_roll(pool: Pool, caps: dict[str, int], later: timedelta) -> None:
    async with desk_open(pool, capped(**caps)) as desk:
        for phone in fresh_phones(4):
            await desk.post_lead(phone)
        for lease in (await lease_all(desk, 2)).values():
            await desk.mark(lease.attempt_id)
            await desk.report(lease.attempt_id, ReportKind.PLACED, call_id=str(lease.attempt_id))
        await desk.set_now(TUESDAY_NOON + later - timedelta(minutes=1))
        assert (await desk.lease(5, 0.3)).leases == []
        await desk.set_now(TUESDAY_NOON + later + timedelta(minutes=1))
        assert len((await desk.lease(5, 2)).leases) == 2


async def test_what_was_not_sent_or_was_made_elsewhere_uses_no_plan(pool: Pool) -> None:
    async with desk_open(pool, capped(per_hour=1)) as desk:
        await desk.event(result(None, "elsewhere"))
        lead_id = await due_lead(desk, "+15615550124")
        lease = await desk.lease_one()
        await desk.mark(lease.attempt_id)
        await desk.report(lease.attempt_id, ReportKind.NOT_SENT)
        await desk.set_now(TUESDAY_NOON + timedelta(minutes=1))
        assert (await desk.lease_one()).lead_id == lead_id


@pytest.mark.parametrize("plan", PLAN_CAPS)
def test_the_presets_are_the_providers(plan: str) -> None:
    published: dict[str, Any] = {
        "start": (10, 100, 100),
        "build": (50, 1000, 2000),
        "scale": (100, 1000, 5000),
        "enterprise": (None, None, None),
    }
    caps = PLAN_CAPS[plan]
    assert (caps.concurrent, caps.per_hour, caps.per_day) == published[plan]
