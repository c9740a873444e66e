"""Bearer tokens: who is calling. Compared as SHA-256 and in constant time, against every caller there is.

A token that is none of those may be one that a Kubernetes cluster vouches for (`token_reviews`).
"""

import hashlib
import hmac
from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from leadline.runtime.http.problems import HttpProblem
from leadline.runtime.http.token_reviews import TokenReviews, TokensNotReviewed
from leadline.runtime.settings.types import SecretDigest, SecretPair

CALLER = web.RequestKey("caller", str)
"""`request[CALLER]`: the name that belongs to the token that was shown."""


def digests_of(pairs: Collection[SecretPair]) -> tuple[SecretDigest, ...]:
    """The pairs without their tokens."""
    return tuple(SecretDigest(p.name, hashlib.sha256(p.token.get_secret_value().encode()).digest()) for p in pairs)


def find_caller(secret: str, known: Collection[SecretDigest]) -> str | None:
    """The name whose secret this is. Takes the same time whichever it is, and if it is none."""
    digest = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
    found = None
    for candidate in known:
        if hmac.compare_digest(digest, candidate.sha256):
            found = candidate.name
    return found


def bearer_middleware(
    pairs: Collection[SecretPair],
    reviews: TokenReviews | None = None,
    *,
    open_paths: Collection[str] = ("/openapi.json",),
) -> Middleware:
    """Let through who shows one of the tokens, as `request[CALLER]`; everyone else gets 401, but on `open_paths`.

    With `reviews` other tokens are reviewed; 503 with `Retry-After` while that is not possible.
    """
    known = digests_of(pairs)
    free = frozenset(open_paths)
    accepted = "of LEADLINE_QUEUE_TOKENS"
    accepted += " or of a ServiceAccount of LEADLINE_QUEUE_SERVICE_ACCOUNTS" if reviews is not None else ""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in free:
            return await handler(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        caller = find_caller(token.strip(), known) if scheme.lower() == "bearer" else None
        if caller is None and reviews is not None and scheme.lower() == "bearer":
            caller = await _reviewed(reviews, token.strip())
        if caller is None:
            raise HttpProblem(
                401,
                "unauthorized",
                f"Show a token {accepted}: `Authorization: Bearer <token>`.",
                headers={"WWW-Authenticate": 'Bearer realm="leadline"'},
            )
        request[CALLER] = caller
        return await handler(request)

    return middleware


async def _reviewed(reviews: TokenReviews, token: str) -> str | None:
    try:
        return await reviews.caller(token)
    except TokensNotReviewed as error:
        raise HttpProblem(
            503,
            "tokens_not_reviewed",
            "The cluster does not say now whose token this is; come again.",
            headers={"Retry-After": str(error.retry_after_seconds)},
        ) from None
