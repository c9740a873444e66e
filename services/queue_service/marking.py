"""Step 2 of a call: the send mark. Here a call is decided, under the locks, on everything as it is now."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from leadline.contracts.crm import Learned
from leadline.contracts.leases import MarkAnswer, SendMark
from leadline.domain.attempt import AttemptState
from leadline.domain.ids import AttemptId
from leadline.domain.rules.dispatch import closing_after
from leadline.store import gate, open_attempts, pace, phones
from leadline.store.changes import Changes
from leadline.store.clock import Clock
from leadline.store.connection import Connection
from leadline.store.decisions import about_attempt
from leadline.store.gate import Gate
from leadline.store.happenings import LeaseExpired
from leadline.store.numbers import AttemptRow, LeadRow, NumberState, by_attempt, load_numbers
from leadline.store.records import Deadline, PhoneChange
from services.queue_service.counting.noting import note_dispatch, note_refusals
from services.queue_service.crm import clearing
from services.queue_service.leasing import plan_again, refused, replan_refused
from services.queue_service.policy import Policy
from services.queue_service.settle import move_attempt

LEASE_EXPIRED: Final = "lease_expired"
"""Reason of a `no`: it was asked for too late."""


@dataclass(frozen=True, slots=True)
class MarkItem:
    """One question `go?`."""

    attempt_id: AttemptId
    operation_id: UUID
    dialer: str
    learned: Learned | None = None
    """What the CRM said of the number, if it was asked."""


@dataclass(slots=True)
class Allowance:
    """What the account still allows in this transaction; counted down as marks are given."""

    next_slot_at: datetime | None
    interval: timedelta | None
    calls_left: int | None
    """None: no cap."""
    slot_taken: bool = field(default=False)


@dataclass(slots=True)
class _Marking:
    """One transaction of marks."""

    policy: Policy
    gate: Gate
    clock: Clock
    changes: Changes
    allowance: Allowance


async def mark_group(conn: Connection, policy: Policy, items: Sequence[MarkItem]) -> list[SendMark]:
    """Answer a group of `go?` inside the caller's transaction; items have different phone numbers.

    Locks the phones, then the account's pace; everything that decides is read by later statements.
    """
    locked = await phones.lock_phones_of_attempts(conn, [item.attempt_id for item in items])
    next_slot_at = await pace.lock_pace(conn, policy.account)
    state = await gate.read_gate(conn)
    numbers = by_attempt((await load_numbers(conn, locked)).values())
    marking = _Marking(
        policy=policy,
        gate=state,
        clock=Clock(state.now, state.speed),
        changes=Changes(now=state.now, actor="queue-service"),
        allowance=await _read_allowance(conn, policy, state, next_slot_at),
    )
    answers = [_answer(marking, item, numbers.get(item.attempt_id)) for item in items]
    note_refusals(marking.changes, answers)
    await marking.changes.flush(conn)
    if marking.allowance.slot_taken and marking.allowance.next_slot_at is not None:
        await pace.set_pace(conn, policy.account, marking.allowance.next_slot_at)
    return answers


async def _read_allowance(conn: Connection, policy: Policy, state: Gate, next_slot_at: datetime | None) -> Allowance:
    calls_left = await count_calls_left(conn, policy, state.now, state.speed, leased_hold_slots=False)
    return Allowance(next_slot_at, policy.pace_interval, calls_left)


async def count_calls_left(
    conn: Connection, policy: Policy, now: datetime, speed: float, *, leased_hold_slots: bool
) -> int | None:
    """How many more calls the provider's plan allows now; None without a cap."""
    if not policy.caps.any:
        return None
    left: list[int] = []
    if policy.caps.concurrent is not None:
        leased, sent = await open_attempts.count_in_hand(conn)
        left.append(policy.caps.concurrent - sent - (leased if leased_hold_slots else 0))
    in_hour, in_day = await pace.count_sent(conn, now, policy.lease_seconds, speed)
    if policy.caps.per_hour is not None:
        left.append(policy.caps.per_hour - in_hour)
    if policy.caps.per_day is not None:
        left.append(policy.caps.per_day - in_day)
    return max(0, min(left))


def _answer(marking: _Marking, item: MarkItem, number: NumberState | None) -> SendMark:
    attempt = number.attempts.get(item.attempt_id) if number else None
    if number is None or attempt is None:
        return SendMark(attempt_id=item.attempt_id, answer=MarkAnswer.NO, reason="unknown_attempt")
    if attempt.state is AttemptState.SENDING and attempt.mark_operation_id == item.operation_id:
        return _go(attempt, attempt.send_after_ms, attempt.send_within_ms)
    if attempt.state is not AttemptState.LEASED:
        return SendMark(attempt_id=attempt.id, answer=MarkAnswer.NO, reason=f"attempt_{attempt.state}")
    lead = number.leads[attempt.lead_id]
    if item.learned is not None:
        reason = clearing.refuse(marking.changes, marking.policy, number, lead, attempt, item.learned)
        if reason is not None:
            return _no(marking, lead, attempt, [reason])
    held = LEASE_EXPIRED if attempt.overdue else _gate_reason(marking.gate, lead)
    if held is None and item.learned is None and clearing.is_needed(marking.policy, number):
        held = clearing.CLEARANCE_NEEDED
    if held == LEASE_EXPIRED:
        marking.changes.happened.append(LeaseExpired())
    if held is not None:
        return _release(marking, number, lead, attempt, held, marking.clock.now)
    refusals = refused(marking.clock.now, marking.policy, number, lead, judged=attempt.id)
    if refusals:
        move_attempt(marking.changes, attempt, AttemptState.RELEASED, close_reason=refusals[0].code)
        replan_refused(marking.changes, marking.policy, number, lead, refusals)
        return _no(marking, lead, attempt, [answer.code for answer in refusals])
    return _pace(marking, item, number, lead, attempt)


