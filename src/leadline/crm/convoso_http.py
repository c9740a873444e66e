"""Requests to Convoso: forms by POST, within the account's rate, made again while Convoso says: later.

The token stands in the form alone: not in the URL, which proxies log, and not in what is logged or raised here.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from pydantic import SecretStr
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_any,
    stop_before_delay,
    stop_never,
)
from tenacity.stop import stop_base
from tenacity.wait import wait_base, wait_exponential_jitter

from leadline.crm.convoso_answers import decode
from leadline.crm.pacing import Pace
from leadline.crm.port import CrmNonsense, CrmUnreachable
from leadline.runtime.http.answers import read_bounded, retry_after_seconds
from leadline.runtime.http.client_figures import Peer
from leadline.runtime.http.provider_figures import ProviderExchange, begin_at_zero
from leadline.runtime.logging import get_logger
from leadline.runtime.settings.crm_parts import ConvosoPart

log = get_logger(__name__)

SEARCHING: Final = "leads/search"
FIRST_WAIT_SECONDS: Final = 0.25
LONGEST_WAIT_SECONDS: Final = 8.0
LONGEST_ASKED_WAIT_SECONDS: Final = 30.0
"""Who is told to come back later than this is told so at once, and comes back by himself."""
_MOST_ANSWER_BYTES: Final = 8 * 1024 * 1024
_KEEPALIVE_SECONDS: Final = 15.0


class ConvosoHttp:
    """A session with Convoso. Make it inside a running loop and close it; safe for use by many tasks at once."""

    def __init__(self, part: ConvosoPart, auth_token: SecretStr) -> None:
        """Open a session."""
        self._base = part.convoso_base_url
        self._token = auth_token
        self._retries = part.convoso_retries
        self._pace = Pace(part.convoso_requests_per_second)
        self._slots = asyncio.Semaphore(part.convoso_concurrency)
        begin_at_zero(Peer.CONVOSO, f"POST /{SEARCHING}")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_SECONDS, ttl_dns_cache=60),
            headers={"Accept": "application/json"},
            timeout=aiohttp.ClientTimeout(total=part.convoso_timeout_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def ask(self, path: str, form: Mapping[str, str], until: float | None = None) -> Mapping[str, Any]:
        """The answer to one request that changes nothing or may be repeated.

        Args:
            path: below the base URL, such as `leads/search`.
            until: no try begins after this instant of the loop's clock; None: there is no such instant.

        Raises:
            CrmError: CrmUnreachable, CrmRefused, CrmNonsense or SaidNo.
        """
        return await self._retrying(until)(self._once, path, form, until)

    def _retrying(self, until: float | None) -> AsyncRetrying:
        in_time = stop_never if until is None else stop_before_delay(max(0.0, until - _now()))
        return AsyncRetrying(
            retry=retry_if_exception_type(CrmUnreachable),
            wait=_WaitAsAsked(),
            stop=stop_any(stop_after_attempt(self._retries + 1), in_time, _AskedToWaitLong()),
            reraise=True,
        )

    async def _once(self, path: str, form: Mapping[str, str], until: float | None) -> Mapping[str, Any]:
        async with self._slots:
            wait_seconds = self._pace.take(None if until is None else until - _now())
            if wait_seconds is None:
                raise CrmUnreachable("Convoso takes no more requests in a second than wait for it already")
            if wait_seconds:
                await asyncio.sleep(wait_seconds)
            try:
                return await self._post(path, form, until)
            except CrmUnreachable as error:
                log.debug("convoso_said_later", path=path, reason=str(error))
                self._pace.hold(min(error.retry_after_seconds or 0.0, LONGEST_ASKED_WAIT_SECONDS))
                raise

    async def _post(self, path: str, form: Mapping[str, str], until: float | None) -> Mapping[str, Any]:
        token = self._token.get_secret_value()
        sent = {"auth_token": token, **form}
        with ProviderExchange(Peer.CONVOSO, f"POST /{path}", nonsense=(CrmNonsense,), until=until) as exchange:
            try:
                async with self._session.post(f"{self._base}/{path}", data=sent, allow_redirects=False) as response:
                    raw = await read_bounded(response, _MOST_ANSWER_BYTES)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                raise CrmUnreachable(f"Convoso did not answer: {type(error).__name__}") from error
            if raw is None:
                raise CrmNonsense(f"Convoso's answer is larger than {_MOST_ANSWER_BYTES} bytes")
            said = decode(response.status, raw, secret=token)
            exchange.answered_as(response.status, said.answer_class)
            return said.answer(retry_after_seconds(response.headers))


class _WaitAsAsked(wait_base):
    """What Convoso asked for if it did, else back-off with jitter."""

    def __init__(self) -> None:
        self._backoff = wait_exponential_jitter(
            multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS, jitter=FIRST_WAIT_SECONDS
        )

    def __call__(self, retry_state: RetryCallState) -> float:
        return max(_asked_seconds(retry_state), self._backoff(retry_state))


class _AskedToWaitLong(stop_base):
    """Who asks again before the time that he was told, is refused again."""

    def __call__(self, retry_state: RetryCallState) -> bool:
        return _asked_seconds(retry_state) > LONGEST_ASKED_WAIT_SECONDS


def _asked_seconds(retry_state: RetryCallState) -> float:
    error = retry_state.outcome.exception() if retry_state.outcome else None
    asked = error.retry_after_seconds if isinstance(error, CrmUnreachable) else None
    return asked or 0.0


def _now() -> float:
    return asyncio.get_running_loop().time()
