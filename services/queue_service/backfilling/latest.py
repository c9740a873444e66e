"""The latest call of a lead by the provider's time, whenever it was heard of, and what it decides."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from leadline.domain.attempt import AttemptState
from leadline.domain.lead import CompletionReason
from leadline.domain.plan import Complete, Plan
from leadline.domain.rules.planning import plan_after_result
from leadline.store.numbers import AttemptRow, LeadRow, NumberState
from services.queue_service.policy import Policy


def by_time(attempt: AttemptRow) -> tuple[datetime, str]:
    """The order of calls, whenever they were heard of."""
    return attempt.dispatched_at, attempt.call_id or ""


@dataclass(frozen=True, slots=True)
class LastCall:
    """The call of a lead that decides, and what it decides by itself."""

    call: AttemptRow
    ended_at: datetime
    plan: Plan

    @property
    def is_final(self) -> bool:
        """Whether nothing that the CRM could say would have the number called."""
        return isinstance(self.plan, Complete) and self.plan.reason is not CompletionReason.EXHAUSTED


def last_call(policy: Policy, now: datetime, number: NumberState, lead: LeadRow) -> LastCall | None:
    """The latest ended call of a lead by the provider's time, and its plan; None if the lead has none."""
    calls = sorted(_ended(number.attempts.values(), lead), key=by_time)
    if not calls:
        return None
    promised_at: datetime | None = None
    ended_at = now
    for call in calls:
        ended_at = call.closed_at or call.dispatched_at
        kept = promised_at if promised_at is not None and promised_at > ended_at else None
        promised_at = call.callback_at or kept
    assert calls[-1].outcome is not None
    rules = policy.rules_for(lead.campaign)
    facts, number_facts = number.lead_facts(lead), number.number_facts()
    plan = plan_after_result(now, ended_at, calls[-1].outcome, promised_at, facts, number_facts, rules)
    return LastCall(calls[-1], ended_at, plan)


def _ended(attempts: Iterable[AttemptRow], lead: LeadRow) -> Iterable[AttemptRow]:
    return (a for a in attempts if a.lead_id == lead.id and a.state is AttemptState.ENDED and a.outcome is not None)