def _gate_reason(state: Gate, lead: LeadRow) -> str | None:
    if state.failover or state.held_since is not None:
        return "dispatch_held"
    if state.account_paused:
        return "account_paused"
    if lead.campaign in state.paused_campaigns:
        return "campaign_paused"
    return None


def _release(
    marking: _Marking, number: NumberState, lead: LeadRow, attempt: AttemptRow, reason: str, earliest: datetime
) -> SendMark:
    """No, for a reason that says nothing of the lead: it is due again as soon as it may be."""
    move_attempt(marking.changes, attempt, AttemptState.RELEASED, close_reason=reason)
    details = {"refused_by": [reason]}
    plan_again(marking.changes, marking.policy, number, lead, earliest, cause="refused", details=details)
    return _no(marking, lead, attempt, [reason])


def _no(marking: _Marking, lead: LeadRow, attempt: AttemptRow, reasons: Sequence[str]) -> SendMark:
    """The lease is gone; the first reason is the one that is told to the dialer."""
    told = about_attempt("attempt_refused", "mark", lead, attempt, {"answer": MarkAnswer.NO, "reasons": reasons})
    marking.changes.decided.append(told)
    return SendMark(attempt_id=attempt.id, answer=MarkAnswer.NO, reason=reasons[0])


def _pace(marking: _Marking, item: MarkItem, number: NumberState, lead: LeadRow, attempt: AttemptRow) -> SendMark:
    """The account's pace and plan, and the send window inside every opening."""
    clock, policy, allowance = marking.clock, marking.policy, marking.allowance
    if allowance.calls_left == 0:
        return SendMark(attempt_id=attempt.id, answer=MarkAnswer.WAIT, retry_after_ms=1000, reason="plan_cap")
    slot = max(clock.now, allowance.next_slot_at or clock.now)
    send_after_ms = math.ceil(clock.real_seconds(slot - clock.now) * 1000)
    if send_after_ms > policy.longest_pace_delay_ms:
        retry_ms = send_after_ms - policy.longest_pace_delay_ms // 2
        return SendMark(attempt_id=attempt.id, answer=MarkAnswer.WAIT, retry_after_ms=retry_ms, reason="pace")
    rules = policy.rules_for(lead.campaign)
    closes = closing_after(clock.now, number.lead_facts(lead, attempt.id), number.number_facts(attempt.id), rules)
    open_ms = clock.real_seconds(closes - clock.now) * 1000 - policy.closing_margin_ms
    send_within_ms = math.floor(min(send_after_ms + policy.send_within_ms, open_ms))
    if send_within_ms < send_after_ms + policy.least_send_ms:
        return _release(marking, number, lead, attempt, "closing", closes)
    if allowance.interval is not None:
        allowance.next_slot_at, allowance.slot_taken = slot + allowance.interval, True
    if allowance.calls_left is not None:
        allowance.calls_left -= 1
    note_dispatch(marking.changes, clock, number, lead, attempt, send_after_ms)
    _mark(marking, item, number, attempt, send_after_ms, send_within_ms)
    window = {"answer": MarkAnswer.GO, "send_after_ms": send_after_ms, "send_within_ms": send_within_ms}
    marking.changes.decided.append(about_attempt("attempt_marked", "mark", lead, attempt, window, planned=False))
    return _go(attempt, send_after_ms, send_within_ms)


def _mark(
    marking: _Marking, item: MarkItem, number: NumberState, attempt: AttemptRow, send_after_ms: int, send_within_ms: int
) -> None:
    clock, policy, changes = marking.clock, marking.policy, marking.changes
    move_attempt(
        changes,
        attempt,
        AttemptState.SENDING,
        marked_at=clock.now,
        mark_operation_id=item.operation_id,
        send_after_ms=send_after_ms,
        send_within_ms=send_within_ms,
    )
    window_seconds = send_within_ms / 1000
    changes.deadlines.append(
        Deadline(attempt.id, window_seconds + policy.report_within_seconds, window_seconds + policy.quiet_seconds)
    )
    changes.phones.append(PhoneChange(number.phone_number, last_sent_by=clock.now + clock.business(window_seconds)))


def _go(attempt: AttemptRow, send_after_ms: int, send_within_ms: int) -> SendMark:
    return SendMark(
        attempt_id=attempt.id, answer=MarkAnswer.GO, send_after_ms=send_after_ms, send_within_ms=send_within_ms
    )
