"""Single values of rows that somebody else wrote: the wanted type out, or `Unreadable` with the name of the field."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from leadline.domain.errors import LeadlineError
from leadline.domain.ids import PhoneNumber
from leadline.domain.phone import normalise_any

Row = Mapping[str, object]

LONGEST_ID: Final = 128
LONGEST_NAME: Final = 200
LONGEST_STATE: Final = 64
LONGEST_REASON: Final = 500
_LONGEST_NUMBER: Final = 64
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_SECONDS_BELOW: Final = 10**11
"""An epoch number below this is in seconds: as milliseconds it would lie in the year 1973."""


class Unreadable(LeadlineError):
    """A row cannot be used; `field` is the one that does not fit."""

    code = "unreadable_row"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Stamp:
    """An instant as a row states it."""

    at: datetime
    is_true: bool
    """Written with an offset or a Z: no clock needs repair. Else an epoch number of whichever clock wrote the row."""


def as_row(raw: object, what: str = "row") -> Row:
    """The value as an object. Raises Unreadable."""
    if not isinstance(raw, dict):
        raise Unreadable(what, "is no object")
    return raw


def cleaned(text: str) -> str:
    """A text that any store takes: no NUL, no lone surrogate, no spaces around it."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode().strip()


def text(row: Row, field: str, longest: int = LONGEST_NAME) -> str | None:
    """A text or a number as text, cut to `longest` characters; None if it is missing or blank. Raises Unreadable."""
    value = row.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise Unreadable(field, "is no text")
    if not isinstance(value, str):
        value = _plain(field, value)
    return cleaned(value)[:longest] or None


def identifier(row: Row, field: str) -> str | None:
    """As `text`, but a longer one is refused: a cut id is another id. Raises Unreadable."""
    value = text(row, field, LONGEST_ID + 1)
    if value is not None and len(value) > LONGEST_ID:
        raise Unreadable(field, f"is longer than {LONGEST_ID} characters")
    return value


def whole(row: Row, field: str, most: int) -> int:
    """A whole number from 0 to `most`, also as text; 0 if it is missing or blank. Raises Unreadable."""
    value = row.get(field)
    if value is None or value == "":
        return 0
    found = _number(field, value)
    if found != found.to_integral_value() or not 0 <= found <= most:
        raise Unreadable(field, f"is no whole number from 0 to {most}")
    return int(found)


def stamp(row: Row, field: str) -> Stamp | None:
    """Epoch milliseconds (or seconds), or ISO 8601; null, 0 and blanks mean never: None. Raises Unreadable."""
    value = row.get(field)
    if value is None or value in ("", 0):
        return None
    if isinstance(value, str) and (written := _iso(value)) is not None:
        return Stamp(_plausible(field, written), is_true=True)
    number = _number(field, value)
    microseconds = number * (1_000_000 if abs(number) < _SECONDS_BELOW else 1000)
    if abs(microseconds) > 10**17:
        raise Unreadable(field, "is no instant between 2000 and 2100")
    return Stamp(_plausible(field, _EPOCH + timedelta(microseconds=round(microseconds))), is_true=False)


def day(row: Row, field: str) -> date | None:
    """A date as `2026-01-06`; None if it is missing or blank. Raises Unreadable."""
    value = text(row, field)
    if value is None:
        return None
    try:
        found = date.fromisoformat(value)
    except ValueError:
        raise Unreadable(field, "is no date such as 2026-01-06") from None
    if not _FIRST.year <= found.year < _LAST.year:
        raise Unreadable(field, "is no date between 2000 and 2100")
    return found


def items(row: Row, field: str) -> list[object]:
    """A list; empty if it is missing. Raises Unreadable."""
    value = row.get(field)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unreadable(field, "is no list")
    return value


def phone_number(row: Row, key: str = "") -> PhoneNumber:
    """The row's number in E.164; `key` is what the row stands under, if that may name the number. Raises Unreadable."""
    said, by_key = text(row, "phone_number", _LONGEST_NUMBER + 1), number_in_key(key)
    if said is None:
        if by_key is None:
            raise Unreadable("phone_number", "is missing")
        return by_key
    number = normalise_any(said)
    if number is None:
        raise Unreadable("phone_number", "is no telephone number")
    if by_key is not None and by_key != number:
        raise Unreadable("phone_number", "is another number than the one in the row's key")
    return number


def number_in_key(key: str) -> PhoneNumber | None:
    """The number of a key in any of its formats: `+1...`, bare digits, `leadid_phone`; None if it names none."""
    return normalise_any(cleaned(key).rpartition("_")[2])


def _iso(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    # Eight bare digits read as a date, and an epoch may have as many: only a text with hyphens is meant as ISO 8601.
    if "-" not in value.strip()[1:]:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _plausible(field: str, at: datetime) -> datetime:
    if not _FIRST <= at < _LAST:
        raise Unreadable(field, "is no instant between 2000 and 2100")
    return at.astimezone(UTC)


def _number(field: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise Unreadable(field, "is no number")
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        raise Unreadable(field, "is no number")
    try:
        found = Decimal(str(value).strip()) if isinstance(value, str | float) else Decimal(value)
    except ArithmeticError:
        raise Unreadable(field, "is no number") from None
    except ValueError:
        raise Unreadable(field, "is a number with too many digits") from None
    if not found.is_finite() or abs(found.adjusted()) > _LONGEST_NUMBER:
        raise Unreadable(field, "is no number that can be meant")
    return found


def _plain(field: str, value: float | Decimal) -> str:
    found = _number(field, value)
    return str(int(found)) if found == found.to_integral_value() else str(value)
