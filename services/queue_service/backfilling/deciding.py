"""Numbers that are known from history alone are decided, once all of the history is recorded.

The latest call by the provider's time decides, then the CRM. Nothing learned is no permission.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from leadline.contracts.backfill import Candidate, CandidateBatch, CandidateRequest, Decision
from leadline.contracts.crm import Learned
from leadline.domain.crm import CrmStanding
from leadline.domain.ids import LeadId
from leadline.domain.lead import PLANNED_STATUSES, LeadStatus
from leadline.domain.outcome import Outcome
from leadline.domain.plan import Complete
from leadline.store import backfill, phones
from leadline.store.changes import Changes
from leadline.store.clock import get_clock
from leadline.store.connection import Connection
from leadline.store.numbers import LeadRow, NumberState, load_numbers
from services.queue_service.backfilling.history import READ_IN_HISTORY, known_until
from services.queue_service.backfilling.latest import LastCall, by_time, last_call
from services.queue_service.backfilling.runs import Run
from services.queue_service.crm.standings import apply_standing
from services.queue_service.hearing import plan_after_call
from services.queue_service.policy import Policy
from services.queue_service.settle import apply_plan, bad_number, complete_lead, keep_calling

NOT_ASKED = Learned(standing=CrmStanding.UNKNOWN, problem="the CRM was not asked")
FIRST_ID = UUID(int=0)


async def list_candidates(conn: Connection, policy: Policy, run: Run, asked: CandidateRequest) -> CandidateBatch:
    """The next leads of a run that wait for a decision."""
    found = await backfill.list_candidates(
        conn,
        run.id,
        after=asked.after or FIRST_ID,
        starts_at=run.starts_at,
        ends_at=run.ends_at,
        limit=asked.limit,
    )
    numbers = await load_numbers(conn, sorted(set(found.values())))
    now = (await get_clock(conn)).now
    return CandidateBatch(
        candidates=[
            Candidate(lead_id=lead_id, phone_number=phone, ask_crm=_asks_crm(policy, now, numbers[phone], lead_id))
            for lead_id, phone in found.items()
        ]
    )


def _asks_crm(policy: Policy, now: datetime, number: NumberState, lead_id: LeadId) -> bool:
    lead = number.leads[lead_id]
    last = last_call(policy, now, number, lead)
    return lead.is_known_from_calls_alone and not (last is not None and last.is_final)


async def decide_group(conn: Connection, policy: Policy, run: Run, decisions: Sequence[Decision]) -> Counter[str]:
    """End or plan candidates inside the caller's transaction. Whoever was decided meanwhile is left."""
    tally: Counter[str] = Counter()
    lead_ids = [LeadId(decision.lead_id) for decision in decisions]
    found = await backfill.find_phones(conn, lead_ids)
    wanted = sorted(set(found.values()))
    await phones.lock_phones(conn, wanted)
    numbers = await load_numbers(conn, wanted)
    news = await backfill.forget_news(conn, run.id, lead_ids)
    changes = Changes(now=(await get_clock(conn)).now, actor="backfill")
    for decision in decisions:
        lead_id = LeadId(decision.lead_id)
        if lead_id not in found:
            tally["no_such_lead"] += 1
            continue
        number = numbers[found[lead_id]]
        tally[_decide(changes, policy, number, number.leads[lead_id], decision.learned, is_news=lead_id in news)] += 1
    await changes.flush(conn)
    return tally


def _decide(
    changes: Changes, policy: Policy, number: NumberState, lead: LeadRow, learned: Learned | None, *, is_news: bool
) -> str:
    """Decide about one lead; returns what became of it."""
    last = last_call(policy, changes.now, number, lead)
    if last is None or not (lead.is_known_from_calls_alone or is_news):
        return "decided_before"
    if lead.is_known_from_calls_alone:
        _decide_new(changes, policy, number, lead, last, learned or NOT_ASKED)
        return "added" if lead.status in PLANNED_STATUSES else f"{lead.status}_{lead.status_reason}"
    return "replanned" if _replan(changes, number, lead, last) else "decided_before"


def _decide_new(
    changes: Changes, policy: Policy, number: NumberState, lead: LeadRow, last: LastCall, learned: Learned
) -> None:
    if last.is_final:
        _complete(changes, number, lead, last)
    elif apply_standing(changes, policy, number, lead, learned, cause="backfill"):
        apply_plan(changes, number, lead, last.plan, cause="backfill", details=_details(last))
        keep_calling(changes, number, lead)


def _complete(changes: Changes, number: NumberState, lead: LeadRow, last: LastCall) -> None:
    assert isinstance(last.plan, Complete)
    _end_bad_number(changes, number, last)
    if lead.status is not LeadStatus.COMPLETED:
        complete_lead(changes, lead, last.plan.reason, cause="backfill", details=_details(last))


def _end_bad_number(changes: Changes, number: NumberState, last: LastCall) -> None:
    """A number is bad for every lead only if no later call, of whichever lead, reached it."""
    if last.call.outcome is Outcome.BAD_NUMBER and last.call is max(number.attempts.values(), key=by_time):
        bad_number(changes, number, str(Outcome.BAD_NUMBER), cause="backfill")


def _replan(changes: Changes, number: NumberState, lead: LeadRow, last: LastCall) -> bool:
    """A lead that was there before: planned by a newer call as if its event had come."""
    is_newer = last.call.close_reason == READ_IN_HISTORY and last.ended_at > known_until(number, lead)
    if not is_newer or lead.status is LeadStatus.COMPLETED:
        return False
    _end_bad_number(changes, number, last)
    plan_after_call(changes, number, lead, last.plan, _details(last), last.ended_at)
    return True


def _details(last: LastCall) -> dict[str, str | None]:
    return {"outcome": last.call.outcome, "call_id": last.call.call_id}
