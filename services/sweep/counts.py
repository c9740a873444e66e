"""What one pass counts: a closed vocabulary, `step.reason`, stored with the run and shown by metrics and `status`."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum


class Step(StrEnum):
    """The steps of a pass, in their order."""

    EXPIRE = "expire"
    """Leases that ran out, marked attempts that nobody reported (the queue-service's own counters)."""
    APPLY_EVENTS = "apply_events"
    """Events whose application failed (the queue-service's own counters)."""
    PLAN = "plan"
    STOP_ORDERS = "stop_orders"
    """Stop orders come before the look-ups: a person said stop."""
    ACCOUNT = "account"
    DOUBTFUL = "doubtful"
    PLACED = "placed"
    UNDETERMINED = "undetermined"
    DISPATCH = "dispatch"
    PROMISES = "promises"
    RUN = "run"
    """Writing down that the pass took place."""


class Miss(StrEnum):
    """What may happen in any step, counted as `<step>.<miss>`."""

    STEP_FAILED = "step_failed"
    """The step broke off; the others went on."""
    NOT_REPORTED = "not_reported"
    """The queue-service could not be told; the next pass will find the same."""
    LEFT_OVER = "left_over"
    """The pass had used up its look-ups or its time, or was told to stop."""


class Count(StrEnum):
    """Everything that the sweep counts beside `Miss` and the queue-service's own counters."""

    PLAN_MISSED_CALLBACKS = "plan.missed_callbacks"
    """Callbacks whose time is past and that were not dialled."""

    STOP_STOPPED = "stop_orders.stopped"
    STOP_ENDED = "stop_orders.ended"
    """The call was over already; its result is stored."""
    STOP_NOT_FOUND = "stop_orders.not_found"
    """No such call at the provider; confirmed by the queue-service if the attempt is over, else repeated."""
    STOP_FAILED = "stop_orders.failed"
    """The provider did not stop it, or cannot say which call it is; repeated."""

    ACCOUNT_RESUMED = "account.resumed"
    ACCOUNT_REFUSED = "account.refused"
    ACCOUNT_WITHOUT_BALANCE = "account.without_balance"
    ACCOUNT_UNREACHABLE = "account.unreachable"
    ACCOUNT_LEFT_PAUSED = "account.left_paused"
    """Paused by an operator: not ours to resume."""

    DOUBTFUL_FOUND = "doubtful.found"
    DOUBTFUL_ENDED = "doubtful.ended"
    """Of those found: over already, and the result is stored."""
    DOUBTFUL_ABSENT = "doubtful.absent"
    DOUBTFUL_TOO_EARLY = "doubtful.too_early"
    """Nothing found, but the quiet time was not over when the provider was asked: that proves nothing yet."""
    DOUBTFUL_INCONCLUSIVE = "doubtful.inconclusive"
    DOUBTFUL_UNREACHABLE = "doubtful.unreachable"

    PLACED_YOUNG = "placed.young"
    """Placed a moment ago: the provider's list may not know it yet."""
    PLACED_ACTIVE = "placed.active"
    PLACED_OVERDUE_ACTIVE = "placed.overdue_active"
    """Past its longest end, and the provider says it is still going on."""
    PLACED_ENDED = "placed.ended"
    """Over at the provider; its event had not come, and its result is stored now."""
    PLACED_RUNNING_UNLISTED = "placed.running_unlisted"
    PLACED_NOT_KNOWN = "placed.not_known"
    """Not known to the provider, and not overdue: asked again by the next pass."""
    PLACED_LOST = "placed.lost"
    PLACED_UNREADABLE = "placed.unreadable"

    UNDETERMINED_STORED = "undetermined.stored"
    UNDETERMINED_OURS = "undetermined.ours"
    """Of those stored: the details carry the id of an attempt."""
    UNDETERMINED_NOT_KNOWN = "undetermined.not_known"
    UNDETERMINED_UNREADABLE = "undetermined.unreadable"

    DISPATCH_LISTED = "dispatch.listed"
    DISPATCH_STORED = "dispatch.stored"
    DISPATCH_RUNNING_OURS = "dispatch.running_ours"
    DISPATCH_UNREADABLE = "dispatch.unreadable"
    DISPATCH_RELEASED = "dispatch.released"
    DISPATCH_RELEASED_ELSEWHERE = "dispatch.released_elsewhere"
    """Another pass, or an operator, was faster."""
    DISPATCH_STILL_HELD = "dispatch.still_held"

    PROMISES_CHECKED = "promises.checked"
    PROMISES_VIOLATED = "promises.violated"


class Tally:
    """The counters of one pass, and whether all of it could be done. Used by one event loop."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self._counts: Counter[str] = Counter()
        self.partial = False
        """Whether something that should have been done could not be: the pass is incomplete."""

    def add(self, count: Count, number: int = 1) -> None:
        """Count something that was done or seen."""
        self._counts[count] += number

    def miss(self, count: Count) -> None:
        """Count something that could not be done: the pass is incomplete."""
        self._counts[count] += 1
        self.partial = True

    def miss_in(self, step: Step, miss: Miss) -> None:
        """Count what may happen in any step. What is left over for the next pass does not make this one a failure."""
        self._counts[f"{step}.{miss}"] += 1
        self.partial |= miss is not Miss.LEFT_OVER

    def take(self, step: Step, counters: Mapping[str, int]) -> None:
        """Add what the queue-service counted in a step of its own."""
        for reason, number in counters.items():
            self._counts[f"{step}.{reason}"] += number

    def __getitem__(self, count: Count) -> int:
        """How often."""
        return self._counts[count]

    def as_dict(self) -> dict[str, int]:
        """Every counter that is not 0, by name."""
        return {name: number for name, number in sorted(self._counts.items()) if number}
