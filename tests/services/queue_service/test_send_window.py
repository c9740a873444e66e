"""A `go` is given only if its whole send window lies inside every opening and inside the day that it counts on."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from leadline.contracts.leases import MarkAnswer, SendMark
from leadline.domain.campaign import LegalProfile
from leadline.runtime.postgres import Pool
from services.queue_service.policy import Policy
from tests.services.queue_service.desk import Desk, desk_open, make_policy
from tests.services.queue_service.scenes import ALWAYS, campaign, due_lead, lease_all, policy_with
from tests.support.phones import fresh_phones

CLOSING = datetime(2026, 1, 7, 1, 0, tzinfo=UTC)
OPENING = datetime(2026, 1, 7, 16, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 1, 7, 5, 0, tzinfo=UTC)
NINE_IN_THE_EVENING = datetime(2026, 1, 7, 2, 0, tzinfo=UTC)
MARGIN_MS = make_policy().closing_margin_ms
FULL_MS = make_policy().send_within_ms


@pytest.mark.parametrize(
    ("profile", "hours", "end"),
    [
        (LegalProfile.FEDERAL, "Mon-Fri 11:00-20:00", CLOSING),
        (LegalProfile.FEDERAL, ALWAYS, NINE_IN_THE_EVENING),
        (LegalProfile.NONE, ALWAYS, MIDNIGHT),
    ],
    ids=["closing time", "the law's nine o'clock", "midnight"],
)
async def test_the_window_ends_before(pool: Pool, profile: LegalProfile, hours: str, end: datetime) -> None:
    policy = policy_with(campaign(hours=hours, legal_profile=profile))
    async with desk_open(pool, policy, end - timedelta(minutes=2)) as desk:
        moments = (60_000, 3000, 2400, 1600, 1100, 900, 500, 100)
        for phone in fresh_phones(len(moments)):
            await due_lead(desk, phone)
        leases = list((await lease_all(desk, len(moments))).values())
        for lease, milliseconds in zip(leases, moments, strict=True):
            at = end - timedelta(milliseconds=milliseconds)
            if (await desk.fetch("SELECT business_now() AS now"))[0]["now"] < at:
                await desk.set_now(at)
            (answer,) = await desk.mark(lease.attempt_id)
            await _is_inside(desk, answer, end, policy)


async def _is_inside(desk: Desk, answer: SendMark, end: datetime, policy: Policy) -> None:
    """What is left until the end decides, as it was at the instant of the mark."""
    (row,) = await desk.fetch("SELECT marked_at, closed_at FROM attempts WHERE id = $1", answer.attempt_id)
    at = row["marked_at"] or row["closed_at"]
    if at >= end:  # a slow machine asked too late
        return
    left_ms = (end - at).total_seconds() * 1000 - policy.closing_margin_ms
    if answer.answer is MarkAnswer.GO:
        assert answer.send_within_ms == min(policy.send_within_ms, math.floor(left_ms))
        assert answer.send_within_ms >= policy.least_send_ms
    else:
        assert left_ms < policy.least_send_ms
        assert answer.reason == "closing"


async def test_real_time_is_what_a_window_is_measured_in(pool: Pool) -> None:
    """Business time that runs a hundred times faster leaves a hundredth of the time to send."""
    async with desk_open(pool, policy_with(), CLOSING - timedelta(hours=1)) as desk:
        await due_lead(desk)
        lease = await desk.lease_one()
        await desk.set_now(CLOSING - timedelta(seconds=100), 100)
        (answer,) = await desk.mark(lease.attempt_id)
        assert answer.answer is MarkAnswer.NO or answer.send_within_ms <= 1000 - MARGIN_MS
        assert answer.send_within_ms < FULL_MS


async def test_a_lead_refused_for_closing_waits_for_the_next_opening(pool: Pool) -> None:
    async with desk_open(pool, policy_with(), CLOSING - timedelta(minutes=2)) as desk:
        lead_id = await due_lead(desk)
        lease = await desk.lease_one()
        await desk.set_now(CLOSING - timedelta(milliseconds=300))
        (answer,) = await desk.mark(lease.attempt_id)
        assert answer.answer is MarkAnswer.NO
        lead = await desk.lead(lead_id)
        assert (lead.next_redial_at, lead.attempts) == (OPENING, 0)


async def test_a_lead_leased_before_closing_is_not_called_after_it(pool: Pool) -> None:
    async with desk_open(pool, policy_with(), CLOSING - timedelta(seconds=5)) as desk:
        lead_id = await due_lead(desk)
        lease = await desk.lease_one()
        await desk.set_now(CLOSING)
        (answer,) = await desk.mark(lease.attempt_id)
        assert (answer.answer, answer.reason) == (MarkAnswer.NO, "outside_calling_hours")
        assert (await desk.lead(lead_id)).next_redial_at == OPENING


async def test_over_midnight_a_campaign_that_never_closes_goes_on_by_itself(pool: Pool) -> None:
    policy = policy_with(campaign(hours=ALWAYS, legal_profile=LegalProfile.NONE))
    async with desk_open(pool, policy, MIDNIGHT - timedelta(seconds=5)) as desk:
        lead_id = await due_lead(desk)
        lease = await desk.lease_one()
        await desk.set_now(MIDNIGHT - timedelta(milliseconds=200))
        (answer,) = await desk.mark(lease.attempt_id)
        assert (answer.answer, answer.reason) == (MarkAnswer.NO, "closing")
        assert (await desk.lead(lead_id)).next_redial_at == MIDNIGHT
        await desk.set_now(MIDNIGHT)
        assert (await desk.mark((await desk.lease_one()).attempt_id))[0].answer is MarkAnswer.GO
