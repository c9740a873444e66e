"""The queue-service's routes of import and export as methods."""

from typing import Final
from uuid import UUID

from leadline.clients.queue_http import Answer
from leadline.clients.queue_session import QueueSession
from leadline.contracts.imports import (
    ExportPage,
    ImportAnswer,
    ImportRequest,
    NumbersAnswer,
    NumbersRequest,
)

_WORK_SECONDS: Final = 60.0
"""A group may be worked on for a while before the answer comes."""
_PATIENCE_SECONDS: Final = 120.0
"""How long a queue-service that has answered once is waited for: a deployment must not end a long import."""


class ImportQueue(QueueSession):
    """The routes of import and export. Safe for use by many tasks at once.

    Every request may be repeated: the second time it changes nothing.
    """

    _has_answered = False

    async def import_leads(self, request: ImportRequest) -> ImportAnswer:
        """Take leads with their past."""
        return await self._patiently("POST", "/v1/imports/leads", ImportAnswer, request)

    async def import_numbers(self, request: NumbersRequest) -> NumbersAnswer:
        """Take numbers that must not be called."""
        return await self._patiently("POST", "/v1/imports/numbers", NumbersAnswer, request)

    async def export_page(self, after: UUID | None = None, limit: int = 500) -> ExportPage:
        """The next leads by id."""
        query = {"limit": str(limit)} | ({"after": str(after)} if after is not None else {})
        return await self._patiently("GET", "/v1/exports/leads", ExportPage, query=query)

    async def _patiently(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        body: ImportRequest | NumbersRequest | None = None,
        query: dict[str, str] | None = None,
    ) -> Answer:
        patience = max(self._deadline_seconds, _PATIENCE_SECONDS) if self._has_answered else self._deadline_seconds
        answered = await self._http.ask(
            method, path, answer, body=body, query=query, deadline_seconds=patience, wait_seconds=_WORK_SECONDS
        )
        self._has_answered = True
        return answered
