"""Asks the CRM again about leads that are held because its word is missing."""

from collections.abc import Sequence

from leadline.clients.queue_crm import CrmQueue
from leadline.contracts.crm import AnswerRequest, Question, QuestionAnswer, TakeRequest
from leadline.crm.port import Crm
from leadline.domain.crm import CrmStanding
from leadline.domain.ids import PhoneNumber
from leadline.domain.phone import masked
from leadline.runtime.logging import get_logger
from services.crm_sync import figures
from services.crm_sync.carrying import Job

log = get_logger(__name__)


class Asking:
    """The questions' work. What is not learned is asked again later: the queue-service says when."""

    def __init__(self, crm: Crm, queue: CrmQueue) -> None:
        self._crm = crm
        self._queue = queue

    def job(self) -> Job[Question, QuestionAnswer]:
        """For a carrier."""
        return Job("questions", self._take, self._ask, self._report)

    async def _take(self, request: TakeRequest) -> Sequence[Question]:
        return (await self._queue.take_questions(request)).questions

    async def _report(self, answers: list[QuestionAnswer]) -> None:
        await self._queue.answer_questions(AnswerRequest(answers=answers))

    async def _ask(self, question: Question) -> QuestionAnswer:
        learned = await self._crm.standing(PhoneNumber(question.phone_number))
        figures.QUESTIONS.labels(learned.standing).inc()
        say = log.warning if learned.standing is CrmStanding.UNKNOWN else log.info
        say(
            "crm_question_asked",
            lead_id=question.lead_id,
            phone=masked(question.phone_number),
            standing=learned.standing,
            status=learned.status,
            problem=learned.problem,
        )
        return QuestionAnswer(lead_id=question.lead_id, **learned.model_dump())
