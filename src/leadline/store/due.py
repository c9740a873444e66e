"""Due leads: the narrow table that is leased from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from leadline.domain.ids import CampaignName, LeadId, PhoneNumber
from leadline.domain.lead import PriorityBand
from leadline.store.connection import Connection, fetch_one

NIL: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Head:
    """Where to go on reading one (campaign, band): behind the last row that was read."""

    campaign: CampaignName
    band: PriorityBand
    after_due_at: datetime
    after_lead_id: UUID


@dataclass(frozen=True, slots=True)
class Candidate:
    """A lead that may be leased; nothing is locked yet."""

    lead_id: LeadId
    campaign: CampaignName
    band: PriorityBand
    due_at: datetime
    phone_number: PhoneNumber


LIST_DUE: Final = """
SELECT d.lead_id, d.campaign, d.band, d.due_at, d.phone_number
FROM unnest($1::text[], $2::smallint[], $3::timestamptz[], $4::uuid[])
         AS head(campaign, band, after_due_at, after_lead_id)
CROSS JOIN LATERAL (
    SELECT n.lead_id, n.campaign, n.band, n.due_at, n.phone_number FROM due_leads n
    WHERE n.campaign = head.campaign AND n.band = head.band AND NOT n.calling
      AND (n.due_at, n.lead_id) > (head.after_due_at, head.after_lead_id) AND n.due_at <= $5
    ORDER BY n.due_at, n.lead_id LIMIT $6
) d
"""


async def list_due(conn: Connection, heads: Sequence[Head], now: datetime, limit: int) -> list[Candidate]:
    """Up to `limit` due leads of each head, in (due_at, id) order within a head. Locks nothing."""
    rows = await conn.fetch(
        LIST_DUE,
        [h.campaign for h in heads],
        [int(h.band) for h in heads],
        [h.after_due_at for h in heads],
        [h.after_lead_id for h in heads],
        now,
        limit,
    )
    return [
        Candidate(
            lead_id=LeadId(r["lead_id"]),
            campaign=CampaignName(r["campaign"]),
            band=PriorityBand(r["band"]),
            due_at=r["due_at"],
            phone_number=PhoneNumber(r["phone_number"]),
        )
        for r in rows
    ]


PEEK: Final = """
SELECT business_now() AS now, coalesce((SELECT speed FROM clock), 1.0) AS speed,
    (SELECT min(d.due_at)
     FROM unnest($1::text[], $2::smallint[], $3::timestamptz[], $4::uuid[])
              AS head(campaign, band, after_due_at, after_lead_id)
     CROSS JOIN LATERAL (
         SELECT n.due_at FROM due_leads n
         WHERE n.campaign = head.campaign AND n.band = head.band AND NOT n.calling
           AND (n.due_at, n.lead_id) > (head.after_due_at, head.after_lead_id)
         ORDER BY n.due_at, n.lead_id LIMIT 1
     ) d
     WHERE NOT EXISTS (SELECT FROM campaign_switches s WHERE s.campaign = head.campaign)) AS next_due_at,
    EXISTS (SELECT FROM stop_orders WHERE confirmed_at IS NULL AND next_try_at <= clock_timestamp()) AS stop_orders
"""


@dataclass(frozen=True, slots=True)
class Peek:
    """What is next. `next_due_at` may lie in the past: then something is due."""

    now: datetime
    speed: float
    next_due_at: datetime | None
    stop_orders: bool


async def peek(conn: Connection, heads: Sequence[Head]) -> Peek:
    """One cheap question, so that waiting costs one query a poll."""
    row = await fetch_one(
        conn,
        PEEK,
        [h.campaign for h in heads],
        [int(h.band) for h in heads],
        [h.after_due_at for h in heads],
        [h.after_lead_id for h in heads],
    )
    return Peek(row["now"], row["speed"], row["next_due_at"], row["stop_orders"])
