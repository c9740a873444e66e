"""Bland's history as a backfill reads it: the query of one window, and what a row of the list proves by itself.

Facts: `start_date` and `end_date` are inclusive and take an offset; `from` is an index, inclusive, `to` exclusive, at
most 1,000 rows are sent; rows carry no transcript, tags or metadata and seldom a `status`, and say `completed` also of
calls that were busy or failed. So a row alone proves an outcome only where nobody can have been talked to.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from leadline.runtime import loose_json
from leadline.telephony.bland_lists import list_rows
from leadline.telephony.bland_result import EventKind, ParsedEvent, parse_result
from leadline.telephony.history import HistoryPage, HistoryRow

LONGEST_MACHINE_SECONDS: Final = 90.0
"""Nobody leaves a longer message: what lasted longer may be a person whom Bland took for a machine."""
_NOT_REACHED: Final = frozenset({"no-answer", "busy"})
_MACHINES: Final = ("voicemail", "machine", "answering-machine")
_FAILED: Final = frozenset({"failed", "canceled", "cancelled", "error"})
_MILLISECOND: Final = timedelta(milliseconds=1)


def window_query(starts_at: datetime, ends_at: datetime, first: int, end: int) -> dict[str, str]:
    """The parameters of one page. Instants are widened to whole milliseconds: an edge may be listed twice, not lost."""
    return {
        "start_date": _milliseconds(starts_at),
        "end_date": _milliseconds(ends_at + _MILLISECOND - timedelta(microseconds=1)),
        "ascending": "true",
        "from": str(first),
        "to": str(end),
        "limit": str(end - first),
    }


def _milliseconds(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")


def read_page(body: object) -> HistoryPage:
    """Read one page; a bare array has no total.

    Raises:
        ProviderNonsense: there is no list.
    """
    rows = list_rows(body)
    total = loose_json.number_between(body.get("total_count"), 0, 1e12) if isinstance(body, dict) else None
    read = tuple(found for row in rows if (found := _read_row(row)) is not None)
    return HistoryPage(rows=read, size=len(rows), total=None if total is None else int(total))


def _read_row(row: object) -> HistoryRow | None:
    parsed = parse_result(row)
    if not isinstance(row, dict) or parsed.call_id is None:
        return None
    return HistoryRow(
        call_id=parsed.call_id,
        phone_number=parsed.from_number if parsed.inbound else parsed.to_number,
        created_at=parsed.created_at,
        says_all=row_says_all(parsed, row),
        raw=json.dumps(row),
    )


def row_says_all(parsed: ParsedEvent, row: Mapping[str, Any]) -> bool:
    """Whether the call's details could say nothing else about how it came out.

    Of a call that is still running by its row the details are asked too: history is past, and the row may be old.
    """
    result = parsed.result
    if parsed.kind is not EventKind.RESULT or loose_json.mapping(row.get("warm_transfer_call")):
        return False
    if result.status in _FAILED:
        return not result.answered_by
    if result.error_message:
        return False
    if result.answered_by.startswith(_MACHINES):
        return (result.talk_seconds or 0.0) <= LONGEST_MACHINE_SECONDS
    if result.status in _NOT_REACHED:
        return result.answered_by in _NOT_REACHED | {""}
    return not result.status and result.answered_by in _NOT_REACHED
