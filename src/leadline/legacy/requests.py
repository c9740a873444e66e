"""A row of `request-queue.json`: a lead that waited to be called for the first time. Its clock tells the truth."""

from typing import Final

from leadline.contracts.imports import ImportStatus
from leadline.legacy.block import read_attributes
from leadline.legacy.clock import HostClock
from leadline.legacy.facts import ASK_THE_CRM, PENDING, Record
from leadline.legacy.values import LONGEST_STATE, Row, Unreadable, as_row, identifier, phone_number, stamp, text

CALL: Final = "call"
CALLBACK: Final = "callback"
_OWN_FIELDS: Final = frozenset(
    {"phone_number", "lead_id", "list_id", "first_name", "last_name", "state", "status", "request_id", "requestId"}
)
_NO_NAME: Final = ("Unknown", "Lead")
"""What the old system put where a lead had no name."""


def read_request(raw: object, _key: str, _clock: HostClock) -> Record:
    """One waiting lead; of a `callback` the person asked to be called. Raises Unreadable."""
    row = as_row(raw)
    kind = text(row, "type")
    if kind not in {CALL, CALLBACK}:
        raise Unreadable("type", f"is neither {CALL} nor {CALLBACK}")
    payload = as_row(row.get("payload"), "payload")
    number, at = phone_number(payload), stamp(row, "timestamp")
    if at is None:
        raise Unreadable("timestamp", "is missing")
    lead_id, list_id = identifier(payload, "lead_id"), identifier(payload, "list_id")
    asked = (ImportStatus.RESCHEDULED, None) if kind == CALLBACK else PENDING
    first_name, last_name = _names(payload)
    return Record(
        number=number,
        # A result for a lead without its list cannot be told to the CRM, which is asked for it first.
        wish=asked if lead_id and list_id else ASK_THE_CRM,
        lead_id=lead_id,
        list_id=list_id,
        first_name=first_name,
        last_name=last_name,
        state=text(payload, "state", LONGEST_STATE),
        attributes=_attributes(payload),
        due_at=at.at,
        scheduled_callback_at=at.at if kind == CALLBACK else None,
        created_at=at.at,
        updated_at=at.at,
        sender_lead_ids=(lead_id,) if lead_id else (),
    )


def _names(payload: Row) -> tuple[str | None, str | None]:
    names = text(payload, "first_name"), text(payload, "last_name")
    return (None, None) if names == _NO_NAME else names


def _attributes(payload: Row) -> dict[str, str]:
    extra = {name: value for name, value in payload.items() if name not in _OWN_FIELDS}
    plain = {name: value if isinstance(value, str) else _words(value) for name, value in extra.items()}
    return read_attributes(plain)


def _words(value: object) -> str | None:
    """Numbers as text; nothing nested: the old system made none of it."""
    return None if value is None or isinstance(value, bool | list | dict) else str(value)
