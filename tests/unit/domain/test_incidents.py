"""The old system's incidents that are pure rules, each by its name: none of them can happen again."""

from datetime import timedelta
from typing import Any

import pytest

from leadline.domain.attempt import COUNTED_STATES, AttemptState
from leadline.domain.call_result import CallResult
from leadline.domain.errors import IllegalTransition
from leadline.domain.lead import CompletionReason, LeadStatus, PriorityBand
from leadline.domain.outcome import DEFAULT_FINAL_OUTCOMES, Outcome
from leadline.domain.phone import normalise_any, parse_phone_number
from leadline.domain.plan import Complete, PlanReason, Redial, applies_to
from leadline.domain.reasons import Code
from leadline.domain.rules.callback import usable_callback
from leadline.domain.rules.dispatch import first_legal, judge
from leadline.domain.rules.outcomes import derive
from leadline.domain.rules.planning import plan_after_inbound, plan_after_result, plan_new, plan_uncounted
from leadline.domain.transitions import AttemptMessage, LeadVerb, attempt_effect, lead_transition
from tests.unit.domain.facts import NEW_YORK, a_campaign, a_lead, a_number, at, minutes, seconds

NOON = at("2026-01-05 12:00")


def refused_codes(now: Any, lead: Any, number: Any, **campaign: Any) -> set[str]:
    answers = judge(now, lead, number, a_campaign(**campaign), leased=True)
    return {answer.code for answer in answers if not answer.allowed}


def test_terminal_states_were_not_sticky() -> None:
    redial = Redial(LeadStatus.PENDING, NOON, PriorityBand.WARM, PlanReason.CADENCE)
    assert not applies_to(LeadStatus.COMPLETED, redial)
    assert not applies_to(LeadStatus.COMPLETED, Complete(CompletionReason.EXHAUSTED))
    assert not applies_to(LeadStatus.PAUSED, redial)
    for verb in set(LeadVerb) - {LeadVerb.REOPEN}:
        with pytest.raises(IllegalTransition):
            lead_transition(LeadStatus.COMPLETED, verb)


def test_a_first_call_success_left_no_tombstone() -> None:
    sold = a_number(sold_outcome=Outcome.SALE)
    assert plan_new(NOON, a_lead(), sold, a_campaign()) == Complete(CompletionReason.SALE)


def test_the_end_time_was_inclusive() -> None:
    assert refused_codes(at("2026-01-05 20:00"), a_lead(), a_number()) == {Code.OUTSIDE_CALLING_HOURS}
    assert refused_codes(at("2026-01-05 20:00") - seconds(0.001), a_lead(), a_number()) == set()


def test_dnc_on_an_outbound_call_was_redialled() -> None:
    said = CallResult(completed=True, status="completed", answered_by="human", person_lines=("Stop calling me.",))
    outcome = derive(said, {}).outcome
    assert outcome is Outcome.DO_NOT_CALL
    plan = plan_after_result(NOON, NOON, outcome, None, a_lead(attempts=1), a_number(), a_campaign())
    assert plan == Complete(CompletionReason.DNC)


def test_the_agents_words_counted_as_the_persons() -> None:
    said = CallResult(completed=True, status="completed", answered_by="human", person_lines=("Okay, who is this?",))
    assert derive(said, {}).outcome is Outcome.CONFUSED


def test_requested_callbacks_were_never_dialled() -> None:
    assert Outcome.CALLBACK not in DEFAULT_FINAL_OUTCOMES
    asked = CallResult(answered_by="human", callback_requested=True, callback_requested_at="2026-01-06T15:30:00")
    derived = derive(asked, {})
    callback_at = usable_callback(derived.callback_at_text, NOON, NEW_YORK)
    plan = plan_after_result(NOON, NOON, derived.outcome, callback_at, a_lead(attempts=1), a_number(), a_campaign())
    assert isinstance(plan, Redial)
    assert plan.due_at == at("2026-01-06 15:30")


def test_callback_times_fired_five_hours_late() -> None:
    assert usable_callback("2026-07-06T15:30:00", at("2026-07-06 12:00"), NEW_YORK) == at("2026-07-06 15:30")
    assert usable_callback("2026-07-06T19:30:00Z", at("2026-07-06 12:00"), NEW_YORK) == at("2026-07-06 15:30")


def test_false_transfers_came_from_tags() -> None:
    tagged = CallResult(completed=True, status="completed", answered_by="human", dispositions=("TRANSFERRED",))
    assert derive(tagged, {}).outcome is Outcome.CONFUSED
    assert derive(tagged, {"TRANSFERRED": Outcome.TRANSFERRED}).outcome is Outcome.CONFUSED


