"""A lead written as a row of the old format is read again as the same lead."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from leadline.contracts.imports import ExportedLead, ImportedCall, ImportedLead
from leadline.legacy.merging import merge
from leadline.legacy.shapes import Shape
from leadline.legacy.writing import CSV_COLUMNS, csv_row, json_row, redial_record, row_key
from tests.unit.legacy.rows import NUMBER, read

ID = UUID("01940b2e-7c3f-7a51-9d2e-5b1f0c6a8e44")
AT = datetime(2026, 1, 6, 17, 12, 3, 123457, tzinfo=UTC)


def exported(**more: Any) -> ExportedLead:
    record: dict[str, Any] = {
        "campaign": "spanish",
        "phone_number": NUMBER,
        "lead_id": "410233",
        "list_id": "1029",
        "first_name": "Maria",
        "state": "FL",
        "attributes": {"email": "m@example.com"},
        "status": "pending",
        "due_at": AT + timedelta(minutes=5),
        "attempts": 70,
        "attempts_today": 1,
        "attempts_today_on": date(2026, 1, 6),
        "last_call_at": AT,
        "outcomes": ["BUSY"] * 55 + ["NO_ANSWER"] * 5,
        "calls": [
            ImportedCall(call_id=f"c{n:03}", at=AT - timedelta(hours=60 - n), outcome="NO_ANSWER" if n > 54 else "BUSY")
            for n in range(60)
        ],
        "created_at": AT - timedelta(days=9),
        "updated_at": AT,
        "times_approximate": True,
    }
    return ExportedLead(id=ID, record=ImportedLead(**(record | more)))


def again(lead: ExportedLead, offset_seconds: int = 18_000, **changed: Any) -> ImportedLead:
    row = json.loads(json.dumps(redial_record(lead, offset_seconds))) | changed
    return merge([read(Shape.REDIAL_QUEUE, row, row_key(lead, number_is_taken=False))])


@pytest.mark.parametrize("offset_seconds", [18_000, 0, -3600])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"status": "rescheduled", "scheduled_callback_at": AT + timedelta(days=1)},
        {"status": "rescheduled", "due_at": AT + timedelta(days=2), "scheduled_callback_at": AT + timedelta(days=1)},
        {"status": "paused", "status_reason": "in hospital", "due_at": None},
        {"status": "held", "status_reason": "no_legal_window", "due_at": None},
        {"status": "held", "status_reason": "crm_unknown", "due_at": None, "lead_id": None, "list_id": None},
        {"status": "completed", "status_reason": "exhausted", "due_at": None},
        {"status": "completed", "status_reason": "removed", "due_at": None},
        {"status": "completed", "status_reason": "dnc", "due_at": None, "outcomes": ["DNC"], "calls": []},
        {
            "calls": [],
            "outcomes": [],
            "attempts": 0,
            "last_call_at": None,
            "attempts_today_on": None,
            "attempts_today": 0,
        },
        {"created_at": None, "updated_at": None, "times_approximate": False},
    ],
)
def test_the_same_lead_is_read_again(more: dict[str, Any], offset_seconds: int) -> None:
    lead = exported(**more)
    assert again(lead, offset_seconds) == lead.record


def test_the_old_system_finds_what_it_looks_for() -> None:
    row = redial_record(exported(), 18_000)
    assert (row["status"], row["attempts"], len(row["outcomes"]), len(row["call_history"])) == ("pending", 70, 20, 50)
    assert row["last_call_id"] == "c059"
    assert row["last_call_timestamp"] == (AT - timedelta(hours=5)).timestamp() * 1000
    assert redial_record(exported(status="held", status_reason="foreign", due_at=None), 0)["status"] == "paused"


def test_what_the_old_system_changed_since_counts() -> None:
    lead = exported(outcomes=["BUSY"], calls=[], attempts=1)
    changed = again(lead, updated_at=1_767_800_000_000, attempts=2, outcomes=["BUSY", "DNC"], last_outcome="DNC")
    assert (changed.status_reason, changed.attempts, changed.campaign) == ("dnc", 2, "spanish")


def test_what_was_held_stays_held_though_the_old_system_went_on() -> None:
    lead = exported(status="held", status_reason="crm_unknown", due_at=None)
    changed = again(lead, updated_at=1_767_800_000_000, status="pending")
    assert (changed.status, changed.status_reason) == ("held", "crm_unknown")


def test_a_second_lead_of_a_number_has_a_key_of_its_own() -> None:
    assert row_key(exported(), number_is_taken=True) == f"410233_{NUMBER}"
    assert row_key(exported(lead_id=None), number_is_taken=True) == f"{ID}_{NUMBER}"


def test_rows_of_csv_and_json() -> None:
    lead = exported(first_name="=cmd()", outcomes=["BUSY", "NO_ANSWER"])
    cells = dict(zip(CSV_COLUMNS, csv_row(lead), strict=True))
    assert cells["first_name"] == "'=cmd()"
    assert cells["phone_number"] == NUMBER
    assert (cells["last_outcome"], cells["outcomes"], cells["last_name"]) == ("NO_ANSWER", "BUSY NO_ANSWER", "")
    assert cells["last_call_at"] == "2026-01-06T17:12:03.123457Z"
    assert json_row(lead)["id"] == str(ID)
    assert json_row(lead)["outcomes"] == ["BUSY", "NO_ANSWER"]
