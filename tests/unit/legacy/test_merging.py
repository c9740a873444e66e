"""Rows of one number become one lead: the strictest status, the newest identity, the most attempts, each call once."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from leadline.contracts.imports import ImportedLead
from leadline.domain.outcome import Outcome
from leadline.legacy.facts import BAD_NUMBER, DNC, UNCLEAR, Call, Record
from leadline.legacy.merging import merge
from leadline.legacy.shapes import Shape
from tests.unit.legacy.rows import CALLED_AT, NUMBER, epoch_ms, fake_ms, read, redial

EARLIER = redial(
    attempts=1,
    outcomes=["BUSY"],
    last_outcome="BUSY",
    last_call_id="call-1",
    lead_id="400000",
    first_name="Mary",
    updated_at=fake_ms(CALLED_AT - timedelta(days=30)),
    last_call_timestamp=fake_ms(CALLED_AT - timedelta(days=30)),
    created_at=fake_ms(CALLED_AT - timedelta(days=31)),
)
LATER = redial()


def test_two_months_of_one_number_are_one_lead() -> None:
    lead = merge([EARLIER, LATER])
    assert (lead.lead_id, lead.first_name, lead.attempts) == ("410233", "Maria", 2)
    assert [call.call_id for call in lead.calls] == ["call-1", "call-2"]
    assert lead.created_at == CALLED_AT - timedelta(days=31)
    assert lead.updated_at == CALLED_AT + timedelta(minutes=1)
    assert lead.due_at == LATER.due_at


def test_the_strictest_status_wins_whichever_row_is_newer() -> None:
    for row in (EARLIER, LATER):
        other = EARLIER if row is LATER else LATER
        assert merge([replace(row, wish=DNC), other]).status_reason == "dnc"
        assert merge([replace(row, wish=("paused", None)), other]).status == "paused"  # type: ignore[arg-type]  # a word
        assert merge([replace(row, wish=UNCLEAR), other]).status_reason == "legacy_unclear"


def test_lists_are_stricter_than_rows() -> None:
    assert merge([LATER], [BAD_NUMBER]).status_reason == "bad_number"
    assert merge([LATER], [BAD_NUMBER, DNC]).status_reason == "dnc"
    assert merge([LATER], [UNCLEAR]).due_at is None


def test_a_row_without_fit_ids_names_nobody() -> None:
    newest = replace(LATER, lead_id=None, list_id=None, updated_at=CALLED_AT + timedelta(days=9))
    lead = merge([EARLIER, newest])
    assert (lead.lead_id, lead.list_id) == ("400000", "1029")


def test_a_kept_promise_is_no_promise_any_more() -> None:
    promise = fake_ms(CALLED_AT - timedelta(days=29)) + 5 * 3600 * 1000
    promised = redial(
        status="rescheduled",
        scheduled_callback_time=promise,
        updated_at=fake_ms(CALLED_AT - timedelta(days=30)),
        last_call_timestamp=fake_ms(CALLED_AT - timedelta(days=30)),
        last_call_id="call-1",
    )
    lead = merge([promised, LATER])
    assert (lead.status, lead.due_at, lead.scheduled_callback_at) == ("pending", LATER.due_at, None)
    to_come = replace(promised, scheduled_callback_at=CALLED_AT + timedelta(days=1))
    assert merge([to_come, LATER]).status == "rescheduled"


def trace(*calls: Call) -> Record:
    return Record(NUMBER, calls=calls, attempts=len(calls))  # type: ignore[arg-type]  # a number as text


def test_a_number_that_is_known_from_calls_alone_waits_for_the_crm() -> None:
    lead = merge([trace(Call("c1", CALLED_AT, Outcome.VOICEMAIL))])
    assert (lead.status, lead.status_reason, lead.attempts) == ("held", "crm_unknown", 1)


def test_a_number_whose_call_may_still_ring_is_held() -> None:
    ringing = trace(Call("c9", CALLED_AT + timedelta(hours=1), None))
    assert merge([LATER, ringing]).status_reason == "legacy_unclear"


def test_a_call_whose_end_another_row_knows_does_not_ring() -> None:
    ringing = trace(Call("call-2", CALLED_AT, None))
    lead = merge([LATER, ringing])
    assert lead.status == "pending"
    assert [call.outcome for call in lead.calls] == ["VOICEMAIL"]


def test_a_call_that_was_followed_by_another_does_not_ring() -> None:
    assert merge([LATER, trace(Call("c0", CALLED_AT - timedelta(days=1), None))]).status == "pending"


def test_a_true_time_of_a_call_is_believed_before_a_repaired_one() -> None:
    true = CALLED_AT + timedelta(seconds=7)
    (call,) = merge([LATER, trace(Call("call-2", true, None, "+15615550900"))]).calls
    assert (call.at, call.outcome, call.from_number) == (true, "VOICEMAIL", "+15615550900")


def test_calls_are_counted_once_and_all() -> None:
    calls = [Call(f"c{n}", CALLED_AT - timedelta(days=n), Outcome.NO_ANSWER) for n in range(5)]
    lead = merge([LATER, trace(*calls), trace(*calls[:3])])
    assert lead.attempts == 6
    assert lead.outcomes == ["NO_ANSWER"] * 4 + ["NO_ANSWER", "VOICEMAIL"]


def test_the_newest_day_counts() -> None:
    lead = merge([EARLIER, redial(last_attempt_date="2026-01-07", attempts_today=1)])
    assert (str(lead.attempts_today_on), lead.attempts_today) == ("2026-01-07", 1)


def test_more_calls_and_outcomes_than_fit_are_cut_and_counted() -> None:
    calls = [Call(f"c{n}", CALLED_AT + timedelta(minutes=n), Outcome.BUSY) for n in range(300)]
    lead = merge([trace(*calls)])
    assert (len(lead.calls), len(lead.outcomes), lead.attempts) == (200, 200, 300)
    assert lead.calls[-1].call_id == "c299"


@pytest.mark.parametrize("seed", range(5))
def test_neither_order_nor_repetition_leaves_a_trace(seed: int) -> None:
    waiting = {"type": "call", "timestamp": epoch_ms(datetime(2026, 1, 2, tzinfo=UTC))}
    rows = [
        EARLIER,
        LATER,
        replace(LATER, lead_id="9", first_name=None),
        replace(LATER, lead_id="8", attributes={"a": "1"}),
        read(Shape.REQUEST_QUEUE, {**waiting, "payload": {"phone_number": NUMBER, "lead_id": "7", "list_id": "1"}}),
        trace(Call("call-2", CALLED_AT, Outcome.BUSY)),
        trace(Call("call-2", CALLED_AT, None)),
    ]
    expected = merge(rows)
    shuffled = rows * 2
    random.Random(seed).shuffle(shuffled)
    assert merge(shuffled) == expected
    assert isinstance(expected, ImportedLead)
