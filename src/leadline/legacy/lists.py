"""Lists of whom not to call: `blocklist-config.json` and `bad-numbers.json`."""

from dataclasses import dataclass
from typing import Final

from leadline.domain.ids import PhoneNumber
from leadline.domain.phone import normalise_any
from leadline.legacy.values import LONGEST_REASON, Row, Unreadable, as_row, cleaned, identifier, phone_number, text

BLOCKLIST: Final = "blocklist of the old system"
BAD_NUMBERS: Final = "bad number in the old system"


@dataclass(frozen=True, slots=True)
class ListedNumber:
    """A number that must not be called."""

    number: PhoneNumber
    reason: str
    since: str = ""
    """As written; of two entries for a number the older one gives the reason."""


@dataclass(frozen=True, slots=True)
class ListedLead:
    """A sender's lead id whose numbers must not be called."""

    lead_id: str
    reason: str
    since: str = ""


def read_flag(raw: object) -> ListedNumber | ListedLead:
    """One flag of the blocklist. Raises Unreadable: also for a field that cannot be looked up here."""
    row = as_row(raw)
    field = (text(row, "field") or "").lower()
    reason, since = _reason(row, "reason", BLOCKLIST), text(row, "added_at") or ""
    match field:
        case "phone" | "phone_number":
            number = normalise_any(cleaned(text(row, "value") or ""))
            if number is None:
                raise Unreadable("value", "is no telephone number")
            return ListedNumber(number, reason, since)
        case "lead_id":
            lead_id = identifier(row, "value")
            if lead_id is None:
                raise Unreadable("value", "is missing")
            return ListedLead(lead_id, reason, since)
        case _:
            raise Unreadable("field", "is neither phone nor lead_id: decide by hand whom it blocks")


def read_bad_number(raw: object, key: str) -> ListedNumber:
    """One bad number; `key` is its digits. Raises Unreadable."""
    row = as_row(raw)
    reason, since = _reason(row, "error_message", BAD_NUMBERS), text(row, "first_failed_at") or ""
    return ListedNumber(phone_number(row, key), reason, since)


def _reason(row: Row, field: str, otherwise: str) -> str:
    value = row.get(field)
    said = cleaned(value)[:LONGEST_REASON] if isinstance(value, str) else ""
    return said or otherwise
