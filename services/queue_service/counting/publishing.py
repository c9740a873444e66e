"""From what happened to the figures. Only `committed` calls this."""

from collections.abc import Iterable
from typing import assert_never

from leadline.runtime.logging import get_logger
from leadline.store.happenings import (
    AlarmRaised,
    AttemptMoved,
    CallbackMissed,
    CallBilled,
    CallMet,
    CallRefused,
    Dispatched,
    EndHeard,
    Happening,
    LeadCompleted,
    LeadReceived,
    LeaseExpired,
    PromiseBroken,
    SuppressionAdded,
)
from services.queue_service.counting import figures
from services.queue_service.counting.attempts import count_bill, count_move
from services.queue_service.counting.dispatches import count_dispatch
from services.queue_service.counting.labels import source_of
from services.queue_service.policy import Policy

log = get_logger(__name__)


def publish(happened: Iterable[Happening], policy: Policy) -> None:
    """Count what happened. Never raises: what is committed does not fail for the sake of a figure."""
    for one in happened:
        try:
            _count(one, policy)
        except Exception as error:
            log.error("not_counted", what=type(one).__name__, exc_info=error)


def _count(one: Happening, policy: Policy) -> None:
    match one:
        case AttemptMoved():
            count_move(one, policy)
        case Dispatched():
            count_dispatch(one, policy)
        case CallBilled():
            count_bill(one)
        case CallRefused(step, reason):
            figures.REFUSALS.labels(step, reason).inc()
        case EndHeard():
            lag = max(0.0, (one.stored_at - one.ended_at).total_seconds()) / one.speed
            figures.EVENT_LAG.labels(one.source).observe(lag)
        case CallMet(origin, outcome):
            figures.CALLS_MET.labels(origin, outcome).inc()
        case LeaseExpired():
            figures.LEASES_EXPIRED.inc()
        case _:
            _count_other(one)


def _count_other(
    one: LeadReceived | LeadCompleted | CallbackMissed | SuppressionAdded | AlarmRaised | PromiseBroken,
) -> None:
    match one:
        case LeadReceived(campaign, status):
            figures.LEADS_RECEIVED.labels(campaign, status).inc()
        case LeadCompleted(_, campaign, reason):
            figures.LEADS_COMPLETED.labels(campaign, reason).inc()
        case CallbackMissed(campaign):
            figures.CALLBACKS.labels(campaign, "missed").inc()
        case SuppressionAdded(source):
            figures.SUPPRESSIONS_ADDED.labels(source_of(source)).inc()
        case AlarmRaised(kind):
            figures.ALARMS.labels(kind).inc()
        case PromiseBroken(promise):
            figures.PROMISE_VIOLATIONS.labels(str(promise)).inc()
        case _:
            assert_never(one)
