"""Rules in a hurry: the same expressions with every time in them divided, so that a test need not wait for an hour."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

SHORTEST_RANGE_SECONDS: Final = 5
"""A rate needs a few scrapes, and tests scrape every second."""
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RANGE: Final = re.compile(r"\[(\d+)([smhd])\]")
_OFFSET: Final = re.compile(r"\boffset (\d+)([smhd])\b")
_SECONDS: Final = re.compile(r"(?<=[<>] )(\d{3,})\b")
"""A bound of three digits after `<` or `>` is a time; counts are compared by `>=`."""


def hasten(path: Path, by: float, folder: Path) -> Path:
    """A copy of a rule file with ranges, offsets, `for` and bounds in seconds divided by `by`."""
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for group in document["groups"]:
        for rule in group["rules"]:
            rule["expr"] = _hastened(rule["expr"], by)
            if "for" in rule:
                rule["for"] = _divided(*_parts(rule["for"]), by)
    copy = folder / f"hastened-{path.name}"
    copy.write_text(yaml.safe_dump(document), encoding="utf-8")
    return copy


def _hastened(expression: str, by: float) -> str:
    expression = _RANGE.sub(lambda m: f"[{_divided(int(m[1]), m[2], by, SHORTEST_RANGE_SECONDS)}]", expression)
    expression = _OFFSET.sub(lambda m: f"offset {_divided(int(m[1]), m[2], by)}", expression)
    return _SECONDS.sub(lambda m: f"{int(m[1]) / by:g}", expression)


def _parts(duration: str) -> tuple[int, str]:
    return int(duration[:-1]), duration[-1]


def _divided(number: int, unit: str, by: float, least_seconds: float = 0) -> str:
    return f"{max(number * _UNITS[unit] / by, least_seconds) * 1000:.0f}ms"
