"""The CRM's side between our processes: clearances, the outbox, what is asked again, the account's statuses."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from leadline.contracts.base import Message
from leadline.domain.crm import CrmStanding, CrmStatus

LONGEST_NAME = 200
MAX_CRM_GROUP = 200
"""Most items in one request about the CRM."""


MessageId = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""A place in the outbox."""


class Learned(Message):
    """What the CRM was heard to say of a number."""

    standing: CrmStanding
    status: str | None = Field(default=None, max_length=64)
    """The code that decided, as the CRM spells it."""
    crm_lead_id: str | None = Field(default=None, max_length=128)
    """The CRM's lead that decided."""
    crm_list_id: str | None = Field(default=None, max_length=128)
    problem: str | None = Field(default=None, max_length=500)
    """With `unknown`: why it could not be learned."""


class Clearance(Learned):
    """What the CRM said of an attempt's number, between its lease and its send mark."""

    attempt_id: UUID


class CrmStatusEntry(Message):
    """One status of the account."""

    code: str = Field(min_length=1, max_length=64)
    name: str = Field(max_length=LONGEST_NAME)
    final: bool
    success: bool
    dnc: bool


class CrmStatusTable(Message):
    """`PUT` and `GET /v1/crm/statuses`: the account's statuses, whole."""

    statuses: list[CrmStatusEntry] = Field(max_length=5000)

    @classmethod
    def of(cls, statuses: Iterable[CrmStatus]) -> "CrmStatusTable":
        """The table of these statuses; a name that is too long is cut."""
        return cls(
            statuses=[
                CrmStatusEntry(code=s.code, name=s.name[:LONGEST_NAME], final=s.final, success=s.success, dnc=s.dnc)
                for s in statuses
            ]
        )


class OutboxKind(StrEnum):
    """What the CRM is told."""

    RESULT = "result"
    """How a call came out."""
    SUPPRESSION = "suppression"
    """A number said stop."""


class OutboxMessage(Message):
    """One thing to tell the CRM."""

    id: int
    kind: OutboxKind
    phone_number: str
    outcome: str | None
    reason: str | None
    crm_lead_id: str | None
    """The sender's id of the lead; without it there is nothing to update."""
    crm_list_id: str | None
    fields: dict[str, str]
    """What else is known of the call, by our own names (`summary`, `answered_by`, `talk_seconds` ...)."""
    tries: int
    keeps_status: bool = False
    """The lead has had its last word since, and this outcome is none: the CRM gets the fields and no status."""


class TakeRequest(Message):
    """`POST /v1/crm/outbox/take` and `POST /v1/crm/questions/take`: take up to `limit` for so many real seconds."""

    limit: int = Field(ge=1, le=MAX_CRM_GROUP)
    seconds: float = Field(ge=1, le=3600)


class OutboxBatch(Message):
    """What was taken, at most one message of a subject; the first of it that is still waiting."""

    messages: list[OutboxMessage]


class SendResult(StrEnum):
    """What became of a message."""

    SENT = "sent"
    LATER = "later"
    """The CRM could not be asked; the message waits as long as it takes."""
    REFUSED = "refused"
    """The CRM said no and will say so again: a dead letter, for people."""


class SentMessage(Message):
    """What became of one message."""

    id: MessageId
    result: SendResult
    problem: str | None = Field(default=None, max_length=500)
    retry_after_seconds: float | None = Field(default=None, ge=0, le=86400)


class OutboxReport(Message):
    """`POST /v1/crm/outbox/report`. Idempotent."""

    results: list[SentMessage] = Field(min_length=1, max_length=MAX_CRM_GROUP)


class OutboxEntry(Message):
    """One message as operators see it."""

    id: int
    kind: OutboxKind
    state: str
    lead_id: UUID | None
    phone_number: str
    outcome: str | None
    reason: str | None
    created_at: datetime
    tries: int
    last_error: str | None


class OutboxList(Message):
    """`GET /v1/crm/outbox?state=dead&after=&limit=`: in order of id."""

    entries: list[OutboxEntry]
    counts: dict[str, int]
    """How many there are in each state that is not `sent`."""


class ReplayRequest(Message):
    """`POST /v1/crm/outbox/replay`: dead letters to send again; none named: all of them."""

    ids: list[MessageId] = Field(default=[], max_length=1000)


class Replayed(Message):
    """How many wait again, and how many were overtaken by later news of the same lead and are closed."""

    waiting: int
    superseded: int


class Question(Message):
    """A lead that is held because the CRM's word is missing."""

    lead_id: UUID
    phone_number: str


class QuestionBatch(Message):
    """Numbers to ask about now."""

    questions: list[Question]


class QuestionAnswer(Learned):
    """What the CRM said of a held lead's number."""

    lead_id: UUID


class AnswerRequest(Message):
    """`POST /v1/crm/questions/answer`: `open` plans the lead, a final standing ends it, `unknown` asks again later."""

    answers: list[QuestionAnswer] = Field(min_length=1, max_length=MAX_CRM_GROUP)


class CrmStep(Message):
    """What was done, by reason."""

    counters: dict[str, int]
