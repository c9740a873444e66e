"""The provider's account: what holds all dialling, what pace and plan allow, and the attempts that are open."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from leadline.domain.attempt import OPEN_STATES, AttemptState
from leadline.store import measures
from leadline.store.connection import Connection
from leadline.store.gate import Gate
from leadline.store.measures import Moment
from services.queue_service.measuring.gauges import Gauge, Sample
from services.queue_service.plan_caps import read_caps
from services.queue_service.policy import Policy

GATE_CLOSED: Final = Gauge("leadline_gate_closed", "1 while this holds all dialling, else 0.", ("gate",))
CAP_LIMIT: Final = Gauge(
    "leadline_cap_limit",
    "Calls that the provider's plan allows at once, in an hour, in a day. Absent where it has no such cap.",
    ("cap",),
)
CAP_USED: Final = Gauge(
    "leadline_cap_used",
    "Calls that count against leadline_cap_limit now: of the last hour and day of business time, and going on.",
    ("cap",),
)
PACE: Final = Gauge(
    "leadline_pace_calls_per_second",
    "Calls that may be sent in a second of real time, by all dialers together. 0: as many as there are.",
)
SPEED: Final = Gauge("leadline_business_clock_speed", "How fast business time passes; 1 in production.")
OPEN: Final = Gauge("leadline_open_attempts", "Attempts that hold their phone number, by state.", ("state",))
OLDEST_OPEN: Final = Gauge(
    "leadline_oldest_open_attempt_seconds",
    "How long ago the oldest attempt in the state was placed, else sent, else leased; 0 if there is none.",
    ("state",),
)
GAUGES: Final = (GATE_CLOSED, CAP_LIMIT, CAP_USED, PACE, SPEED, OPEN, OLDEST_OPEN)


async def read_account(conn: Connection, policy: Policy, state: Gate, moment: Moment) -> list[Sample]:
    """Gates, pace, caps and open attempts."""
    attempts = await measures.count_open_attempts(conn)
    return [
        GATE_CLOSED.of(state.account_paused, "account_pause"),
        GATE_CLOSED.of(state.failover or state.held_since is not None, "dispatch_hold"),
        PACE.of(policy.calls_per_second * moment.clock.speed),
        SPEED.of(moment.clock.speed),
        *_open_attempts(attempts, moment),
        *await _caps(conn, policy, moment, attempts),
    ]


def _open_attempts(attempts: Mapping[str, tuple[int, datetime]], moment: Moment) -> Iterator[Sample]:
    for state in sorted(OPEN_STATES):
        number, since = attempts.get(state, (0, moment.now))
        yield OPEN.of(number, state)
        yield OLDEST_OPEN.of(moment.seconds_since(since), state)


async def _caps(
    conn: Connection, policy: Policy, moment: Moment, attempts: Mapping[str, tuple[int, datetime]]
) -> list[Sample]:
    sent = sum(number for state, (number, _) in attempts.items() if state != AttemptState.LEASED)
    caps = await read_caps(conn, policy, moment.now, moment.clock.speed, sent)
    return [sample for use in caps for sample in (CAP_LIMIT.of(use.limit, use.cap), CAP_USED.of(use.used, use.cap))]
