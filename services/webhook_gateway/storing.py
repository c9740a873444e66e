"""Hands leads and events to the queue-service: repeated for 20 seconds, then 503, so that the sender comes again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeVar

from leadline.clients.queue import QueueClient, QueueError, QueueRefused
from leadline.contracts.events import EventSource, EventStored
from leadline.contracts.leads import LeadAccepted, LeadSubmission
from leadline.runtime.http.problems import HttpProblem
from leadline.runtime.logging import get_logger
from services.webhook_gateway import figures

STORE_WITHIN_SECONDS: Final = 20.0
RETRY_AFTER_SECONDS: Final = 10
_RELAYED: Final = frozenset({400, 404, 422})
"""Refusals of a lead that its sender can do something about."""
log = get_logger(__name__)
Stored = TypeVar("Stored")


class Storing:
    """Safe for use by many requests at once. What is not stored is answered 503; nothing is kept here."""

    def __init__(self, queue: QueueClient, *, within_seconds: float = STORE_WITHIN_SECONDS) -> None:
        """`queue` repeats a request for about `within_seconds`; this bounds it exactly."""
        self._queue = queue
        self._within_seconds = within_seconds

    async def store_lead(self, lead: LeadSubmission, operation_id: str | None) -> LeadAccepted:
        """Store a lead.

        Raises:
            HttpProblem: the queue-service's own 400, 404 or 422, or a 503.
        """
        try:
            return await self._bounded("lead", lambda: self._queue.submit_lead(lead, operation_id))
        except QueueRefused as refused:
            problem = refused.problem
            if problem.status not in _RELAYED:
                raise self._not_stored("lead", refused) from refused
            raise HttpProblem(
                problem.status, problem.code, problem.detail, title=problem.title, errors=problem.errors
            ) from refused

    async def store_event(self, raw: bytes, source: EventSource) -> EventStored:
        """Store an event whose sender is known, whatever it holds.

        Raises:
            HttpProblem: 503 and nothing else: the sender must come again.
        """
        try:
            return await self._bounded("event", lambda: self._queue.post_event(raw, source))
        except QueueRefused as refused:
            raise self._not_stored("event", refused) from refused

    async def _bounded(self, kind: Literal["lead", "event"], store: Callable[[], Awaitable[Stored]]) -> Stored:
        try:
            async with asyncio.timeout(self._within_seconds):
                return await store()
        except QueueRefused:
            raise
        except (QueueError, TimeoutError) as error:
            raise self._not_stored(kind, error) from error

    def _not_stored(self, kind: Literal["lead", "event"], error: Exception) -> HttpProblem:
        figures.NOT_STORED.labels(kind).inc()
        code = error.problem.code if isinstance(error, QueueRefused) else getattr(error, "code", "timeout")
        log.error("not_stored", kind=kind, code=code, error=str(error)[:200])
        return HttpProblem(
            503,
            "not_stored",
            f"The {kind} could not be stored now; send it again.",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )
