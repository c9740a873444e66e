"""Leads, numbers, refusals, leases, alarms: each counted by its own word."""

import time
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from leadline.contracts.events import EventSource
from leadline.contracts.leases import RejectionClass, ReportKind
from leadline.domain.attempt import AttemptState
from leadline.domain.ids import CampaignName, PhoneNumber
from leadline.domain.outcome import Outcome
from leadline.runtime.postgres import Pool
from leadline.store.promises import PROMISES
from services.queue_service import operating
from services.queue_service.counting.zeros import begin_at_zero
from services.queue_service.policy import PlanCaps
from tests.services.queue_service.counting.tally import Tally
from tests.services.queue_service.desk import CAMPAIGN, PHONE, TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.scenes import (
    bring_to,
    call,
    campaign,
    due_lead,
    end_lease,
    go,
    lease_all,
    policy_with,
)
from tests.support.phones import fresh_phones

RECEIVED, COMPLETED = "leadline_leads_received_total", "leadline_leads_completed_total"
SUPPRESSIONS, REFUSALS = "leadline_suppressions_added_total", "leadline_refusals_total"
EXPIRED, ALARMS = "leadline_leases_expired_total", "leadline_alarms_total"
VIOLATIONS = "leadline_promise_violations_total"


async def test_leads_by_what_their_sender_was_answered(desk: Desk) -> None:
    tally = Tally()
    await desk.post_lead()
    await desk.post_lead()
    await call(desk, status="completed", answered_by="human", disposition_tag="SALE")
    await desk.post_lead()
    (stopped,) = fresh_phones(1)
    policy = desk.service.policy
    await desk.service.transaction(
        lambda conn: operating.suppress(conn, policy, PhoneNumber(stopped), "x", "operator", "operator")
    )
    await desk.post_lead(stopped)
    assert tally.of(RECEIVED) == {
        (CAMPAIGN, "queued"): 1,
        (CAMPAIGN, "duplicate"): 1,
        (CAMPAIGN, "completed"): 1,
        (CAMPAIGN, "suppressed"): 1,
    }
    assert tally.of(COMPLETED) == {(CAMPAIGN, "sale"): 1, (CAMPAIGN, "dnc"): 1}
    rows = await desk.fetch("SELECT status_reason, count(*) AS n FROM leads WHERE status = 'completed' GROUP BY 1")
    assert {(CAMPAIGN, row["status_reason"]): row["n"] for row in rows} == tally.of(COMPLETED)


@pytest.mark.parametrize(("source", "shown"), [("operator", "operator"), ("board meeting of May", "other")])
async def test_a_stop_is_counted_once_by_a_source_that_is_known(desk: Desk, source: str, shown: str) -> None:
    tally, policy = Tally(), desk.service.policy
    for _ in range(3):
        await desk.service.transaction(
            lambda conn: operating.suppress(conn, policy, PhoneNumber(PHONE), "x", source, "operator")
        )
    assert tally.of(SUPPRESSIONS) == {(shown,): 1}


async def test_stops_that_are_said_in_calls_and_by_the_provider(desk: Desk) -> None:
    tally, phones = Tally(), fresh_phones(2)
    for phone in phones:
        await desk.post_lead(phone)
    leases = await lease_all(desk, 2)
    one, other = (leases[phone] for phone in phones)
    await go(desk, one)
    await desk.event(result(one.attempt_id, to=one.phone_number, status="completed", disposition_tag="DO_NOT_CALL"))
    await go(desk, other)
    await desk.report(other.attempt_id, ReportKind.REJECTED, rejection=RejectionClass.DNC)
    assert tally.of(SUPPRESSIONS) == {("call",): 1, ("provider",): 1}
    assert tally.of(COMPLETED) == {(CAMPAIGN, "dnc"): 2}
    assert tally.of("leadline_outcomes_total") == {(CAMPAIGN, "DO_NOT_CALL", "1"): 1}


# ---------------------------------------------------------------- refusals


async def test_refusals_by_their_first_reason(desk: Desk) -> None:
    tally = Tally()
    await due_lead(desk)
    lease = await desk.lease_one()
    await desk.pool.execute("UPDATE phones SET rest_until = $1", TUESDAY_NOON + timedelta(hours=1))
    await desk.mark(lease.attempt_id)
    await desk.mark(lease.attempt_id, uuid4())
    assert tally.of(REFUSALS) == {
        ("mark", "number_rests"): 1,
        ("mark", "attempt_released"): 1,
        ("mark", "unknown_attempt"): 1,
    }
    await desk.pool.execute("UPDATE due_leads SET due_at = business_now()")
    assert (await desk.lease(1, 0.5)).leases == []
    assert tally.of(REFUSALS)["lease", "number_rests"] == 1


