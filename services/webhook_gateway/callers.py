"""Who posts leads: a key in `X-Api-Key`, or as user or password of HTTP Basic. Only SHA-256s of keys are known."""

import base64
import binascii
from collections.abc import Collection, Iterator

from aiohttp import web

from leadline.runtime.http.bearer import find_caller
from leadline.runtime.http.problems import HttpProblem
from leadline.runtime.settings import SecretDigest


def authenticate(request: web.Request, known: Collection[SecretDigest]) -> str:
    """The caller's name.

    Raises:
        HttpProblem: 401, whatever was wrong.
    """
    callers = [find_caller(key, known) for key in _keys_shown(request)]
    caller = next((name for name in callers if name is not None), None)
    if caller is None:
        detail = "Send your key as header X-Api-Key, or as the password of HTTP Basic."
        challenge = {"WWW-Authenticate": 'Basic realm="leadline"'}
        raise HttpProblem(401, "unauthorized", detail, headers=challenge)
    return caller


def _keys_shown(request: web.Request) -> Iterator[str]:
    if key := request.headers.get("X-Api-Key", "").strip():
        yield key
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        yield from _basic_words(encoded.strip())


def _basic_words(encoded: str) -> Iterator[str]:
    try:
        decoded = base64.b64decode(encoded.encode("ascii", "replace"), validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return
    user, _, password = decoded.partition(":")
    yield from (word for word in (password, user) if word)
