"""`GET /v1/calls`: index paging over the history. There is no `page`; unknown parameters are ignored in silence."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.simulator.answer import Answer
from services.simulator.bland import answers
from services.simulator.bland.call import Call
from services.simulator.bland.exchange import Exchange
from services.simulator.bland.index import Span
from services.simulator.bland.result import list_item
from services.simulator.phone import e164

_MOST_ITEMS: Final = 1000
_DATE_LENGTH: Final = len("2026-01-05")
Test = Callable[[Mapping[str, Any]], bool]
"""A filter over a list item."""


class BadQuery(Exception):
    """A parameter that is known has a value that is not understood."""


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What is asked for. `first` and `end` are indexes among what matches, `end` exclusive."""

    first: int
    end: int
    ascending: bool
    created_from: float
    created_to: float
    person: str | None
    """E.164, if a number was asked for."""
    tests: tuple[Test, ...]


def list_calls(exchange: Exchange, parameters: Mapping[str, str], now: float) -> Answer:
    """Answer a query; 400 if a known parameter is not understood."""
    try:
        query = read_query(parameters)
    except BadQuery as error:
        return answers.invalid(str(error))
    person = query.person if query.person and exchange.knows_number(query.person) else None
    matching = _matching(exchange.listed(query.created_from, query.created_to, person), query, now)
    shown = matching.page(query.first, query.end, ascending=query.ascending)
    page = [list_item(call, now) for call in shown]
    return Answer(200, {"total_count": len(matching), "count": len(page), "calls": page})


def _matching(span: Span, query: ListQuery, now: float) -> Span:
    if not query.tests:
        return span

    def matches(call: Call) -> bool:
        item = list_item(call, now)
        return all(test(item) for test in query.tests)

    found = [call for call in span.page(0, len(span), ascending=True) if matches(call)]
    return Span(found, 0, len(found))


def read_query(parameters: Mapping[str, str]) -> ListQuery:
    """Read the parameters that are known.

    Raises:
        BadQuery: one of them has an impossible value.
    """
    first = _index(parameters, "from", 0)
    limit = min(_index(parameters, "limit", _MOST_ITEMS), _MOST_ITEMS)
    created_from, created_to = _span(parameters)
    asked = parameters.get("to_number") or parameters.get("from_number")
    return ListQuery(
        first=first,
        end=min(_index(parameters, "to", first + limit), first + limit),
        ascending=_flag(parameters, "ascending") or False,
        created_from=created_from,
        created_to=created_to,
        person=e164(asked),
        tests=tuple(_tests(parameters)),
    )


def _tests(parameters: Mapping[str, str]) -> list[Test]:
    tests: list[Test] = []
    for name, key in (("to_number", "to"), ("from_number", "from"), ("answered_by", "answered_by")):
        if name in parameters:
            tests.append(_equals(key, parameters[name]))
    for name in ("completed", "inbound"):
        wanted = _flag(parameters, name)
        if wanted is not None:
            tests.append(_equals(name, wanted))
    if "duration_gt" in parameters:
        least = _minutes(parameters, "duration_gt")
        tests.append(lambda item: (item["call_length"] or 0.0) > least)
    if "duration_lt" in parameters:
        most = _minutes(parameters, "duration_lt")
        tests.append(lambda item: (item["call_length"] or 0.0) < most)
    return tests


def _equals(key: str, wanted: object) -> Test:
    return lambda item: bool(item[key] == wanted)


def _index(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadQuery(f"{name}: must be a number")
    return int(text)


def _minutes(parameters: Mapping[str, str], name: str) -> float:
    try:
        return float(parameters[name])
    except ValueError:
        raise BadQuery(f"{name}: must be a number") from None


def _flag(parameters: Mapping[str, str], name: str) -> bool | None:
    text = parameters.get(name)
    if text is None:
        return None
    if text not in {"true", "false"}:
        raise BadQuery(f"{name}: must be true or false")
    return text == "true"


def _span(parameters: Mapping[str, str]) -> tuple[float, float]:
    """The first and the last instant asked for, both inclusive."""
    zone = _zone(parameters.get("timezone"))
    day = parameters.get("created_at")
    if day is not None:
        if "start_date" in parameters or "end_date" in parameters:
            raise BadQuery("created_at: must not be sent together with start_date or end_date")
        return _instants("created_at", day, zone)
    start, end = parameters.get("start_date"), parameters.get("end_date")
    return (
        -math.inf if start is None else _instants("start_date", start, zone)[0],
        math.inf if end is None else _instants("end_date", end, zone)[1],
    )


def _zone(name: str | None) -> tzinfo:
    try:
        return UTC if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadQuery("timezone: must be an IANA time zone") from None


def _instants(name: str, text: str, zone: tzinfo) -> tuple[float, float]:
    """A date is its whole day, an instant is itself; without an offset both are read in `zone`."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise BadQuery(f"{name}: must be YYYY-MM-DD or ISO 8601") from None
    if read.tzinfo is None:
        read = read.replace(tzinfo=zone)
    if len(text) > _DATE_LENGTH:
        return read.timestamp(), read.timestamp()
    tomorrow = datetime.combine(read.date() + timedelta(days=1), time(), zone)
    return read.timestamp(), math.nextafter(tomorrow.timestamp(), 0)
