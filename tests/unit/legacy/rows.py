"""Rows as the old system wrote them, for tests to change."""

from datetime import UTC, datetime
from typing import Any

from leadline.legacy.clock import HostClock
from leadline.legacy.facts import Record
from leadline.legacy.reading import read_row
from leadline.legacy.shapes import Shape

NUMBER = "+15615550123"
CLOCK = HostClock()
FIVE_HOURS_MS = 5 * 3600 * 1000
CALLED_AT = datetime(2026, 1, 6, 17, 12, tzinfo=UTC)


def epoch_ms(at: datetime) -> int:
    """True milliseconds."""
    return int(at.timestamp() * 1000)


def fake_ms(at: datetime) -> int:
    """Milliseconds by the clock of a host in UTC."""
    return epoch_ms(at) - FIVE_HOURS_MS


def redial_row(**more: Any) -> dict[str, Any]:
    return {
        "lead_id": "410233",
        "phone_number": NUMBER,
        "list_id": "1029",
        "first_name": "Maria",
        "last_name": "Alvarez",
        "state": "FL",
        "attempts": 2,
        "attempts_today": 2,
        "last_attempt_date": "2026-01-06",
        "last_call_timestamp": fake_ms(CALLED_AT),
        "next_redial_timestamp": fake_ms(CALLED_AT) + 600_000,
        "scheduled_callback_time": None,
        "outcomes": ["NO_ANSWER", "VOICEMAIL"],
        "last_outcome": "VOICEMAIL",
        "last_call_id": "call-2",
        "created_at": fake_ms(CALLED_AT) - 900_000,
        "updated_at": fake_ms(CALLED_AT) + 60_000,
        "daily_max_reached_at": None,
        "status": "pending",
        "call_history": [],
        **more,
    }


def read(shape: Shape, raw: Any, key: str = "", clock: HostClock = CLOCK) -> Record:
    """The record of a row that can be read."""
    found = read_row(shape, raw, key, clock)
    assert isinstance(found, Record), found
    return found


def redial(key: str = "", clock: HostClock = CLOCK, **more: Any) -> Record:
    return read(Shape.REDIAL_QUEUE, redial_row(**more), key, clock)
