"""Step 3 of a call: what dialers and the sweep report of attempts. Late truth is never refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from leadline.contracts.leases import AttemptReport, RejectionClass, ReportAnswer, ReportKind
from leadline.domain.attempt import OPEN_STATES, AttemptOrigin, AttemptState
from leadline.domain.ids import AttemptId, CallId
from leadline.domain.lead import PLANNED_STATUSES
from leadline.domain.outcome import Outcome
from leadline.domain.rules.planning import (
    Hold,
    applies_to,
    plan_abandoned,
    plan_after_result,
    plan_not_sent,
    plan_uncounted,
)
from leadline.domain.transitions import AttemptMessage, attempt_effect
from leadline.runtime.ids import new_uuid7
from leadline.store import gate, open_attempts, phones
from leadline.store.changes import Changes
from leadline.store.clock import Clock, get_clock
from leadline.store.connection import Connection
from leadline.store.decisions import about_attempt
from leadline.store.numbers import AttemptRow, LeadRow, NumberState, by_attempt, load_numbers
from leadline.store.records import Alarm, Audit, Deadline, NewAttempt, NewStopOrder
from services.queue_service.counting.noting import note_second_call
from services.queue_service.crm.telling import tell_attempt
from services.queue_service.leasing import BUSY_NUMBER_WAIT, plan_again
from services.queue_service.policy import Policy
from services.queue_service.settle import apply_plan, bad_number, move_attempt, suppress_number, void_lease

_ASKED_AGAIN = frozenset({ReportKind.ABSENT, ReportKind.INCONCLUSIVE, ReportKind.UNREACHABLE})
"""What every sweep says of an attempt in doubt until it is resolved; told only once something comes of it."""
FOREVER_SECONDS = 366 * 86400.0
"""A doubtful attempt is ended by evidence or by its own deadline, not by the clock of open attempts."""


@dataclass(frozen=True, slots=True)
class Reported:
    """One report with the attempt and the number that it is about."""

    report: AttemptReport
    number: NumberState
    attempt: AttemptRow

    @property
    def lead(self) -> LeadRow:
        """The attempt's lead."""
        return self.number.leads[self.attempt.lead_id]


@dataclass(slots=True)
class Reporting:
    """One transaction of reports."""

    policy: Policy
    clock: Clock
    changes: Changes


async def report_group(conn: Connection, policy: Policy, reports: Sequence[AttemptReport]) -> list[ReportAnswer]:
    """Take a group of reports inside the caller's transaction; answers in order. Repeating a report changes nothing."""
    locked = await phones.lock_phones_of_attempts(conn, [AttemptId(r.attempt_id) for r in reports])
    asked = [
        (AttemptId(r.attempt_id), r.kind is not ReportKind.UNREACHABLE)
        for r in reports
        if r.kind in (ReportKind.ABSENT, ReportKind.INCONCLUSIVE, ReportKind.UNREACHABLE)
    ]
    await open_attempts.note_asked(conn, asked)
    clock = await get_clock(conn)
    numbers = by_attempt((await load_numbers(conn, locked)).values())
    reporting = Reporting(
        policy=policy,
        clock=clock,
        changes=Changes(now=clock.now, actor="dialer"),
    )
    answers = [_take(reporting, report, numbers) for report in reports]
    await reporting.changes.flush(conn)
    for report, answer in zip(reports, answers, strict=True):
        if report.kind is ReportKind.REJECTED and answer.changed:
            await _pause_if_told(conn, reporting, report, numbers[AttemptId(report.attempt_id)])
    return answers


def _take(
    reporting: Reporting,
    report: AttemptReport,
    numbers: Mapping[AttemptId, NumberState],
) -> ReportAnswer:
    attempt_id = AttemptId(report.attempt_id)
    number = numbers.get(attempt_id)
    if number is None:
        return ReportAnswer(attempt_id=attempt_id, state=None, changed=False)
    attempt = number.attempts[attempt_id]
    reported = Reported(report, number, attempt)
    before, alarms_before = attempt.state, len(reporting.changes.alarms)
    _HANDLERS[report.kind](reporting, reported)
    alarms = reporting.changes.alarms[alarms_before:]
    answer = ReportAnswer(
        attempt_id=attempt_id,
        state=attempt.state,
        changed=attempt.state is not before,
        alarm=alarms[0].kind if alarms else None,
    )
    if answer.changed or answer.alarm or report.kind not in _ASKED_AGAIN:
        _note_decision(reporting.changes, reported, answer)
    return answer


