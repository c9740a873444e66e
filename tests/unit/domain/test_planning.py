"""What becomes of a lead after each thing that can happen to it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from leadline.domain.facts import LeadFacts
from leadline.domain.lead import CompletionReason, HeldReason, LeadStatus, PriorityBand
from leadline.domain.outcome import DEFAULT_FINAL_OUTCOMES, Outcome
from leadline.domain.plan import Complete, Hold, Plan, PlanReason, Redial, applies_to
from leadline.domain.rules.planning import (
    band_of,
    not_sent_wait,
    plan_abandoned,
    plan_after_inbound,
    plan_after_result,
    plan_new,
    plan_not_sent,
    plan_rescheduled,
    plan_resumed,
    plan_uncounted,
    rest_until_after,
)
from tests.unit.domain.facts import a_campaign, a_lead, a_number, an_open_campaign, at, minutes, seconds

NOON = at("2026-01-05 12:00")
TOMORROW = at("2026-01-06 15:30")
ZERO = timedelta(0)


def after(
    outcome: Outcome,
    *,
    callback_at: datetime | None = None,
    lead: LeadFacts | None = None,
    ended_at: datetime = NOON,
    now: datetime = NOON,
    **campaign: Any,
) -> Plan:
    rules = a_campaign(**campaign)
    return plan_after_result(now, ended_at, outcome, callback_at, lead or a_lead(attempts=1), a_number(), rules)


def promised(due_at: datetime, at: datetime, *, extra: bool = False) -> Redial:
    return Redial(LeadStatus.RESCHEDULED, due_at, PriorityBand.FRESH, PlanReason.CALLBACK, at, extra)


# ---------------------------------------------------------------- new leads


def test_a_new_lead_is_due_at_once_in_hours_and_at_the_opening_out_of_them() -> None:
    fresh = (LeadStatus.PENDING, PriorityBand.FRESH)
    assert plan_new(NOON, a_lead(), a_number(), a_campaign()) == Redial(fresh[0], NOON, fresh[1], PlanReason.FIRST_CALL)
    plan = plan_new(at("2026-01-09 20:00"), a_lead(), a_number(), a_campaign())
    assert isinstance(plan, Redial)
    assert plan.due_at == at("2026-01-12 11:00")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (a_number(suppression_reason="asked"), CompletionReason.DNC),
        (a_number(bad_number_reason="not found"), CompletionReason.BAD_NUMBER),
        (a_number(sold_outcome=Outcome.SALE), CompletionReason.SALE),
        (a_number(sold_outcome=Outcome.ACA), CompletionReason.ACA),
        (a_number(sold_outcome=Outcome.SALE, suppression_reason="asked"), CompletionReason.DNC),
    ],
)
def test_a_lead_whose_number_is_done_is_completed_whatever_happens(number: Any, reason: CompletionReason) -> None:
    lead, rules = a_lead(attempts=1), a_campaign()
    done = Complete(reason)
    assert plan_new(NOON, lead, number, rules) == done
    assert plan_resumed(NOON, lead, number, rules) == done
    assert plan_rescheduled(NOON, TOMORROW, lead, number, rules) == done
    assert plan_uncounted(NOON, ZERO, lead, number, rules) == done
    assert plan_not_sent(NOON, 10, lead, number, rules) == done
    assert plan_abandoned(number, rules) == done
    assert plan_after_result(NOON, NOON, Outcome.VOICEMAIL, TOMORROW, lead, number, rules) == done
    assert plan_after_inbound(NOON, NOON, Outcome.CONFUSED, None, lead, number, rules) == done


def test_a_claimed_lead_waits_for_its_cadence_from_the_last_call() -> None:
    number = a_number(dispatches=(NOON - minutes(2),))
    plan = plan_new(NOON, a_lead(attempts=2), number, a_campaign())
    assert isinstance(plan, Redial)
    assert plan.due_at == NOON + minutes(3)


def test_a_first_call_may_have_to_wait() -> None:
    plan = plan_new(NOON, a_lead(), a_number(), a_campaign(cadence=(minutes(5),)))
    assert isinstance(plan, Redial)
    assert plan.due_at == NOON + minutes(5)


# ---------------------------------------------------------------- outcomes that end a lead


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome.SALE, CompletionReason.SALE),
        (Outcome.ACA, CompletionReason.ACA),
        (Outcome.DNC, CompletionReason.DNC),
        (Outcome.DO_NOT_CALL, CompletionReason.DNC),
        (Outcome.NOT_INTERESTED, CompletionReason.NOT_INTERESTED),
        (Outcome.BAD_NUMBER, CompletionReason.BAD_NUMBER),
    ],
)
def test_final_outcomes_complete_even_with_a_callback_time(outcome: Outcome, reason: CompletionReason) -> None:
    assert after(outcome) == Complete(reason)
    assert after(outcome, callback_at=TOMORROW) == Complete(reason)


def test_settings_can_add_final_outcomes_but_never_take_stop_away() -> None:
    assert after(Outcome.VOICEMAIL, final_outcomes=frozenset({Outcome.VOICEMAIL})) == Complete(
        CompletionReason.FINAL_OUTCOME
    )
    for stop in (Outcome.DNC, Outcome.DO_NOT_CALL):
        assert after(stop, final_outcomes=frozenset()) == Complete(CompletionReason.DNC)
    assert isinstance(after(Outcome.SALE, final_outcomes=frozenset()), Redial)


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - DEFAULT_FINAL_OUTCOMES - {Outcome.BAD_NUMBER}))
def test_every_other_outcome_is_redialled(outcome: Outcome) -> None:
    plan = after(outcome)
    assert isinstance(plan, Redial)
    rest = minutes(30) if outcome is Outcome.TRANSFERRED else minutes(1)
    assert plan.due_at == NOON + rest


# ---------------------------------------------------------------- the cadence


def test_a_wait_that_ends_outside_hours_moves_to_the_next_opening_exactly() -> None:
    late = at("2026-01-09 19:45")
    plan = after(Outcome.NO_ANSWER, lead=a_lead(attempts=4), ended_at=late, now=late)
    assert isinstance(plan, Redial)
    assert plan.due_at == at("2026-01-12 11:00")
    exact = at("2026-01-09 19:30")
    plan = after(Outcome.NO_ANSWER, lead=a_lead(attempts=4), ended_at=exact, now=exact)
    assert isinstance(plan, Redial)
    assert plan.due_at == at("2026-01-12 11:00")
    inside = after(Outcome.NO_ANSWER, lead=a_lead(attempts=4), ended_at=exact - seconds(1), now=exact)
    assert isinstance(inside, Redial)
    assert inside.due_at == at("2026-01-09 19:59:59")


def test_a_result_that_comes_late_makes_the_lead_due_now_not_in_the_past() -> None:
    plan = after(Outcome.NO_ANSWER, ended_at=NOON, now=NOON + minutes(20))
    assert isinstance(plan, Redial)
    assert plan.due_at == NOON + minutes(20)


def test_a_lead_that_used_up_its_day_moves_to_the_next_opening_day() -> None:
    number = a_number(dispatches=tuple(at("2026-01-09 11:00") + minutes(10 * i) for i in range(8)))
    rules = a_campaign(max_attempts=20)
    ended = at("2026-01-09 12:15")
    plan = plan_after_result(ended, ended, Outcome.VOICEMAIL, None, a_lead(attempts=8), number, rules)
    assert isinstance(plan, Redial)
    assert plan.due_at == at("2026-01-12 11:00")


def test_a_lead_that_used_up_its_life_is_exhausted() -> None:
    assert after(Outcome.NO_ANSWER, lead=a_lead(attempts=8)) == Complete(CompletionReason.EXHAUSTED)
    assert isinstance(after(Outcome.NO_ANSWER, lead=a_lead(attempts=7)), Redial)
    assert after(Outcome.NO_ANSWER, lead=a_lead(attempts=9, extra_attempts=1)) == Complete(CompletionReason.EXHAUSTED)


def test_bands_go_from_fresh_over_warm_to_cold() -> None:
    bands = [band_of(n) for n in range(7)]
    fresh, warm, cold = PriorityBand
    assert bands == [fresh, fresh, warm, warm, warm, cold, cold]
    plan = after(Outcome.NO_ANSWER, lead=a_lead(attempts=4))
    assert isinstance(plan, Redial)
    assert plan.band is PriorityBand.COLD


def test_without_any_legal_window_the_lead_is_held() -> None:
    hopeless = a_campaign("Mon-Fri 08:00-12:00")
    hawaii = a_lead(state="HI", attempts=1)
    held = Hold(HeldReason.NO_LEGAL_WINDOW)
    assert plan_new(NOON, hawaii, a_number(), hopeless) == held
    assert plan_after_result(NOON, NOON, Outcome.NO_ANSWER, None, hawaii, a_number(), hopeless) == held
    assert plan_after_result(NOON, NOON, Outcome.CALLBACK, TOMORROW, hawaii, a_number(), hopeless) == held


# ---------------------------------------------------------------- callbacks


def test_a_callback_is_due_at_the_time_the_person_named_outside_the_cadence() -> None:
    assert after(Outcome.CALLBACK, callback_at=TOMORROW) == promised(TOMORROW, TOMORROW)
    soon = NOON + seconds(30)
    assert after(Outcome.CALLBACK, callback_at=soon, lead=a_lead(attempts=6)) == promised(soon, soon)


def test_a_callback_outside_hours_keeps_its_promise_and_moves_to_the_opening() -> None:
    evening = at("2026-01-09 21:00")
    assert after(Outcome.CALLBACK, callback_at=evening) == promised(at("2026-01-12 11:00"), evening)


def test_caps_hold_for_callbacks() -> None:
    number = a_number(dispatches=tuple(at("2026-01-05 11:00") + minutes(i) for i in range(8)))
    rules, wanted = a_campaign(max_attempts=20), at("2026-01-05 15:00")
    plan = plan_after_result(NOON, NOON, Outcome.CALLBACK, wanted, a_lead(attempts=8), number, rules)
    assert plan == promised(at("2026-01-06 11:00"), wanted)


def test_a_callback_time_that_is_past_when_the_result_is_stored_is_due_at_once() -> None:
    wanted, stored = NOON + minutes(5), NOON + minutes(20)
    assert after(Outcome.CALLBACK, callback_at=wanted, now=stored) == promised(stored, wanted)


def test_a_callback_time_before_the_calls_end_is_not_usable() -> None:
    plan = after(Outcome.CALLBACK, callback_at=NOON - minutes(5))
    assert plan == Redial(LeadStatus.PENDING, NOON + minutes(1), PriorityBand.WARM, PlanReason.CADENCE)
    assert after(Outcome.CALLBACK, callback_at=NOON) == plan
    assert after(Outcome.CALLBACK, callback_at=NOON + timedelta(days=371)) == plan
    assert after(Outcome.CALLBACK) == plan


@pytest.mark.parametrize("outcome", [Outcome.VOICEMAIL, Outcome.CONFUSED, Outcome.UNKNOWN, Outcome.FAILED])
def test_a_usable_callback_time_is_kept_whatever_the_outcome(outcome: Outcome) -> None:
    assert after(outcome, callback_at=TOMORROW) == promised(TOMORROW, TOMORROW)


def test_a_callback_promised_on_the_last_attempt_gets_one_extra_attempt_once() -> None:
    last = a_lead(attempts=8)
    assert after(Outcome.CALLBACK, callback_at=TOMORROW, lead=last) == promised(TOMORROW, TOMORROW, extra=True)
    exhausted = Complete(CompletionReason.EXHAUSTED)
    assert after(Outcome.CALLBACK, callback_at=TOMORROW, lead=last, extra_callback_attempt=False) == exhausted
    again = a_lead(attempts=9, extra_attempts=1)
    assert after(Outcome.CALLBACK, callback_at=TOMORROW, lead=again) == exhausted
    assert after(Outcome.CALLBACK, lead=last) == exhausted


def test_after_a_callback_a_non_final_outcome_returns_to_the_cadence() -> None:
    called_back = a_lead(attempts=2, status=LeadStatus.RESCHEDULED, scheduled_callback_at=NOON - minutes(3))
    plan = after(Outcome.NO_ANSWER, lead=called_back)
    assert plan == Redial(LeadStatus.PENDING, NOON + minutes(5), PriorityBand.WARM, PlanReason.CADENCE)


def test_a_promise_that_the_ended_call_came_too_early_for_is_kept() -> None:
    waiting = a_lead(attempts=2, status=LeadStatus.RESCHEDULED, scheduled_callback_at=TOMORROW)
    assert after(Outcome.VOICEMAIL, lead=waiting) == promised(TOMORROW, TOMORROW)
    assert after(Outcome.SALE, lead=waiting) == Complete(CompletionReason.SALE)


# ---------------------------------------------------------------- transfers


def test_after_a_transfer_the_number_rests() -> None:
    assert rest_until_after(Outcome.TRANSFERRED, NOON, a_campaign()) == NOON + minutes(30)
    assert rest_until_after(Outcome.CONFUSED, NOON, a_campaign()) is None
    assert rest_until_after(Outcome.CONFUSED, NOON, a_campaign(), inbound=True) == NOON + minutes(30)
    longer = a_campaign(transfer_rest=minutes(90))
    assert rest_until_after(Outcome.TRANSFERRED, NOON, longer, inbound=True) == NOON + minutes(90)


def test_a_callback_during_the_transfer_rest_waits_for_its_end() -> None:
    wanted = NOON + minutes(10)
    assert after(Outcome.TRANSFERRED, callback_at=wanted) == promised(NOON + minutes(30), wanted)


def test_a_long_cadence_outlasts_the_transfer_rest() -> None:
    plan = after(Outcome.TRANSFERRED, lead=a_lead(attempts=6))
    assert isinstance(plan, Redial)
    assert plan.due_at == NOON + minutes(120)


# ---------------------------------------------------------------- attempts that do not count


def test_an_uncounted_attempt_waits_as_long_as_before_and_never_less_than_a_minute() -> None:
    rules = a_campaign()

    def due(attempts: int, wait: timedelta = ZERO) -> timedelta:
        plan = plan_uncounted(NOON, wait, a_lead(attempts=attempts), a_number(), rules)
        assert isinstance(plan, Redial)
        assert plan.reason is PlanReason.UNCOUNTED
        return plan.due_at - NOON

    assert [due(n) / minutes(1) for n in range(8)] == [1, 1, 5, 10, 30, 60, 120, 120]
    assert due(0, seconds(90)) == seconds(90)
    assert due(0, seconds(5)) == seconds(60)


def test_an_uncounted_attempt_outside_hours_moves_to_the_opening() -> None:
    plan = plan_uncounted(at("2026-01-09 19:59:30"), ZERO, a_lead(), a_number(), a_campaign())
    assert isinstance(plan, Redial)
    assert plan.due_at == at("2026-01-12 11:00")


def test_an_uncounted_callback_stays_a_promise_and_does_not_wait_for_the_cadence() -> None:
    lead = a_lead(attempts=6, status=LeadStatus.RESCHEDULED, scheduled_callback_at=NOON)
    plan = plan_uncounted(NOON, ZERO, lead, a_number(), a_campaign())
    assert plan == Redial(LeadStatus.RESCHEDULED, NOON + minutes(1), PriorityBand.FRESH, PlanReason.UNCOUNTED, NOON)


def test_what_was_not_sent_backs_off_and_is_held_at_the_tenth_in_a_row() -> None:
    assert [not_sent_wait(n) / seconds(1) for n in range(1, 11)] == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert not_sent_wait(10**9) == seconds(60)
    for failures in range(1, 10):
        plan = plan_not_sent(NOON, failures, a_lead(), a_number(), a_campaign())
        assert isinstance(plan, Redial)
        assert plan.due_at == NOON + not_sent_wait(failures)
    assert plan_not_sent(NOON, 10, a_lead(), a_number(), a_campaign()) == Hold(HeldReason.CANNOT_DISPATCH)


def test_an_abandoned_attempt_holds_the_lead_for_an_operator() -> None:
    assert plan_abandoned(a_number(), a_campaign()) == Hold(HeldReason.UNRESOLVED_CALL)


# ---------------------------------------------------------------- inbound calls


def inbound(outcome: Outcome, lead: LeadFacts, callback_at: datetime | None = None) -> Plan:
    return plan_after_inbound(NOON, NOON, outcome, callback_at, lead, a_number(), a_campaign())


def test_an_inbound_call_keeps_us_from_calling_for_half_an_hour() -> None:
    soon, later = a_lead(attempts=1, due_at=NOON + minutes(5)), a_lead(attempts=1, due_at=NOON + minutes(50))
    plan = inbound(Outcome.CONFUSED, soon)
    assert plan == Redial(LeadStatus.PENDING, NOON + minutes(30), PriorityBand.WARM, PlanReason.INBOUND)
    plan = inbound(Outcome.CONFUSED, later)
    assert isinstance(plan, Redial)
    assert plan.due_at == NOON + minutes(50)
    assert isinstance(inbound(Outcome.CONFUSED, a_lead(due_at=None)), Redial)


def test_finals_and_callbacks_of_inbound_calls_apply() -> None:
    lead = a_lead(attempts=1, due_at=NOON)
    assert inbound(Outcome.SALE, lead) == Complete(CompletionReason.SALE)
    assert inbound(Outcome.DO_NOT_CALL, lead) == Complete(CompletionReason.DNC)
    assert inbound(Outcome.CALLBACK, lead, TOMORROW) == promised(TOMORROW, TOMORROW)


def test_an_inbound_call_proves_that_the_number_works() -> None:
    assert isinstance(inbound(Outcome.BAD_NUMBER, a_lead(due_at=NOON)), Redial)


def test_an_inbound_call_does_not_break_an_earlier_promise() -> None:
    lead = a_lead(attempts=1, status=LeadStatus.RESCHEDULED, scheduled_callback_at=TOMORROW, due_at=TOMORROW)
    plan = inbound(Outcome.CONFUSED, lead)
    assert plan == Redial(LeadStatus.RESCHEDULED, TOMORROW, PriorityBand.FRESH, PlanReason.INBOUND, TOMORROW)


# ---------------------------------------------------------------- operators


def test_a_resumed_lead_keeps_its_promise_its_due_time_or_its_cadence() -> None:
    def resumed(**changes: Any) -> Plan:
        lead = a_lead(**{"status": LeadStatus.PAUSED, "attempts": 2, **changes})
        return plan_resumed(NOON, lead, a_number(dispatches=(NOON - minutes(1),)), a_campaign())

    assert resumed(scheduled_callback_at=TOMORROW) == promised(TOMORROW, TOMORROW)
    assert resumed(scheduled_callback_at=NOON - minutes(60)) == promised(NOON, NOON - minutes(60))
    for changes, due in (
        ({"due_at": NOON + minutes(50)}, NOON + minutes(50)),
        ({"due_at": NOON - minutes(50)}, NOON),
        ({}, NOON + minutes(4)),
    ):
        plan = resumed(**changes)
        assert isinstance(plan, Redial)
        assert (plan.status, plan.due_at, plan.reason) == (LeadStatus.PENDING, due, PlanReason.RESUMED)


def test_a_rescheduled_lead_is_called_at_the_operators_time_in_legal_hours() -> None:
    plan = plan_rescheduled(NOON, at("2026-01-05 22:00"), a_lead(attempts=3), a_number(), a_campaign())
    assert isinstance(plan, Redial)
    assert (plan.status, plan.due_at) == (LeadStatus.RESCHEDULED, at("2026-01-06 11:00"))
    assert plan.reason is PlanReason.OPERATOR
    past = plan_rescheduled(NOON, NOON - minutes(9), a_lead(), a_number(), a_campaign())
    assert isinstance(past, Redial)
    assert past.due_at == NOON
    used_up = plan_rescheduled(NOON, TOMORROW, a_lead(attempts=8), a_number(), a_campaign())
    assert used_up == Complete(CompletionReason.EXHAUSTED)


def test_which_plans_apply_to_which_status() -> None:
    complete, hold = Complete(CompletionReason.SALE), Hold(HeldReason.FOREIGN)
    redial = Redial(LeadStatus.PENDING, NOON, PriorityBand.WARM, PlanReason.CADENCE)
    for status in LeadStatus:
        planned = status in {LeadStatus.PENDING, LeadStatus.RESCHEDULED}
        assert applies_to(status, redial) is planned
        assert applies_to(status, hold) is planned
        assert applies_to(status, complete) is (status is not LeadStatus.COMPLETED)


def test_a_campaign_without_a_cadence_redials_at_once_but_for_spacing() -> None:
    rules = an_open_campaign(cadence=())
    number = a_number(last_sent_by=NOON - seconds(2))
    plan = plan_after_result(NOON, NOON, Outcome.BUSY, None, a_lead(attempts=1), number, rules)
    assert isinstance(plan, Redial)
    assert plan.due_at == NOON + seconds(8)
