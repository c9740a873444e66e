"""Attempts and leads brought to where a test begins, by the ways that exist; only time is helped along."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from leadline.contracts.leases import Lease, MarkAnswer, RejectionClass, ReportKind
from leadline.domain.attempt import AttemptState
from leadline.domain.campaign import Campaign
from leadline.domain.ids import CampaignName
from leadline.domain.rules.hours import parse_calling_hours
from services.queue_service.policy import Policy
from tests.services.queue_service.desk import CAMPAIGN, PHONE, Desk, make_policy, result

SECOND = CampaignName("second")
ALWAYS = "Mon-Sun 00:00-24:00"


def campaign(name: CampaignName = CAMPAIGN, hours: str = "Mon-Fri 11:00-20:00", **rules: Any) -> Campaign:
    """A campaign with these rules."""
    return Campaign(name=name, hours=parse_calling_hours(hours, "America/New_York", ()), **rules)


def policy_with(*campaigns: Campaign, **changes: Any) -> Policy:
    """The policy of a deployment with these campaigns; the default one is the first."""
    named = {c.name: c for c in campaigns or (campaign(),)}
    longest = dict.fromkeys(named, timedelta(minutes=40))
    return replace(make_policy(), campaigns=named, longest_call=longest, **changes)


TWO_CAMPAIGNS = policy_with(campaign(), campaign(SECOND))


async def lease_all(desk: Desk, count: int) -> dict[str, Lease]:
    """Every due lead, leased, by its number."""
    leases: dict[str, Lease] = {}
    while len(leases) < count:
        batch = await desk.lease(min(200, count - len(leases)), 5)
        assert batch.leases, f"{len(leases)} of {count} were due"
        leases |= {lease.phone_number: lease for lease in batch.leases}
    return leases


async def go(desk: Desk, lease: Lease) -> None:
    """Mark it."""
    (mark,) = await desk.mark(lease.attempt_id)
    assert mark.answer is MarkAnswer.GO, mark


_PASSED = "UPDATE open_attempts SET {} WHERE $1::uuid IS NULL OR attempt_id = $1"


async def end_lease(desk: Desk, lease: Lease | None = None) -> None:
    """The time of a lease or a send window has passed (None: of all of them)."""
    passed = _PASSED.format("deadline_at = clock_timestamp() - interval '1 second'")
    await desk.pool.execute(passed, lease and lease.attempt_id)


async def end_quiet_time(desk: Desk, lease: Lease) -> None:
    """Absence at the provider is proof now."""
    passed = _PASSED.format("quiet_until = clock_timestamp() - interval '1 second'")
    await desk.pool.execute(passed, lease.attempt_id)


async def end_doubt(desk: Desk, lease: Lease) -> None:
    """The provider could be asked for longer than any doubt may last."""
    await desk.pool.execute(_PASSED.format("asked_seconds = 1e6"), lease.attempt_id)


async def bring_to(desk: Desk, lease: Lease, state: AttemptState) -> None:
    """Move a leased attempt to a state. Its call, where it has one, is `call-<number>`."""
    attempt_id, call_id = lease.attempt_id, call_of(lease)
    match state:
        case AttemptState.LEASED:
            return
        case AttemptState.RELEASED:
            await desk.report(attempt_id, ReportKind.RETURNED)
            return
        case _:
            await go(desk, lease)
    match state:
        case AttemptState.PLACED:
            await desk.report(attempt_id, ReportKind.PLACED, call_id=call_id)
        case AttemptState.ENDED:
            await desk.event(result(attempt_id, call_id, to=lease.phone_number))
        case AttemptState.REJECTED:
            await desk.report(attempt_id, ReportKind.REJECTED, rejection=RejectionClass.CAPACITY)
        case AttemptState.UNKNOWN | AttemptState.NOT_PLACED | AttemptState.ABANDONED:
            await desk.report(attempt_id, ReportKind.DOUBT)
        case AttemptState.SENDING:
            return
    if state is AttemptState.NOT_PLACED:
        await end_quiet_time(desk, lease)
        await desk.report(attempt_id, ReportKind.ABSENT)
    if state is AttemptState.ABANDONED:
        await end_doubt(desk, lease)
        await desk.report(attempt_id, ReportKind.INCONCLUSIVE)


def call_of(lease: Lease) -> str:
    """The provider's id of the attempt's call."""
    return f"call-{lease.phone_number}"


async def state_of(desk: Desk, attempt_id: UUID) -> AttemptState:
    """Where an attempt is."""
    (row,) = await desk.fetch("SELECT state FROM attempts WHERE id = $1", attempt_id)
    return AttemptState(row["state"])


async def call(desk: Desk, call_id: str = "call-1", **fields: Any) -> Lease:
    """Place the one due lead's call and end it with these fields of the provider's event."""
    lease = await desk.place(call_id)
    await desk.event(result(lease.attempt_id, call_id, to=lease.phone_number, **fields))
    return lease


async def due_lead(desk: Desk, phone_number: str = PHONE, **fields: str) -> UUID:
    """A lead that is due now; its id."""
    return (await desk.post_lead(phone_number, **fields)).id
