"""Things in groups that are bounded: in number, or in number and in bytes."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def in_groups(items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    """The items in order, at most so many in a group; no group is empty."""
    rest = iter(items)
    while group := list(islice(rest, most)):
        yield group


def in_sized_groups(
    items: Iterable[Item], size_of: Callable[[Item], int], *, most: int, most_bytes: int
) -> Iterator[list[Item]]:
    """The same, and no group larger than `most_bytes`, unless one item alone is."""
    group: list[Item] = []
    group_bytes = 0
    for item in items:
        size = size_of(item)
        if group and (len(group) == most or group_bytes + size > most_bytes):
            yield group
            group, group_bytes = [], 0
        group.append(item)
        group_bytes += size
    if group:
        yield group
