"""What the sweep reads and reports. Ages and lags are real seconds unless a name says business."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from leadline.contracts.base import Message


class DoubtfulAttempt(Message):
    """An `unknown` attempt to be looked up at the provider."""

    attempt_id: UUID
    phone_number: str
    marked_at: datetime
    """Business time; a look-up starts ten minutes before it."""
    quiet_seconds_left: float
    """Real time until absence proves something; never negative."""


class PlacedAttempt(Message):
    """A `placed` attempt whose result has not come."""

    attempt_id: UUID
    phone_number: str
    call_id: str
    placed_seconds_ago: float
    overdue: bool
    """Past its longest end: if the provider does not know it, it is lost."""


class PendingStopOrder(Message):
    """A stop order that nobody has confirmed."""

    id: UUID
    attempt_id: UUID
    phone_number: str
    call_id: str | None
    reason: str


class SweepPlan(Message):
    """`GET /v1/sweep/plan`: everything late or stuck, each list bounded by `limit`."""

    business_now: datetime
    expired_leases: int
    silent_sends: int
    """Marked, past their time, and not reported: become unknown."""
    unapplied_events: int
    missed_callbacks: int
    doubtful: list[DoubtfulAttempt]
    placed: list[PlacedAttempt]
    stop_orders: list[PendingStopOrder]
    undetermined_calls: list[str]
    """Call ids of events without our metadata for a number with an open attempt: their details say whose they are."""
    account_paused: bool
    account_pause_automatic: bool
    """Paused by the provider's refusal, not by an operator: may be resumed when the provider answers."""
    dispatch_held: bool
    dispatch_held_since: datetime | None = None
    """Business time; after a failover the hour of provider history before it is reconciled."""


class SweepStep(Message):
    """Answer of a step that the queue-service does by itself: what was done, by reason."""

    counters: dict[str, int]


class SweepRunStarted(Message):
    """`POST /v1/sweep/runs`."""

    run_id: UUID


class SweepRunFinished(Message):
    """`POST /v1/sweep/runs/{run_id}/finish`: stored so that metrics and `status` can show it."""

    counters: dict[str, int]
    succeeded: bool


class PromiseViolation(Message):
    """One row that breaks a promise."""

    promise: int = Field(ge=1, le=9)
    sentence: str
    subject: str
    """The id of the attempt, lead or event; a phone number is masked."""


class PromiseCheck(Message):
    """`POST /v1/sweep/check-promises`: all nine, each as a query."""

    checked: list[int]
    violations: list[PromiseViolation]
