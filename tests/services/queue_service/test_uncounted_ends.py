"""Attempts that do not count: rejected by class, not sent, given back. Nothing is dialled again at once."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from leadline.contracts.leases import Lease, RejectionClass, ReportKind
from leadline.domain.attempt import AttemptState
from leadline.runtime.postgres import Pool
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, desk_open
from tests.services.queue_service.scenes import SECOND, TWO_CAMPAIGNS, call, due_lead, go, state_of


async def rejected(desk: Desk, kind: RejectionClass, **fields: Any) -> Lease:
    lease = await desk.lease_one()
    await go(desk, lease)
    answer = await desk.report(lease.attempt_id, ReportKind.REJECTED, rejection=kind, **fields)
    assert answer.state == AttemptState.REJECTED
    return lease


async def wait_of(desk: Desk, lead_id: UUID, since: datetime = TUESDAY_NOON) -> timedelta:
    due_at = (await desk.lead(lead_id)).next_redial_at
    assert due_at is not None
    return due_at - since


async def test_a_number_on_the_providers_list_is_suppressed(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await rejected(desk, RejectionClass.DNC, message="Number found in DNC list")
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason, lead.attempts) == ("completed", "dnc", 0)
    (row,) = await desk.fetch("SELECT reason, source FROM suppressions")
    assert tuple(row) == ("Number found in DNC list", "provider")


async def test_a_bad_number_is_bad_for_every_lead_that_has_it(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await desk.post_lead()
        await desk.post_lead(campaign=SECOND)
        await rejected(desk, RejectionClass.BAD_NUMBER, message="This number is blacklisted.")
        found = {(lead.status, lead.status_reason) for lead in await desk.leads_of(PHONE)}
        assert found == {("completed", "bad_number")}
        assert await desk.fetch("SELECT FROM suppressions") == []


async def test_a_refused_account_pauses_all_dialling(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await rejected(desk, RejectionClass.ACCOUNT, http_status=402)
    (gate,) = await desk.fetch("SELECT account_pause_reason, account_pause_automatic FROM dispatch_gate")
    assert tuple(gate) == ("account: 402", True)
    assert await desk.alarms() == ["account_paused"]
    assert await wait_of(desk, lead_id) >= timedelta(seconds=60)
    await desk.post_lead("+15615550124")
    assert (await desk.lease(1, 0.3)).leases == []


async def test_a_refused_campaign_pauses_itself_alone(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await desk.post_lead()
        await rejected(desk, RejectionClass.CAMPAIGN, http_status=404, message="pathway not found")
        (row,) = await desk.fetch("SELECT campaign, pause_reason, automatic FROM campaign_switches")
        assert tuple(row) == ("awhealth", "campaign: pathway not found", True)
        assert await desk.alarms() == ["campaign_paused"]
        await desk.post_lead("+15615550124")
        await desk.post_lead("+15615550125", campaign=SECOND)
        assert [lease.campaign for lease in (await desk.lease(5, 2)).leases] == ["second"]


@pytest.mark.parametrize(("retry_after", "least"), [(None, 60), (5.0, 60), (600.0, 600)])
async def test_no_capacity_means_later_and_no_attempt_is_used(
    desk: Desk, retry_after: float | None, least: int
) -> None:
    lead_id = await due_lead(desk)
    await rejected(desk, RejectionClass.CAPACITY, http_status=429, retry_after_seconds=retry_after)
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.attempts) == ("pending", 0)
    assert timedelta(seconds=least) <= await wait_of(desk, lead_id) < timedelta(seconds=least + 60)
    assert await desk.alarms() == []


async def test_an_uncounted_attempt_waits_as_long_as_its_place_in_the_cadence(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await call(desk, "call-1")
    later = TUESDAY_NOON + timedelta(minutes=5)
    await desk.set_now(later)
    await call(desk, "call-2")
    third = later + timedelta(minutes=10)
    await desk.set_now(third)
    await rejected(desk, RejectionClass.CAPACITY)
    assert timedelta(minutes=5) <= await wait_of(desk, lead_id, third) < timedelta(minutes=6)


async def test_not_sent_backs_off_and_holds_the_lead_after_ten(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    now = TUESDAY_NOON
    for failure in range(10):
        lease = await desk.lease_one()
        await go(desk, lease)
        before = await desk.fetch("SELECT business_now() AS now")
        await desk.report(lease.attempt_id, ReportKind.NOT_SENT, message="connection refused")
        assert await state_of(desk, lease.attempt_id) is AttemptState.RELEASED
        if failure == 9:
            break
        expected = min(60, 2**failure)
        wait = await wait_of(desk, lead_id, before[0]["now"])
        # The number's spacing of ten seconds after the send window holds as well.
        assert timedelta(seconds=expected) <= wait <= timedelta(seconds=expected + 15)
        now += timedelta(seconds=90)
        await desk.set_now(now)
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason, lead.attempts) == ("held", "cannot_dispatch", 0)
    assert await desk.alarms() == ["cannot_dispatch"]


async def test_anything_sent_begins_the_count_anew(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await desk.report(lease.attempt_id, ReportKind.NOT_SENT)
    assert (await desk.fetch("SELECT not_sent_in_row FROM due_leads"))[0][0] == 1
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=1))
    lease = await desk.lease_one()
    await desk.report(lease.attempt_id, ReportKind.RETURNED)
    assert (await desk.fetch("SELECT not_sent_in_row FROM due_leads"))[0][0] == 1
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=2))
    await call(desk)
    assert (await desk.fetch("SELECT not_sent_in_row FROM due_leads"))[0][0] == 0


async def test_a_lease_given_back_is_due_as_it_was(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    due_at = (await desk.lead(lead_id)).next_redial_at
    lease = await desk.lease_one()
    await desk.report(lease.attempt_id, ReportKind.RETURNED)
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.attempts) == ("pending", 0)
    assert due_at is not None
    assert await wait_of(desk, lead_id, due_at) < timedelta(seconds=5)
    assert (await desk.lease_one()).lead_id == lead_id


async def test_doubt_that_lasts_too_long_counts_and_holds_the_lead(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.lease_one()
    await go(desk, lease)
    await desk.report(lease.attempt_id, ReportKind.DOUBT)
    for kind in (ReportKind.INCONCLUSIVE, ReportKind.UNREACHABLE, ReportKind.INCONCLUSIVE):
        assert (await desk.report(lease.attempt_id, kind)).state == "unknown"
    await desk.pool.execute("UPDATE open_attempts SET asked_seconds = 86400")
    await desk.report(lease.attempt_id, ReportKind.UNREACHABLE)
    assert (await desk.report(lease.attempt_id, ReportKind.INCONCLUSIVE)).state == "abandoned"
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason, lead.attempts) == ("held", "unresolved_call", 1)
    assert await desk.alarms() == ["attempt_abandoned"]


async def test_only_time_between_two_answers_of_the_provider_uses_up_the_doubt(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await go(desk, lease)
    await desk.report(lease.attempt_id, ReportKind.DOUBT)

    async def asked(kind: ReportKind) -> float:
        await desk.pool.execute("UPDATE open_attempts SET asked_at = asked_at - interval '100 seconds'")
        await desk.report(lease.attempt_id, kind)
        return round(float((await desk.fetch("SELECT asked_seconds FROM open_attempts"))[0][0]), -2)

    assert await asked(ReportKind.INCONCLUSIVE) == 0
    assert await asked(ReportKind.INCONCLUSIVE) == 100
    assert await asked(ReportKind.UNREACHABLE) == 100
    assert await asked(ReportKind.ABSENT) == 100
    assert await asked(ReportKind.ABSENT) == 200


async def test_a_lost_result_ends_the_call_and_the_cadence_goes_on(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.place()
    assert (await desk.report(lease.attempt_id, ReportKind.LOST)).alarm == "result_lost"
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.attempts, lead.outcomes) == ("pending", 1, ["UNKNOWN"])
