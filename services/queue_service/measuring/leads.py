"""Whole tables, counted part by part: how all leads are spread."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from leadline.domain.ids import CampaignName
from leadline.domain.lead import HeldReason, LeadStatus
from leadline.store import measures
from leadline.store.connection import Connection, Row
from leadline.store.measures import Moment
from services.queue_service.counting.labels import OTHER
from services.queue_service.measuring.gauges import Gauge, Sample
from services.queue_service.policy import Policy

MOST_ATTEMPTS: Final = 9
ATTEMPTS: Final = (*(str(n) for n in range(MOST_ATTEMPTS)), f"{MOST_ATTEMPTS}+")
WITHIN: Final = ("hour", "day", "more")

LEADS: Final = Gauge("leadline_leads", "Leads by stored status.", ("campaign", "status"))
HELD: Final = Gauge("leadline_held_leads", "Leads that wait for a decision, by what they wait for.", ("reason",))
OLDEST_HELD: Final = Gauge(
    "leadline_oldest_held_seconds",
    "How long the held lead that has not changed for longest is like that; 0 if none is held for the reason.",
    ("reason",),
)
SUPPRESSIONS: Final = Gauge("leadline_suppressions", "Phone numbers that are never called.")
BY_ATTEMPTS: Final = Gauge(
    "leadline_leads_by_attempts",
    "Leads by the attempts that count against their life cap.",
    ("campaign", "attempts"),
)
DUE_LATER: Final = Gauge(
    "leadline_due_later",
    "Leads that fall due within an hour of business time (hour), within a day but not the hour (day), or later (more).",
    ("campaign", "within"),
)
GAUGES: Final = (LEADS, HELD, OLDEST_HELD, SUPPRESSIONS, BY_ATTEMPTS, DUE_LATER)


async def count_statuses(conn: Connection, policy: Policy, _moment: Moment, seconds: float) -> list[Sample]:
    """Every lead by campaign and status."""
    rows = await measures.count_leads(conn, seconds)
    return _spread(LEADS, policy, [s.value for s in LeadStatus], ((r["campaign"], r["status"], r["n"]) for r in rows))


async def count_held(conn: Connection, _policy: Policy, moment: Moment, seconds: float) -> list[Sample]:
    """Held leads by reason."""
    known = {reason.value for reason in HeldReason}
    numbers = dict.fromkeys(sorted(known), 0)
    ages = dict.fromkeys(numbers, 0.0)
    for row in await measures.count_held(conn, seconds):
        reason = row["reason"] if row["reason"] in known else OTHER
        numbers[reason] = numbers.get(reason, 0) + row["n"]
        ages[reason] = max(ages.get(reason, 0.0), moment.seconds_since(row["since"]))
    return [HELD.of(n, reason) for reason, n in numbers.items()] + [OLDEST_HELD.of(s, r) for r, s in ages.items()]


async def count_suppressions(conn: Connection, _policy: Policy, _moment: Moment, seconds: float) -> list[Sample]:
    """Suppressed numbers."""
    return [SUPPRESSIONS.of(await measures.count_suppressions(conn, seconds))]


async def count_by_attempts(conn: Connection, policy: Policy, _moment: Moment, seconds: float) -> list[Sample]:
    """Every lead by its attempts."""
    rows = await measures.count_by_attempts(conn, MOST_ATTEMPTS, seconds)
    return _spread(BY_ATTEMPTS, policy, ATTEMPTS, ((r["campaign"], ATTEMPTS[r["attempts"]], r["n"]) for r in rows))


async def count_due_later(conn: Connection, policy: Policy, moment: Moment, seconds: float) -> list[Sample]:
    """Planned leads that are not due yet."""
    rows: list[Row] = await measures.count_due_later(conn, moment.now, seconds)
    return _spread(DUE_LATER, policy, WITHIN, ((r["campaign"], r["within"], r["n"]) for r in rows))


def _spread(
    gauge: Gauge, policy: Policy, values: Iterable[str], counted: Iterable[tuple[str, str, int]]
) -> list[Sample]:
    """Counts by campaign and one label more; every value of a configured campaign is there, were it 0.

    Campaigns that are no longer configured are shown as one.
    """
    spread = Counter({(str(name), value): 0 for value in values for name in policy.campaigns})
    for campaign, value, number in counted:
        spread[campaign if CampaignName(campaign) in policy.campaigns else OTHER, value] += number
    return [gauge.of(number, *labels) for labels, number in spread.items()]
