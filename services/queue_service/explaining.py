"""Why a lead is due when it is, or why it is not called: every rule's answer, in words."""

from leadline.contracts.operators import Explanation, RuleView
from leadline.domain.explanation import verdict, words
from leadline.domain.ids import LeadId
from leadline.domain.lead import PLANNED_STATUSES
from leadline.domain.reasons import Code, Rule, RuleAnswer
from leadline.domain.rules.dispatch import first_legal, judge
from leadline.store import gate, leads, pace
from leadline.store.connection import Connection
from leadline.store.gate import Gate
from leadline.store.numbers import LeadRow, NumberState, load_numbers
from services.queue_service.crm import clearing
from services.queue_service.marking import count_calls_left
from services.queue_service.operating import NotFound
from services.queue_service.policy import Policy


async def explain(conn: Connection, policy: Policy, lead_id: LeadId) -> Explanation:
    """Ask every rule about a lead as it stands now. Raises NotFound."""
    phone_number = await leads.find_phone(conn, lead_id)
    if phone_number is None:
        raise NotFound(f"there is no lead {lead_id}: look it up by number with GET /v1/leads?phone_number=")
    number = (await load_numbers(conn, [phone_number]))[phone_number]
    state = await gate.read_gate(conn)
    lead = number.leads[lead_id]
    rules, facts, about_number = policy.rules_for(lead.campaign), number.lead_facts(lead), number.number_facts()
    answers = judge(state.now, facts, about_number, rules)
    answers += _switches(policy, state, lead)
    answers.append(_clearance(policy, number))
    answers.append(await _pace(conn, policy, state))
    next_at = None
    if lead.status in PLANNED_STATUSES and not lead.calling:
        next_at = first_legal(max(state.now, lead.due_at or state.now), facts, about_number, rules)
    return Explanation(
        lead_id=lead_id,
        at=state.now,
        verdict=verdict(answers, next_at, rules.hours.zone),
        next_call_at=next_at,
        rules=[RuleView(rule=a.rule, allowed=a.allowed, code=a.code, words=words(a), until=a.until) for a in answers],
    )


def _switches(policy: Policy, state: Gate, lead: LeadRow) -> list[RuleAnswer]:
    paused = state.paused_campaigns.get(lead.campaign)
    if lead.campaign not in policy.campaigns:
        paused = paused or "not configured any more"
    held = "failover" if state.failover else state.held_reason
    return [
        _switch(Rule.CAMPAIGN_PAUSE, Code.CAMPAIGN_RUNNING, Code.CAMPAIGN_PAUSED, paused),
        _switch(Rule.ACCOUNT_PAUSE, Code.ACCOUNT_RUNNING, Code.ACCOUNT_PAUSED, state.account_pause_reason),
        _switch(Rule.DISPATCH_HOLD, Code.DISPATCH_RUNNING, Code.DISPATCH_HELD, held),
    ]


def _switch(rule: Rule, running: Code, stopped: Code, reason: str | None) -> RuleAnswer:
    if reason is None:
        return RuleAnswer(rule, allowed=True, code=running)
    return RuleAnswer(rule, allowed=False, code=stopped, facts={"reason": reason})


def _clearance(policy: Policy, number: NumberState) -> RuleAnswer:
    asked = clearing.is_needed(policy, number)
    return RuleAnswer(Rule.CRM_CLEARANCE, allowed=True, code=Code.CRM_ASKED_FIRST if asked else Code.CRM_NOT_ASKED)


async def _pace(conn: Connection, policy: Policy, state: Gate) -> RuleAnswer:
    calls_left = await count_calls_left(conn, policy, state.now, state.speed, leased_hold_slots=False)
    if calls_left == 0:
        return RuleAnswer(
            Rule.PACE, allowed=False, code=Code.PACE_FULL, facts={"reason": "the plan's caps are used up"}
        )
    next_slot_at = await pace.read_pace(conn, policy.account)
    if next_slot_at is not None and next_slot_at > state.now:
        return RuleAnswer(Rule.PACE, allowed=False, code=Code.PACE_FULL, until=next_slot_at)
    return RuleAnswer(Rule.PACE, allowed=True, code=Code.PACE_FREE)
