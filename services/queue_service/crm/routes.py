"""The routes of the CRM."""

from typing import Final

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
from leadline.contracts.openapi import Parameter, Route
from services.queue_service.route_parts import AUTH, CHANGE, NOT_TAKEN

_KEY: Final = Parameter("Idempotency-Key", "header", "Operation id: a repetition gets the first answer", required=True)
_STATE: Final = Parameter(
    "state", "query", "Of the messages; `dead` if it is not given",
    schema={"enum": ["waiting", "dead", "superseded", "sent"], "default": "dead"},
)  # fmt: skip  # a table is read in columns
_AFTER: Final = Parameter("after", "query", "Id of the last message seen", schema={"type": "integer", "minimum": 0})
_LIMIT: Final = Parameter("limit", "query", "Longest list", schema={"type": "integer", "minimum": 1, "maximum": 1000})

CRM_ROUTES: Final[tuple[Route, ...]] = (
    Route("POST", "/v1/crm/outbox/take", "take_outbox", "Take messages that the CRM is to be told", OutboxBatch,
          TakeRequest, problems=NOT_TAKEN, auth=AUTH),
    Route("POST", "/v1/crm/outbox/report", "report_outbox", "Report what became of messages", CrmStep, OutboxReport,
          problems=NOT_TAKEN, auth=AUTH),
    Route("GET", "/v1/crm/outbox", "list_outbox", "Messages in a state: dead letters, or what waits", OutboxList,
          problems=NOT_TAKEN, auth=AUTH, parameters=(_STATE, _AFTER, _LIMIT)),
    Route("POST", "/v1/crm/outbox/replay", "replay_outbox", "Send dead letters again", Replayed, ReplayRequest,
          problems=CHANGE, auth=AUTH, parameters=(_KEY,)),
    Route("POST", "/v1/crm/questions/take", "take_questions", "Take leads that are held for the CRM's word",
          QuestionBatch, TakeRequest, problems=NOT_TAKEN, auth=AUTH),
    Route("POST", "/v1/crm/questions/answer", "answer_questions", "Say what the CRM said of held leads", CrmStep,
          AnswerRequest, problems=NOT_TAKEN, auth=AUTH),
    Route("GET", "/v1/crm/statuses", "get_crm_statuses", "The statuses of the CRM's account", CrmStatusTable,
          problems=NOT_TAKEN, auth=AUTH),
    Route("PUT", "/v1/crm/statuses", "put_crm_statuses", "Replace the statuses of the CRM's account", CrmStatusTable,
          CrmStatusTable, problems=NOT_TAKEN, auth=AUTH),
)  # fmt: skip  # a table is read in columns
