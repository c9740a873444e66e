"""The routes of the CRM over HTTP, and the client that asks them."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from leadline.clients.queue_crm import CrmQueue
from leadline.contracts.crm import (
    AnswerRequest,
    CrmStatusEntry,
    CrmStatusTable,
    OutboxReport,
    QuestionAnswer,
    SendResult,
    SentMessage,
    TakeRequest,
)
from leadline.domain.crm import CrmStanding
from leadline.runtime.postgres import Pool
from tests.services.queue_service.crm_scenes import WITH_CRM, hold_for_crm, sent, take
from tests.services.queue_service.desk import PHONE, Desk, desk_open
from tests.services.queue_service.scenes import call, due_lead
from tests.services.queue_service.web import TOKENS, Web

TAKE = TakeRequest(limit=10, seconds=60)


@pytest.fixture
async def desk(pool: Pool) -> AsyncIterator[Desk]:
    async with desk_open(pool, WITH_CRM) as opened:
        yield opened


@pytest.fixture
async def sync(web: Web) -> AsyncIterator[CrmQueue]:
    """The client, as the process that synchronises."""
    async with CrmQueue(str(web.client.make_url("")), TOKENS["crm-sync"]) as queue:
        yield queue


@pytest.fixture
async def operator(web: Web) -> AsyncIterator[CrmQueue]:
    """The client, as an operator."""
    async with CrmQueue(str(web.client.make_url("")), TOKENS["operator"]) as queue:
        yield queue


async def test_a_message_from_its_taking_to_its_end(desk: Desk, sync: CrmQueue, operator: CrmQueue) -> None:
    await due_lead(desk)
    await call(desk)
    (message,) = (await sync.take_outbox(TAKE)).messages
    assert (message.kind, message.outcome, message.phone_number) == ("result", "NO_ANSWER", PHONE)
    refused = SentMessage(id=message.id, result=SendResult.REFUSED, problem="6001 No such Lead")
    assert (await sync.report_outbox(OutboxReport(results=[refused]))).counters["dead"] == 1
    listed = await operator.list_outbox()
    assert [(entry.id, entry.last_error) for entry in listed.entries] == [(message.id, "6001 No such Lead")]
    assert listed.counts == {"waiting": 0, "dead": 1, "superseded": 0}
    key = uuid4()
    for _ in range(2):
        assert (await operator.replay_outbox([message.id], operation_id=key)).waiting == 1
    assert (await operator.list_outbox()).entries == []
    assert [entry.id for entry in (await operator.list_outbox("waiting")).entries] == [message.id]


async def test_the_list_goes_on_behind_the_last_entry_seen(desk: Desk, operator: CrmQueue) -> None:
    for n in range(3):
        await due_lead(desk, f"+1561555020{n}")
        await call(desk, f"call-{n}")
    await sent(desk, *await take(desk))
    first = await operator.list_outbox("sent", limit=2)
    rest = await operator.list_outbox("sent", after=first.entries[-1].id)
    assert [len(first.entries), len(rest.entries)] == [2, 1]


async def test_a_question_from_its_taking_to_its_answer(desk: Desk, sync: CrmQueue) -> None:
    lead_id = await hold_for_crm(desk)
    (question,) = (await sync.take_questions(TAKE)).questions
    assert (question.lead_id, question.phone_number) == (lead_id, PHONE)
    answered = QuestionAnswer(lead_id=lead_id, standing=CrmStanding.OPEN)
    assert (await sync.answer_questions(AnswerRequest(answers=[answered]))).counters == {"open": 1}
    assert (await desk.lead(lead_id)).status == "pending"


async def test_the_statuses_are_replaced_as_a_whole(sync: CrmQueue) -> None:
    def table(*codes: str) -> CrmStatusTable:
        entries = [CrmStatusEntry(code=c, name=c, final=True, success=False, dnc=False) for c in codes]
        return CrmStatusTable(statuses=entries)

    assert (await sync.put_statuses(table("NI", "sale"))).statuses[1].code == "SALE"
    await sync.put_statuses(table("NI", "DNC", "NI "))
    assert [entry.code for entry in (await sync.statuses()).statuses] == ["DNC", "NI"]


@pytest.mark.parametrize("caller", ["gateway", "dialer", "sweep", "backfill"])
async def test_the_outbox_is_the_business_of_one_process(web: Web, caller: str) -> None:
    for path in ("outbox/take", "outbox/report", "outbox/replay", "questions/take", "questions/answer"):
        assert (await web.ask("POST", f"/v1/crm/{path}", {}, caller=caller)).status == 403


async def test_dead_letters_are_an_operators_business(web: Web) -> None:
    assert (await web.ask("GET", "/v1/crm/outbox", caller="crm-sync")).status == 403
    assert (await web.ask("POST", "/v1/crm/outbox/replay", {"ids": []}, caller="crm-sync")).status == 403


async def test_a_replay_needs_an_operation_id(web: Web) -> None:
    assert (await web.ask("POST", "/v1/crm/outbox/replay", {"ids": []})).code == "operation_id_needed"


@pytest.mark.parametrize("query", ["state=lost", "limit=0", "after=-1", "after=99999999999999999999", "page=2"])
async def test_a_wrong_query_is_refused(web: Web, query: str) -> None:
    assert (await web.ask("GET", f"/v1/crm/outbox?{query}")).status == 400


async def test_the_explanation_says_that_the_crm_is_asked_again(desk: Desk, web: Web) -> None:
    lead_id = await hold_for_crm(desk)
    said = await web.explain(lead_id)
    held = "the lead is held until the CRM's word on the number is learned; it is asked again."
    assert said["verdict"] == f"The lead is not called: {held}"
    rules = {rule["rule"]: rule["code"] for rule in said["rules"]}
    assert rules["crm_clearance"] == "crm_asked_first"
    assert rules["status"] == "status_held_for_crm"


async def test_the_explanation_says_that_the_crm_need_not_be_asked(desk: Desk, web: Web) -> None:
    rules = {rule["rule"]: rule for rule in (await web.explain(await due_lead(desk)))["rules"]}
    assert (rules["crm_clearance"]["code"], rules["crm_clearance"]["allowed"]) == ("crm_not_asked", True)
