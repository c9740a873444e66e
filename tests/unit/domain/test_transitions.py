"""The state machines: the design's table cell by cell, and nothing outside the arrows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.domain.attempt import COUNTED_STATES, OPEN_STATES, AttemptState
from leadline.domain.errors import IllegalTransition
from leadline.domain.lead import LeadStatus
from leadline.domain.transitions import (
    ALLOWED_ARROWS,
    ARROW_MESSAGES,
    CLOSED_WITHOUT_CALL,
    INITIAL_STATES,
    LEAD_ARROWS,
    AttemptMessage,
    Effect,
    LeadVerb,
    Record,
    attempt_effect,
    lead_transition,
)

S, M, R = AttemptState, AttemptMessage, Record
KEEP = Effect()
KEEP_ALARM = Effect(alarm=True)
REFUSAL = Effect(record=R.REFUSAL)


def to(state: AttemptState, record: Record = R.STATE, *, alarm: bool = False) -> Effect:
    return Effect(state, alarm=alarm, record=record)


DESIGN = {
    # message: leased, sending, unknown, placed, ended, any other closed state
    M.GO: (to(S.SENDING), Effect(record=R.SAME_ANSWER), REFUSAL, REFUSAL, REFUSAL, REFUSAL),
    M.PLACED: (
        to(S.PLACED, R.CALL_ID, alarm=True),
        to(S.PLACED, R.CALL_ID),
        to(S.PLACED, R.CALL_ID),
        KEEP,
        Effect(record=R.CALL_ID),
        to(S.PLACED, R.LATE_CALL, alarm=True),
    ),
    M.NOT_SENT: (to(S.RELEASED), to(S.RELEASED), to(S.RELEASED), KEEP_ALARM, KEEP, KEEP),
    M.REJECTED: (KEEP_ALARM, to(S.REJECTED), to(S.REJECTED), KEEP_ALARM, KEEP, KEEP),
    M.RESULT: (
        to(S.ENDED, R.RESULT),
        to(S.ENDED, R.RESULT),
        to(S.ENDED, R.RESULT),
        to(S.ENDED, R.RESULT),
        Effect(record=R.PREVAILING_RESULT),
        to(S.ENDED, R.LATE_RESULT, alarm=True),
    ),
    M.EXPIRED: (to(S.RELEASED), KEEP, KEEP, KEEP, KEEP, KEEP),
    M.RETURNED: (to(S.RELEASED), to(S.RELEASED), to(S.RELEASED), KEEP_ALARM, KEEP, KEEP),
    M.SILENCE: (KEEP, to(S.UNKNOWN), KEEP, KEEP, KEEP, KEEP),
    M.ABSENT: (KEEP, KEEP, to(S.NOT_PLACED), KEEP, KEEP, KEEP),
    M.LOST: (KEEP, KEEP, KEEP, to(S.ENDED, R.RESULT), KEEP, KEEP),
    M.DEADLINE: (KEEP, KEEP, to(S.ABANDONED, alarm=True), KEEP, KEEP, KEEP),
}
COLUMNS = ((S.LEASED,), (S.SENDING,), (S.UNKNOWN,), (S.PLACED,), (S.ENDED,), CLOSED_WITHOUT_CALL)


@pytest.mark.parametrize("message", DESIGN)
def test_the_designs_table(message: AttemptMessage) -> None:
    for states, effect in zip(COLUMNS, DESIGN[message], strict=True):
        for state in states:
            assert attempt_effect(state, message) == effect, state


def test_doubt() -> None:
    assert attempt_effect(S.SENDING, M.DOUBT) == to(S.UNKNOWN)
    assert attempt_effect(S.LEASED, M.DOUBT) == to(S.UNKNOWN, alarm=True)
    for state in (S.UNKNOWN, S.PLACED, S.ENDED, S.ABANDONED):
        assert attempt_effect(state, M.DOUBT) == KEEP
    for state in (S.RELEASED, S.REJECTED, S.NOT_PLACED):
        assert attempt_effect(state, M.DOUBT) == KEEP_ALARM


def test_an_attempt_that_is_not_ours_is_a_call_made_elsewhere() -> None:
    for message in M:
        effect = attempt_effect(None, message)
        assert effect.state is None
        assert not effect.alarm
    assert attempt_effect(None, M.RESULT).record is R.CALL_ELSEWHERE
    assert attempt_effect(None, M.PLACED).record is R.CALL_ELSEWHERE
    assert attempt_effect(None, M.GO) == REFUSAL


def test_a_second_call_under_one_attempt_is_a_counted_row_of_its_own_and_an_alarm() -> None:
    for state in (S.PLACED, S.ENDED):
        for message in (M.PLACED, M.RESULT):
            assert attempt_effect(state, message, same_call=False) == Effect(alarm=True, record=R.SECOND_CALL)


def test_a_late_call_beside_another_live_one_is_closed_at_once() -> None:
    for state in CLOSED_WITHOUT_CALL:
        effect = attempt_effect(state, M.PLACED, number_busy=True)
        assert effect == to(S.ENDED, R.LATE_CALL, alarm=True)


@given(
    state=st.none() | st.sampled_from(AttemptState),
    message=st.sampled_from(AttemptMessage),
    same_call=st.booleans(),
    number_busy=st.booleans(),
)
def test_effects_are_total_and_move_only_along_the_arrows(
    state: AttemptState | None, message: AttemptMessage, same_call: bool, number_busy: bool
) -> None:
    effect = attempt_effect(state, message, same_call=same_call, number_busy=number_busy)
    if effect.state is not None:
        assert state is not None
        assert (state, effect.state) in ALLOWED_ARROWS
        assert message in ARROW_MESSAGES[state, effect.state]


@given(st.lists(st.sampled_from(AttemptMessage)), st.lists(st.sampled_from(AttemptMessage)))
def test_a_result_ends_the_attempt_whatever_came_before_and_after(
    before: list[AttemptMessage], after: list[AttemptMessage]
) -> None:
    state = S.LEASED
    for message in [*before, M.RESULT, *after]:
        state = attempt_effect(state, message).state or state
    assert state is S.ENDED


def test_a_call_that_is_known_is_never_forgotten() -> None:
    """No arrow leads from a state with a call to one that does not count it."""
    for old, new in ALLOWED_ARROWS:
        if old in {S.PLACED, S.ENDED}:
            assert new in COUNTED_STATES
            assert new in {S.PLACED, S.ENDED}
    assert not any(old is S.ENDED for old, _ in ALLOWED_ARROWS)


def test_a_permission_is_given_only_to_a_lease() -> None:
    assert [old for old, new in ALLOWED_ARROWS if new is S.SENDING] == [S.LEASED]
    assert all(new is not S.LEASED for _, new in ALLOWED_ARROWS)
    assert {S.LEASED, S.PLACED, S.ENDED} == INITIAL_STATES


def test_the_arrows_are_those_of_the_drawing() -> None:
    drawn = {
        (S.LEASED, S.SENDING),
        (S.LEASED, S.RELEASED),
        (S.SENDING, S.PLACED),
        (S.SENDING, S.RELEASED),
        (S.SENDING, S.REJECTED),
        (S.SENDING, S.UNKNOWN),
        (S.SENDING, S.ENDED),
        (S.PLACED, S.ENDED),
        (S.UNKNOWN, S.PLACED),
        (S.UNKNOWN, S.ENDED),
        (S.UNKNOWN, S.NOT_PLACED),
        (S.UNKNOWN, S.ABANDONED),
        (S.UNKNOWN, S.RELEASED),
        (S.UNKNOWN, S.REJECTED),
    }
    late_truth = {(S.LEASED, S.PLACED), (S.LEASED, S.ENDED), (S.LEASED, S.UNKNOWN)} | {
        (closed, new) for closed in CLOSED_WITHOUT_CALL for new in (S.PLACED, S.ENDED)
    }
    assert drawn | late_truth == ALLOWED_ARROWS
    assert set(CLOSED_WITHOUT_CALL) == set(S) - OPEN_STATES - {S.ENDED}


@pytest.mark.parametrize(
    ("verb", "allowed", "new"),
    [
        (LeadVerb.PLAN, {"pending", "rescheduled", "held"}, LeadStatus.PENDING),
        (LeadVerb.PAUSE, {"pending", "rescheduled", "held"}, LeadStatus.PAUSED),
        (LeadVerb.RESUME, {"paused", "held"}, LeadStatus.PENDING),
        (LeadVerb.COMPLETE, {"pending", "rescheduled", "held", "paused"}, LeadStatus.COMPLETED),
        (LeadVerb.RESCHEDULE, {"pending", "rescheduled", "held"}, LeadStatus.RESCHEDULED),
        (LeadVerb.REOPEN, {"completed"}, LeadStatus.PENDING),
        (LeadVerb.HOLD, {"pending", "rescheduled", "held"}, LeadStatus.HELD),
    ],
)
def test_verbs_of_a_lead(verb: LeadVerb, allowed: set[str], new: LeadStatus) -> None:
    for status in LeadStatus:
        if status in allowed:
            assert lead_transition(status, verb) is new
            assert status is new or (status, new) in LEAD_ARROWS
        else:
            with pytest.raises(IllegalTransition) as error:
                lead_transition(status, verb)
            assert status.value in str(error.value)
            assert verb.value in str(error.value)


def test_completed_is_left_only_by_reopening() -> None:
    assert {new for old, new in LEAD_ARROWS if old is LeadStatus.COMPLETED} == {LeadStatus.PENDING}
    assert all(old is not new for old, new in LEAD_ARROWS)
