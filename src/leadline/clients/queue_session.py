"""A session with the queue-service that repeats what may be repeated: what every set of routes stands on."""

from collections.abc import Mapping
from typing import Final, Self, TypedDict, Unpack
from uuid import UUID

from pydantic import BaseModel

from leadline.clients.queue_http import IDEMPOTENCY_KEY, Answer, QueueHttp
from leadline.clients.token_source import TokenSource
from leadline.runtime.ids import new_uuid7

DEFAULT_DEADLINE_SECONDS: Final = 20.0


class Sending(TypedDict, total=False):
    """What a request may carry beside its route."""

    body: BaseModel | bytes | None
    query: Mapping[str, str] | None
    headers: Mapping[str, str] | None
    wait_seconds: float


class QueueSession:
    """Asks the queue-service. Make it inside a running loop; close it, or use `async with`.

    Every method of a subclass may raise QueueUnavailable (nobody answered within the deadline; it may have been done),
    QueueRefused (a problem document) and QueueNonsense.
    """

    def __init__(
        self,
        base_url: str,
        token: str | TokenSource,
        *,
        timeout_seconds: float = 10.0,
        deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
    ) -> None:
        """Open a session.

        Args:
            token: what is shown; a source is asked anew for every request.
            timeout_seconds: bound of one request.
            deadline_seconds: how long a request is repeated while nobody answers.
        """
        self._http = QueueHttp(base_url, token, timeout_seconds=timeout_seconds)
        self._deadline_seconds = deadline_seconds

    async def __aenter__(self) -> Self:
        """Nothing to wait for."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    async def _ask(self, method: str, path: str, answer: type[Answer], **sending: Unpack[Sending]) -> Answer:
        return await self._http.ask(method, path, answer, deadline_seconds=self._deadline_seconds, **sending)

    async def _change(
        self, method: str, path: str, answer: type[Answer], body: BaseModel, operation_id: UUID | None
    ) -> Answer:
        """Make one id for all repetitions, so that the change is made once."""
        headers = {IDEMPOTENCY_KEY: str(operation_id or new_uuid7())}
        return await self._ask(method, path, answer, body=body, headers=headers)
