"""Whole lives, made up by Hypothesis: whatever happens and in whatever order, caps, hours, spacing and finals hold."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.domain.campaign import Campaign
from leadline.domain.facts import LeadFacts, NumberFacts
from leadline.domain.lead import PLANNED_STATUSES, LeadStatus
from leadline.domain.outcome import DEFAULT_FINAL_OUTCOMES, Outcome
from leadline.domain.plan import Complete, Hold, Plan, Redial
from leadline.domain.rules.dispatch import is_allowed, judge
from leadline.domain.rules.legal import legal_hours, zones_of
from leadline.domain.rules.planning import (
    plan_after_inbound,
    plan_after_result,
    plan_new,
    plan_uncounted,
    rest_until_after,
)
from tests.unit.domain.facts import ZONES, a_campaign, a_lead, a_number, hours_texts, instants, minutes


@dataclass
class Life:
    """One number with a lead in each of two campaigns, called by a dialer that obeys the rules."""

    campaigns: tuple[Campaign, Campaign]
    leads: list[LeadFacts]
    number: NumberFacts
    now: datetime
    calls: list[tuple[int, datetime]] = field(default_factory=list)
    finals: dict[int, datetime] = field(default_factory=dict)

    def obey(self, i: int, plan: Plan) -> None:
        lead = self.leads[i]
        match plan:
            case Redial():
                assert plan.due_at >= self.now
                self.leads[i] = replace(
                    lead,
                    status=plan.status,
                    due_at=plan.due_at,
                    scheduled_callback_at=plan.scheduled_callback_at,
                    extra_attempts=lead.extra_attempts + plan.grants_extra_attempt,
                )
            case Complete():
                self.leads[i] = replace(lead, status=LeadStatus.COMPLETED, due_at=None)
            case Hold():
                self.leads[i] = replace(lead, status=LeadStatus.HELD, due_at=None)

    def next_due(self) -> int | None:
        planned = [
            (lead.due_at, i) for i, lead in enumerate(self.leads) if lead.due_at and lead.status in PLANNED_STATUSES
        ]
        return min(planned)[1] if planned else None

    def call(self, i: int, kind: str, outcome: Outcome, talk: timedelta, callback: timedelta | None) -> None:
        """Dispatch lead i when it is due, if the rules still allow it, and let the call come to its outcome."""
        lead, campaign = self.leads[i], self.campaigns[i]
        assert lead.due_at is not None
        self.now = max(self.now, lead.due_at)
        if not is_allowed(judge(self.now, lead, self.number, campaign)):
            self.obey(i, plan_uncounted(self.now, timedelta(0), lead, self.number, campaign))
            return
        sent_at = self.now
        self.number = replace(self.number, last_sent_by=sent_at)
        self.now = sent_at + talk
        if kind == "uncounted":
            self.obey(i, plan_uncounted(self.now, timedelta(0), lead, self.number, campaign))
            return
        self.calls.append((i, sent_at))
        self.number = replace(self.number, dispatches=(*self.number.dispatches, sent_at))
        self.leads[i] = lead = replace(lead, attempts=lead.attempts + 1)
        self._learn(outcome, campaign)
        if outcome in DEFAULT_FINAL_OUTCOMES:
            self.finals[i] = self.now
        wanted = None if callback is None else self.now + callback
        plan = plan_after_result(self.now, self.now, outcome, wanted, lead, self.number, campaign)
        self.obey(i, plan)
        if kind == "then_inbound" and self.leads[i].status in PLANNED_STATUSES:
            self.now += minutes(1)
            heard = plan_after_inbound(self.now, self.now, Outcome.CONFUSED, None, self.leads[i], self.number, campaign)
            self.obey(i, heard)

    def _learn(self, outcome: Outcome, campaign: Campaign) -> None:
        rest = rest_until_after(outcome, self.now, campaign)
        if rest is not None:
            self.number = replace(self.number, rest_until=rest)
        if outcome in {Outcome.DNC, Outcome.DO_NOT_CALL}:
            self.number = replace(self.number, suppression_reason="asked")
        if outcome in {Outcome.SALE, Outcome.ACA}:
            self.number = replace(self.number, sold_outcome=outcome)
        if outcome is Outcome.BAD_NUMBER:
            self.number = replace(self.number, bad_number_reason="not found")


steps = st.tuples(
    st.sampled_from(["counted", "counted", "counted", "uncounted", "then_inbound"]),
    st.sampled_from([*Outcome] + [Outcome.NO_ANSWER] * 10 + [Outcome.TRANSFERRED] * 3),
    st.timedeltas(timedelta(0), timedelta(minutes=20)),
    st.none() | st.timedeltas(timedelta(minutes=-5), timedelta(days=3)),
)


@settings(deadline=None)
@given(
    start=instants,
    hours=hours_texts(),
    zone=st.sampled_from(ZONES),
    daily=st.integers(1, 3),
    life=st.integers(1, 9),
    state=st.sampled_from([None, "FL", "HI", "AK"]),
    story=st.lists(steps, max_size=40),
)
def test_caps_hours_spacing_and_finals_hold_over_any_history(
    start: datetime,
    hours: str,
    zone: str,
    daily: int,
    life: int,
    state: str | None,
    story: list[tuple[str, Outcome, timedelta, timedelta | None]],
) -> None:
    first = a_campaign(hours, zone, max_attempts=life, max_daily_attempts=daily)
    second = a_campaign("Mon-Sun 06:00-23:00", "America/Denver", max_daily_attempts=4)
    tale = Life((first, second), [a_lead(state=state), a_lead(state=state)], a_number(), start)
    for i, campaign in enumerate(tale.campaigns):
        tale.obey(i, plan_new(start, tale.leads[i], tale.number, campaign))
    for kind, outcome, talk, callback in story:
        due = tale.next_due()
        if due is None:
            break
        tale.call(due, kind, outcome, talk, callback)
    check(tale)


def check(tale: Life) -> None:
    for n, (i, at) in enumerate(tale.calls):
        campaign = tale.campaigns[i]
        zone = campaign.hours.zone
        same_day = [b for _, b in tale.calls[: n + 1] if b.astimezone(zone).date() == at.astimezone(zone).date()]
        assert len(same_day) <= campaign.max_daily_attempts
        assert campaign.hours.is_open(at)
        assert legal_hours(campaign.legal_profile, zones_of(tale.leads[i], tale.number)).is_open(at)
    for i, campaign in enumerate(tale.campaigns):
        lead = tale.leads[i]
        assert lead.attempts <= campaign.max_attempts + lead.extra_attempts <= campaign.max_attempts + 1
        assert lead.status not in PLANNED_STATUSES or lead.due_at is not None
        if i in tale.finals:
            assert all(at <= tale.finals[i] for who, at in tale.calls if who == i)
            assert lead.status is LeadStatus.COMPLETED
    moments = [at for _, at in tale.calls]
    assert moments == sorted(moments)
    assert all(b - a >= timedelta(seconds=10) for a, b in pairwise(moments))
    if tale.number.suppression_reason or tale.number.sold_outcome or tale.number.bad_number_reason:
        for lead, campaign in zip(tale.leads, tale.campaigns, strict=True):
            assert not is_allowed(judge(tale.now, lead, tale.number, campaign, leased=True))
