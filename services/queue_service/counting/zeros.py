"""Counters begin at zero before the first thing is counted, so that the first one is seen as an increase."""

from itertools import product
from typing import Final

from leadline.contracts.events import EventSource
from leadline.contracts.leads import LeadAnswerStatus
from leadline.domain.attempt import AttemptOrigin, AttemptState
from leadline.domain.ids import CampaignName
from leadline.domain.lead import CompletionReason
from leadline.domain.outcome import Outcome
from leadline.store.promises import PROMISES
from services.queue_service.counting import figures
from services.queue_service.counting.labels import (
    ATTEMPT_BANDS,
    HOURS,
    OTHER,
    PRIORITIES,
    RESULTS,
    SOURCES,
    WEEKDAYS,
)
from services.queue_service.policy import Policy

_RESOLVED: Final = (
    AttemptState.PLACED,
    AttemptState.ENDED,
    AttemptState.RELEASED,
    AttemptState.REJECTED,
    AttemptState.NOT_PLACED,
    AttemptState.ABANDONED,
)
_NOT_OURS: Final = (AttemptOrigin.ELSEWHERE, AttemptOrigin.PROVIDER_RETRY, "inbound")
_HEARD_FROM: Final = (EventSource.WEBHOOK, EventSource.LOOKUP)


def begin_at_zero(policy: Policy) -> None:
    """Show every series that can be named beforehand: all but refusals and alarms."""
    for promise in PROMISES:
        figures.PROMISE_VIOLATIONS.labels(str(promise.number))
    for state in _RESOLVED:
        figures.UNKNOWN_RESOLVED.labels(state)
    for source in (*SOURCES, OTHER):
        figures.SUPPRESSIONS_ADDED.labels(source)
    for event_source in _HEARD_FROM:
        figures.EVENT_LAG.labels(event_source)
    for origin, outcome in product(_NOT_OURS, Outcome):
        figures.CALLS_MET.labels(origin, outcome)
    for weekday, hour, reached in product(WEEKDAYS, HOURS, ("yes", "no")):
        figures.CALLS_BY_LOCAL_HOUR.labels(weekday, hour, reached)
    for campaign in policy.campaigns:
        _begin_campaign(campaign)


def _begin_campaign(campaign: CampaignName) -> None:
    for status in LeadAnswerStatus:
        figures.LEADS_RECEIVED.labels(campaign, status)
    for reason in CompletionReason:
        figures.LEADS_COMPLETED.labels(campaign, reason)
    for band, result in product(ATTEMPT_BANDS, set(RESULTS.values())):
        figures.ATTEMPTS.labels(campaign, band, result)
    for outcome, band in product(Outcome, ATTEMPT_BANDS):
        figures.OUTCOMES.labels(campaign, outcome, band)
    for kept in ("kept", "late", "missed"):
        figures.CALLBACKS.labels(campaign, kept)
    for priority in PRIORITIES.values():
        figures.DISPATCH_LATENESS.labels(campaign, priority)
    for clock in ("raw", "open"):
        figures.SPEED_TO_LEAD.labels(campaign, clock)
    figures.TALK_SECONDS.labels(campaign)
    figures.COST_DOLLARS.labels(campaign)
