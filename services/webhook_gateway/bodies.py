"""Reads a body within a bound of bytes and of time: one slow or huge sender must not hold what others need."""

import asyncio

from aiohttp import web

from leadline.runtime.http.problems import HttpProblem


async def read_bounded(request: web.Request, *, most_bytes: int, within_seconds: float) -> bytes:
    """The raw body.

    Raises:
        HttpProblem: 413 over `most_bytes`, 408 if it does not come in time, 400 if it cannot be decoded.
    """
    if (request.content_length or 0) > most_bytes:
        raise _too_large(most_bytes)
    parts: list[bytes] = []
    left = most_bytes
    try:
        async with asyncio.timeout(within_seconds):
            async for part in request.content.iter_any():
                left -= len(part)
                if left < 0:
                    raise _too_large(most_bytes)
                parts.append(part)
    except TimeoutError:
        detail = f"The body did not come within {within_seconds:g} s."
        raise HttpProblem(408, "body_too_slow", detail, headers={"Connection": "close"}) from None
    except (web.RequestPayloadError, ValueError) as error:
        raise HttpProblem(400, "invalid_body", "The body is not encoded as its headers say.") from error
    return b"".join(parts)


def _too_large(most_bytes: int) -> HttpProblem:
    detail = f"The body is larger than {most_bytes} bytes."
    return HttpProblem(413, "body_too_large", detail, headers={"Connection": "close"})
