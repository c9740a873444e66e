"""What Convoso Connect posts when an agent gives a lead a status. Total: any bytes in, never an exception.

Which keys a customer's trigger sends is set up by hand in Convoso, as JSON or as a form, so several names are read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from leadline.domain.ids import PhoneNumber
from leadline.domain.phone import normalise_any
from leadline.runtime import loose_json

LEAD_ID_KEYS: Final = ("lead_id", "convoso_lead_id", "lead", "id")
LIST_ID_KEYS: Final = ("list_id", "list")
PHONE_KEYS: Final = ("phone_number", "phone", "primary_phone", "number_dialed", "caller_id", "ani")
STATUS_KEYS: Final = (
    "status",
    "status_code",
    "status_abbreviation",
    "lead_status",
    "disposition",
    "disposition_code",
    "disposition_abbreviation",
    "dispo",
)
"""Where each value may stand, the best place first; case, spaces, hyphens and underscores do not matter."""

_WRAPPERS: Final = frozenset({"lead", "data", "payload", "leaddata"})
_MOST_FIELDS: Final = 500
_LONGEST_ID: Final = 128
_LONGEST_STATUS: Final = 64
_LONGEST_NUMBER: Final = 64


@dataclass(frozen=True, slots=True)
class StatusNews:
    """A lead of the CRM has a status; of the lead at least one of its names is known."""

    status: str
    """The code, in capitals."""
    crm_lead_id: str | None = None
    crm_list_id: str | None = None
    phone_number: PhoneNumber | None = None


def parse_status(raw: bytes) -> StatusNews | None:
    """Read a delivery; None if it names no status, or nothing to find a lead by."""
    said = _fields(raw)
    status = _first(said, STATUS_KEYS, _LONGEST_STATUS).upper()
    crm_lead_id = _first(said, LEAD_ID_KEYS, _LONGEST_ID) or None
    phone_number = normalise_any(_first(said, PHONE_KEYS, _LONGEST_NUMBER))
    if not status or (crm_lead_id is None and phone_number is None):
        return None
    return StatusNews(status, crm_lead_id, _first(said, LIST_ID_KEYS, _LONGEST_ID) or None, phone_number)


def _fields(raw: bytes) -> Mapping[str, str]:
    """Every scalar by its plain key, the outer ones first; an array stands for its first object."""
    decoded = loose_json.loads(raw)
    for item in loose_json.items(decoded):
        if isinstance(item, dict):
            return dict(reversed(list(_scalars(item))))
    return dict(reversed(list(_form(raw))))


def _scalars(body: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key, value in body.items():
        if found := loose_json.text(value):
            yield _plain(key), found
    for key, value in body.items():
        if isinstance(value, dict) and _plain(key) in _WRAPPERS:
            yield from ((_plain(k), found) for k, v in value.items() if (found := loose_json.text(v)))


def _form(raw: bytes) -> Iterator[tuple[str, str]]:
    try:
        pairs = parse_qsl(raw.decode("utf-8", errors="replace"), max_num_fields=_MOST_FIELDS, errors="replace")
    except ValueError:
        return
    for key, value in pairs:
        if found := loose_json.text(value):
            yield _plain(key), found


def _plain(key: str) -> str:
    return loose_json.text(key, _LONGEST_ID).lower().replace("_", "").replace("-", "").replace(" ", "")


def _first(said: Mapping[str, str], keys: tuple[str, ...], longest: int) -> str:
    return next((found for key in keys if (found := said.get(_plain(key), "")[:longest].strip())), "")
