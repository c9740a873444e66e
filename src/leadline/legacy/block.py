"""The key `leadline` in a row that Leadline itself exported: what the old format has no room for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from leadline.legacy.facts import Wish, known_wish
from leadline.legacy.values import LONGEST_REASON, Row, Unreadable, as_row, cleaned, items, text, whole

KEY: Final = "leadline"
VERSION: Final = 1
MOST_ATTRIBUTES: Final = 200
LONGEST_CAMPAIGN: Final = 64
_MOST_OFFSET_SECONDS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Block:
    """The block, read."""

    wish: Wish
    untouched: bool
    """Nobody has changed the row since the export: what it said then it says now."""
    clock_offset_seconds: int
    campaign: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    times_approximate: bool = False
    earlier_outcomes: tuple[object, ...] = ()
    earlier_calls: tuple[object, ...] = ()


def read_block(row: Row) -> Block | None:
    """The block of a row, None if it has none. Raises Unreadable."""
    if row.get(KEY) is None:
        return None
    block = as_row(row[KEY], KEY)
    if block.get("version") != VERSION:
        raise Unreadable(KEY, f"is of another version than {VERSION}")
    wish = known_wish(text(block, "status") or "", text(block, "status_reason"))
    if wish is None:
        raise Unreadable(f"{KEY}.status", "is none of Leadline's, or has no such reason")
    return Block(
        wish=wish,
        untouched=_as_number(block.get("updated_at")) == _as_number(row.get("updated_at")),
        clock_offset_seconds=_offset(block),
        campaign=text(block, "campaign", LONGEST_CAMPAIGN),
        attributes=read_attributes(block.get("attributes")),
        times_approximate=block.get("times_approximate") is True,
        earlier_outcomes=tuple(items(block, "earlier_outcomes")),
        earlier_calls=tuple(items(block, "earlier_calls")),
    )


def read_attributes(value: object) -> dict[str, str]:
    """Texts by name, what is no text left out; the first 200. Total."""
    if not isinstance(value, dict):
        return {}
    pairs = ((cleaned(str(name)), cleaned(item)) for name, item in value.items() if isinstance(item, str))
    return dict([(name[:LONGEST_REASON], item) for name, item in pairs if name and item][:MOST_ATTRIBUTES])


def _offset(block: Row) -> int:
    shifted = {"clock_offset_seconds": block.get("clock_offset_seconds")}
    value = shifted["clock_offset_seconds"]
    if isinstance(value, int) and not isinstance(value, bool) and -_MOST_OFFSET_SECONDS <= value < 0:
        return value
    return whole(shifted, "clock_offset_seconds", _MOST_OFFSET_SECONDS)


def _as_number(value: object) -> object:
    return 0 if value is None else value
