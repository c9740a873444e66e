"""Inbound calls, and calls that somebody else placed: no attempt of ours, but what was said counts."""

from datetime import timedelta
from typing import Any

import pytest

from leadline.contracts.events import EventSource
from leadline.runtime.postgres import Pool
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.scenes import SECOND, TWO_CAMPAIGNS, call, campaign, due_lead, go, policy_with

OURS = "+15615550900"
THEIRS = "+15615550901"
MINUTE_AGO = (TUESDAY_NOON - timedelta(minutes=1)).isoformat()
CALLBACK = {"callback_requested": True, "callback_requested_at": "2026-01-07T15:30:00-05:00"}


def inbound(call_id: str = "in-1", *, who: str = PHONE, **fields: Any) -> dict[str, Any]:
    """The customer phoned us."""
    talk = {"inbound": True, "from": who, "status": "completed", "answered_by": "human", "end_at": MINUTE_AGO}
    return result(None, call_id, to=OURS, **{**talk, **fields})


async def test_an_inbound_call_of_a_stranger_creates_nothing(desk: Desk) -> None:
    stored = await desk.event(inbound())
    assert (stored.disposition, stored.kind, stored.outcome) == ("applied", "inbound", "CONFUSED")
    assert await desk.fetch("SELECT FROM leads") == []
    assert await desk.fetch("SELECT FROM attempts") == []


async def test_a_stranger_who_phones_to_say_stop_is_suppressed(desk: Desk) -> None:
    await desk.event(inbound(disposition_tag="DO_NOT_CALL"))
    assert (await desk.post_lead()).status == "suppressed"
    assert await desk.fetch("SELECT FROM suppressions WHERE phone_number = $1", OURS) == []


async def test_an_inbound_call_gives_the_number_a_rest_and_counts_against_no_cap(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await desk.event(inbound())
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.attempts, lead.outcomes) == ("pending", 0, ["CONFUSED"])
    assert lead.next_redial_at == TUESDAY_NOON + timedelta(minutes=29)