def _note_decision(changes: Changes, reported: Reported, answer: ReportAnswer) -> None:
    """Codes alone: the words of a rejection are the provider's, and may hold the number."""
    report, attempt = reported.report, reported.attempt
    details = {
        "report": report.kind,
        "state": attempt.state,
        "changed": answer.changed,
        "rejection": report.rejection,
        "http_status": report.http_status,
        "alarm": answer.alarm,
    }
    planned = attempt.state not in OPEN_STATES
    changes.decided.append(
        about_attempt("attempt_reported", "report", reported.lead, attempt, details, planned=planned)
    )


def _placed(reporting: Reporting, reported: Reported) -> None:
    number, attempt, report = reported.number, reported.attempt, reported.report
    if report.call_id is not None:
        record_placed(reporting.changes, reporting.policy, reporting.clock, number, attempt, CallId(report.call_id))


def record_placed(
    changes: Changes, policy: Policy, clock: Clock, number: NumberState, attempt: AttemptRow, call_id: CallId
) -> None:
    """The provider has this call for this attempt: whatever we thought of the attempt, that is the truth."""
    if attempt.call_id is not None and attempt.call_id != call_id:
        if not any(a.call_id == call_id for a in number.attempts.values()):
            record_second_call(changes, number, new_second_call(changes, number, attempt, call_id))
        return
    effect = attempt_effect(attempt.state, AttemptMessage.PLACED)
    changes.calls.append((call_id, attempt.id))
    if effect.alarm:
        changes.alarms.append(Alarm("placed_without_mark_or_late", attempt.id, attempt.lead_id, {"was": attempt.state}))
    if attempt.state is AttemptState.ENDED or attempt.state is AttemptState.PLACED:
        if attempt.call_id is None:
            move_attempt(changes, attempt, attempt.state, call_id=call_id)
        return
    if attempt.state not in OPEN_STATES:
        _make_room(changes, policy, number, attempt)
        if number.open_attempt is not None:
            _end_beside_another(changes, policy, number, attempt, call_id)
            return
        changes.retaken.append((number.phone_number, attempt.id))
        if number.leads[attempt.lead_id].due_at is not None:
            changes.calling.append(attempt.lead_id)
    move_attempt(changes, attempt, AttemptState.PLACED, placed_at=changes.now, call_id=call_id)
    longest = policy.longest_call.get(number.leads[attempt.lead_id].campaign, timedelta(hours=12))
    changes.deadlines.append(Deadline(attempt.id, clock.real_seconds(longest) + policy.report_within_seconds))
    stop_if_suppressed(changes, number, attempt)


def _make_room(changes: Changes, policy: Policy, number: NumberState, late: AttemptRow) -> None:
    """A mere lease gives way to a call that is real: else the call would be stopped and the lease go on to a second."""
    leased = void_lease(changes, number, "number_in_call")
    if leased is not None and leased.lead_id != late.lead_id:
        earliest = changes.now + BUSY_NUMBER_WAIT
        plan_again(changes, policy, number, number.leads[leased.lead_id], earliest, cause="refused")


def stop_if_suppressed(changes: Changes, number: NumberState, attempt: AttemptRow) -> None:
    """A stop that committed after the mark ends the call as soon as its id is known."""
    if number.suppression_reason is not None:
        changes.stop_orders.append(
            NewStopOrder(new_uuid7(), attempt.id, number.phone_number, attempt.call_id, "suppressed")
        )


def _end_beside_another(
    changes: Changes, policy: Policy, number: NumberState, attempt: AttemptRow, call_id: CallId
) -> None:
    """Two live calls to one number: the later-known one is counted and stopped."""
    move_attempt(
        changes,
        attempt,
        AttemptState.ENDED,
        outcome=Outcome.UNKNOWN,
        call_id=call_id,
        evidence="found beside another call",
    )
    tell_attempt(changes, policy, number, attempt, Outcome.UNKNOWN)
    changes.stop_orders.append(NewStopOrder(new_uuid7(), attempt.id, number.phone_number, call_id, "second_live_call"))
    changes.alarms.append(Alarm("two_live_calls", attempt.id, attempt.lead_id, {"call_id": call_id}))


def new_second_call(changes: Changes, number: NumberState, attempt: AttemptRow, call_id: CallId) -> NewAttempt:
    """A second provider call under one attempt, as a row of its own; the caller fills in its result and records it."""
    return NewAttempt(
        id=AttemptId(new_uuid7()),
        lead_id=attempt.lead_id,
        campaign=number.leads[attempt.lead_id].campaign,
        phone_number=number.phone_number,
        attempt_no=attempt.attempt_no,
        state=AttemptState.ENDED,
        leased_at=changes.now,
        closed_at=changes.now,
        origin=AttemptOrigin.PROVIDER_RETRY,
        parent_id=attempt.id,
        call_id=call_id,
        outcome=Outcome.UNKNOWN,
        close_reason="second_call_of_one_attempt",
    )


