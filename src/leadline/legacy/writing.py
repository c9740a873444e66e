"""A lead as a row of the old format, from which the same lead can be read again; and as a row of CSV or JSON."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from leadline.contracts.imports import ExportedLead, ImportedCall, ImportStatus
from leadline.legacy.block import KEY, VERSION

MOST_OUTCOMES: Final = 20
MOST_CALLS: Final = 50
"""What the old system kept in a row; more than that goes into the block."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")

CSV_COLUMNS: Final = (
    "id",
    "campaign",
    "lead_id",
    "list_id",
    "phone_number",
    "first_name",
    "last_name",
    "state",
    "status",
    "status_reason",
    "attempts",
    "attempts_today",
    "created_at",
    "updated_at",
    "next_redial_at",
    "last_call_at",
    "last_outcome",
    "scheduled_callback_at",
    "outcomes",
)


def redial_record(lead: ExportedLead, offset_seconds: int) -> dict[str, Any]:
    """The row; its clock is `offset_seconds` slow, as the old system's was."""
    record, slow = lead.record, timedelta(seconds=offset_seconds)
    last_call_id = record.calls[-1].call_id if record.calls else ""
    return {
        "lead_id": record.lead_id or "",
        "phone_number": record.phone_number,
        "list_id": record.list_id or "",
        "first_name": record.first_name or "",
        "last_name": record.last_name or "",
        "state": record.state or "",
        "attempts": record.attempts,
        "attempts_today": record.attempts_today,
        "last_attempt_date": record.attempts_today_on.isoformat() if record.attempts_today_on else "",
        "last_call_timestamp": _epoch(record.last_call_at, slow),
        "next_redial_timestamp": _epoch(record.due_at, slow),
        "scheduled_callback_time": _epoch(record.scheduled_callback_at, timedelta(0)) or None,
        "outcomes": record.outcomes[-MOST_OUTCOMES:],
        "last_outcome": record.outcomes[-1] if record.outcomes else None,
        "last_call_id": last_call_id,
        "created_at": _epoch(record.created_at, slow),
        "updated_at": _epoch(record.updated_at, slow),
        "daily_max_reached_at": None,
        "status": _old_status(record.status),
        "call_history": [_call(call, slow) for call in record.calls[-MOST_CALLS:]],
        "batch_timestamp": _epoch(record.created_at, slow),
        KEY: _block(lead, offset_seconds),
    }


def row_key(lead: ExportedLead, *, number_is_taken: bool) -> str:
    """What the row stands under: the number, or `leadid_number` for another lead of a number that has a row already."""
    record = lead.record
    return f"{record.lead_id or lead.id}_{record.phone_number}" if number_is_taken else record.phone_number


def json_row(lead: ExportedLead) -> dict[str, Any]:
    """Everything, under the names of the queue entry."""
    dumped = lead.record.model_dump(mode="json")
    return {"id": str(lead.id), **dumped}


def csv_row(lead: ExportedLead) -> Sequence[str]:
    """One text for each of `CSV_COLUMNS`; texts from outside never begin as a formula of a spreadsheet does."""
    record = lead.record
    values: Mapping[str, object] = {
        **record.model_dump(mode="json"),
        "id": lead.id,
        "next_redial_at": _iso(record.due_at),
        "last_call_at": _iso(record.last_call_at),
        "scheduled_callback_at": _iso(record.scheduled_callback_at),
        "created_at": _iso(record.created_at),
        "updated_at": _iso(record.updated_at),
        "last_outcome": record.outcomes[-1] if record.outcomes else None,
        "outcomes": " ".join(record.outcomes),
    }
    return [_cell(name, values[name]) for name in CSV_COLUMNS]


def _cell(name: str, value: object) -> str:
    words = "" if value is None else str(value)
    return f"'{words}" if name != "phone_number" and words.startswith(_FORMULA_SIGNS) else words


def _block(lead: ExportedLead, offset_seconds: int) -> dict[str, Any]:
    record, slow = lead.record, timedelta(seconds=offset_seconds)
    return {
        "version": VERSION,
        "id": str(lead.id),
        "campaign": record.campaign,
        "status": record.status,
        "status_reason": record.status_reason,
        "clock_offset_seconds": offset_seconds,
        "updated_at": _epoch(record.updated_at, slow),
        "times_approximate": record.times_approximate,
        "attributes": record.attributes,
        "earlier_outcomes": record.outcomes[:-MOST_OUTCOMES],
        "earlier_calls": [_call(call, slow) for call in record.calls[:-MOST_CALLS]],
    }


def _old_status(status: ImportStatus) -> str:
    """The old system has no word for held: what it paused, it did not call."""
    return ImportStatus.PAUSED if status is ImportStatus.HELD else status


def _call(call: ImportedCall, slow: timedelta) -> dict[str, Any]:
    return {
        "call_id": call.call_id,
        "from_number": call.from_number or "",
        "outcome": call.outcome,
        "timestamp": _epoch(call.at, slow),
    }


def _epoch(at: datetime | None, slow: timedelta) -> int | float:
    """Milliseconds; with a fraction only where there is one, so that no instant moves."""
    if at is None:
        return 0
    microseconds = (at - slow - _EPOCH) // timedelta(microseconds=1)
    return microseconds / 1000 if microseconds % 1000 else microseconds // 1000


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