async def test_a_pause_and_a_full_plan_refuse_marks(pool: Pool) -> None:
    async with desk_open(pool, policy_with(campaign(), caps=PlanCaps(per_day=1))) as desk:
        phones = fresh_phones(2)
        for phone in phones:
            await desk.post_lead(phone)
        (lease,) = (await desk.lease(1, 2)).leases
        tally = Tally()
        await go(desk, lease)
        assert tally.of(REFUSALS) == {}
        await desk.pool.execute("UPDATE attempts SET marked_at = marked_at - interval '2 days'")
        (lease,) = (await desk.lease(1, 2)).leases
        await desk.pool.execute("UPDATE attempts SET marked_at = business_now() WHERE marked_at IS NOT NULL")
        await desk.mark(lease.attempt_id)
        await desk.service.transaction(lambda conn: operating.pause_account(conn, "storm", "operator"))
        await desk.mark(lease.attempt_id)
        assert tally.of(REFUSALS) == {("mark", "plan_cap"): 1, ("mark", "account_paused"): 1}


# ---------------------------------------------------------------- leases, alarms, promises


async def test_leases_that_ran_out_by_themselves_or_at_their_mark(desk: Desk) -> None:
    tally = Tally()
    for phone in fresh_phones(3):
        await desk.post_lead(phone)
    leases = list((await lease_all(desk, 3)).values())
    await end_lease(desk, leases[0])
    await desk.service.expire()
    await desk.service.expire()
    await end_lease(desk, leases[1])
    await desk.mark(leases[1].attempt_id)
    await desk.report(leases[2].attempt_id, ReportKind.RETURNED)
    assert tally.of(EXPIRED) == {(): 2}


async def test_every_alarm_that_is_written_is_counted(desk: Desk) -> None:
    tally = Tally()
    await due_lead(desk)
    lease = await desk.place("call-1")
    await desk.report(lease.attempt_id, ReportKind.PLACED, call_id="call-2")
    await desk.report(lease.attempt_id, ReportKind.LOST)
    await desk.pool.execute("UPDATE dispatch_gate SET system_identifier = system_identifier - 1")
    await desk.service.expire()
    kinds = await desk.alarms()
    assert tally.of(ALARMS) == {(kind,): kinds.count(kind) for kind in set(kinds)}
    assert "dispatch_held" in kinds


async def test_a_broken_promise_counts_at_every_check(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.place("call-1")
    await desk.report(lease.attempt_id, ReportKind.PLACED, call_id="call-2")
    tally = Tally()
    found = (await desk.service.check_promises(100)).violations
    await desk.service.check_promises(100)
    assert found
    broken = Counter(str(violation.promise) for violation in found)
    assert tally.of(VIOLATIONS) == {(promise,): 2 * n for promise, n in broken.items()}
    assert tally.of(ALARMS) == {("promise_broken",): 2 * len(found)}


async def test_when_a_dialer_last_asked(desk: Desk) -> None:
    before = time.time()
    await desk.lease(1, 0.1)
    asked_at = REGISTRY.get_sample_value("leadline_last_lease_request_timestamp_seconds")
    assert asked_at is not None
    assert before <= asked_at <= time.time()


@pytest.mark.parametrize("source", [EventSource.WEBHOOK, EventSource.LOOKUP])
async def test_how_long_after_its_end_a_call_is_heard_of(pool: Pool, source: EventSource) -> None:
    async with desk_open(pool, policy_with()) as desk:
        await desk.set_now(TUESDAY_NOON + timedelta(seconds=1), 10.0)
        await due_lead(desk)
        lease = await desk.lease_one()
        await bring_to(desk, lease, AttemptState.PLACED)
        tally, ended_at, in_the_future = Tally(), TUESDAY_NOON - timedelta(minutes=5), TUESDAY_NOON + timedelta(days=1)
        await desk.event(result(lease.attempt_id, f"call-{PHONE}", end_at=ended_at.isoformat()), source)
        (row,) = await desk.fetch("SELECT received_at FROM events")
        lag = (row["received_at"] - ended_at).total_seconds() / 10
        assert tally.of("leadline_event_lag_seconds_sum") == {(source,): pytest.approx(lag, abs=1e-6)}
        await desk.event(result(lease.attempt_id, f"call-{PHONE}", end_at=in_the_future.isoformat()), source)
        assert tally.of("leadline_event_lag_seconds_sum") == {(source,): pytest.approx(lag, abs=1e-6)}
        assert tally.of("leadline_event_lag_seconds_count") == {(source,): 2}


def test_what_can_be_named_beforehand_begins_at_zero() -> None:
    name = "never-counted"
    begin_at_zero(policy_with(campaign(CampaignName(name))))
    for sample, labels in (
        ("leadline_outcomes_total", {"campaign": name, "outcome": Outcome.SALE, "attempt_band": "9+"}),
        ("leadline_attempts_total", {"campaign": name, "attempt_band": "1", "result": "not_sent"}),
        ("leadline_callbacks_total", {"campaign": name, "kept": "missed"}),
        ("leadline_cost_dollars_total", {"campaign": name}),
        ("leadline_speed_to_lead_seconds_count", {"campaign": name, "clock": "open"}),
    ):
        assert REGISTRY.get_sample_value(sample, labels) == 0.0
    for promise in PROMISES:
        assert REGISTRY.get_sample_value(VIOLATIONS, {"promise": str(promise.number)}) is not None
