"""How the queue-service is spoken to: bearer token, no redirects, retries with the same operation id, typed errors."""

import io
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, TypeVar

import aiohttp
from pydantic import BaseModel, ValidationError
from yarl import URL

from leadline.clients.queue_operations import operation
from leadline.clients.token_source import TokenSource
from leadline.contracts.problems import Problem
from leadline.domain.errors import LeadlineError
from leadline.runtime.http.client_figures import Exchange, Peer
from leadline.runtime.retry import TRANSIENT_STATUSES, TransientAnswer, queue_service_retry
from leadline.runtime.tracing import TRACEPARENT_HEADER, current_traceparent

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
MOST_CONNECTIONS: Final = 400
KEEPALIVE_SECONDS: Final = 30.0
"""Less than the queue-service's own, so that we are the ones who close."""

WRITTEN_WHOLE_BYTES: Final = 256 * 1024

Answer = TypeVar("Answer", bound=BaseModel)
_Told = tuple[int, bytes]


class QueueError(LeadlineError):
    """The queue-service did not do what it was asked."""

    code = "queue_error"


class QueueUnavailable(QueueError):
    """No answer, or one that says: later. The request may or may not have been carried out; repeat it as it was."""

    code = "queue_unavailable"

    def __init__(self, sentence: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds


class QueueRefused(QueueError):
    """The queue-service understood and said no; `problem` says why."""

    code = "queue_refused"

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class QueueNonsense(QueueError):
    """The answer does not fit the contract: another version, or something else at that address."""

    code = "queue_nonsense"


class QueueHttp:
    """A session with the queue-service. Make it inside a running loop; safe for use by many tasks at once."""

    def __init__(self, base_url: str, token: str | TokenSource, *, timeout_seconds: float = 10.0) -> None:
        """Open a session.

        Args:
            token: what is shown; a source is asked anew for every request.
            timeout_seconds: bound of one request, without the wait of a long poll.
        """
        self._base = base_url.rstrip("/")
        self._token = TokenSource(token) if isinstance(token, str) else token
        self._timeout_seconds = timeout_seconds
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=MOST_CONNECTIONS, keepalive_timeout=KEEPALIVE_SECONDS, ttl_dns_cache=30
            ),
            headers={"Accept": "application/json"},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def ask(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        *,
        body: BaseModel | bytes | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline_seconds: float = 0.0,
        wait_seconds: float = 0.0,
    ) -> Answer:
        """Send one request, and the very same again while the queue-service cannot be reached or says: later.

        Args:
            path: already quoted.
            body: a message, or bytes that are sent as they are.
            deadline_seconds: how long to go on repeating; 0 sends once.
            wait_seconds: how long the queue-service may hold a long poll.

        Raises:
            QueueUnavailable, QueueRefused, QueueNonsense.
        """
        url = URL(self._base + path, encoded=True).update_query(query or {})
        raw = body.model_dump_json().encode() if isinstance(body, BaseModel) else body
        bounds = aiohttp.ClientTimeout(total=self._timeout_seconds + wait_seconds, sock_connect=self._timeout_seconds)
        send = partial(self._send, method, url, raw, self._headers(body, headers), bounds)
        exchange = partial(Exchange, Peer.QUEUE_SERVICE, operation(method, path), nonsense=(QueueNonsense,))
        try:
            async for attempt in queue_service_retry(deadline_seconds):
                with attempt:
                    return await self._once(send, exchange, answer)
        except TransientAnswer as error:
            sentence = f"The queue-service answered {error.status}."
            raise QueueUnavailable(sentence, error.retry_after_seconds) from error
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            raise QueueUnavailable(f"The queue-service cannot be reached: {type(error).__name__}.") from error
        msg = "tenacity ends with a result or an exception"
        raise AssertionError(msg)

    def _headers(self, body: BaseModel | bytes | None, headers: Mapping[str, str] | None) -> dict[str, str]:
        sent = dict(headers or {})
        if isinstance(body, BaseModel):
            sent["Content-Type"] = "application/json"
        return sent

    async def _once(
        self, send: Callable[[str, Exchange], Awaitable[_Told]], exchange: Callable[[], Exchange], answer: type[Answer]
    ) -> Answer:
        """One answer. A refused token is replaced by the one that its file holds by now, once."""
        token = self._token.token()
        with exchange() as first:
            status, content = await send(token, first)
            other = self._token.another_than(token) if status == 401 else None
            if other is None:
                return _read(status, content, answer)
        with exchange() as second:
            return _read(*await send(other, second), answer)

    async def _send(
        self,
        method: str,
        url: URL,
        raw: bytes | None,
        headers: Mapping[str, str],
        bounds: aiohttp.ClientTimeout,
        token: str,
        exchange: Exchange,
    ) -> _Told:
        sent = {**headers, "Authorization": f"Bearer {token}"}
        if traceparent := current_traceparent():
            sent[TRACEPARENT_HEADER] = traceparent
        try:
            async with self._session.request(
                method, url, data=_payload(raw), headers=sent, allow_redirects=False, timeout=bounds
            ) as response:
                content = await response.read()
        except (TimeoutError, aiohttp.ClientConnectionError):
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise aiohttp.ClientConnectionError(f"the answer broke off: {type(error).__name__}") from error
        exchange.answered(response.status)
        if response.status in TRANSIENT_STATUSES:
            raise TransientAnswer(response.status, _retry_after_seconds(response.headers.get("Retry-After", "")))
        return response.status, content


def _payload(raw: bytes | None) -> io.BytesIO | bytes | None:
    """A large body as a stream: written whole, it would hold up every other request of the process."""
    return io.BytesIO(raw) if raw is not None and len(raw) > WRITTEN_WHOLE_BYTES else raw


def _retry_after_seconds(header: str) -> float | None:
    return float(header) if header.isascii() and header.isdigit() and len(header) < 6 else None


def _read(status: int, content: bytes, answer: type[Answer]) -> Answer:
    if status >= 500:
        raise QueueUnavailable(f"The queue-service answered {status}.")
    try:
        if 200 <= status < 300:
            # A newer queue-service may say more than this client knows: during a rolling update both run.
            return answer.model_validate_json(content, extra="ignore")
        problem = Problem.model_validate_json(content, extra="ignore")
    except ValidationError as error:
        raise QueueNonsense(f"The queue-service answered {status} in a shape that is not in the contract.") from error
    raise QueueRefused(problem)
