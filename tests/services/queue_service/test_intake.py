"""Leads on their way in: one lead per campaign and number, whatever is posted however often."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from leadline.contracts.leads import LeadSubmission
from leadline.domain.errors import InvalidPhoneNumber
from leadline.domain.ids import CampaignName
from leadline.runtime.postgres import Pool
from leadline.store.operations import OperationConflict
from services.queue_service.intake import UnknownCampaign
from tests.services.queue_service.desk import CAMPAIGN, PHONE, TUESDAY_NOON, Desk, desk_open
from tests.services.queue_service.scenes import SECOND, TWO_CAMPAIGNS, call, due_lead, lease_all
from tests.support.phones import fresh_phones


def posted(phone_number: str = PHONE, **changes: Any) -> LeadSubmission:
    given = {"campaign": CAMPAIGN, "phone_number": phone_number, "lead_id": "410233", "list_id": "1029"}
    return LeadSubmission(**{**given, **changes})


async def test_a_new_lead_is_queued_and_due_at_once(desk: Desk) -> None:
    accepted = await desk.post_lead(first_name="Maria", state="fl", email="m@example.org")
    assert (accepted.status, accepted.lead_id, accepted.reason) == ("queued", "410233", None)
    lead = await desk.lead(accepted.id)
    assert (lead.status, lead.attempts, lead.state, lead.campaign) == ("pending", 0, "FL", "awhealth")
    assert lead.next_redial_at is not None
    assert lead.next_redial_at - TUESDAY_NOON < timedelta(minutes=1)
    (audit,) = await desk.fetch("SELECT verb, reason, lead_id FROM audit_log")
    assert tuple(audit) == ("lead_received", "first_call", accepted.id)


@pytest.mark.parametrize(
    "spelling", ["5615550123", "(561) 555-0123", "1-561-555-0123", "+1 561 555 0123", "561.555.0123", "5615550123.0"]
)
async def test_every_spelling_is_the_same_number(desk: Desk, spelling: str) -> None:
    first = await desk.post_lead(PHONE)
    again = await desk.post_lead(spelling)
    assert (again.id, again.status) == (first.id, "duplicate")


async def test_a_lead_posted_again_is_brought_up_to_date_and_nothing_else(desk: Desk) -> None:
    first = await desk.post_lead(first_name="Maria", last_name="Alvarez", age="61")
    await call(desk)
    before = await desk.lead(first.id)
    again = await desk.service.submit_lead(
        posted(
            lead_id="new-id", list_id="new-list", fields={"first_name": "Mary", "city": "Miami"}, attributes={"a": "b"}
        ),
        "gateway",
        None,
        b"",
    )
    assert (again.id, again.status, again.lead_id) == (first.id, "duplicate", "new-id")
    after = await desk.lead(first.id)
    assert (after.lead_id, after.list_id, after.first_name, after.last_name) == (
        "new-id",
        "new-list",
        "Mary",
        "Alvarez",
    )
    for kept in ("status", "next_redial_at", "attempts", "outcomes", "scheduled_callback_at", "created_at"):
        assert getattr(after, kept) == getattr(before, kept), kept
    (row,) = await desk.fetch("SELECT sender_fields, attributes FROM leads")
    assert tuple(row) == ({"age": "61", "city": "Miami"}, {"a": "b"})


async def test_a_lead_posted_again_without_news_leaves_no_trace(desk: Desk) -> None:
    lead_id = await due_lead(desk, first_name="Maria")
    updated_at = (await desk.lead(lead_id)).updated_at
    await desk.post_lead(first_name="Maria")
    assert (await desk.lead(lead_id)).updated_at == updated_at
    assert len(await desk.fetch("SELECT FROM audit_log")) == 1


async def test_a_suppressed_number_is_taken_and_never_queued(desk: Desk) -> None:
    await desk.event({"call_id": "x", "status": "completed", "inbound": True, "from": PHONE, "disposition_tag": "DNC"})
    accepted = await desk.post_lead()
    assert (accepted.status, accepted.reason) == ("suppressed", "dnc")
    assert (await desk.lead(accepted.id)).status == "completed"
    assert (await desk.lease(1, 0.3)).leases == []


@pytest.mark.parametrize("said", ["SALE", "NOT_INTERESTED"])
async def test_a_completed_lead_stays_completed_when_it_is_posted_again(desk: Desk, said: str) -> None:
    lead_id = await due_lead(desk)
    await call(desk, status="completed", answered_by="human", disposition_tag=said)
    again = await desk.post_lead(first_name="Late")
    assert (again.id, again.status, again.reason) == (lead_id, "completed", said.lower())
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.first_name, lead.next_redial_at) == ("completed", "Late", None)


async def test_no_interest_in_one_campaign_says_nothing_of_another(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await desk.post_lead()
        await call(desk, status="completed", answered_by="human", disposition_tag="NOT_INTERESTED")
        assert (await desk.post_lead(campaign=SECOND)).status == "queued"


async def test_several_campaigns_with_one_number_are_several_leads(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        first, second = await asyncio.gather(desk.post_lead(), desk.post_lead(campaign=SECOND))
        assert first.id != second.id
        assert {first.status, second.status} == {"queued"}
        assert (await desk.post_lead(campaign=SECOND)).id == second.id


@pytest.mark.parametrize("number", ["+18005550199", "+19005550199", "+442079460018"])
async def test_a_number_that_is_not_called_is_kept_with_the_reason(desk: Desk, number: str) -> None:
    accepted = await desk.post_lead(number)
    assert (accepted.status, accepted.reason) == ("completed", "refused_number")
    (row,) = await desk.fetch("SELECT details FROM audit_log WHERE lead_id = $1", accepted.id)
    assert row["details"]["refused"]


@pytest.mark.parametrize("number", ["12345", "none", "+1561555", "5615550123 x 12"])
async def test_what_is_no_number_is_refused(desk: Desk, number: str) -> None:
    with pytest.raises(InvalidPhoneNumber):
        await desk.post_lead(number)
    assert await desk.fetch("SELECT FROM phones") == []


async def test_an_unknown_campaign_is_refused_with_the_known_ones(desk: Desk) -> None:
    with pytest.raises(UnknownCampaign, match="configured are: awhealth"):
        await desk.post_lead(campaign=CampaignName("awhealht"))


async def test_a_hundred_posts_of_one_lead_at_once_are_one_lead(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.post_lead() for _ in range(100)))
    assert len({answer.id for answer in answers}) == 1
    assert sorted(answer.status for answer in answers) == ["duplicate"] * 99 + ["queued"]
    assert len(await desk.fetch("SELECT FROM due_leads")) == 1


async def test_a_hundred_posts_with_one_key_get_one_answer(desk: Desk) -> None:
    body = posted()
    answers = await asyncio.gather(*(desk.service.submit_lead(body, "gateway", "key", b"a") for _ in range(100)))
    assert answers == [answers[0]] * 100
    assert answers[0].status == "queued"


async def test_a_key_is_for_one_body_and_one_caller(desk: Desk) -> None:
    first = await desk.service.submit_lead(posted(), "gateway", "key", b"a")
    with pytest.raises(OperationConflict):
        await desk.service.submit_lead(posted(lead_id="other"), "gateway", "key", b"b")
    assert (await desk.lead(first.id)).lead_id == "410233"
    other = await desk.service.submit_lead(posted(lead_id="other"), "importer", "key", b"b")
    assert other.status == "duplicate"


async def test_a_key_is_forgotten_after_its_time(desk: Desk) -> None:
    await desk.service.submit_lead(posted(), "gateway", "key", b"a")
    await desk.pool.execute("UPDATE operations SET created_at = created_at - interval '25 hours'")
    again = await desk.service.submit_lead(posted(lead_id="other"), "gateway", "key", b"b")
    assert (again.status, again.lead_id) == ("duplicate", "other")


async def test_a_hundred_leads_at_once_are_all_leased_once(desk: Desk) -> None:
    phones = fresh_phones(100)
    answers = await asyncio.gather(*(desk.post_lead(phone) for phone in phones))
    assert {answer.status for answer in answers} == {"queued"}
    leases = await lease_all(desk, 100)
    assert set(leases) == set(phones)
    assert (await desk.lease(1, 0.3)).leases == []