async def test_an_inbound_call_puts_nothing_forward(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    for n in range(5):
        if n:
            await desk.set_now(TUESDAY_NOON + timedelta(hours=n))
        await call(desk, f"call-{n}")
    planned = (await desk.lead(lead_id)).next_redial_at
    assert planned is not None
    await desk.event(inbound(end_at=None))
    assert (await desk.lead(lead_id)).next_redial_at == planned


@pytest.mark.parametrize(("said", "reason"), [("SALE", "sale"), ("DO_NOT_CALL", "dnc")])
async def test_a_final_word_counts_for_every_lead_of_the_number(pool: Pool, said: str, reason: str) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await desk.post_lead()
        await desk.post_lead(campaign=SECOND)
        await desk.event(inbound(disposition_tag=said))
        assert {(lead.status, lead.status_reason) for lead in await desk.leads_of(PHONE)} == {("completed", reason)}


async def test_a_sale_over_the_phone_holds_for_leads_that_come_later(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await desk.post_lead()
        await desk.event(inbound(disposition_tag="SALE"))
        later = await desk.post_lead(campaign=SECOND)
        assert (later.status, later.reason) == ("completed", "sale")


async def test_a_callback_asked_for_over_the_phone_is_promised_even_during_a_lease(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.lease_one()
    await desk.event(inbound(variables=CALLBACK))
    (refused,) = await desk.mark(lease.attempt_id)
    assert (refused.answer, refused.reason) == ("no", "attempt_released")
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.next_redial_at) == ("rescheduled", lead.scheduled_callback_at)


async def test_a_number_that_phones_us_is_not_bad(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    failed: dict[str, Any] = {"status": "failed", "completed": False, "answered_by": None}
    await desk.event(inbound(error_message="The number you dialed is not found.", **failed))
    assert (await desk.lead(lead_id)).status == "pending"
    assert await desk.fetch("SELECT FROM phones WHERE bad_number_reason IS NOT NULL") == []


async def test_an_inbound_call_leaves_paused_and_held_leads_alone(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await desk.pool.execute("UPDATE leads SET status = 'held', status_reason = 'unresolved_call'")
    await desk.pool.execute("DELETE FROM due_leads")
    await desk.event(inbound())
    assert (await desk.lead(lead_id)).status == "held"


async def test_a_foreign_call_to_a_lead_is_counted_and_the_cadence_goes_on_from_it(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    stored = await desk.event(result(None, "elsewhere", end_at=MINUTE_AGO))
    assert (stored.disposition, stored.kind) == ("applied", "foreign")
    lead = await desk.lead(lead_id)
    assert (lead.attempts, lead.outcomes) == (1, ["NO_ANSWER"])
    (row,) = await desk.fetch("SELECT origin, state, call_id FROM attempts")
    assert tuple(row) == ("elsewhere", "ended", "elsewhere")


async def test_an_old_foreign_call_brings_nothing_forward(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    for n in range(4):
        if n:
            await desk.set_now(TUESDAY_NOON + timedelta(minutes=20 * n))
        await call(desk, f"call-{n}")
    planned = (await desk.lead(lead_id)).next_redial_at
    await desk.event(result(None, "yesterday", end_at=(TUESDAY_NOON - timedelta(days=1)).isoformat()))
    lead = await desk.lead(lead_id)
    assert (lead.attempts, lead.next_redial_at) == (5, planned)


async def test_a_foreign_call_to_a_stranger_is_held_until_somebody_posts_the_lead(desk: Desk) -> None:
    await desk.event(result(None, "elsewhere", end_at=MINUTE_AGO))
    (held,) = await desk.leads_of(PHONE)
    assert (held.status, held.status_reason, held.lead_id) == ("held", "foreign", None)
    assert (await desk.lease(1, 0.3)).leases == []
    claimed = await desk.post_lead(first_name="Maria")
    assert (claimed.id, claimed.status) == (held.id, "queued")
    lead = await desk.lead(held.id)
    assert (lead.status, lead.attempts, lead.lead_id, lead.first_name) == ("pending", 1, "410233", "Maria")


async def test_a_foreign_call_belongs_to_the_campaign_that_dials_from_its_number(pool: Pool) -> None:
    policy = policy_with(campaign(), campaign(SECOND), callers={THEIRS: SECOND})
    async with desk_open(pool, policy) as desk:
        await desk.event(result(None, "a", **{"from": THEIRS}))
        await desk.event(result(None, "b", **{"from": "+15615550999"}))
        assert sorted(lead.campaign for lead in await desk.leads_of(PHONE)) == ["awhealth", "second"]


async def test_a_foreign_stop_is_honoured_whoever_was_called(desk: Desk) -> None:
    await desk.event(result(None, "a", status="completed", answered_by="human", disposition_tag="DNC"))
    (lead,) = await desk.leads_of(PHONE)
    assert (lead.status, lead.status_reason) == ("completed", "dnc")
    assert (await desk.post_lead()).status == "suppressed"


async def test_an_attempt_id_that_is_not_ours_makes_a_foreign_call(desk: Desk) -> None:
    await due_lead(desk)
    body = result(None, "a")
    body["metadata"] = {"attempt_id": "01940000-0000-7000-8000-00000000dead"}
    assert (await desk.event(body)).kind == "foreign"


async def test_a_call_without_metadata_waits_for_its_details_while_an_attempt_is_open(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.lease_one()
    await go(desk, lease)
    assert (await desk.event(result(None, "call-9"))).kind == "undetermined"
    async with desk.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM attempts") == 1
    details = result(lease.attempt_id, "call-9")
    assert (await desk.event(details, EventSource.LOOKUP)).kind == "result"
    assert await desk.service.apply_events() == {"events_applied": 1, "events_still_unapplied": 0}
    assert (await desk.lead(lead_id)).attempts == 1


async def test_an_undetermined_stop_is_not_waited_for(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.place()
    stored = await desk.event(result(None, "call-9", status="completed", disposition_tag="DO_NOT_CALL"))
    assert (stored.kind, stored.disposition) == ("undetermined", "unapplied")
    (order,) = (await desk.lease(0, 5)).stop_orders
    assert order.attempt_id == lease.attempt_id
