"""Asks `go?` for groups of leases."""

import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from leadline.clients.queue import QueueClient, QueueNonsense
from leadline.contracts.crm import Clearance
from leadline.contracts.leases import SendMark, SendMarkRequest
from leadline.runtime.ids import new_uuid7
from leadline.runtime.tracing import describe, span
from services.dialer import figures
from services.dialer.grouping import Group

GATHER_SECONDS: Final = 0.002
MOST_MARKS: Final = 50
DEADLINE_SECONDS: Final = 3.0
"""How long one `go?` is repeated; its gate would hardly be open any longer."""

_Question = tuple[UUID, Clearance | None]


@dataclass(frozen=True, slots=True)
class Marked:
    """The answer to `go?`. Its milliseconds count from `asked_at`, the monotonic moment before it was first asked."""

    mark: SendMark
    asked_at: float


class Marks:
    """The questions `go?` of one dialer."""

    def __init__(self, queue: QueueClient, dialer: str) -> None:
        self._queue = queue
        self._dialer = dialer
        self._group: Group[_Question, Marked] = Group(self._ask, gather_seconds=GATHER_SECONDS, most=MOST_MARKS)

    async def ask(self, attempt_id: UUID, clearance: Clearance | None = None) -> Marked:
        """Ask for one attempt, as a question of its own (a new operation id).

        Args:
            clearance: what the CRM said of the attempt's number, if it was to be asked.

        Raises:
            QueueError: nobody answered, so the mark may or may not have been set; nothing may be sent.
        """
        return await self._group.submit((attempt_id, clearance))

    async def _ask(self, questions: list[_Question]) -> list[Marked]:
        attempt_ids = [attempt_id for attempt_id, _ in questions]
        # Before the request and never again: a repetition gets the same answer, and the gate must not move with it.
        asked_at = time.monotonic()
        request = SendMarkRequest(
            operation_id=new_uuid7(),
            dialer=self._dialer,
            attempt_ids=attempt_ids,
            clearances=[clearance for _, clearance in questions if clearance is not None],
        )
        with span("ask for marks", root=True) as asking:
            describe(asking, {"count": len(attempt_ids)})
            batch = await self._queue.mark(request, deadline_seconds=DEADLINE_SECONDS)
        answers = {answer.attempt_id: answer for answer in batch.answers}
        if answers.keys() != set(attempt_ids):
            raise QueueNonsense("The answer to `go?` is not about the attempts that were asked for.")
        for answer in batch.answers:
            figures.MARKS.labels(answer.answer).inc()
        return [Marked(answers[attempt_id], asked_at) for attempt_id in attempt_ids]
