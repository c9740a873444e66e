"""Waiting for a condition instead of for a time: tests sleep only between two looks."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

LONGEST_WAIT_SECONDS = 120.0
SECONDS_BETWEEN_LOOKS = 0.05
_Seen = TypeVar("_Seen")


class WaitedInVain(AssertionError):
    """The condition did not come to hold."""


async def until(look: Callable[[], Awaitable[_Seen | None]], what: str, seconds: float = LONGEST_WAIT_SECONDS) -> _Seen:
    """Look until what is seen is truthy, and return it. Raises WaitedInVain with what was seen last."""
    ends_at = asyncio.get_running_loop().time() + seconds
    while True:
        seen = await look()
        if seen:
            return seen
        if asyncio.get_running_loop().time() >= ends_at:
            raise WaitedInVain(f"not within {seconds:g} s: {what}; seen last: {seen!r}")
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)


async def until_true(look: Callable[[], object], what: str, seconds: float = LONGEST_WAIT_SECONDS) -> None:
    """As `until`, for what can be seen without waiting."""

    async def seen() -> bool:
        return bool(look())

    await until(seen, what, seconds)
