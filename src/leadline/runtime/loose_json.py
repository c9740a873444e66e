"""Total readers for JSON that somebody else wrote: any value in, the wanted type or nothing out, never an exception."""

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

_TRUE_WORDS: Final = frozenset({"true", "t", "yes", "y", "1", "1.0", "on"})
_MOST_INTEGER_DIGITS: Final = 400
"""Longer ones are infinite as a float, and CPython refuses to convert them at 4,300."""
_LONGEST_NUMBER_TEXT: Final = 64
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2100
_MILLISECONDS_FROM: Final = 1e11
"""An epoch number above this is in milliseconds (as seconds it would lie in the year 5138)."""


def loads(raw: bytes | str) -> object:
    """Decode JSON leniently; None if it is none.

    Accepts a byte order mark, UTF-16, broken UTF-8, control characters in strings, NaN, integers of any length:
    an odd byte in one field must not lose the rest of a result. Nesting beyond the interpreter's limit is no JSON here.
    """
    try:
        text = raw.decode(json.detect_encoding(raw), errors="replace") if isinstance(raw, bytes) else raw
        decoded: object = json.loads(text.strip("\ufeff\x00 \t\r\n"), strict=False, parse_int=_integer)
    except (ValueError, RecursionError, MemoryError):
        return None
    return decoded


def _integer(digits: str) -> int | float:
    if len(digits) <= _MOST_INTEGER_DIGITS:
        return int(digits)
    return -math.inf if digits.startswith("-") else math.inf


def text(value: object, longest: int | None = None) -> str:
    """The value as text that any store takes (no NUL, no lone surrogate), stripped; empty if it is no scalar.

    Args:
        longest: cut to this many characters.
    """
    cleaned = value if isinstance(value, str) else _number_text(value)
    cleaned = cleaned.replace("\x00", "").encode("utf-8", errors="replace").decode("utf-8").strip()
    return cleaned if longest is None else cleaned[:longest]


def _number_text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**_LONGEST_NUMBER_TEXT else ""
    return str(value) if math.isfinite(value) else ""


def flag(value: object) -> bool:
    """Whether the value says yes in any spelling: true, 1, "True", "yes", "on" ..."""
    if isinstance(value, bool):
        return value
    return text(value, _LONGEST_NUMBER_TEXT).lower() in _TRUE_WORDS


def number(value: object) -> float | None:
    """A finite number, from a number or its text; None otherwise (booleans, NaN and infinities included)."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER_TEXT:
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def number_between(value: object, least: float, most: float) -> float | None:
    """A finite number within [least, most]; None otherwise."""
    found = number(value)
    return found if found is not None and least <= found <= most else None


def instant(value: object) -> datetime | None:
    """An aware UTC instant from ISO 8601 (without an offset: UTC) or epoch seconds or milliseconds; None otherwise."""
    try:
        epoch = number(value)
        if epoch is not None:
            found = datetime.fromtimestamp(epoch / 1000 if epoch > _MILLISECONDS_FROM else epoch, UTC)
        else:
            found = datetime.fromisoformat(text(value, _LONGEST_NUMBER_TEXT))
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if _FIRST_YEAR <= found.year <= _LAST_YEAR else None


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, or the object that its text holds; empty otherwise."""
    if isinstance(value, str):
        value = loads(value)
    return value if isinstance(value, dict) else {}


def items(value: object) -> Iterator[object]:
    """The items of an array; a lone value counts as an array of one, null as none."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value


def words_joined(value: object) -> str:
    """Lower case, words joined by one hyphen: `No_Answer ` -> `no-answer`."""
    return "-".join(text(value, 128).lower().replace("_", " ").replace("-", " ").split())
