"""The dialer's figures."""

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS_IN_HAND = Gauge("leadline_dialer_attempts_in_hand", "Attempts between lease and accepted report.")
SLOTS = Gauge("leadline_dialer_slots", "Attempts that the dialer may have in hand at once.")
REPORTS_WAITING = Gauge("leadline_dialer_reports_waiting", "Reports that the queue-service has not accepted yet.")
PLACE_SECONDS = Histogram(
    "leadline_dialer_place_seconds",
    "Time of one request for a call, from the opening of its gate to the answer.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30),
)
ANSWERS = Counter(
    "leadline_dialer_answers",
    "Requests for a call: placed, doubt (perhaps placed), not_sent, or rejected_ and whom that concerns.",
    ("answer",),
)
CLEARANCES = Counter("leadline_dialer_clearances", "Numbers asked about at the CRM, by standing.", ("standing",))
CLEARANCE_SECONDS = Histogram(
    "leadline_dialer_clearance_seconds",
    "Time until the CRM's word on a number.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30),
)
MARKS = Counter(
    "leadline_dialer_marks", "What the queue-service answered to `go?`, asked before each call.", ("answer",)
)
STOP_ORDERS = Counter("leadline_dialer_stop_orders", "Stop orders carried out, by result.", ("result",))
BREAKER_STATE = Gauge("leadline_dialer_breaker_state", "0 closed, 1 half open (one call is tried), 2 open.")
DRAINING = Gauge("leadline_dialer_draining", "1 while the dialer finishes what it has begun.")
