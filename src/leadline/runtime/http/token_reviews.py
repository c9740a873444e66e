"""Callers that a Kubernetes cluster vouches for: verdicts on their tokens, kept for a short time and within bounds.

A stranger who shows us invented tokens must neither fill our memory nor make us flood the API server, nor keep callers
that are known from having their tokens reviewed again. Tokens themselves are never kept and never logged.
"""

import asyncio
import base64
import binascii
import hashlib
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import Counter

from leadline.runtime.http.token_review_api import ReviewFailed, TokenReviewApi, Verdict
from leadline.runtime.logging import get_logger
from leadline.runtime.settings.access_parts import ServiceAccountsPart
from leadline.runtime.settings.types import ServiceAccount

KEPT_SECONDS: Final = 60.0
"""How long a caller is believed after its token was reviewed: so long a deleted pod's token works at most."""
REFUSED_SECONDS: Final = 5.0
AWAY_SECONDS: Final = 1.0
"""After the API server gave no verdict, nobody asks it for so long."""
MOST_KEPT: Final = 2000
MOST_REFUSED: Final = 2000
MOST_STRANGERS_AT_ONCE: Final = 8
STRANGERS_A_SECOND: Final = 20.0
_END_OF_TIME: Final = 2.0**40
_TOKEN: Final = re.compile(r"[\w-]+\.([\w-]+)\.[\w-]+", re.ASCII)
log = get_logger(__name__)

REVIEWS = Counter(
    "leadline_token_reviews",
    "Tokens of ServiceAccounts that were looked at anew: accepted, refused, failed (no verdict), shed (too many).",
    ("result",),
)


class TokensNotReviewed(Exception):
    """Whether the token is good cannot be said now; come again."""

    retry_after_seconds = 1


@dataclass(frozen=True, slots=True)
class _Kept:
    caller: str
    fresh_until: float
    """By the monotonic clock. Later it is still known that the token was good once."""


@dataclass(frozen=True, slots=True)
class _Claims:
    """What a token says of itself, unproven: enough to refuse it, never enough to accept it."""

    username: str
    expires_at: float | None
    """Seconds since 1970."""


class TokenReviews:
    """Tells callers by their tokens. Safe for use by many tasks of one event loop."""

    def __init__(
        self,
        review: Callable[[str], Awaitable[Verdict]],
        accounts: Sequence[ServiceAccount],
        audience: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`review` asks the API server; it raises ReviewFailed."""
        self._review = review
        self._callers = {account.username: account.caller for account in accounts}
        self._audience = audience
        self._monotonic = monotonic
        self._wall = wall
        self._kept: dict[bytes, _Kept] = {}
        self._refused: dict[bytes, float] = {}
        self._under_way: dict[bytes, asyncio.Task[str | None]] = {}
        self._strangers = 0
        self._allowance, self._allowed_at = STRANGERS_A_SECOND, monotonic()
        self._away_until = monotonic()

    async def caller(self, token: str) -> str | None:
        """The caller whose token this is, None if it is nobody's. Raises TokensNotReviewed."""
        claims = _claims(token)
        if claims is None or claims.username not in self._callers:
            return None  # the API server could not say anything that would make it one of ours
        digest = hashlib.sha256(token.encode()).digest()
        kept, now = self._kept.get(digest), self._monotonic()
        if kept is not None and now < kept.fresh_until:
            return kept.caller
        if now < self._refused.get(digest, now):
            return None
        task = self._under_way.get(digest)
        if task is None:
            task = self._begin(digest, token, claims, is_stranger=kept is None)
        return await asyncio.shield(task)

    def _begin(self, digest: bytes, token: str, claims: _Claims, *, is_stranger: bool) -> "asyncio.Task[str | None]":
        """Start the one review of a token that all its requests wait for."""
        if self._monotonic() < self._away_until:
            raise TokensNotReviewed
        if is_stranger and not self._may_ask():
            REVIEWS.labels("shed").inc()
            raise TokensNotReviewed
        task = asyncio.create_task(self._reviewed(digest, token, claims))
        self._under_way[digest] = task
        self._strangers += is_stranger

        def ended(task: "asyncio.Task[str | None]") -> None:
            del self._under_way[digest]
            self._strangers -= is_stranger
            if not task.cancelled():
                task.exception()  # whoever waited has seen it; perhaps nobody waited any more

        task.add_done_callback(ended)
        return task

    def _may_ask(self) -> bool:
        now = self._monotonic()
        earned = (now - self._allowed_at) * STRANGERS_A_SECOND
        self._allowance, self._allowed_at = min(self._allowance + earned, STRANGERS_A_SECOND), now
        if self._strangers >= MOST_STRANGERS_AT_ONCE or self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    async def _reviewed(self, digest: bytes, token: str, claims: _Claims) -> str | None:
        try:
            verdict = await self._review(token)
        except ReviewFailed as error:
            self._away_until = self._monotonic() + AWAY_SECONDS
            REVIEWS.labels("failed").inc()
            log.error("token_review_failed", problem=str(error))
            raise TokensNotReviewed from None
        caller = self._judge(verdict)
        REVIEWS.labels("accepted" if caller else "refused").inc()
        self._kept.pop(digest, None)
        if caller is None:
            log.warning(
                "token_refused", claimed=claims.username, found=verdict.username, audiences=sorted(verdict.audiences)
            )
            _keep(self._refused, digest, self._monotonic() + REFUSED_SECONDS, MOST_REFUSED)
        elif (seconds := self._seconds_kept(claims)) > 0:
            _keep(self._kept, digest, _Kept(caller, self._monotonic() + seconds), MOST_KEPT)
        return caller

    def _judge(self, verdict: Verdict) -> str | None:
        if not verdict.authenticated or self._audience not in verdict.audiences:
            return None
        return self._callers.get(verdict.username)

    def _seconds_kept(self, claims: _Claims) -> float:
        """Never beyond the token's own end. What the token says of itself can only shorten it."""
        return KEPT_SECONDS if claims.expires_at is None else min(KEPT_SECONDS, claims.expires_at - self._wall())


def _keep(kept: dict[bytes, Any], digest: bytes, value: object, most: int) -> None:
    """Keep it as the newest; the oldest goes if there are too many."""
    kept.pop(digest, None)
    kept[digest] = value
    if len(kept) > most:
        del kept[next(iter(kept))]


def _claims(token: str) -> _Claims | None:
    """What a token says of itself; None if it is no JWT with a name."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(found.group(1) + "=" * (-len(found.group(1)) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(claims, dict) or not isinstance(claims.get("sub"), str):
        return None
    expires_at = claims.get("exp")
    if not isinstance(expires_at, int | float) or isinstance(expires_at, bool):
        return _Claims(claims["sub"], None)
    return _Claims(claims["sub"], min(expires_at, _END_OF_TIME))


@asynccontextmanager
async def reviewing(settings: ServiceAccountsPart) -> AsyncIterator[TokenReviews | None]:
    """Reviews by the cluster's API server inside the block; None if no ServiceAccount is named."""
    if not settings.queue_service_accounts:
        yield None
        return
    api = TokenReviewApi(settings.kubernetes_url, settings.kubernetes_account_dir, settings.queue_audience)
    try:
        yield TokenReviews(api.review, settings.queue_service_accounts, settings.queue_audience)
    finally:
        await api.close()