def record_second_call(changes: Changes, number: NumberState, row: NewAttempt) -> None:
    """It counts from now on, and an operator hears of it."""
    assert row.call_id is not None
    changes.new_attempts.append(row)
    changes.calls.append((row.call_id, row.id))
    note_second_call(changes, row)
    number.attempts[row.id] = AttemptRow.of_new(row)
    details = {"call_id": row.call_id}
    changes.alarms.append(Alarm("second_call_of_one_attempt", row.parent_id, row.lead_id, details))


def _not_sent(reporting: Reporting, reported: Reported) -> None:
    number, attempt, report = reported.number, reported.attempt, reported.report
    if not _close(reporting, attempt, AttemptMessage.NOT_SENT, report.message or "not_sent"):
        return
    lead, policy = number.leads[attempt.lead_id], reporting.policy
    in_row = lead.not_sent_in_row + 1
    plan = plan_not_sent(
        reporting.changes.now, in_row, number.lead_facts(lead), number.number_facts(), policy.rules_for(lead.campaign)
    )
    if lead.status in PLANNED_STATUSES:
        if isinstance(plan, Hold):
            reporting.changes.alarms.append(Alarm(plan.reason, attempt.id, lead.id, {"not_sent_in_row": in_row}))
        apply_plan(reporting.changes, number, lead, plan, cause="not_sent", not_sent_in_row=in_row)


def _rejected(reporting: Reporting, reported: Reported) -> None:
    number, attempt, report = reported.number, reported.attempt, reported.report
    if not _close(reporting, attempt, AttemptMessage.REJECTED, _rejection_reason(report)):
        return
    changes = reporting.changes
    if report.rejection is RejectionClass.DNC:
        suppress_number(
            changes, reporting.policy, number, report.message or "provider's do-not-call list", source="provider"
        )
    elif report.rejection is RejectionClass.BAD_NUMBER:
        bad_number(changes, number, report.message or "refused by the provider", cause="rejected")
    _plan_uncounted(reporting, number, attempt, "rejected", wait_seconds=report.retry_after_seconds or 0.0)


def _rejection_reason(report: AttemptReport) -> str:
    return f"{report.rejection or 'rejected'}: {report.message or report.http_status or ''}"[:500]


def _plan_uncounted(
    reporting: Reporting, number: NumberState, attempt: AttemptRow, cause: str, *, wait_seconds: float = 0.0
) -> None:
    """An attempt that does not count: its lead is due again, never at once."""
    lead, now = number.leads[attempt.lead_id], reporting.changes.now
    if lead.status in PLANNED_STATUSES:
        rules, wait = reporting.policy.rules_for(lead.campaign), reporting.clock.business(wait_seconds)
        plan = plan_uncounted(now, wait, number.lead_facts(lead), number.number_facts(), rules)
        apply_plan(reporting.changes, number, lead, plan, cause=cause)


def _returned(reporting: Reporting, reported: Reported) -> None:
    """Given back before a mark: nothing was sent, so the lead is due as it was."""
    number, attempt, report = reported.number, reported.attempt, reported.report
    if _close(reporting, attempt, AttemptMessage.RETURNED, report.message or "returned"):
        release_lead(reporting.changes, reporting.policy, number, attempt, cause="returned")


def release_lead(changes: Changes, policy: Policy, number: NumberState, attempt: AttemptRow, *, cause: str) -> None:
    """A lease came to nothing: its lead is due again from now on."""
    plan_again(changes, policy, number, number.leads[attempt.lead_id], changes.now, cause=cause)


def _doubt(reporting: Reporting, reported: Reported) -> None:
    attempt, report = reported.attempt, reported.report
    effect = attempt_effect(attempt.state, AttemptMessage.DOUBT)
    if effect.alarm:
        reporting.changes.alarms.append(Alarm(f"doubt_after_{attempt.state}", attempt.id, attempt.lead_id))
    if effect.state is not None:
        changes, policy = reporting.changes, reporting.policy
        sent_unmarked = attempt.marked_at is None
        move_attempt(
            changes,
            attempt,
            effect.state,
            close_reason=report.message or "doubt",
            marked_at=changes.now if sent_unmarked else None,
        )
        quiet_seconds = policy.send_within_ms / 1000 + policy.quiet_seconds if sent_unmarked else None
        changes.deadlines.append(Deadline(attempt.id, FOREVER_SECONDS, quiet_seconds))


