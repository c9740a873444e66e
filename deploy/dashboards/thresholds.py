"""Where a figure turns from good to bad: at the numbers that the alerts and the objectives have."""

from typing import Final, NamedTuple

from deploy.dashboards import colours

Steps = tuple[tuple[float, str], ...]


class Threshold(NamedTuple):
    """A number of an alert."""

    value: float
    alert: str


LATE: Final = Threshold(60, "LeadlineDispatchErrorBudgetBurn")
"""Seconds after which a call misses the objective."""
QUEUE_LATE: Final = Threshold(120, "LeadlineQueueLate")
QUEUE_STALLED: Final = Threshold(300, "LeadlineQueueStalled")
DIALER_MISSING: Final = Threshold(180, "LeadlineDialerMissing")
CAP_NEARLY_USED: Final = Threshold(0.9, "LeadlineCapsNearlyUsed")
HELD_AGEING: Final = Threshold(86400, "LeadlineHeldAgeing")
UNKNOWN_AGEING: Final = Threshold(3600, "LeadlineUnknownAttemptsAgeing")
PROVIDER_FAILING: Final = Threshold(0.2, "LeadlineProviderFailing")
FIGURES_STALE: Final = Threshold(120, "LeadlineFiguresStale")
SWEEP_OVERDUE: Final = Threshold(900, "LeadlineSweepNotSucceeding")
POOL_USED: Final = Threshold(0.9, "LeadlinePoolExhausted")
POOL_WAIT: Final = Threshold(1, "LeadlinePoolExhausted")
OF_ALERTS: Final = (
    LATE,
    QUEUE_LATE,
    QUEUE_STALLED,
    DIALER_MISSING,
    CAP_NEARLY_USED,
    HELD_AGEING,
    UNKNOWN_AGEING,
    PROVIDER_FAILING,
    FIGURES_STALE,
    SWEEP_OVERDUE,
    POOL_USED,
    POOL_WAIT,
)

ON_TIME: Final = 0.99
"""Objective: share of calls within LATE of their due time."""
GATEWAY_FAILED: Final = 0.001
"""Objective: share of the gateway's requests that it may fail."""
EVENT_SECONDS: Final = 0.5
"""Objective: an event is acknowledged within this."""
SPEED_TO_LEAD: Final = 300
"""Seconds after which people are lost."""


def bad_from(threshold: Threshold | float) -> Steps:
    """Red from there on."""
    return ((threshold.value if isinstance(threshold, Threshold) else threshold, colours.BAD),)
