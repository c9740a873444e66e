"""The queue-service's routes of the CRM as methods."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from leadline.clients.queue_session import QueueSession
from leadline.contracts.crm import (
    AnswerRequest,
    CrmStatusTable,
    CrmStep,
    OutboxBatch,
    OutboxList,
    OutboxReport,
    QuestionBatch,
    Replayed,
    ReplayRequest,
    TakeRequest,
)

_OUTBOX: Final = "/v1/crm/outbox"
_QUESTIONS: Final = "/v1/crm/questions"
_STATUSES: Final = "/v1/crm/statuses"


class CrmQueue(QueueSession):
    """The routes of the CRM. Safe for use by many tasks at once.

    What is taken by a request whose answer was lost comes back after its seconds.
    """

    async def take_outbox(self, request: TakeRequest) -> OutboxBatch:
        """Take messages that the CRM is to be told."""
        return await self._ask("POST", f"{_OUTBOX}/take", OutboxBatch, body=request)

    async def report_outbox(self, report: OutboxReport) -> CrmStep:
        """Say what became of messages."""
        return await self._ask("POST", f"{_OUTBOX}/report", CrmStep, body=report)

    async def list_outbox(self, state: str = "dead", after: int = 0, limit: int = 100) -> OutboxList:
        """Messages in a state (`waiting`, `dead`, `superseded`, `sent`), in order of id, and how many there are."""
        query = {"state": state, "after": str(after), "limit": str(limit)}
        return await self._ask("GET", _OUTBOX, OutboxList, query=query)

    async def replay_outbox(self, ids: Iterable[int] = (), *, operation_id: UUID | None = None) -> Replayed:
        """Send dead letters again; none named: all of them."""
        return await self._change("POST", f"{_OUTBOX}/replay", Replayed, ReplayRequest(ids=list(ids)), operation_id)

    async def take_questions(self, request: TakeRequest) -> QuestionBatch:
        """Take leads that are held for the CRM's word."""
        return await self._ask("POST", f"{_QUESTIONS}/take", QuestionBatch, body=request)

    async def answer_questions(self, answers: AnswerRequest) -> CrmStep:
        """Say what the CRM said of held leads."""
        return await self._ask("POST", f"{_QUESTIONS}/answer", CrmStep, body=answers)

    async def statuses(self) -> CrmStatusTable:
        """The account's statuses, as the CRM listed them last."""
        return await self._ask("GET", _STATUSES, CrmStatusTable)

    async def put_statuses(self, table: CrmStatusTable) -> CrmStatusTable:
        """Replace the account's statuses."""
        return await self._ask("PUT", _STATUSES, CrmStatusTable, body=table)
