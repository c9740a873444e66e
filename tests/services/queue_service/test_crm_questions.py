"""Leads that are held for the CRM's word: asked about again until it is learned, and then planned or ended."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from leadline.domain.crm import CrmStanding
from leadline.runtime.postgres import Pool
from tests.services.queue_service.crm_scenes import (
    AFTER_THE_REST,
    WITH_CRM,
    answer,
    asked,
    hold_for_crm,
    states,
    try_again_now,
)
from tests.services.queue_service.desk import TUESDAY_NOON, Desk, desk_open
from tests.services.queue_service.scenes import due_lead


@pytest.fixture
async def desk(pool: Pool) -> AsyncIterator[Desk]:
    async with desk_open(pool, WITH_CRM) as opened:
        yield opened


async def test_a_held_lead_is_asked_about_by_one_asker(desk: Desk) -> None:
    lead_id = await hold_for_crm(desk)
    groups = await asyncio.gather(*(asked(desk) for _ in range(4)))
    assert [found for group in groups for found in group] == [lead_id]
    await try_again_now(desk)
    assert await asked(desk) == [lead_id], "an asker that was killed keeps nobody from asking"


async def test_nobody_is_asked_about_without_need(desk: Desk) -> None:
    await due_lead(desk)
    assert await asked(desk) == []


async def test_open_plans_the_lead_and_the_need_for_clearance_stays(desk: Desk) -> None:
    lead_id = await hold_for_crm(desk)
    await asked(desk)
    assert await answer(desk, lead_id, CrmStanding.OPEN, status="CB") == {"open": 1}
    assert (await desk.lead(lead_id)).status == "pending"
    lease = await desk.lease_one()
    assert (lease.lead_id, lease.clearance_needed) == (lead_id, True)
    assert await desk.fetch("SELECT FROM crm_questions") == []


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (CrmStanding.DNC, "dnc"),
        (CrmStanding.SALE, "crm_final"),
        (CrmStanding.ACA, "crm_final"),
        (CrmStanding.FINAL, "crm_final"),
    ],
)
async def test_a_final_standing_ends_the_lead(desk: Desk, standing: CrmStanding, reason: str) -> None:
    lead_id = await hold_for_crm(desk)
    await answer(desk, lead_id, standing, status="X")
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason) == ("completed", reason)
    assert [kind for kind, _, _ in await states(desk)] == ["result"], "what the CRM said is not told back"


async def test_unknown_asks_again_after_a_longer_and_longer_time(desk: Desk) -> None:
    lead_id = await hold_for_crm(desk)
    waits: list[float] = []
    for _ in range(7):
        assert await asked(desk) == [lead_id]
        assert await answer(desk, lead_id, CrmStanding.UNKNOWN, problem="no answer") == {"unknown": 1}
        waits.append(await seconds_until_asked(desk))
        await try_again_now(desk)
    assert (await desk.lead(lead_id)).status_reason == "crm_unknown"
    for wait, least in zip(waits, (30, 60, 120, 240, 480, 600, 600), strict=True):
        assert least - 5 < wait < least * 1.25 + 1


async def seconds_until_asked(desk: Desk) -> float:
    (row,) = await desk.fetch("SELECT extract(epoch FROM next_ask_at - clock_timestamp()) AS s FROM crm_questions")
    return float(row["s"])


async def test_a_lead_that_an_operator_resumed_meanwhile_is_left_alone(desk: Desk) -> None:
    lead_id = await hold_for_crm(desk)
    await asked(desk)
    await desk.pool.execute("UPDATE leads SET status = 'paused', status_reason = 'x' WHERE id = $1", lead_id)
    assert await answer(desk, lead_id, CrmStanding.OPEN) == {"not_held": 1}
    assert (await desk.lead(lead_id)).status == "paused"
    assert await asked(desk) == []
    assert await desk.fetch("SELECT FROM crm_questions") == []


async def test_a_sale_is_heard_although_the_lead_waits_no_longer(desk: Desk) -> None:
    lead_id = await hold_for_crm(desk)
    await asked(desk)
    await desk.pool.execute("UPDATE leads SET status = 'paused', status_reason = 'x' WHERE id = $1", lead_id)
    await answer(desk, lead_id, CrmStanding.SALE, status="SALE")
    assert (await desk.lead(lead_id)).status == "completed"


async def test_an_answer_about_a_lead_that_does_not_exist_is_counted(desk: Desk) -> None:
    lead_id = await hold_for_crm(desk)
    assert await answer(desk, UUID(int=7), CrmStanding.OPEN) == {"not_held": 1}
    assert (await desk.lead(lead_id)).status == "held"


async def test_a_lead_that_waited_over_night_is_planned_into_the_next_opening(desk: Desk) -> None:
    lead_id = await hold_for_crm(desk)
    await desk.set_now(TUESDAY_NOON + timedelta(hours=10))
    await answer(desk, lead_id, CrmStanding.OPEN)
    lead = await desk.lead(lead_id)
    assert lead.next_redial_at is not None
    assert lead.next_redial_at > AFTER_THE_REST + timedelta(hours=12)
