"""When a failed request is made again: one policy for each thing depended on, and none around a provider's dial."""

import asyncio

import aiohttp
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_before_delay
from tenacity.wait import wait_base, wait_exponential_jitter

FIRST_WAIT_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 2.0


class TransientAnswer(Exception):
    """Our own service answered 429, 502, 503 or 504: the same request with the same operation id may be made again."""

    def __init__(self, status: int, retry_after_seconds: float | None = None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.retry_after_seconds = retry_after_seconds


TRANSIENT_STATUSES = frozenset({429, 502, 503, 504})


class _WaitAsAsked(wait_base):
    """What the service asked for if it did (never more than the longest wait), else back-off with jitter."""

    def __init__(self) -> None:
        self._backoff = wait_exponential_jitter(
            multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS, jitter=FIRST_WAIT_SECONDS * 2
        )

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        if isinstance(error, TransientAnswer) and error.retry_after_seconds is not None:
            return min(error.retry_after_seconds, LONGEST_WAIT_SECONDS)
        return self._backoff(retry_state)


def queue_service_retry(deadline_seconds: float) -> AsyncRetrying:
    """Requests to our own queue-service, all of which carry an operation id or change nothing.

    Retries lost connections, time-outs and `TransientAnswer` until the next wait would pass the deadline, then raises
    the last error.
    `async for attempt in queue_service_retry(20): with attempt: ...` or `await queue_service_retry(20)(function)`.
    """
    return AsyncRetrying(
        retry=retry_if_exception_type((aiohttp.ClientConnectionError, asyncio.TimeoutError, TransientAnswer)),
        wait=_WaitAsAsked(),
        stop=stop_before_delay(deadline_seconds),
        reraise=True,
    )
