"""Statuses that human agents set in the CRM: a sale or a stop ends redialling at once, everything else is only kept."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from leadline.contracts.events import EventDisposition, EventSource
from leadline.contracts.leases import MarkAnswer
from leadline.domain.attempt import AttemptState
from leadline.runtime.postgres import Pool
from tests.services.queue_service.crm_scenes import TWO_WITH_CRM, WITH_CRM, mark, states, status
from tests.services.queue_service.desk import CAMPAIGN, PHONE, Desk, desk_open, result
from tests.services.queue_service.scenes import SECOND, bring_to, due_lead, state_of

OTHER = "+15615550124"


@pytest.fixture
async def desk(pool: Pool) -> AsyncIterator[Desk]:
    async with desk_open(pool, WITH_CRM) as opened:
        yield opened


@pytest.mark.parametrize(
    ("code", "reason"), [("SALE", "sale"), ("ACA", "aca"), ("DNC", "dnc"), ("dnca", "dnc"), ("NI", "not_interested")]
)
async def test_a_final_status_completes_the_lead(desk: Desk, code: str, reason: str) -> None:
    lead_id = await due_lead(desk)
    stored = await status(desk, code)
    assert (stored.disposition, stored.kind) == (EventDisposition.APPLIED, "crm_status")
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason) == ("completed", reason)
    assert (await desk.lease()).leases == []


async def test_the_accounts_own_statuses_decide(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await desk.pool.execute("INSERT INTO crm_statuses VALUES ('MCARE', 'Medicare', true, false, false, now())")
    await status(desk, "MCARE")
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason) == ("completed", "crm_final")


@pytest.mark.parametrize("code", ["CB", "NEW", "XYZZY"])
async def test_an_open_or_unknown_status_is_kept_and_decides_nothing(desk: Desk, code: str) -> None:
    await desk.pool.execute("INSERT INTO crm_statuses VALUES ('CB', 'Callback', false, false, false, now())")
    lead_id = await due_lead(desk)
    before = await desk.lead(lead_id)
    stored = await status(desk, code)
    assert stored.disposition is EventDisposition.APPLIED
    assert await desk.lead(lead_id) == before


async def test_a_sale_while_leased_voids_the_lease(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.lease_one()
    await status(desk, "SALE")
    assert await state_of(desk, lease.attempt_id) is AttemptState.RELEASED
    assert (await mark(desk, lease)).answer is MarkAnswer.NO
    assert (await desk.lead(lead_id)).status_reason == "sale"


async def test_a_stop_while_a_call_rings_orders_its_end(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await bring_to(desk, lease, AttemptState.PLACED)
    await status(desk, "DNC")
    (order,) = (await desk.lease(0, 2)).stop_orders
    assert (order.attempt_id, order.reason) == (lease.attempt_id, "suppressed")


async def test_a_sale_while_a_call_goes_on_lets_it_end_and_no_other_follows(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.place()
    await status(desk, "SALE")
    assert (await desk.lease(0, 0.2)).stop_orders == []
    await desk.event(result(lease.attempt_id))
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason) == ("completed", "sale")


async def test_a_sale_ends_the_numbers_leads_in_every_campaign(pool: Pool) -> None:
    async with desk_open(pool, TWO_WITH_CRM) as desk:
        for name in (CAMPAIGN, SECOND):
            await desk.post_lead(campaign=name)
        await status(desk, "SALE")
        assert [lead.status_reason for lead in await desk.leads_of(PHONE)] == ["sale", "sale"]


async def test_no_of_one_list_leaves_the_lead_of_another(pool: Pool) -> None:
    async with desk_open(pool, TWO_WITH_CRM) as desk:
        for name in (CAMPAIGN, SECOND):
            await desk.post_lead(campaign=name)
        await desk.pool.execute("UPDATE leads SET sender_lead_id = '5' WHERE campaign = $1", SECOND)
        await status(desk, "NI", phone_number=PHONE, lead_id="5")
        by_campaign = {lead.campaign: lead.status for lead in await desk.leads_of(PHONE)}
        assert by_campaign == {CAMPAIGN: "pending", SECOND: "completed"}


async def test_a_lead_that_ended_stays_as_it_is_and_a_stop_still_counts(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await status(desk, "NI")
    await status(desk, "SALE")
    assert (await desk.lead(lead_id)).status_reason == "not_interested"
    await status(desk, "DNC")
    assert len(await desk.fetch("SELECT FROM suppressions")) == 1


@pytest.mark.parametrize("held", ["paused", "held"])
async def test_a_lead_that_waits_for_somebody_is_ended_too(desk: Desk, held: str) -> None:
    lead_id = await due_lead(desk)
    await desk.pool.execute("UPDATE leads SET status = $2, status_reason = 'foreign' WHERE id = $1", lead_id, held)
    await desk.pool.execute("DELETE FROM due_leads")
    await status(desk, "SALE")
    assert (await desk.lead(lead_id)).status_reason == "sale"


async def test_the_lead_is_found_by_the_crms_id_where_no_number_is_named(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await status(desk, "NI", lead_id="410233")
    assert (await desk.lead(lead_id)).status_reason == "not_interested"


async def test_an_id_that_many_numbers_share_names_nobody(desk: Desk) -> None:
    for n in range(4):
        await due_lead(desk, f"+1561555020{n}")
    await status(desk, "DNC", lead_id="410233")
    assert await desk.fetch("SELECT FROM suppressions") == []


async def test_a_status_of_an_unknown_number_is_kept_and_creates_nothing(desk: Desk) -> None:
    stored = await status(desk, "SALE", phone_number=OTHER)
    assert stored.disposition is EventDisposition.APPLIED
    assert await desk.fetch("SELECT FROM leads") == []
    assert await desk.fetch("SELECT FROM phones") == []


async def test_a_stop_of_an_unknown_number_suppresses_it(desk: Desk) -> None:
    await status(desk, "DNC", phone_number=OTHER)
    (row,) = await desk.fetch("SELECT phone_number, source FROM suppressions")
    assert (row["phone_number"], row["source"]) == (OTHER, "crm")
    assert (await desk.post_lead(OTHER)).status == "suppressed"


async def test_what_the_crm_said_is_not_told_back(desk: Desk) -> None:
    await due_lead(desk)
    await status(desk, "DNC")
    assert await states(desk) == []


async def test_each_delivery_is_kept_although_it_says_the_same(desk: Desk) -> None:
    first, second = await status(desk, "CB"), await status(desk, "CB")
    assert first.event_id != second.event_id
    assert {first.disposition, second.disposition} == {EventDisposition.APPLIED}


async def test_a_form_is_read_like_json(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await desk.event(b"lead_id=410233&phone_number=5615550123&disposition=SALE", EventSource.CRM)
    assert (await desk.lead(lead_id)).status_reason == "sale"


@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff\xfe", b"[" * 50_000, b'{"status": "SALE"}', b"lead_id=7", b'"SALE"', b"{}"]
)
async def test_poison_is_quarantined(desk: Desk, body: bytes) -> None:
    stored = await desk.event(body, EventSource.CRM)
    assert (stored.disposition, stored.kind) == (EventDisposition.QUARANTINED, "nonsense")
    (row,) = await desk.fetch("SELECT body FROM events")
    assert row["body"] == body


async def test_a_status_that_could_not_be_applied_is_applied_by_the_sweep(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead_id = await due_lead(desk)

    async def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr("services.queue_service.inbox.apply_status", broken)
        assert (await status(desk, "SALE")).disposition is EventDisposition.UNAPPLIED
    assert await desk.alarms() == ["event_not_applied"]
    assert (await desk.service.apply_events())["events_applied"] == 1
    assert (await desk.lead(lead_id)).status_reason == "sale"
