"""One row of any of the files that speak of leads. Total: any JSON value is a `Record` or `Quarantined`."""

from collections.abc import Callable, Mapping
from typing import Final

from leadline.domain.ids import PhoneNumber
from leadline.legacy.calls import read_daily_calls, read_pending_call
from leadline.legacy.clock import HostClock
from leadline.legacy.facts import Quarantined, Record
from leadline.legacy.outcomes import says_stop
from leadline.legacy.redial import read_redial
from leadline.legacy.requests import read_request
from leadline.legacy.shapes import Shape
from leadline.legacy.values import Row, Unreadable, phone_number

Reader = Callable[[object, str, HostClock], Record]

_READERS: Final[Mapping[Shape, Reader]] = {
    Shape.REDIAL_QUEUE: read_redial,
    Shape.REQUEST_QUEUE: read_request,
    Shape.DAILY_CALLS: read_daily_calls,
    Shape.CALL_STATE: read_pending_call,
}
_OUTCOME_FIELDS: Final = ("outcomes", "last_outcome", "final_outcome", "call_history", "calls")


def read_row(shape: Shape, raw: object, key: str, clock: HostClock) -> Record | Quarantined:
    """What a row says; `key` is what it stands under, empty in an array.

    Whether a row can be read does not depend on the clock. What is quarantined still says its number and its stop,
    as far as those can be read: they count for the other rows of the number.
    """
    try:
        return _READERS[shape](raw, key, clock)
    except Unreadable as error:
        row = _inner(raw)
        return Quarantined(
            error.field, error.reason, _number(row, key), any(says_stop(row.get(field)) for field in _OUTCOME_FIELDS)
        )


def _inner(raw: object) -> Row:
    """The object that carries the number: a row, a request's payload, the state in a pair."""
    if isinstance(raw, list) and len(raw) == 2:
        raw = raw[1]
    if isinstance(raw, dict) and isinstance(raw.get("payload"), dict):
        raw = raw["payload"]
    return raw if isinstance(raw, dict) else {}


def _number(row: Row, key: str) -> PhoneNumber | None:
    try:
        return phone_number(row, key)
    except Unreadable:
        return None
