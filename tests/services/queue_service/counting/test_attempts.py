"""Attempts, outcomes, talk and money: each counted once, and together what the ledger says."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from leadline.contracts.leases import Lease, RejectionClass, ReportKind
from leadline.domain.attempt import AttemptState
from leadline.runtime.postgres import Pool
from tests.services.queue_service.counting.tally import Tally
from tests.services.queue_service.desk import CAMPAIGN, TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.scenes import (
    ALWAYS,
    bring_to,
    call,
    campaign,
    due_lead,
    end_doubt,
    end_lease,
    end_quiet_time,
    go,
    lease_all,
    policy_with,
)
from tests.support.phones import fresh_phones

ATTEMPTS, OUTCOMES = "leadline_attempts_total", "leadline_outcomes_total"
TALK, COST = "leadline_talk_seconds_total", "leadline_cost_dollars_total"
RESOLVED, MET = "leadline_unknown_resolved_total", "leadline_calls_met_total"
PERSON: dict[str, Any] = {"status": "completed", "answered_by": "human"}
VOICEMAIL: dict[str, Any] = {"status": "completed", "answered_by": "voicemail"}
LEDGER = """
SELECT outcome, CASE WHEN attempt_no < 9 THEN attempt_no::text ELSE '9+' END AS band, count(*) AS n
FROM attempts WHERE origin = 'leadline' AND state = 'ended' GROUP BY 1, 2
"""
MONEY = """
SELECT coalesce(sum(talk_seconds), 0) AS talk, coalesce(sum(price_dollars), 0) AS price
FROM attempts WHERE origin <> 'elsewhere'
"""


async def ledger(desk: Desk) -> dict[tuple[str, ...], float]:
    """What the outcomes must be, as long as none was amended."""
    return {(CAMPAIGN, row["outcome"], row["band"]): row["n"] for row in await desk.fetch(LEDGER)}


async def has_the_money_of_the_ledger(desk: Desk, tally: Tally) -> None:
    (row,) = await desk.fetch(MONEY)
    assert (tally.sum_of(TALK), tally.sum_of(COST)) == pytest.approx((row["talk"], row["price"]))


async def test_a_life_of_many_calls(pool: Pool) -> None:
    """Nine that count, beside a rejection, a request that was never sent, and a doubt that came to nothing."""
    rules = campaign(hours=ALWAYS, max_attempts=9, max_daily_attempts=99, cadence=(timedelta(0), timedelta(minutes=1)))
    async with desk_open(pool, policy_with(rules)) as desk:
        tally, now = Tally(), TUESDAY_NOON
        await due_lead(desk)
        lease = await desk.lease_one()
        await bring_to(desk, lease, AttemptState.REJECTED)
        await desk.set_now(now := now + timedelta(minutes=5))
        lease = await desk.lease_one()
        await go(desk, lease)
        await desk.report(lease.attempt_id, ReportKind.NOT_SENT)
        await desk.set_now(now := now + timedelta(minutes=5))
        await bring_to(desk, await desk.lease_one(), AttemptState.NOT_PLACED)
        for n in range(1, 10):
            await desk.set_now(now := now + timedelta(minutes=5))
            heard = VOICEMAIL | {"corrected_duration": "31.5", "price": 0.05} if n % 2 else {}
            await call(desk, f"call-{n}", **heard)
        assert tally.of(ATTEMPTS) == {
            (CAMPAIGN, "1", "rejected"): 1,
            (CAMPAIGN, "1", "not_sent"): 1,
            (CAMPAIGN, "1", "unknown"): 1,
            **{(CAMPAIGN, str(n) if n < 9 else "9+", "placed"): 1 for n in range(1, 10)},
        }
        assert tally.of(OUTCOMES) == await ledger(desk)
        assert tally.of(RESOLVED) == {("not_placed",): 1}
        assert tally.of(TALK) == {(CAMPAIGN,): 5 * 31.5}
        await has_the_money_of_the_ledger(desk, tally)
        assert tally.of("leadline_leads_completed_total") == {(CAMPAIGN, "exhausted"): 1}


Step = Callable[[Desk, Lease], Awaitable[object]]


async def silence(desk: Desk, lease: Lease) -> None:
    await end_lease(desk, lease)
    await desk.service.expire()


async def absent(desk: Desk, lease: Lease) -> None:
    await end_quiet_time(desk, lease)
    await desk.report(lease.attempt_id, ReportKind.ABSENT)


async def given_up(desk: Desk, lease: Lease) -> None:
    await end_doubt(desk, lease)
    await desk.report(lease.attempt_id, ReportKind.INCONCLUSIVE)


async def end(desk: Desk, lease: Lease) -> None:
    await desk.event(result(lease.attempt_id))


def said(kind: ReportKind, **fields: Any) -> Step:
    return lambda desk, lease: desk.report(lease.attempt_id, kind, **fields)


placed = said(ReportKind.PLACED, call_id="call-1")
rejected = said(ReportKind.REJECTED, rejection=RejectionClass.CAPACITY)
not_sent, returned, doubt = said(ReportKind.NOT_SENT), said(ReportKind.RETURNED), said(ReportKind.DOUBT)


@pytest.mark.parametrize(
    ("steps", "results", "resolved"),
    [
        ((go, placed), ["placed"], []),
        ((go, rejected), ["rejected"], []),
        ((go, not_sent), ["not_sent"], []),
        ((go, returned), ["not_sent"], []),
        ((go, end, placed), ["placed"], []),
        ((go, silence), ["unknown"], []),
        ((go, silence, placed, end), ["unknown"], ["placed"]),
        ((go, doubt, doubt, end, end), ["unknown"], ["ended"]),
        ((go, doubt, not_sent), ["unknown"], ["released"]),
        ((go, doubt, rejected), ["unknown"], ["rejected"]),
        ((go, doubt, absent), ["unknown"], ["not_placed"]),
        ((go, doubt, given_up), ["unknown"], ["abandoned"]),
        ((go, doubt, given_up, end), ["unknown"], ["abandoned"]),
        ((go, rejected, placed), ["rejected"], []),
        # Without a mark, or after the attempt was thought over: a request at the provider all the same.
        ((placed, end), ["placed"], []),
        ((doubt,), ["unknown"], []),
        ((end,), ["placed"], []),
        ((returned,), [], []),
        ((returned, placed, end), ["placed"], []),
        ((silence, end), ["placed"], []),
        ((go, not_sent, placed), ["not_sent", "placed"], []),
    ],
)
async def test_what_became_of_a_request(
    desk: Desk, steps: Sequence[Step], results: list[str], resolved: list[str]
) -> None:
    """All but `not_sent` add up to the requests at the provider, as far as anybody knows."""
    tally = Tally()
    await due_lead(desk)
    lease = await desk.lease_one()
    for step in steps:
        await step(desk, lease)
    assert tally.of(ATTEMPTS) == {(CAMPAIGN, "1", name): 1 for name in results}
    assert tally.of(RESOLVED) == {(state,): 1 for state in resolved}
    assert tally.of(OUTCOMES) == await ledger(desk)


async def test_many_leads_together_are_what_the_ledger_says(desk: Desk) -> None:
    tally, phones = Tally(), fresh_phones(12)
    for phone in phones:
        await desk.post_lead(phone)
    leases = await lease_all(desk, len(phones))
    states = (AttemptState.ENDED, AttemptState.REJECTED, AttemptState.UNKNOWN, AttemptState.PLACED)
    for n, lease in enumerate(leases.values()):
        await bring_to(desk, lease, states[n % len(states)])
    counted = {labels[2]: n for labels, n in tally.of(ATTEMPTS).items()}
    assert counted == {"placed": 6, "rejected": 3, "unknown": 3}
    rows = await desk.fetch("SELECT count(*) AS n FROM attempts WHERE marked_at IS NOT NULL AND state <> 'sending'")
    assert sum(counted.values()) == rows[0]["n"]
    assert tally.of(OUTCOMES) == await ledger(desk)


async def test_a_result_that_is_amended_counts_once_and_adds_the_difference(desk: Desk) -> None:
    tally = Tally()
    await due_lead(desk)
    lease = await desk.place()
    await desk.event(result(lease.attempt_id, **VOICEMAIL))
    await desk.event(result(lease.attempt_id, **VOICEMAIL, price=0.1, corrected_duration="20"))
    await desk.event(result(lease.attempt_id, **PERSON, disposition_tag="SALE", price=0.14, corrected_duration="31"))
    await desk.event(result(lease.attempt_id, **VOICEMAIL, price=0.14, summary="the same in other words"))
    assert tally.of(OUTCOMES) == {(CAMPAIGN, "VOICEMAIL", "1"): 1}
    assert tally.of(ATTEMPTS) == {(CAMPAIGN, "1", "placed"): 1}
    assert tally.of("leadline_leads_completed_total") == {(CAMPAIGN, "sale"): 1}
    await has_the_money_of_the_ledger(desk, tally)
    assert tally.of(COST) == {(CAMPAIGN,): pytest.approx(0.14)}


async def test_one_event_many_times_counts_once(desk: Desk) -> None:
    tally = Tally()
    await due_lead(desk)
    lease = await desk.place()
    ended: dict[str, Any] = {"end_at": TUESDAY_NOON.isoformat(), "price": 0.1, "corrected_duration": "10"}
    for _ in range(5):
        await desk.event(result(lease.attempt_id, **VOICEMAIL, **ended))
    assert tally.sum_of(OUTCOMES) == 1
    assert tally.of("leadline_event_lag_seconds_count") == {("bland",): 1}
    await has_the_money_of_the_ledger(desk, tally)


async def test_a_second_call_of_one_attempt_is_met_and_billed(desk: Desk) -> None:
    tally = Tally()
    await due_lead(desk)
    lease = await desk.place("call-1")
    await desk.event(result(lease.attempt_id, "call-2", **VOICEMAIL, price=0.2, corrected_duration="9"))
    await desk.event(result(lease.attempt_id, "call-2", **VOICEMAIL, price=0.3, corrected_duration="9"))
    await desk.event(result(lease.attempt_id, "call-1", price=0.01))
    assert tally.of(MET) == {("provider_retry", "VOICEMAIL"): 1}
    assert tally.of(OUTCOMES) == {(CAMPAIGN, "NO_ANSWER", "1"): 1} == await ledger(desk)
    assert tally.sum_of(ATTEMPTS) == 1
    await has_the_money_of_the_ledger(desk, tally)


async def test_calls_of_others_are_met_and_cost_us_nothing(desk: Desk) -> None:
    tally = Tally()
    await due_lead(desk)
    await desk.event(result(None, "theirs", **PERSON, price=1.5, corrected_duration="60"))
    await desk.event(result(None, "theirs", **PERSON, price=1.6, corrected_duration="60"))
    talk: dict[str, Any] = {"inbound": True, "from": "+15615550124", "to": "+15615550900"}
    await desk.event(result(None, "in-1") | talk | PERSON)
    assert tally.of(MET) == {("elsewhere", "CONFUSED"): 1, ("inbound", "CONFUSED"): 1}
    for name in (ATTEMPTS, OUTCOMES, TALK, COST, "leadline_calls_by_local_hour_total"):
        assert tally.of(name) == {}


@pytest.mark.parametrize(
    ("phone", "when"),
    [
        ("+15615550123", ("Tue", "12")),  # Florida
        ("+12135550123", ("Tue", "09")),  # Los Angeles
        ("+18505550123", ("Tue", "12")),  # Eastern and Central: the campaign's, New York
    ],
)
async def test_the_persons_clock_when_they_were_dialled(pool: Pool, phone: str, when: tuple[str, str]) -> None:
    async with desk_open(pool, policy_with(campaign(hours=ALWAYS))) as desk:
        tally = Tally()
        await due_lead(desk, phone)
        lease = await desk.place()
        await desk.set_now(TUESDAY_NOON + timedelta(hours=3))
        await desk.event(result(lease.attempt_id, to=phone, **PERSON, disposition_tag="NOT_INTERESTED"))
        assert tally.of("leadline_calls_by_local_hour_total") == {(*when, "yes"): 1}


async def test_a_machine_is_nobody_reached(desk: Desk) -> None:
    tally = Tally()
    await due_lead(desk)
    await call(desk, **VOICEMAIL)
    assert tally.of("leadline_calls_by_local_hour_total") == {("Tue", "12", "no"): 1}
