"""Rows of the redial queue: every trap of the old files."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from leadline.domain.outcome import Outcome
from leadline.legacy.clock import HostClock
from leadline.legacy.facts import Quarantined
from leadline.legacy.reading import read_row
from leadline.legacy.shapes import Shape
from tests.unit.legacy.rows import CALLED_AT, CLOCK, NUMBER, epoch_ms, redial, redial_row


@pytest.mark.parametrize("key", [NUMBER, "5615550123", "410233_+15615550123", "1 561 555 0123", ""])
def test_keys_have_four_formats(key: str) -> None:
    assert redial(key).number == NUMBER


@pytest.mark.parametrize("key", [NUMBER, "5615550123", "410233_5615550123"])
def test_a_number_may_stand_in_the_key_alone(key: str) -> None:
    assert redial(key, phone_number=None).number == NUMBER


def test_clocks_are_put_right() -> None:
    row = redial()
    assert row.last_call_at == CALLED_AT
    assert row.due_at == CALLED_AT + timedelta(minutes=10)
    assert row.updated_at == CALLED_AT + timedelta(minutes=1)
    assert row.times_approximate


def test_a_proven_clock_is_not_approximate() -> None:
    row = redial(clock=HostClock(3600, proven=True))
    assert row.last_call_at == CALLED_AT - timedelta(hours=4)
    assert not row.times_approximate


def test_a_promised_callback_was_stored_truly() -> None:
    promised = datetime(2026, 1, 8, 20, 30, tzinfo=UTC)
    row = redial(
        status="rescheduled", scheduled_callback_time=epoch_ms(promised), next_redial_timestamp=epoch_ms(promised)
    )
    assert (row.wish, row.due_at, row.scheduled_callback_at) == (("rescheduled", None), promised, promised)


def test_rescheduled_without_a_time_is_pending() -> None:
    assert redial(status="rescheduled").wish == ("pending", None)


@pytest.mark.parametrize(
    "more",
    [{"lead_id": "call-2"}, {"list_id": ""}, {"list_id": None}, {"lead_id": ""}, {"list_id": "", "lead_id": "call-2"}],
)
def test_rows_of_the_broken_backfill_are_held_and_their_clock_tells_the_truth(more: dict[str, Any]) -> None:
    at = epoch_ms(CALLED_AT)
    row = redial(
        attempts=0, outcomes=[], last_outcome=None, created_at=at, updated_at=at, last_call_timestamp=0, **more
    )
    assert row.wish == ("held", "crm_unknown")
    assert (row.lead_id, row.list_id) == (None, None)
    assert row.updated_at == CALLED_AT
    assert not row.times_approximate
    assert [call.outcome for call in row.calls] == [Outcome.UNKNOWN]


@pytest.mark.parametrize(
    ("more", "wish"),
    [
        ({"status": "pending"}, ("pending", None)),
        ({"status": "daily_max_reached"}, ("pending", None)),
        ({"status": "paused"}, ("paused", None)),
        ({"status": "max_attempts"}, ("completed", "exhausted")),
        ({"status": "completed"}, ("held", "legacy_unclear")),
        ({"status": "completed", "last_outcome": "TRANSFERRED"}, ("held", "legacy_unclear")),
        ({"status": "completed", "outcomes": ["SALE"], "last_outcome": "SALE"}, ("completed", "sale")),
        ({"status": "completed", "outcomes": ["ACA"], "last_outcome": "ACA"}, ("completed", "aca")),
        ({"status": "completed", "outcomes": ["NI"], "last_outcome": "NI"}, ("completed", "not_interested")),
        ({"status": "completed", "outcomes": [], "last_outcome": "BAD_NUMBER"}, ("completed", "bad_number")),
        ({"status": "pending", "outcomes": ["DNC", "VOICEMAIL"]}, ("completed", "dnc")),
        ({"status": "pending", "outcomes": ["SALE", "VOICEMAIL"]}, ("completed", "sale")),
        ({"status": "max_attempts", "outcomes": ["do not call"]}, ("completed", "dnc")),
        ({"status": "paused", "last_outcome": "DNCA"}, ("completed", "dnc")),
        ({"status": "paused", "last_outcome": "asked: please stop calling me"}, ("completed", "dnc")),
        ({"call_history": [{"call_id": "c", "outcome": "DNC", "timestamp": 1767701520000}]}, ("completed", "dnc")),
    ],
)
def test_the_strictest_of_status_and_outcomes_counts(more: dict[str, Any], wish: tuple[str, str | None]) -> None:
    row = redial(**more)
    assert row.wish == wish
    assert row.stops == (wish[1] == "dnc")
    if wish[0] in {"completed", "held", "paused"}:
        assert row.due_at is None


def test_a_day_that_is_used_up_is_counted_and_not_a_status() -> None:
    row = redial(
        status="daily_max_reached",
        attempts=8,
        attempts_today=8,
        last_attempt_date="",
        daily_max_reached_at=epoch_ms(datetime(2026, 1, 7, 20, 0, tzinfo=UTC)),
    )
    assert (row.attempts, row.attempts_today, row.attempts_today_on) == (8, 8, date(2026, 1, 7))


def test_calls_with_ids_are_kept() -> None:
    history = [
        {"call_id": "call-1", "from_number": "+15615550900", "outcome": "BUSY", "timestamp": 1767701520000},
        {"call_id": "RESERVED_7", "outcome": "BUSY", "timestamp": 1767701520000},
        {"call_id": "", "outcome": "BUSY", "timestamp": 1767701520000},
        {"call_id": "call-0", "outcome": "BUSY", "timestamp": 0},
    ]
    calls = redial(call_history=history).calls
    assert [(call.call_id, call.outcome) for call in calls] == [
        ("call-1", Outcome.BUSY),
        ("call-2", Outcome.VOICEMAIL),
    ]
    assert calls[0].from_number == "+15615550900"


def test_the_last_call_without_a_time_was_when_the_row_was_written() -> None:
    (call,) = redial(last_call_timestamp=0).calls
    assert call.at == CALLED_AT + timedelta(minutes=1)


def test_numbers_and_names_may_be_of_the_wrong_type() -> None:
    row = redial(lead_id=410233, attempts="3", attempts_today="", last_call_timestamp=str(epoch_ms(CALLED_AT)))
    assert (row.lead_id, row.attempts, row.attempts_today) == ("410233", 3, 0)


def test_texts_are_made_fit_for_any_store() -> None:
    row = redial(first_name=" Ann\x00\ud800 ", last_name="x" * 1000, state="")
    assert (row.first_name, len(row.last_name or ""), row.state) == ("Ann?", 200, None)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"phone_number": "12345"}, "phone_number"),
        ({"phone_number": ""}, "phone_number"),
        ({"phone_number": ["+15615550123"]}, "phone_number"),
        ({"status": "banana"}, "status"),
        ({"status": None}, "status"),
        ({"attempts": -1}, "attempts"),
        ({"attempts": "many"}, "attempts"),
        ({"attempts": True}, "attempts"),
        ({"attempts": 10**30}, "attempts"),
        ({"attempts": 1.5}, "attempts"),
        ({"updated_at": "yesterday"}, "updated_at"),
        ({"last_call_timestamp": 10**40}, "last_call_timestamp"),
        ({"last_call_timestamp": -5}, "last_call_timestamp"),
        ({"next_redial_timestamp": {}}, "next_redial_timestamp"),
        ({"last_attempt_date": "01/06/2026"}, "last_attempt_date"),
        ({"outcomes": "DNC"}, "outcomes"),
        ({"call_history": [1]}, "call_history"),
        ({"lead_id": "x" * 129}, "lead_id"),
        ({"leadline": []}, "leadline"),
        ({"leadline": {"version": 2}}, "leadline"),
    ],
)
def test_what_cannot_be_used_is_quarantined_with_its_field(more: dict[str, Any], field: str) -> None:
    found = read_row(Shape.REDIAL_QUEUE, redial_row(**more), "", CLOCK)
    assert isinstance(found, Quarantined)
    assert found.field == field


def test_a_key_that_names_another_number_is_quarantined() -> None:
    found = read_row(Shape.REDIAL_QUEUE, redial_row(), "+18135550142", CLOCK)
    assert isinstance(found, Quarantined)
    assert "another number" in found.reason


def test_what_is_quarantined_still_says_stop() -> None:
    found = read_row(Shape.REDIAL_QUEUE, redial_row(attempts="many", outcomes=["DNC"]), "", CLOCK)
    assert isinstance(found, Quarantined)
    assert (found.number, found.stops) == (NUMBER, True)
