"""Tells what a file is from the keys of its first elements, without building any."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from leadline.legacy.shapes import Shape, is_bad_number, shape_of_element, why_not_imported
from services.cli.importing.errors import unknown_file
from services.cli.importing.streams import events, opened

_MOST_KEYS: Final = 500
"""Of one element: more keys tell nothing new."""
_OPENING: Final = frozenset({"start_map", "start_array"})
_CLOSING: Final = frozenset({"end_map", "end_array"})


@dataclass(frozen=True, slots=True)
class Detected:
    """What a file is."""

    shape: Shape | None
    """None: known, and not imported for the reason in `why_not`."""
    is_array: bool = False
    why_not: str | None = None


@dataclass(slots=True)
class _Sample:
    """What was seen so far."""

    is_array: bool = False
    is_scalar: bool = False
    keys: dict[str, str] = field(default_factory=dict)
    """Outermost keys, and the event with which their values begin."""
    element_keys: set[str] = field(default_factory=set)
    """Of the element, or of the value of an outermost key, that is being read."""
    last_element_keys: frozenset[str] = frozenset()
    inner_keys: set[str] = field(default_factory=set)
    """One level further in."""
    elements: int = 0


def detect(path: Path) -> Detected:
    """What the file is. Raises CliError for one that is nothing known, or broken before that can be told."""
    sample = _Sample()
    with opened(path) as file:
        shape = _shape(sample, events(file))
    if shape is not None:
        return Detected(shape, sample.is_array)
    why_not = why_not_imported(path.as_posix(), sample.keys.keys(), sample.last_element_keys)
    if why_not is None:
        raise unknown_file(path)
    return Detected(None, sample.is_array, why_not)


def _shape(sample: _Sample, stream: Iterator[tuple[str, object]]) -> Shape | None:
    depth, key = 0, ""
    for event, value in stream:
        if event == "map_key":
            key = str(value)
            _note_key(sample, depth, key)
            continue
        if depth == 0:
            sample.is_array, sample.is_scalar = event == "start_array", event not in _OPENING
        if event in _CLOSING:
            depth -= 1
        elif depth == 1 and not sample.is_array and len(sample.keys) <= _MOST_KEYS:
            sample.keys[key] = event
        if event in _OPENING:
            depth += 1
        elif (shape := _decide(sample, depth)) is not None:
            return shape
    return _at_the_end(sample)


def _note_key(sample: _Sample, depth: int, key: str) -> None:
    seen = {2: sample.element_keys, 3: sample.inner_keys}.get(depth)
    if seen is not None and len(seen) < _MOST_KEYS:
        seen.add(key)


def _decide(sample: _Sample, depth: int) -> Shape | None:
    """Called after each value: the shape, as soon as it is certain."""
    if depth == 2 and sample.keys.get("records") == "start_map" and is_bad_number(sample.inner_keys):
        return Shape.BAD_NUMBERS
    if depth != 1:
        return None
    shape = _by_keys(sample) or shape_of_element(sample.element_keys)
    sample.elements += 1
    sample.last_element_keys = frozenset(sample.element_keys)
    sample.element_keys.clear()
    sample.inner_keys.clear()
    return shape


def _by_keys(sample: _Sample) -> Shape | None:
    flag_keys = sample.inner_keys
    if sample.keys.get("flags") == "start_array" and (not flag_keys or {"field", "value"} & flag_keys):
        return Shape.BLOCKLIST
    return Shape.CALL_STATE if sample.keys.get("pendingCalls") == "start_array" else None


def _at_the_end(sample: _Sample) -> Shape | None:
    if sample.keys.get("records") == "start_map" and "total_count" in sample.keys:
        return Shape.BAD_NUMBERS
    return Shape.EMPTY if sample.elements == 0 and not sample.is_scalar else None
