"""Asks a Kubernetes API server whose token this is (TokenReview, authentication.k8s.io/v1).

Shows the process's own ServiceAccount token, and trusts the cluster's own CA; the kubelet replaces both files.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from leadline.runtime.http.answers import read_bounded
from leadline.runtime.http.client_figures import Exchange, Peer
from leadline.runtime.watched_file import WatchedFile

PATH: Final = "/apis/authentication.k8s.io/v1/tokenreviews"
ANSWER_SECONDS: Final = 5.0
MOST_ANSWER_BYTES: Final = 64 * 1024
MOST_CONNECTIONS: Final = 16
_MAY_NOT: Final = "the API server does not let us review tokens: bind ClusterRole system:auth-delegator to our account"


class ReviewFailed(Exception):
    """The API server gave no verdict; `str(error)` says why, and shows no token."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the API server says of a token."""

    authenticated: bool
    username: str
    audiences: frozenset[str]
    """Those of the asked ones that the token was made for. Empty: the server does not know audiences."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _User(_Answer):
    username: str = ""


class _Status(_Answer):
    authenticated: StrictBool = False
    user: _User = Field(default_factory=_User)
    audiences: list[str] = Field(default_factory=list)


class _TokenReview(_Answer):
    status: _Status


class TokenReviewApi:
    """A session with the API server. Make it inside a running loop; safe for use by many tasks at once."""

    def __init__(self, base_url: str, account_dir: Path, audience: str) -> None:
        """`account_dir` holds our own `token` and the server's `ca.crt`."""
        self._url = base_url + PATH
        self._audience = audience
        self._token = WatchedFile(account_dir / "token")
        self._ca = WatchedFile(account_dir / "ca.crt")
        self._trusted: tuple[str, ssl.SSLContext] | None = None
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def review(self, token: str) -> Verdict:
        """Ask once; again if our own token was refused and its file holds another one by now. Raises ReviewFailed."""
        own = self._token.text()
        status, content = await self._post(token, own)
        if status == 401 and (other := self._token.look()) != own:
            status, content = await self._post(token, other)
        match status:
            case 200 | 201 | 202:
                return _verdict(content)
            case 401:
                raise ReviewFailed(f"the API server refuses our own token ({self._token.path})")
            case 403:
                raise ReviewFailed(_MAY_NOT)
            case _:
                raise ReviewFailed(f"the API server answered {status}")

    async def _post(self, token: str, own: str) -> tuple[int, bytes]:
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [self._audience]},
        }
        headers = {"Authorization": f"Bearer {own}", "Accept": "application/json"}
        trust = self._trust()
        try:
            with Exchange(Peer.KUBERNETES, f"POST {PATH}") as exchange:
                async with self._session.post(
                    self._url, json=body, headers=headers, ssl=trust, allow_redirects=False
                ) as response:
                    content = await read_bounded(response, MOST_ANSWER_BYTES) or b""
                exchange.answered(response.status)
                return response.status, content
        except TimeoutError:
            raise ReviewFailed(f"the API server did not answer within {ANSWER_SECONDS:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise ReviewFailed(f"the API server cannot be reached: {error}") from None

    def _trust(self) -> ssl.SSLContext:
        ca = self._ca.text()
        if self._trusted is None or self._trusted[0] != ca:
            if not ca:  # an empty text would mean every CA of the machine
                raise ReviewFailed(f"{self._ca.path} cannot be read")
            self._trusted = (ca, self._made_of(ca))
        return self._trusted[1]

    def _made_of(self, ca: str) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cadata=ca)
        except (ssl.SSLError, ValueError) as error:
            raise ReviewFailed(f"{self._ca.path} holds no certificates: {error}") from None
        # From Python 3.13 the default refuses CAs without a key identifier or a key usage, as clusters have them
        # (kubernetes-client/python issue 2394). Signatures, dates and names are checked all the same.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context


def _verdict(content: bytes) -> Verdict:
    try:
        status = _TokenReview.model_validate_json(content).status
    except ValidationError:
        raise ReviewFailed("the API server's answer is no TokenReview") from None
    return Verdict(status.authenticated, status.user.username, frozenset(status.audiences))
