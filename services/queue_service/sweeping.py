"""The queue-service's part of a sweep: the plan of what is late or stuck, and the promises as queries."""

from collections import Counter
from datetime import date, datetime, timedelta
from uuid import UUID

from leadline.contracts.sweep import (
    DoubtfulAttempt,
    PendingStopOrder,
    PlacedAttempt,
    PromiseCheck,
    PromiseViolation,
    SweepPlan,
)
from leadline.domain.facts import LeadFacts, NumberFacts
from leadline.domain.ids import CampaignName, LeadId, PhoneNumber
from leadline.domain.lead import LeadStatus
from leadline.domain.phone import masked
from leadline.domain.rules.legal import callable_hours
from leadline.runtime.ids import new_uuid7
from leadline.store import gate, promises, stop_orders, sweep
from leadline.store.changes import Changes
from leadline.store.clock import get_clock
from leadline.store.connection import Connection
from leadline.store.happenings import PromiseBroken
from leadline.store.records import Alarm
from services.queue_service.policy import Policy

CHECKED_DISPATCHES = 20_000
CHECKED_HOURS = timedelta(days=2)


async def read_plan(conn: Connection, limit: int) -> SweepPlan:
    """Everything late or stuck, each list at most `limit` long."""
    state = await gate.read_gate(conn)
    late = await sweep.count_late(conn, state.now)
    placed = await sweep.list_placed(conn, state.now, state.speed, limit)
    return SweepPlan(
        business_now=state.now,
        expired_leases=late["expired_leases"],
        silent_sends=late["silent_sends"],
        unapplied_events=late["unapplied_events"],
        missed_callbacks=late["missed_callbacks"],
        doubtful=[DoubtfulAttempt(**dict(row)) for row in await sweep.list_doubtful(conn, limit)],
        placed=[PlacedAttempt(**dict(row)) for row in placed],
        stop_orders=[PendingStopOrder(**dict(r)) for r in await stop_orders.list_pending_stop_orders(conn, limit)],
        undetermined_calls=await sweep.list_undetermined(conn, limit),
        account_paused=state.account_paused,
        account_pause_automatic=state.account_pause_automatic,
        dispatch_held=state.failover or state.held_since is not None,
        dispatch_held_since=state.held_since,
    )


async def check_promises(conn: Connection, policy: Policy, limit: int) -> PromiseCheck:
    """Run every promise as a query; each violation is also an alarm, written in the caller's transaction."""
    now = (await get_clock(conn)).now
    caps = [(name, rules.max_attempts) for name, rules in policy.campaigns.items()]
    violations: list[PromiseViolation] = []
    for promise in promises.PROMISES:
        subjects = await promises.find_violations(conn, promise, life_caps=caps, now=now, limit=limit)
        if promise.number == 6:
            subjects += await _dispatched_out_of_bounds(conn, policy)
        violations += [
            PromiseViolation(promise=promise.number, sentence=promise.sentence, subject=_masked(subject))
            for subject in subjects[:limit]
        ]
    changes = Changes(now=now, actor="sweep")
    changes.alarms += [
        Alarm("promise_broken", details={"promise": v.promise, "subject": v.subject}) for v in violations
    ]
    changes.happened += [PromiseBroken(v.promise) for v in violations]
    await changes.flush(conn)
    return PromiseCheck(checked=[p.number for p in promises.PROMISES], violations=violations)


def _masked(subject: str) -> str:
    return masked(subject) if subject.startswith("+") else subject


async def _dispatched_out_of_bounds(conn: Connection, policy: Policy) -> list[str]:
    """Send marks of the last days that hours, day cap or spacing forbade: what SQL cannot judge."""
    since = (await get_clock(conn)).now - CHECKED_HOURS
    rows = await promises.list_dispatches(conn, since, CHECKED_DISPATCHES)
    made: Counter[tuple[str, date]] = Counter()
    before: dict[str, datetime] = {}
    broken: list[str] = []
    for row in sorted(rows, key=lambda r: r["marked_at"]):
        rules, phone_number, at = policy.rules_for(CampaignName(row["campaign"])), row["phone_number"], row["marked_at"]
        number = NumberFacts(phone_number=PhoneNumber(phone_number))
        lead = LeadFacts(id=LeadId(row["id"]), campaign=rules.name, status=LeadStatus.PENDING, state=row["state"])
        day = phone_number, at.astimezone(rules.hours.zone).date()
        made[day] += 1
        too_soon = phone_number in before and at - before[phone_number] < rules.number_spacing
        before[phone_number] = at
        if too_soon or made[day] > rules.max_daily_attempts or not callable_hours(lead, number, rules).is_open(at):
            broken.append(str(row["id"]))
    return broken


async def begin_run(conn: Connection) -> UUID:
    """A sweep begins; returns its id."""
    run_id = new_uuid7()
    await sweep.insert_run(conn, run_id, (await get_clock(conn)).now)
    return run_id
