"""What becomes of a lead that comes from other records."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from leadline.domain.lead import CompletionReason, HeldReason, LeadStatus, PriorityBand
from leadline.domain.plan import Complete, Hold, PlanReason, Redial
from leadline.domain.rules.planning import plan_imported, plan_resumed
from tests.unit.domain.facts import a_campaign, a_lead, a_number, at, minutes

NOON = at("2026-01-05 12:00")
HOUR = timedelta(hours=1)


def plan(due_at: datetime | None, promised_at: datetime | None = None, **lead: Any) -> Redial:
    planned = plan_imported(NOON, due_at, promised_at, a_lead(**lead), a_number(), a_campaign())
    assert isinstance(planned, Redial)
    return planned


def test_a_lead_without_a_past_is_a_new_lead() -> None:
    assert plan(None) == Redial(LeadStatus.PENDING, NOON, PriorityBand.FRESH, PlanReason.IMPORTED)
    waits = a_campaign(cadence=(minutes(3),))
    planned = plan_imported(NOON, None, None, a_lead(), a_number(), waits)
    assert isinstance(planned, Redial)
    assert planned.due_at == NOON + minutes(3)


@pytest.mark.parametrize(
    ("due_at", "last_call", "expected"),
    [
        (NOON - HOUR, NOON - HOUR, NOON),
        (NOON + HOUR, NOON - HOUR, NOON + HOUR),
        (NOON, NOON - minutes(1), NOON + minutes(4)),
        (None, NOON - minutes(1), NOON + minutes(4)),
        (None, NOON + 9 * HOUR, NOON + minutes(5)),
        (at("2026-01-05 21:00"), NOON - HOUR, at("2026-01-06 11:00")),
    ],
)
def test_its_due_time_holds_but_not_before_the_cadence(
    due_at: datetime | None, last_call: datetime, expected: datetime
) -> None:
    assert plan(due_at, attempts=2, last_call_before=last_call).due_at == expected


def test_a_promise_is_outside_the_cadence_unless_it_was_called_since() -> None:
    promised_at = NOON - minutes(10)
    before, since = promised_at - minutes(1), NOON - minutes(1)
    assert plan(None, promised_at, attempts=2, last_call_before=before).due_at == NOON
    assert plan(None, promised_at, attempts=2, last_call_before=since).due_at == NOON + minutes(4)


def test_a_used_up_life_is_over_but_for_one_promise() -> None:
    rules = a_campaign()
    for attempts, promised_at in ((8, None), (9, NOON + HOUR), (45, NOON + HOUR)):
        over = plan_imported(NOON, NOON, promised_at, a_lead(attempts=attempts), a_number(), rules)
        assert over == Complete(CompletionReason.EXHAUSTED)
    assert plan(NOON, NOON + HOUR, attempts=8).grants_extra_attempt


def test_what_holds_for_the_number_comes_first() -> None:
    suppressed = a_number(suppression_reason="stop")
    planned = plan_imported(NOON, NOON, NOON + HOUR, a_lead(), suppressed, a_campaign())
    assert planned == Complete(CompletionReason.DNC)


def test_no_legal_hour_holds_it() -> None:
    rules = a_campaign(max_daily_attempts=0)
    assert plan_imported(NOON, None, None, a_lead(attempts=1), a_number(), rules) == Hold(HeldReason.NO_LEGAL_WINDOW)


def test_the_last_call_without_a_record_counts_when_a_lead_is_resumed() -> None:
    lead = a_lead(status=LeadStatus.PAUSED, attempts=3, last_call_before=NOON - minutes(1))
    planned = plan_resumed(NOON, lead, a_number(dispatches=(NOON - HOUR,)), a_campaign())
    assert isinstance(planned, Redial)
    assert planned.due_at == NOON + minutes(9)