def test_a_redial_joined_a_customer_talking_to_an_agent() -> None:
    plan = plan_after_result(NOON, NOON, Outcome.TRANSFERRED, None, a_lead(attempts=1), a_number(), a_campaign())
    assert isinstance(plan, Redial)
    assert plan.due_at == NOON + minutes(30)
    other_campaign = refused_codes(NOON + minutes(29), a_lead(), a_number(rest_until=NOON + minutes(30)))
    assert other_campaign == {Code.NUMBER_RESTS}


def test_the_same_phone_in_several_lists_was_called_fifteen_times() -> None:
    eight = a_number(dispatches=tuple(NOON + minutes(i) for i in range(8)))
    never_called_lead = a_lead(attempts=0)
    assert refused_codes(NOON + minutes(30), never_called_lead, eight) == {Code.DAY_CAP_REACHED}


def test_eleven_calls_instead_of_eight_in_a_day() -> None:
    """Several counters counted several sources. Here every call is an attempt, whoever placed it."""
    assert {AttemptState.ENDED, AttemptState.ABANDONED, AttemptState.UNKNOWN, AttemptState.PLACED} <= COUNTED_STATES
    seven = a_number(dispatches=tuple(NOON + minutes(i) for i in range(7)))
    elsewhere = a_lead(attempts_before_on=NOON.astimezone(NEW_YORK).date(), attempts_before_that_day=4)
    assert refused_codes(NOON + minutes(30), elsewhere, seven) == {Code.DAY_CAP_REACHED}


def test_leads_were_stuck_at_the_daily_cap_for_fifteen_hours() -> None:
    eight = a_number(dispatches=tuple(NOON + minutes(i) for i in range(8)))
    lead, campaign = a_lead(), a_campaign()
    assert first_legal(NOON + minutes(30), lead, eight, campaign) == at("2026-01-06 11:00")


def test_digits_and_e164_keys_never_matched() -> None:
    spellings = ("5615550123", "15615550123", "+15615550123", "(561) 555-0123")
    assert {parse_phone_number(text) for text in spellings} == {"+15615550123"}
    assert {normalise_any(text) for text in spellings} == {"+15615550123"}


def test_an_instant_redial_while_the_call_was_live() -> None:
    assert refused_codes(NOON, a_lead(), a_number(live_attempt=True)) == {Code.LIVE_ATTEMPT}


def test_calls_to_one_number_came_back_to_back() -> None:
    assert refused_codes(NOON, a_lead(), a_number(last_sent_by=NOON - seconds(9))) == {Code.TOO_SOON}


def test_failed_reservations_used_up_the_daily_quota() -> None:
    for message in (AttemptMessage.NOT_SENT, AttemptMessage.REJECTED):
        closed = attempt_effect(AttemptState.SENDING, message).state
        assert closed not in COUNTED_STATES


def test_a_failed_dispatch_was_tried_again_in_each_cycle() -> None:
    plan = plan_uncounted(NOON, timedelta(0), a_lead(), a_number(), a_campaign())
    assert isinstance(plan, Redial)
    assert plan.due_at >= NOON + seconds(60)


def test_exhausted_was_indistinguishable_from_success() -> None:
    plan = plan_after_result(NOON, NOON, Outcome.VOICEMAIL, None, a_lead(attempts=8), a_number(), a_campaign())
    assert plan == Complete(CompletionReason.EXHAUSTED)


def test_an_inbound_call_made_a_completed_lead_pending() -> None:
    plan = plan_after_inbound(NOON, NOON, Outcome.CONFUSED, None, a_lead(), a_number(), a_campaign())
    assert not applies_to(LeadStatus.COMPLETED, plan)


def test_short_calls_without_answered_by_became_no_answer() -> None:
    four_minutes = CallResult(completed=True, status="completed", person_lines=("Yes, speaking.",), talk_seconds=246)
    assert derive(four_minutes, {}).outcome is Outcome.CONFUSED


def test_an_error_text_on_a_completed_call_was_a_failure() -> None:
    answered = CallResult(completed=True, status="completed", answered_by="human", error_message="Call failed.")
    assert derive(answered, {}).outcome is Outcome.CONFUSED


def test_sale_matched_by_substring() -> None:
    for tag in ("wholesale", "Presale question", "sale?no", "ni"):
        assert derive(CallResult(answered_by="human", tags=(tag,)), {}).outcome is Outcome.CONFUSED


def test_one_time_zone_for_all_states() -> None:
    assert refused_codes(NOON, a_lead(state="HI"), a_number()) == {Code.OUTSIDE_LEGAL_HOURS}


def test_a_duplicate_result_counted_twice() -> None:
    again = attempt_effect(AttemptState.ENDED, AttemptMessage.RESULT)
    assert again.state is None
