"""Answers of others over HTTP: read within a bound, and what they say about when to come back."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

from leadline.runtime import loose_json

_LONGEST_RETRY_AFTER_SECONDS: Final = 86_400.0


async def read_bounded(response: aiohttp.ClientResponse, most_bytes: int) -> bytes | None:
    """The body, or None if it is longer than `most_bytes`: then the connection is not to be used again."""
    parts: list[bytes] = []
    left = most_bytes
    async for part in response.content.iter_any():
        left -= len(part)
        if left < 0:
            response.close()
            return None
        parts.append(part)
    return b"".join(parts)


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` as seconds: a number, or a date measured against the answer's own `Date` (no clock of ours)."""
    text = headers.get("Retry-After", "").strip()
    seconds = loose_json.number(text)
    if seconds is None and text:
        try:
            wait = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("Date", ""))
            seconds = wait.total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return None if seconds is None else min(max(seconds, 0.0), _LONGEST_RETRY_AFTER_SECONDS)
