"""The queue-service's own counters and histograms. Each replica counts what it committed: add them up.

Seconds are real ones. A `campaign` is one that is or was configured.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

LEADS_RECEIVED: Final = Counter(
    "leadline_leads_received", "Leads posted, by what their sender was answered.", ("campaign", "status")
)
LEADS_COMPLETED: Final = Counter(
    "leadline_leads_completed", "Leads that will never be dialled again, by reason.", ("campaign", "reason")
)
SUPPRESSIONS_ADDED: Final = Counter(
    "leadline_suppressions_added", "Numbers put on the suppression list, by who said so.", ("source",)
)

DISPATCH_LATENESS: Final = Histogram(
    "leadline_dispatch_lateness_seconds",
    "How long after its due time a lead's call might go out, by the priority it waited with.",
    ("campaign", "band"),
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30, 60, 120, 300, 900, 3600),
)
SPEED_TO_LEAD: Final = Histogram(
    "leadline_speed_to_lead_seconds",
    "From receiving a lead to its first send mark; `open` leaves out what lay outside of calling hours.",
    ("campaign", "clock"),
    buckets=(1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 14400, 43200, 86400, 259200),
)
REFUSALS: Final = Counter(
    "leadline_refusals",
    "Calls that were not made now: leads refused when they were to be leased, and marks that were not given.",
    ("step", "reason"),
)
CALLBACKS: Final = Counter(
    "leadline_callbacks",
    "Promised calls: kept within 15 minutes, late, or missed (the promise went without a call).",
    ("campaign", "kept"),
)
LAST_LEASE_REQUEST: Final = Gauge(
    "leadline_last_lease_request_timestamp_seconds", "When a dialer last asked this replica for leads; 0: not yet."
)

ATTEMPTS: Final = Counter(
    "leadline_attempts",
    "Attempts that were permitted, by what became of the request; all but `not_sent` are requests at the provider.",
    ("campaign", "attempt_band", "result"),
)
OUTCOMES: Final = Counter(
    "leadline_outcomes", "Attempts that ended, by the outcome heard first.", ("campaign", "outcome", "attempt_band")
)
CALLS_BY_LOCAL_HOUR: Final = Counter(
    "leadline_calls_by_local_hour",
    "Attempts that ended, by the person's weekday and hour when they were dialled, and whether a person spoke.",
    ("weekday", "hour", "reached"),
)
CALLS_MET: Final = Counter(
    "leadline_calls_met", "Calls that no attempt of ours stands for, by who placed them.", ("origin", "outcome")
)
TALK_SECONDS: Final = Counter("leadline_talk_seconds", "Time that calls for our attempts lasted.", ("campaign",))
COST_DOLLARS: Final = Counter("leadline_cost_dollars", "The provider's price of calls for our attempts.", ("campaign",))
EVENT_LAG: Final = Histogram(
    "leadline_event_lag_seconds",
    "From the end of a call, by the provider's clock, to storing the body that tells of it.",
    ("source",),
    buckets=(0.5, 1, 2.5, 5, 10, 15, 30, 60, 120, 300, 900, 3600, 14400, 86400),
)

UNKNOWN_RESOLVED: Final = Counter(
    "leadline_unknown_resolved", "Attempts whose fate was unknown and is known now, or given up.", ("how",)
)
LEASES_EXPIRED: Final = Counter("leadline_leases_expired", "Leases that nobody asked a send mark for in time.")
ALARMS: Final = Counter("leadline_alarms", "What happened and should not have, by kind.", ("kind",))
PROMISE_VIOLATIONS: Final = Counter(
    "leadline_promise_violations", "Broken promises, counted at every check that finds them.", ("promise",)
)
