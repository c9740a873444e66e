"""How much there is for dialers to do, counted no further than anybody needs to know."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from leadline.domain.ids import CampaignName
from leadline.domain.lead import PriorityBand
from leadline.store.connection import Connection, fetch_one


@dataclass(frozen=True, slots=True)
class CountedHead:
    """What counts of one (campaign, band): due now up to one instant (included), due soon from there to the other."""

    campaign: CampaignName
    band: PriorityBand
    now_until: datetime
    soon_until: datetime


@dataclass(frozen=True, slots=True)
class Workload:
    """One moment's counts."""

    due_now: int
    due_soon: int
    in_hand: int


COUNT_WORKLOAD: Final = """
SELECT
    (SELECT count(*) FROM (
        SELECT FROM unnest($1::text[], $2::smallint[], $3::timestamptz[]) AS head(campaign, band, now_until)
        CROSS JOIN LATERAL (
            SELECT FROM due_leads n
            WHERE n.campaign = head.campaign AND n.band = head.band AND NOT n.calling AND n.due_at <= head.now_until
            ORDER BY n.due_at, n.lead_id LIMIT $5
        ) d LIMIT $5
    ) counted) AS due_now,
    (SELECT count(*) FROM (
        SELECT FROM unnest($1::text[], $2::smallint[], $3::timestamptz[], $4::timestamptz[])
                 AS head(campaign, band, now_until, soon_until)
        CROSS JOIN LATERAL (
            SELECT FROM due_leads n
            WHERE n.campaign = head.campaign AND n.band = head.band AND NOT n.calling
              AND n.due_at > head.now_until AND n.due_at <= head.soon_until
            ORDER BY n.due_at, n.lead_id LIMIT $5
        ) d LIMIT $5
    ) counted) AS due_soon,
    (SELECT count(*) FROM open_attempts o
     WHERE o.deadline_at <= clock_timestamp() + make_interval(secs => $6)
       AND (SELECT a.state FROM attempts a WHERE a.id = o.attempt_id) IN ('leased', 'sending')) AS in_hand
"""


async def count_workload(
    conn: Connection, heads: Sequence[CountedHead], limit: int, longest_hold_seconds: float
) -> Workload:
    """Due leads of these heads, up to `limit` now and as many soon, and the attempts that hold a dialer's slot.

    One statement, so one moment: a lead is counted as due or as in hand, never as both or neither. The due leads are
    read from the index that leases read. `longest_hold_seconds` (real time) only spares looking at calls that ring:
    an attempt whose deadline lies further ahead is placed or in doubt.
    """
    row = await fetch_one(
        conn,
        COUNT_WORKLOAD,
        [h.campaign for h in heads],
        [int(h.band) for h in heads],
        [h.now_until for h in heads],
        [h.soon_until for h in heads],
        limit,
        longest_hold_seconds,
    )
    return Workload(due_now=row["due_now"], due_soon=row["due_soon"], in_hand=row["in_hand"])
