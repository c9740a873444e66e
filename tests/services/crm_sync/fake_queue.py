"""A queue-service in memory, as the CRM's sync sees one: what is taken and not reported comes back when told to."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aiohttp import web

from leadline.contracts.crm import (
    AnswerRequest,
    CrmStatusTable,
    CrmStep,
    OutboxBatch,
    OutboxKind,
    OutboxMessage,
    OutboxReport,
    Question,
    QuestionAnswer,
    QuestionBatch,
    SendResult,
    SentMessage,
    TakeRequest,
)
from leadline.runtime.http.bodies import parse_body, respond
from leadline.runtime.http.problems import HttpProblem, problem_middleware
from leadline.runtime.http.server import serving
from leadline.runtime.ids import new_uuid7

TOKEN = "crm-sync-token"
NUMBER = "+15615550123"


@dataclass
class FakeQueue:
    """`failing`: route -> status that it answers with, until it is taken out."""

    waiting: list[OutboxMessage] = field(default_factory=list)
    taken: dict[int, OutboxMessage] = field(default_factory=dict)
    asked_again: list[Question] = field(default_factory=list)
    refuse_report: Callable[[SentMessage], bool] = lambda _: False
    failing: dict[str, int] = field(default_factory=dict)

    takes: list[TakeRequest] = field(default_factory=list)
    results: list[SentMessage] = field(default_factory=list)
    answers: list[QuestionAnswer] = field(default_factory=list)
    tables: list[CrmStatusTable] = field(default_factory=list)
    most_taken: int = 0
    failures: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, outcome: str | None = "VOICEMAIL", **changes: Any) -> int:
        """A result of a call is to be told."""
        message = _message(len(self.waiting) + len(self.taken) + len(self.results) + 1, outcome, changes)
        self.waiting.append(message)
        return message.id

    def ask(self, number: str = NUMBER) -> UUID:
        """A lead is held for the CRM's word."""
        question = Question(lead_id=new_uuid7(), phone_number=number)
        self.asked_again.append(question)
        return question.lead_id

    def come_back(self) -> None:
        """The time of all that is taken is over."""
        self.waiting += self.taken.values()
        self.taken.clear()

    def of(self, message_id: int) -> list[SentMessage]:
        return [result for result in self.results if result.id == message_id]

    async def take(self, request: web.Request) -> web.Response:
        self._fail_if_told("outbox/take")
        asked = await parse_body(request, TakeRequest)
        self.takes.append(asked)
        batch, self.waiting = self.waiting[: asked.limit], self.waiting[asked.limit :]
        self.taken |= {message.id: message for message in batch}
        self.most_taken = max(self.most_taken, len(self.taken))
        return respond(OutboxBatch(messages=batch))

    async def report(self, request: web.Request) -> web.Response:
        self._fail_if_told("outbox/report")
        asked = await parse_body(request, OutboxReport)
        if any(self.refuse_report(result) for result in asked.results):
            raise HttpProblem(422, "invalid_report", "No.")
        self.results += asked.results
        for result in asked.results:
            message = self.taken.pop(result.id, None)
            if message is not None and result.result is SendResult.LATER:
                self.waiting.append(message.model_copy(update={"tries": message.tries + 1}))
        return respond(CrmStep(counters={}))

    async def take_questions(self, request: web.Request) -> web.Response:
        self._fail_if_told("questions/take")
        asked = await parse_body(request, TakeRequest)
        batch, self.asked_again = self.asked_again[: asked.limit], self.asked_again[asked.limit :]
        return respond(QuestionBatch(questions=batch))

    async def answer(self, request: web.Request) -> web.Response:
        self.answers += (await parse_body(request, AnswerRequest)).answers
        return respond(CrmStep(counters={}))

    async def put_statuses(self, request: web.Request) -> web.Response:
        self._fail_if_told("statuses")
        table = await parse_body(request, CrmStatusTable)
        self.tables.append(table)
        return respond(table)

    def _fail_if_told(self, route: str) -> None:
        if status := self.failing.get(route):
            self.failures += 1
            raise HttpProblem(status, "told_to_fail", "Told to.")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application(middlewares=[problem_middleware({})])
        app.router.add_post("/v1/crm/outbox/take", self.take)
        app.router.add_post("/v1/crm/outbox/report", self.report)
        app.router.add_post("/v1/crm/questions/take", self.take_questions)
        app.router.add_post("/v1/crm/questions/answer", self.answer)
        app.router.add_put("/v1/crm/statuses", self.put_statuses)
        async with serving(app, host="127.0.0.1", port=self.port, drain_seconds=0.05) as self.port:
            yield


def _message(message_id: int, outcome: str | None, changes: dict[str, Any]) -> OutboxMessage:
    fields: dict[str, Any] = {
        "id": message_id,
        "kind": OutboxKind.RESULT,
        "phone_number": NUMBER,
        "outcome": outcome,
        "reason": None,
        "crm_lead_id": f"lead-{message_id}",
        "crm_list_id": "9",
        "fields": {"summary": "Left a message.", "talk_seconds": "25"},
        "tries": 1,
    }
    return OutboxMessage.model_validate(fields | changes)
