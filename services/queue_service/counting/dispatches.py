"""Counting dispatches: how late, how fast after the lead came in, and whether a promise was kept."""

from datetime import timedelta
from typing import Final

from leadline.store.happenings import Dispatched
from services.queue_service.counting.figures import CALLBACKS, DISPATCH_LATENESS, SPEED_TO_LEAD
from services.queue_service.counting.labels import PRIORITIES
from services.queue_service.counting.open_time import open_time
from services.queue_service.policy import Policy

KEPT_WITHIN: Final = timedelta(minutes=15)
"""Business time after the promised one within which a callback is one that was kept."""


def count_dispatch(dispatched: Dispatched, policy: Policy) -> None:
    """Count one send mark."""
    campaign, speed, opens_at = dispatched.campaign, dispatched.speed, dispatched.opens_at
    if dispatched.due_at is not None and dispatched.band is not None:
        late = _real_seconds(opens_at - dispatched.due_at, speed)
        DISPATCH_LATENESS.labels(campaign, PRIORITIES[dispatched.band]).observe(late)
    if dispatched.received_at is not None:
        inside = open_time(policy.rules_for(campaign).hours, dispatched.received_at, opens_at)
        SPEED_TO_LEAD.labels(campaign, "raw").observe(_real_seconds(opens_at - dispatched.received_at, speed))
        SPEED_TO_LEAD.labels(campaign, "open").observe(_real_seconds(inside, speed))
    if dispatched.promised_at is not None:
        kept = opens_at - dispatched.promised_at <= KEPT_WITHIN
        CALLBACKS.labels(campaign, "kept" if kept else "late").inc()


def _real_seconds(business: timedelta, speed: float) -> float:
    return max(0.0, business.total_seconds()) / speed
