"""Rate, errors, duration of every HTTP client. Labels come from closed sets: peer, operation, result."""

import asyncio
import time
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

import aiohttp
from prometheus_client import Counter, Histogram

from leadline.runtime.http.exemplars import exemplar
from leadline.runtime.http.traced import RequestSpan

_Errors = tuple[type[BaseException], ...]


class Peer(StrEnum):
    """Whom we ask."""

    QUEUE_SERVICE = "queue-service"
    BLAND = "bland"
    CONVOSO = "convoso"
    KUBERNETES = "kubernetes"


class Failure(StrEnum):
    """What came of a request that has no status. The other results are `2xx` to `5xx`."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    """None could be made, or it broke off."""
    UNREADABLE = "unreadable"
    """Answered, in a shape that means nothing."""
    ABANDONED = "abandoned"
    """We did not wait for the answer: the process stops, or whoever wanted it is gone."""


REQUESTS: Final = Counter(
    "leadline_http_client_requests",
    "Requests made, by what came of them: 2xx to 5xx, timeout, connection, unreadable, abandoned (not waited for).",
    ("peer", "operation", "result"),
)
REQUEST_SECONDS: Final = Histogram(
    "leadline_http_client_request_seconds",
    "Time from a request's sending to its answer's end, or to its failure; a long poll's wait included.",
    ("peer", "operation"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)


class Exchange:
    """Counts one request: `with Exchange(...) as exchange:` around its sending and the reading of its answer.

    Call `answered` once the answer is read to its end. Errors pass through; one of a client's own is judged by its
    cause. One that is neither of the network nor named below, while nothing was answered, is a fault of ours: then
    nothing is counted.
    """

    def __init__(
        self,
        peer: Peer,
        operation: str,
        *,
        nonsense: _Errors = (),
        withheld: _Errors = (),
        until: float | None = None,
    ) -> None:
        """Make one for each request.

        Args:
            operation: a method and a path without anybody's ids, such as `GET /v1/leads/{id}`.
            nonsense: errors that say that the answer cannot be read; a status that is no success says more.
            withheld: errors by which we ourselves kept the request back, perhaps as the cause of another one.
            until: instant of the loop's clock from which on a cancellation means that the time was up.
        """
        self._peer = peer
        self._operation = operation
        self._nonsense = nonsense
        self._withheld = withheld
        self._until = until
        self._began = self._seconds = 0.0
        self._status: int | None = None
        self._span = RequestSpan(peer, operation)

    def answered(self, status: int) -> None:
        """The answer is here."""
        self._status = status
        self._seconds = time.perf_counter() - self._began

    def __enter__(self) -> Self:
        self._span.begin()
        self._began = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failure = None if error is None else self._failure(error)
        try:
            self._close(failure)
        finally:
            self._span.end(self._status, None if error is None else failure or type(error).__name__)

    def _close(self, failure: Failure | None) -> None:
        if failure is None and self._status is None:
            return
        if self._status is None:
            self._seconds = time.perf_counter() - self._began
        self._count(self._status, failure)

    def _count(self, status: int | None, failure: Failure | None) -> None:
        """Of status and failure at least one is something."""
        result = failure or f"{(status or 0) // 100}xx"
        REQUESTS.labels(self._peer, self._operation, result).inc()
        REQUEST_SECONDS.labels(self._peer, self._operation).observe(self._seconds, exemplar())

    def _failure(self, error: BaseException) -> Failure | None:
        if isinstance(error, self._nonsense) and (self._status is None or 200 <= self._status < 300):
            return Failure.UNREADABLE
        cause = error.__cause__
        if self._status is not None or isinstance(error, self._withheld) or isinstance(cause, self._withheld):
            return None
        match error:
            case TimeoutError():
                return Failure.TIMEOUT
            case aiohttp.ClientResponseError() | ValueError():
                return Failure.UNREADABLE
            case aiohttp.ClientError() | OSError():
                return Failure.CONNECTION
            case asyncio.CancelledError():
                return Failure.TIMEOUT if self._is_over() else Failure.ABANDONED
            case _:
                return None if cause is None else self._failure(cause)

    def _is_over(self) -> bool:
        return self._until is not None and asyncio.get_running_loop().time() >= self._until
