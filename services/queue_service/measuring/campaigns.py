"""Each campaign: whether it calls now, what is due, and the callbacks that were promised."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from leadline.domain.lead import PriorityBand
from leadline.domain.rules.windows import Windows
from leadline.store import measures
from leadline.store.connection import Connection
from leadline.store.gate import Gate
from leadline.store.measures import Moment
from services.queue_service.measuring.gauges import Gauge, Sample
from services.queue_service.policy import Policy

CALLBACK_GRACE: Final = timedelta(minutes=15)
"""Business time by which a promised callback may be late; the sweep's missed callbacks are judged alike."""
CALLBACKS_LOOKED_AT: Final = 1000

WINDOW_OPEN: Final = Gauge(
    "leadline_window_open", "1 while the campaign's calling hours are open, else 0.", ("campaign",)
)
NEXT_OPENING: Final = Gauge(
    "leadline_next_opening_timestamp_seconds",
    "When the campaign's calling hours open next; while they are open, the time after that. Absent if never.",
    ("campaign",),
)
PAUSED: Final = Gauge("leadline_campaign_paused", "1 while the campaign is paused, else 0.", ("campaign",))
OLDEST_DUE: Final = Gauge(
    "leadline_oldest_due_seconds",
    "How long the campaign's lead that waits for longest has been due; 0 if none is, or none may be dialled now.",
    ("campaign",),
)
CALLBACKS_DUE: Final = Gauge(
    "leadline_callbacks_due",
    f"Promised callbacks that are due and may be dialled now, among the {CALLBACKS_LOOKED_AT} fresh leads due longest.",
    ("campaign",),
)
CALLBACKS_OVERDUE: Final = Gauge(
    "leadline_callbacks_overdue",
    "Of leadline_callbacks_due, those that have been due for more than 15 minutes of business time.",
    ("campaign",),
)
GAUGES: Final = (WINDOW_OPEN, NEXT_OPENING, PAUSED, OLDEST_DUE, CALLBACKS_DUE, CALLBACKS_OVERDUE)


async def read_campaigns(conn: Connection, policy: Policy, state: Gate, moment: Moment) -> list[Sample]:
    """The hours and switches of every campaign, and what waits in it."""
    samples = list(_hours(policy, state, moment))
    dialable = [
        name
        for name, rules in policy.campaigns.items()
        if state.open and name not in state.paused_campaigns and rules.hours.is_open(moment.now)
    ]
    oldest = await measures.find_oldest_due(conn, dialable, [int(band) for band in PriorityBand], moment.now)
    callbacks = await measures.count_callbacks(
        conn, dialable, int(PriorityBand.FRESH), moment.now, CALLBACK_GRACE, CALLBACKS_LOOKED_AT
    )
    for name in policy.campaigns:
        due, overdue = callbacks.get(name, (0, 0))
        samples += [
            OLDEST_DUE.of(moment.seconds_since(oldest[name]) if name in oldest else 0.0, name),
            CALLBACKS_DUE.of(due, name),
            CALLBACKS_OVERDUE.of(overdue, name),
        ]
    return samples


def _hours(policy: Policy, state: Gate, moment: Moment) -> Iterator[Sample]:
    for name, rules in policy.campaigns.items():
        yield WINDOW_OPEN.of(rules.hours.is_open(moment.now), name)
        yield PAUSED.of(name in state.paused_campaigns, name)
        opens_at = next_opening(rules.hours, moment.now)
        if opens_at is not None:
            yield NEXT_OPENING.of(moment.unix(opens_at), name)


def next_opening(hours: Windows, now: datetime) -> datetime | None:
    """The first instant after `now` at which a window opens; None if there is none within 370 days."""
    closed_at = hours.closes_at(now)
    return None if closed_at is None else hours.next_opening(closed_at)
