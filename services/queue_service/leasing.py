"""Step 1 of a call: reserve numbers for dialers. A lease sends nothing and may expire freely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from leadline.domain.attempt import AttemptState
from leadline.domain.ids import AttemptId, PhoneNumber
from leadline.domain.lead import PLANNED_STATUSES
from leadline.domain.reasons import Rule, RuleAnswer
from leadline.domain.rules.dispatch import judge
from leadline.domain.rules.planning import plan_resumed
from leadline.runtime.ids import new_uuid7
from leadline.runtime.tracing import Span, traceparent_of
from leadline.store import due, open_attempts, phones
from leadline.store.changes import Changes
from leadline.store.connection import Connection
from leadline.store.decisions import about_lead
from leadline.store.happenings import CallRefused
from leadline.store.numbers import LeadRow, NumberState, load_numbers
from leadline.store.records import NewAttempt
from services.queue_service.crm import clearing
from services.queue_service.policy import Policy
from services.queue_service.settle import apply_plan
from services.queue_service.told import begin_attempt

BUSY_NUMBER_WAIT = timedelta(seconds=60)
"""Business time after which a lead is looked at again whose number is in another call."""


@dataclass(slots=True)
class Leased:
    """One number that is now a dialer's."""

    attempt: NewAttempt
    lead: LeadRow
    slot: int
    """Which of the wanted slots it fills."""
    clearance_needed: bool
    root: Span
    """Of the attempt's trace; to be ended once the lease is committed."""


@dataclass(slots=True)
class Claim:
    """What one claim did."""

    chosen: list[due.Candidate] = field(default_factory=list)
    """What was looked at, in order; a cursor may go on behind it."""
    leased: list[Leased] = field(default_factory=list)
    replanned: int = 0


async def claim(
    conn: Connection, policy: Policy, heads: Sequence[due.Head], dialers: Sequence[str], now: datetime
) -> Claim:
    """Lease up to one lead for each name in `dialers`, in order; inside the caller's transaction.

    Candidates are read unlocked, their phones locked without waiting, and judged on what is read after the locks.
    A candidate that may not be called now gets its next legal time, so that it is not met again before.
    """
    read = await due.list_due(conn, heads, now, len(dialers))
    result = Claim(chosen=sorted(read, key=lambda c: (c.band, c.due_at, c.lead_id))[: len(dialers)])
    by_phone: dict[PhoneNumber, due.Candidate] = {}
    for candidate in result.chosen:
        by_phone.setdefault(candidate.phone_number, candidate)
    free = await phones.lock_free_phones(conn, list(by_phone))
    numbers = await load_numbers(conn, list(free))
    changes = Changes(now=now, actor="queue-service")
    wanted: list[Leased] = []
    for candidate in by_phone.values():
        number = numbers.get(candidate.phone_number)
        lead = number.leads.get(candidate.lead_id) if number else None
        if number is None or lead is None or lead.due_at is None or lead.due_at > now or lead.calling:
            continue
        refusals = refused(now, policy, number, lead)
        if refusals:
            changes.happened.append(CallRefused("lease", refusals[0].code))
            replan_refused(changes, policy, number, lead, refusals)
            reasons = {"reasons": [answer.code for answer in refusals]}
            changes.decided.append(about_lead("lead_refused", lead, candidate.phone_number, reasons))
            result.replanned += 1
        else:
            slot = len(wanted)
            root = begin_attempt(number, lead)
            attempt = _new_attempt(number, lead, now, dialers[slot], traceparent_of(root))
            wanted.append(Leased(attempt, lead, slot, clearing.is_needed(policy, number), root))
    result.leased = await _take(conn, policy, changes, wanted)
    await changes.flush(conn)
    return result


async def _take(conn: Connection, policy: Policy, changes: Changes, wanted: list[Leased]) -> list[Leased]:
    pairs = [(w.attempt.phone_number, w.attempt.id) for w in wanted]
    taken = await open_attempts.take_numbers(conn, pairs, policy.lease_seconds)
    leased = [w for w in wanted if w.attempt.id in taken]
    changes.new_attempts += [w.attempt for w in leased]
    changes.calling += [w.lead.id for w in leased]
    return leased


def _new_attempt(number: NumberState, lead: LeadRow, now: datetime, dialer: str, traceparent: str | None) -> NewAttempt:
    return NewAttempt(
        id=AttemptId(new_uuid7()),
        lead_id=lead.id,
        campaign=lead.campaign,
        phone_number=number.phone_number,
        attempt_no=number.attempts_of(lead) + 1,
        state=AttemptState.LEASED,
        leased_at=now,
        dialer=dialer,
        traceparent=traceparent,
    )


def refused(
    now: datetime, policy: Policy, number: NumberState, lead: LeadRow, judged: AttemptId | None = None
) -> list[RuleAnswer]:
    """The rules that forbid calling this lead now. `judged`: its own attempt, once it is leased."""
    rules = policy.rules_for(lead.campaign)
    facts = number.lead_facts(lead, judged)
    answers = judge(now, facts, number.number_facts(judged), rules, leased=judged is not None)
    return [answer for answer in answers if not answer.allowed]


def replan_refused(
    changes: Changes, policy: Policy, number: NumberState, lead: LeadRow, refusals: Sequence[RuleAnswer]
) -> None:
    """A lead that may not be called now gets what its refusals mean: an end, a hold, or its next legal time."""
    busy = any(answer.rule is Rule.LIVE_ATTEMPT for answer in refusals)
    earliest = changes.now + (BUSY_NUMBER_WAIT if busy else timedelta(0))
    details = {"refused_by": [answer.code for answer in refusals]}
    plan_again(changes, policy, number, lead, earliest, cause="refused", details=details)


def plan_again(
    changes: Changes,
    policy: Policy,
    number: NumberState,
    lead: LeadRow,
    earliest: datetime,
    *,
    cause: str,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Plan a lead that was not called: for what it was due, at the first legal instant from `earliest` on."""
    if lead.status not in PLANNED_STATUSES:
        changes.not_due.append(lead.id)
        return
    rules = policy.rules_for(lead.campaign)
    plan = plan_resumed(earliest, number.lead_facts(lead), number.number_facts(), rules)
    apply_plan(changes, number, lead, plan, cause=cause, details=details, not_sent_in_row=lead.not_sent_in_row)
