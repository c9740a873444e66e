"""What happened in the old system, each as a test by its name: none of it can happen here."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadline.contracts.leads import LeadSubmission
from leadline.contracts.leases import RejectionClass, ReportKind
from leadline.runtime.postgres import Pool
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.scenes import (
    ALWAYS,
    SECOND,
    TWO_CAMPAIGNS,
    call,
    campaign,
    due_lead,
    end_lease,
    go,
    policy_with,
)

PERSON: dict[str, Any] = {"status": "completed", "answered_by": "human"}
MINUTE = timedelta(minutes=1)


async def dial_until_nothing_is_due(desk: Desk, now: datetime, until: datetime, **fields: Any) -> list[datetime]:
    """Make every call that is ever due, jumping from due time to due time; when each was made."""
    made: list[datetime] = []
    while now < until:
        for lease in (await desk.lease(20, 0.3)).leases:
            (mark,) = await desk.mark(lease.attempt_id)
            if mark.answer == "go":
                made.append(now)
                await desk.event(result(lease.attempt_id, str(lease.attempt_id), to=lease.phone_number, **fields))
        (row,) = await desk.fetch("SELECT min(due_at) AS at FROM due_leads WHERE due_at > business_now()")
        if row["at"] is None:
            break
        now = row["at"]
        await desk.set_now(now)
    return made


async def test_sixty_calls_to_one_lead(pool: Pool) -> None:
    """It was checked, then acted, in several places at once. Here everybody pulls at one lead for days."""
    async with desk_open(pool, TWO_CAMPAIGNS) as desk, desk_open(pool, TWO_CAMPAIGNS, None) as other:

        async def pull(where: Desk) -> None:
            await where.post_lead()
            for lease in (await where.lease(5, 0.2)).leases:
                await where.mark(lease.attempt_id)

        rows: list[Any] = []
        while not rows:  # on a busy machine all may have stopped waiting before one was served
            await asyncio.gather(*(pull(where) for where in (desk, other) * 15))
            rows = await desk.fetch("SELECT state FROM attempts WHERE state <> 'released'")
        assert [row["state"] for row in rows] == ["sending"]
        for lease_id in [row["id"] for row in await desk.fetch("SELECT id FROM attempts WHERE state = 'sending'")]:
            await desk.event(result(lease_id))
        made = await dial_until_nothing_is_due(desk, TUESDAY_NOON, TUESDAY_NOON + timedelta(days=10))
        assert len(made) == 7
        (lead,) = await desk.leads_of(PHONE)
        assert (lead.status_reason, lead.attempts) == ("exhausted", 8)


async def test_an_instant_redial_while_the_call_is_live(desk: Desk) -> None:
    await due_lead(desk)
    await desk.place()
    for minutes in (0, 1, 30, 39):
        await desk.set_now(TUESDAY_NOON + timedelta(minutes=minutes, seconds=5))
        await desk.post_lead()
        assert (await desk.lease(5, 0.2)).leases == []


async def test_transfers_that_were_none(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await call(desk, disposition_tag="TRANSFERRED", transferred_to="+15615550901", summary="transferred", **PERSON)
    assert (await desk.lead(lead_id)).last_outcome == "CONFUSED"


async def test_the_month_that_rolled_over_and_lost_the_leads(pool: Pool) -> None:
    evening = datetime(2026, 1, 31, 0, 30, tzinfo=UTC)
    async with desk_open(pool, policy_with(), evening) as desk:
        lead_id = await due_lead(desk)
        await desk.place("call-1")
        await desk.set_now(datetime(2026, 2, 2, 16, 0, tzinfo=UTC))
        await desk.event(result((await attempt_ids(desk))[0], "call-1"))
        lead = await desk.lead(lead_id)
        assert (lead.status, lead.attempts, lead.attempts_today) == ("pending", 1, 0)
        await desk.set_now(datetime(2026, 2, 2, 16, 5, tzinfo=UTC))
        assert (await desk.lease_one()).attempt_no == 2


async def attempt_ids(desk: Desk) -> list[Any]:
    return [row["id"] for row in await desk.fetch("SELECT id FROM attempts ORDER BY leased_at")]


async def test_one_phone_in_several_lists_called_fifteen_times(desk: Desk) -> None:
    spellings = ("5615550123", "+15615550123", "(561) 555-0123", "1 561 555 0123", "561-555-0123")
    for n, spelling in enumerate(spellings):
        await desk.service.submit_lead(submission(spelling, f"lead-{n}", f"list-{n}"), "gateway", None, b"")
    assert len(await desk.leads_of(PHONE)) == 1
    made = await dial_until_nothing_is_due(desk, TUESDAY_NOON, TUESDAY_NOON + timedelta(days=10))
    assert len(made) == 8


def submission(phone_number: str, lead_id: str, list_id: str) -> LeadSubmission:
    return LeadSubmission(campaign="awhealth", phone_number=phone_number, lead_id=lead_id, list_id=list_id)


async def test_eleven_calls_in_a_day_instead_of_eight(pool: Pool) -> None:
    """Several counters, each of which saw only its own calls. There is one ledger."""
    fast: dict[str, Any] = {"max_attempts": 50, "cadence": (timedelta(0), MINUTE)}
    async with desk_open(pool, policy_with(campaign(**fast), campaign(SECOND, **fast))) as desk:
        for n in range(3):
            await desk.event(result(None, f"elsewhere-{n}"))
        await desk.post_lead()
        await desk.post_lead(campaign=SECOND)
        made = await dial_until_nothing_is_due(desk, TUESDAY_NOON, TUESDAY_NOON + timedelta(hours=12))
        assert len(made) == 5
        assert len(await attempt_ids(desk)) == 8


async def test_wires_crossed_with_a_customer_who_talks_to_an_agent(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await desk.post_lead()
        await desk.post_lead(campaign=SECOND)
        ended = TUESDAY_NOON + timedelta(seconds=20)
        lease = await desk.place()
        await desk.set_now(ended)
        merged: dict[str, Any] = {"warm_transfer_call": {"state": "MERGED"}, "end_at": ended.isoformat()}
        await desk.event(result(lease.attempt_id, **PERSON, **merged))
        for minutes in (1, 15, 29):
            await desk.set_now(ended + timedelta(minutes=minutes))
            await desk.post_lead()
            assert (await desk.lease(5, 0.2)).leases == []
        await desk.set_now(ended + timedelta(minutes=30))
        assert len((await desk.lease(5, 2)).leases) == 1


async def test_leads_stuck_at_the_daily_maximum(pool: Pool) -> None:
    """The reset waited for one minute of the day. Nothing is reset here: the day is counted from the calls."""
    fast: dict[str, Any] = {"max_daily_attempts": 2, "cadence": (timedelta(0), MINUTE)}
    async with desk_open(pool, policy_with(campaign(**fast))) as desk:
        await due_lead(desk)
        made = await dial_until_nothing_is_due(desk, TUESDAY_NOON, TUESDAY_NOON + timedelta(days=20))
        days = [at.date().isoformat() for at in made]
        assert days == [f"2026-01-{day:02}" for day in (6, 6, 7, 7, 8, 8, 9, 9)]


async def test_digits_that_never_matched_e164(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await desk.event(result(None, "a", to="5615550123", disposition_tag="DO_NOT_CALL", **PERSON))
    assert (await desk.lead(lead_id)).status_reason == "dnc"


async def test_a_side_door_around_the_block_list(desk: Desk) -> None:
    """Every way in meets the same list: posting, a call made elsewhere, an inbound call, a lease that is out."""
    await due_lead(desk)
    lease = await desk.lease_one()
    await desk.event({"call_id": "in", "inbound": True, "from": PHONE, "disposition_tag": "DNC", **PERSON})
    assert (await desk.mark(lease.attempt_id))[0].answer == "no"
    assert (await desk.post_lead()).status == "suppressed"
    await desk.event(result(None, "elsewhere", variables={"callback_requested": True}, **PERSON))
    assert {lead.status for lead in await desk.leads_of(PHONE)} == {"completed"}
    assert (await desk.lease(5, 0.3)).leases == []


@pytest.mark.parametrize(
    "tags", [None, [None], [{"color": "red"}], [7, None, {"name": None}], {"name": "x"}, "text", [["nested"]]]
)
async def test_a_crash_on_tags_that_are_null_or_objects(desk: Desk, tags: Any) -> None:
    lead_id = await due_lead(desk)
    await call(desk, pathway_tags=tags, **PERSON)
    assert (await desk.lead(lead_id)).outcomes == ["CONFUSED"]


async def test_a_lock_that_only_the_webhook_clears(desk: Desk) -> None:
    """The webhook never comes: a lease ends by time, a doubt by evidence, a call by what the provider says."""
    lead_id = await due_lead(desk)
    lease = await desk.lease_one()
    await end_lease(desk, lease)
    await desk.service.expire()
    lost = await desk.place("call-1")
    await desk.report(lost.attempt_id, ReportKind.LOST)
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.attempts) == ("pending", 1)
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=2))
    assert (await desk.lease_one()).lead_id == lead_id


async def test_locks_that_vanish_at_midnight_with_the_calls_still_live(pool: Pool) -> None:
    always = policy_with(campaign(hours=ALWAYS, legal_profile="none"), campaign(SECOND, hours=ALWAYS))
    async with desk_open(pool, always, datetime(2026, 1, 7, 4, 59, 30, tzinfo=UTC)) as desk:
        await desk.post_lead()
        await desk.place()
        await desk.set_now(datetime(2026, 1, 7, 5, 10, tzinfo=UTC))
        await desk.post_lead(campaign=SECOND)
        assert (await desk.lease(5, 0.3)).leases == []


async def test_figures_that_counted_double_webhooks_twice(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.place()
    for extra in ("a", "b", "c"):
        await desk.event(result(lease.attempt_id, summary=extra))
    stats = await desk.service.stats()
    assert (stats.calls_today, stats.outcomes_today) == (1, {"NO_ANSWER": 1})


@pytest.mark.parametrize("rejection", [None, RejectionClass.CAPACITY])
async def test_failed_reservations_that_use_up_the_days_quota(pool: Pool, rejection: RejectionClass | None) -> None:
    async with desk_open(pool, policy_with(campaign(max_daily_attempts=1, max_attempts=1))) as desk:
        lead_id = await due_lead(desk)
        for n in range(6):
            await desk.set_now(TUESDAY_NOON + timedelta(minutes=5 * n + 1))
            lease = await desk.lease_one()
            await go(desk, lease)
            kind = ReportKind.NOT_SENT if rejection is None else ReportKind.REJECTED
            await desk.report(lease.attempt_id, kind, rejection=rejection)
        lead = await desk.lead(lead_id)
        assert (lead.status, lead.attempts, lead.attempts_today) == ("pending", 0, 0)
