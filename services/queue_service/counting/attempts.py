"""Counting attempts: what became of their requests, what came of their calls, what they cost."""

from leadline.domain.attempt import AttemptOrigin, AttemptState
from leadline.domain.outcome import REACHED_OUTCOMES, Outcome
from leadline.domain.zones import callback_zone
from leadline.store.happenings import AttemptMoved, CallBilled
from services.queue_service.counting.figures import (
    ATTEMPTS,
    CALLS_BY_LOCAL_HOUR,
    COST_DOLLARS,
    OUTCOMES,
    TALK_SECONDS,
    UNKNOWN_RESOLVED,
)
from services.queue_service.counting.labels import RESULTS, attempt_band, weekday_and_hour
from services.queue_service.policy import Policy


def count_move(moved: AttemptMoved, policy: Policy) -> None:
    """Count an arrow of the state machine. Calls of others have no place in it."""
    if moved.origin is not AttemptOrigin.LEADLINE:
        return
    band = attempt_band(moved.attempt_no)
    result = _result(moved)
    if result is not None:
        ATTEMPTS.labels(moved.campaign, band, result).inc()
    if moved.from_state is AttemptState.UNKNOWN and moved.to_state is not AttemptState.UNKNOWN:
        UNKNOWN_RESOLVED.labels(moved.to_state).inc()
    if moved.outcome is not None:
        OUTCOMES.labels(moved.campaign, moved.outcome, band).inc()
        _count_local_hour(moved, moved.outcome, policy)


def _result(moved: AttemptMoved) -> str | None:
    """What became of the request for a call, where this move is the first to tell.

    A request that was never permitted is one all the same, and so is that of an attempt thought released: what is not
    `not_sent` adds up to the provider's requests.
    """
    result = RESULTS.get(moved.to_state)
    match moved.from_state:
        case AttemptState.SENDING:
            return result
        case AttemptState.LEASED | AttemptState.RELEASED:
            return None if moved.to_state is AttemptState.RELEASED else result
        case _:
            return None


def _count_local_hour(moved: AttemptMoved, outcome: Outcome, policy: Policy) -> None:
    zone = callback_zone(moved.phone_number, None, policy.rules_for(moved.campaign).hours.zone)
    weekday, hour = weekday_and_hour(moved.dispatched_at.astimezone(zone))
    CALLS_BY_LOCAL_HOUR.labels(weekday, hour, "yes" if outcome in REACHED_OUTCOMES else "no").inc()


def count_bill(bill: CallBilled) -> None:
    """Count what is new of a call's length and price."""
    TALK_SECONDS.labels(bill.campaign).inc(bill.talk_seconds)
    COST_DOLLARS.labels(bill.campaign).inc(bill.price_dollars)