def _absent(reporting: Reporting, reported: Reported) -> None:
    """Nothing at the provider: proof once the quiet time is over, else just one more answer."""
    number, attempt = reported.number, reported.attempt
    if attempt.state is AttemptState.UNKNOWN and attempt.quiet:
        move_attempt(reporting.changes, attempt, AttemptState.NOT_PLACED, close_reason="absent_at_provider")
        _plan_uncounted(reporting, number, attempt, "not_placed")


def _inconclusive(reporting: Reporting, reported: Reported) -> None:
    """Doubt that nobody can resolve ends: the attempt counts, and an operator decides about the lead."""
    number, attempt = reported.number, reported.attempt
    if attempt.state is not AttemptState.UNKNOWN or attempt.asked_seconds < reporting.policy.unknown_deadline_seconds:
        return
    changes, lead = reporting.changes, number.leads[attempt.lead_id]
    move_attempt(changes, attempt, AttemptState.ABANDONED, close_reason="deadline")
    changes.alarms.append(Alarm("attempt_abandoned", attempt.id, lead.id))
    plan = plan_abandoned(number.number_facts(), reporting.policy.rules_for(lead.campaign))
    if applies_to(lead.status, plan):
        apply_plan(changes, number, lead, plan, cause="abandoned")


def _unreachable(_reporting: Reporting, _reported: Reported) -> None:
    """The provider could not be asked: no time passed for the attempt's deadline."""


def _lost(reporting: Reporting, reported: Reported) -> None:
    """Placed, past its longest end, unknown to the provider: it is over, and it counts."""
    number, attempt = reported.number, reported.attempt
    if attempt.state is not AttemptState.PLACED:
        return
    changes, lead = reporting.changes, number.leads[attempt.lead_id]
    move_attempt(
        changes, attempt, AttemptState.ENDED, outcome=Outcome.UNKNOWN, evidence="no result, unknown to the provider"
    )
    changes.alarms.append(Alarm("result_lost", attempt.id, lead.id))
    tell_attempt(changes, reporting.policy, number, attempt, Outcome.UNKNOWN)
    if lead.status in PLANNED_STATUSES:
        rules = reporting.policy.rules_for(lead.campaign)
        plan = plan_after_result(
            changes.now, changes.now, Outcome.UNKNOWN, None, number.lead_facts(lead), number.number_facts(), rules
        )
        apply_plan(changes, number, lead, plan, cause="result_lost")


def _close(reporting: Reporting, attempt: AttemptRow, message: AttemptMessage, reason: str) -> bool:
    """Close an attempt as the table says; False if it stays as it is (with an alarm where the table has one)."""
    effect = attempt_effect(attempt.state, message)
    if effect.alarm:
        reporting.changes.alarms.append(Alarm(f"{message}_after_{attempt.state}", attempt.id, attempt.lead_id))
    if effect.state is None:
        return False
    move_attempt(reporting.changes, attempt, effect.state, close_reason=reason)
    return True


_HANDLERS = {
    ReportKind.RETURNED: _returned,
    ReportKind.PLACED: _placed,
    ReportKind.NOT_SENT: _not_sent,
    ReportKind.REJECTED: _rejected,
    ReportKind.DOUBT: _doubt,
    ReportKind.ABSENT: _absent,
    ReportKind.INCONCLUSIVE: _inconclusive,
    ReportKind.UNREACHABLE: _unreachable,
    ReportKind.LOST: _lost,
}


async def _pause_if_told(conn: Connection, reporting: Reporting, report: AttemptReport, number: NumberState) -> None:
    """A rejection that concerns the account or the campaign pauses it; the audit log and an alarm say why."""
    attempt_id = AttemptId(report.attempt_id)
    campaign = number.leads[number.attempts[attempt_id].lead_id].campaign
    reason, now = _rejection_reason(report), reporting.clock.now
    noted = Changes(now=now, actor="provider")
    if report.rejection is RejectionClass.ACCOUNT and await gate.pause_account(conn, now, reason, automatic=True):
        noted.audit.append(Audit("account_paused", reason))
        noted.alarms.append(Alarm("account_paused", attempt_id, details={"reason": reason}))
    if report.rejection is RejectionClass.CAMPAIGN and await gate.pause_campaign(
        conn, campaign, now, reason, automatic=True
    ):
        noted.audit.append(Audit("campaign_paused", reason, campaign=campaign))
        noted.alarms.append(Alarm("campaign_paused", attempt_id, details={"reason": reason, "campaign": campaign}))
    await noted.flush(conn)
