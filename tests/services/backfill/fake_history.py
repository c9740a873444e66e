"""A provider's history in memory, steered by the test: late calls, bare arrays, totals that lie, failures."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from leadline.domain.ids import CallId
from leadline.telephony.bland_history import read_page
from leadline.telephony.bland_result import parse_event
from leadline.telephony.history import HistoryPage
from leadline.telephony.port import CallDetails, ProviderError

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOBODY: dict[str, Any] = {"answered_by": "no-answer", "completed": True, "call_length": 0.2}
PERSON: dict[str, Any] = {"answered_by": "human", "completed": True, "call_length": 2.0}


def listed(call_id: str, at: datetime = START, **fields: Any) -> dict[str, Any]:
    """A row of the list; nobody took the call unless `fields` say otherwise."""
    row = {"call_id": call_id, "to": "+15615550123", "from": "+15615550900", "created_at": at.isoformat(), **NOBODY}
    return row | fields


def calls(number: int, *, since: datetime = START, seconds_apart: float = 1.0, **fields: Any) -> list[dict[str, Any]]:
    """So many rows, one after the other."""
    return [listed(f"call-{n:05}", since + timedelta(seconds=n * seconds_apart), **fields) for n in range(number)]


@dataclass
class FakeHistory:
    """Implements `History`; pages hold `page_rows` at most."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    page_rows: int = 1000
    stuck: bool = False
    """Sends the first page whatever is asked for."""
    bare: bool = False
    gone: set[str] = field(default_factory=set)
    """Calls that are listed and have no details."""
    extra_total: int = 0
    before_page: Callable[["FakeHistory"], None] | None = None
    """Called before each page is made; may change anything."""
    failures: list[ProviderError] = field(default_factory=list)
    """Raised by the next requests, one each."""
    details_failures: dict[str, list[ProviderError]] = field(default_factory=dict)
    asked: list[tuple[datetime, datetime, int, int]] = field(default_factory=list)
    details_asked: list[str] = field(default_factory=list)

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        self.rows.extend(rows)

    async def window(self, starts_at: datetime, ends_at: datetime, first: int, end: int) -> HistoryPage:
        self.asked.append((starts_at, ends_at, first, end))
        if self.before_page is not None:
            self.before_page(self)
        if self.failures:
            raise self.failures.pop(0)
        within = sorted(
            (row for row in self.rows if starts_at <= datetime.fromisoformat(row["created_at"]) <= ends_at),
            key=lambda row: (row["created_at"], row.get("call_id") or ""),
        )
        if self.stuck:
            first, end = 0, self.page_rows
        page = within[first : min(end, first + self.page_rows)]
        if self.bare:
            return read_page(page)
        return read_page({"total_count": len(within) + self.extra_total, "count": len(page), "calls": page})

    async def details(self, call_id: CallId) -> CallDetails | None:
        self.details_asked.append(call_id)
        if self.details_failures.get(call_id):
            raise self.details_failures[call_id].pop(0)
        if call_id in self.gone:
            return None
        row = next(row for row in self.rows if row["call_id"] == call_id)
        raw = json.dumps(row | {"status": "completed", "detailed": True}).encode()
        return CallDetails(raw, parse_event(raw))
