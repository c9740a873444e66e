"""Posts one lead to the gateway as Zapier would; what goes wrong becomes a sentence that says what to look at."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

import aiohttp
from pydantic import ValidationError

from leadline.contracts.gateway import LeadReceived
from leadline.contracts.problems import Problem
from leadline.runtime.http.answers import read_bounded
from services.cli.exits import CliError

MOST_BYTES: Final = 64 * 1024
ANSWER_SECONDS: Final = 30.0
WAIT_SECONDS: Final = 0.5
_AWAY: Final = frozenset({429, 502, 503, 504})


def post_lead(url: str, key: str, lead: Mapping[str, str], *, within_seconds: float) -> LeadReceived:
    """Post a lead, again for `within_seconds` while nobody takes it. Raises CliError."""
    return asyncio.run(_post(url, key, lead, within_seconds))


async def _post(url: str, key: str, lead: Mapping[str, str], within_seconds: float) -> LeadReceived:
    give_up_at = time.monotonic() + within_seconds
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=min(ANSWER_SECONDS, within_seconds))
    async with aiohttp.ClientSession(timeout=timeout, headers={"X-Api-Key": key}) as session:
        while True:
            try:
                async with session.post(url, json=lead, allow_redirects=False) as response:
                    status, content = response.status, await read_bounded(response, MOST_BYTES) or b""
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                problem = f"nobody answers at {url} ({str(error) or type(error).__name__});"
                problem += " does the gateway run, and is LEADLINE_GATEWAY_URL right?"
            else:
                if status not in _AWAY:
                    return _read(url, status, content)
                problem = f"the gateway cannot take leads now ({_said(status, content)}); look at its log, and at the"
                problem += " LEADLINE_QUEUE_URL and the token that it has"
            if time.monotonic() + WAIT_SECONDS >= give_up_at:
                raise CliError(problem)
            await asyncio.sleep(WAIT_SECONDS)


def _read(url: str, status: int, content: bytes) -> LeadReceived:
    said = _said(status, content)
    match status:
        case 202:
            try:
                return LeadReceived.model_validate_json(content, extra="ignore")
            except ValidationError:
                raise CliError(f"the answer of {url} is not a gateway's; is LEADLINE_GATEWAY_URL right?") from None
        case 401 | 403:
            raise CliError(
                f"the gateway refuses our key ({said}); LEADLINE_SMOKE_GATEWAY_KEY must be one of its"
                " LEADLINE_GATEWAY_API_KEYS"
            )
        case 404:
            raise CliError(f"{url} is not there ({said}); check LEADLINE_GATEWAY_URL and LEADLINE_SMOKE_CAMPAIGN")
        case _:
            raise CliError(f"{url} answered {said}; look at the gateway's log")


def _said(status: int, content: bytes) -> str:
    try:
        problem = Problem.model_validate_json(content, extra="ignore")
    except ValidationError:
        return f"HTTP {status}"
    return f"HTTP {status}: {'; '.join([problem.detail.rstrip('.'), *problem.errors])}"
