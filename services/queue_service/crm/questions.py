"""Leads that are held for the CRM's word: who is to be asked about now, and what the answers do."""

from collections.abc import Sequence

from leadline.contracts.crm import CrmStep, Question, QuestionAnswer, QuestionBatch
from leadline.domain.crm import CrmStanding
from leadline.domain.ids import LeadId
from leadline.domain.lead import HeldReason, LeadStatus
from leadline.domain.rules.planning import plan_resumed
from leadline.store import crm_questions, leads, phones
from leadline.store.changes import Changes
from leadline.store.clock import get_clock
from leadline.store.connection import Connection
from leadline.store.numbers import LeadRow, NumberState, load_numbers
from services.queue_service.crm.standings import apply_standing
from services.queue_service.policy import Policy
from services.queue_service.settle import apply_plan, keep_calling

CAUSE = "crm_answer"


async def take(conn: Connection, limit: int, seconds: float) -> QuestionBatch:
    """Give leads to an asker for so many real seconds, in the caller's transaction."""
    rows = await crm_questions.take_questions(conn, limit, seconds)
    return QuestionBatch(questions=[Question(lead_id=r["lead_id"], phone_number=r["phone_number"]) for r in rows])


async def answer(conn: Connection, policy: Policy, answers: Sequence[QuestionAnswer]) -> CrmStep:
    """Plan, end or ask again, in the caller's transaction. A lead that waits no longer hears a final word alone."""
    wanted = await leads.list_phones(conn, [LeadId(a.lead_id) for a in answers])
    await phones.lock_phones(conn, list(wanted.values()))
    numbers = await load_numbers(conn, list(wanted.values()))
    changes = Changes(now=(await get_clock(conn)).now, actor="crm")
    counters: dict[str, int] = {}
    unanswered: list[tuple[LeadId, str | None]] = []
    settled: list[LeadId] = []
    for one in answers:
        lead_id = LeadId(one.lead_id)
        number = numbers.get(wanted[lead_id]) if lead_id in wanted else None
        done = "not_held" if number is None else _answer(changes, policy, number, number.leads[lead_id], one)
        counters[done] = counters.get(done, 0) + 1
        if done == CrmStanding.UNKNOWN:
            unanswered.append((lead_id, one.problem))
        else:
            settled.append(lead_id)
    await changes.flush(conn)
    await crm_questions.ask_later(conn, unanswered)
    await crm_questions.forget_questions(conn, settled)
    return CrmStep(counters=counters)


def _answer(changes: Changes, policy: Policy, number: NumberState, lead: LeadRow, one: QuestionAnswer) -> str:
    """Counts by standing. A final word is heard whatever the lead waits for."""
    waits = lead.status is LeadStatus.HELD and lead.status_reason == HeldReason.CRM_UNKNOWN
    if not waits and one.standing in {CrmStanding.OPEN, CrmStanding.UNKNOWN}:
        return "not_held"
    if apply_standing(changes, policy, number, lead, one, cause=CAUSE):
        rules = policy.rules_for(lead.campaign)
        plan = plan_resumed(changes.now, number.lead_facts(lead), number.number_facts(), rules)
        apply_plan(changes, number, lead, plan, cause=CAUSE, details={"crm_status": one.status})
        keep_calling(changes, number, lead)
    return one.standing
