"""Clearance: a number that was transferred is dialled only with the CRM's leave, however late the need is known."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from leadline.contracts.leases import MarkAnswer
from leadline.domain.crm import CrmStanding
from leadline.domain.outcome import Outcome
from leadline.runtime.postgres import Pool
from tests.services.queue_service.crm_scenes import (
    AFTER_THE_REST,
    EVERY_DIAL,
    TRANSFER,
    TWO_WITH_CRM,
    WITH_CRM,
    mark,
    transfer,
)
from tests.services.queue_service.desk import CAMPAIGN, PHONE, TUESDAY_NOON, Desk, desk_open, make_policy, result
from tests.services.queue_service.scenes import SECOND, call, due_lead, state_of


@pytest.fixture
async def desk(pool: Pool) -> AsyncIterator[Desk]:
    async with desk_open(pool, WITH_CRM) as opened:
        yield opened


async def test_a_number_that_was_never_transferred_needs_no_clearance(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    assert not lease.clearance_needed
    assert (await mark(desk, lease)).answer is MarkAnswer.GO


async def test_after_a_transfer_the_lease_says_that_clearance_is_needed(desk: Desk) -> None:
    await due_lead(desk)
    await transfer(desk)
    lease = await desk.lease_one()
    assert lease.clearance_needed
    assert (await mark(desk, lease, CrmStanding.OPEN)).answer is MarkAnswer.GO


async def test_a_transfer_long_ago_still_needs_clearance(desk: Desk) -> None:
    await due_lead(desk)
    await transfer(desk)
    second = await desk.lease_one()
    assert (await mark(desk, second, CrmStanding.OPEN)).answer is MarkAnswer.GO
    await desk.event(result(second.attempt_id, "call-2"))
    await desk.set_now(AFTER_THE_REST + timedelta(hours=1))
    assert (await desk.lease_one()).clearance_needed


async def test_a_transfer_before_the_import_needs_clearance(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await desk.pool.execute("UPDATE leads SET outcomes_before = $2 WHERE id = $1", lead_id, [Outcome.TRANSFERRED])
    assert (await desk.lease_one()).clearance_needed


async def test_a_person_who_phoned_us_and_was_transferred_needs_clearance(desk: Desk) -> None:
    await due_lead(desk)
    inbound = {"inbound": True, "to": "+15615550900", "from": PHONE}
    await desk.event({**result(None, "in-1"), **TRANSFER, **inbound})
    await desk.set_now(AFTER_THE_REST)
    assert (await desk.lease_one()).clearance_needed


async def test_every_dial_needs_clearance_if_it_is_set_so(pool: Pool) -> None:
    async with desk_open(pool, EVERY_DIAL) as desk:
        await due_lead(desk)
        assert (await desk.lease_one()).clearance_needed


async def test_without_a_crm_nothing_needs_clearance(pool: Pool) -> None:
    async with desk_open(pool, make_policy()) as desk:
        await due_lead(desk)
        await transfer(desk)
        lease = await desk.lease_one()
        assert not lease.clearance_needed
        assert (await mark(desk, lease)).answer is MarkAnswer.GO


async def test_no_clearance_at_the_mark_releases_and_the_lead_is_due_again_at_once(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await transfer(desk)
    lease = await desk.lease_one()
    answer = await mark(desk, lease)
    assert (answer.answer, answer.reason) == (MarkAnswer.NO, "clearance_needed")
    assert await state_of(desk, lease.attempt_id) == "released"
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.attempts) == ("pending", 1)
    again = await desk.lease_one()
    assert again.lead_id == lead_id
    assert again.clearance_needed


async def test_a_transfer_that_is_heard_of_between_lease_and_mark_is_not_overlooked(pool: Pool) -> None:
    async with desk_open(pool, TWO_WITH_CRM) as desk:
        first = await due_lead(desk)
        await call(desk, "call-1")
        await desk.set_now(TUESDAY_NOON + timedelta(minutes=10))
        lease = await desk.lease_one()
        assert (lease.lead_id, lease.clearance_needed) == (first, False)
        # The citations of the first call say an hour later that it was transferred: its rest is over.
        await desk.pool.execute("UPDATE attempts SET outcome = 'TRANSFERRED' WHERE call_id = 'call-1'")
        answer = await mark(desk, lease)
        assert (answer.answer, answer.reason) == (MarkAnswer.NO, "clearance_needed")
        assert (await desk.lease_one()).clearance_needed


async def test_a_transfer_of_another_campaigns_lead_counts(pool: Pool) -> None:
    async with desk_open(pool, TWO_WITH_CRM) as desk:
        await desk.post_lead(campaign=CAMPAIGN)
        await transfer(desk)
        other = await desk.post_lead(campaign=SECOND)
        leases = (await desk.lease(1, 2)).leases
        assert leases[0].clearance_needed
        assert {lead.id for lead in await desk.leads_of(PHONE)} >= {other.id}


async def test_unknown_holds_the_lead(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await transfer(desk)
    lease = await desk.lease_one()
    answer = await mark(desk, lease, CrmStanding.UNKNOWN, problem="timed out")
    assert (answer.answer, answer.reason) == (MarkAnswer.NO, "crm_unknown")
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason) == ("held", "crm_unknown")
    assert await state_of(desk, lease.attempt_id) == "released"
    assert (await desk.lease()).leases == []


async def test_unknown_that_nobody_had_to_ask_for_changes_nothing(desk: Desk) -> None:
    await due_lead(desk)
    assert (await mark(desk, await desk.lease_one(), CrmStanding.UNKNOWN)).answer is MarkAnswer.GO


async def test_unknown_does_not_touch_a_lead_that_an_operator_paused(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await transfer(desk)
    lease = await desk.lease_one()
    await desk.pool.execute("UPDATE leads SET status = 'paused', status_reason = 'wait' WHERE id = $1", lead_id)
    assert (await mark(desk, lease, CrmStanding.UNKNOWN)).reason == "crm_unknown"
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason) == ("paused", "wait")


@pytest.mark.parametrize("standing", [CrmStanding.SALE, CrmStanding.ACA, CrmStanding.FINAL])
async def test_a_final_standing_ends_the_lead(desk: Desk, standing: CrmStanding) -> None:
    lead_id = await due_lead(desk)
    await transfer(desk)
    lease = await desk.lease_one()
    answer = await mark(desk, lease, standing, status="X")
    assert (answer.answer, answer.reason) == (MarkAnswer.NO, "crm_final")
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason) == ("completed", "crm_final")
    assert await state_of(desk, lease.attempt_id) == "released"
    (phone,) = await desk.fetch("SELECT sold_outcome FROM phones")
    assert phone["sold_outcome"] == (standing.upper() if standing is not CrmStanding.FINAL else None)


async def test_a_sale_in_the_crm_ends_the_numbers_leads_in_every_campaign(pool: Pool) -> None:
    async with desk_open(pool, TWO_WITH_CRM) as desk:
        await desk.post_lead(campaign=CAMPAIGN)
        await transfer(desk)
        await desk.post_lead(campaign=SECOND)
        (lease,) = (await desk.lease(1, 2)).leases
        assert (await mark(desk, lease, CrmStanding.SALE, status="SALE")).reason == "crm_final"
        ended = {lead.status_reason for lead in await desk.leads_of(PHONE) if lead.status == "completed"}
        assert ended == {"crm_final", "sale"}


async def test_a_stop_in_the_crm_suppresses_the_number(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await transfer(desk)
    assert (await mark(desk, await desk.lease_one(), CrmStanding.DNC, status="DNCA")).reason == "crm_final"
    assert (await desk.lead(lead_id)).status_reason == "dnc"
    (row,) = await desk.fetch("SELECT reason, source FROM suppressions")
    assert (row["reason"], row["source"]) == ("CRM status DNCA", "crm")


async def test_a_final_word_counts_also_where_nobody_had_to_ask(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    assert (await mark(desk, await desk.lease_one(), CrmStanding.FINAL, status="NI")).reason == "crm_final"
    assert (await desk.lead(lead_id)).status_reason == "crm_final"


async def test_an_open_standing_is_no_permission_against_the_other_rules(desk: Desk) -> None:
    await due_lead(desk)
    await transfer(desk)
    lease = await desk.lease_one()
    await desk.pool.execute("INSERT INTO suppressions VALUES ($1, 'no', 'operator', now())", PHONE)
    answer = await mark(desk, lease, CrmStanding.OPEN)
    assert (answer.answer, answer.reason) == (MarkAnswer.NO, "suppressed")


async def test_the_same_operation_id_gets_the_same_answer(desk: Desk) -> None:
    await due_lead(desk)
    await transfer(desk)
    lease, operation_id = await desk.lease_one(), uuid4()
    first = await mark(desk, lease, CrmStanding.OPEN, operation_id)
    assert first.answer is MarkAnswer.GO
    assert await mark(desk, lease, CrmStanding.OPEN, operation_id) == first
    assert await mark(desk, lease, CrmStanding.FINAL, operation_id) == first, "what was decided stays decided"


async def test_a_refusal_stays_one_when_it_is_asked_for_again(desk: Desk) -> None:
    await due_lead(desk)
    await transfer(desk)
    lease, operation_id = await desk.lease_one(), uuid4()
    assert (await mark(desk, lease, None, operation_id)).answer is MarkAnswer.NO
    assert (await mark(desk, lease, CrmStanding.OPEN, operation_id)).answer is MarkAnswer.NO


async def test_a_lead_that_is_known_from_calls_alone_learns_what_the_crm_calls_it(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await transfer(desk)
    await desk.pool.execute("UPDATE leads SET sender_lead_id = NULL, list_id = NULL")
    await mark(desk, await desk.lease_one(), CrmStanding.OPEN, crm_lead_id="77", crm_list_id="9")
    lead = await desk.lead(lead_id)
    assert (lead.lead_id, lead.list_id) == ("77", "9")


async def test_what_the_sender_said_of_a_lead_stands(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await transfer(desk)
    await desk.pool.execute("UPDATE leads SET list_id = NULL")
    await mark(desk, await desk.lease_one(), CrmStanding.OPEN, crm_lead_id="77", crm_list_id="9")
    lead = await desk.lead(lead_id)
    assert (lead.lead_id, lead.list_id) == ("410233", None)
