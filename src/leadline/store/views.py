"""What operators read: one lead with its attempts, outcomes and history."""

from collections.abc import Sequence
from typing import Final

from leadline.domain.ids import LeadId, PhoneNumber
from leadline.store.connection import Connection, Row

LIST_LEADS: Final = """
SELECT l.id, l.campaign, l.sender_lead_id, l.list_id, l.phone_number, l.first_name, l.last_name, l.state, l.status,
       l.status_reason, l.created_at, l.updated_at, l.scheduled_callback_at, d.due_at, l.attempts_before,
       l.attempts_before_on, l.attempts_before_that_day, l.outcomes_before, l.last_call_before,
       coalesce(d.calling, false) AND EXISTS (SELECT FROM open_attempts o JOIN attempts a ON a.id = o.attempt_id
               WHERE o.phone_number = l.phone_number AND a.lead_id = l.id) AS calling
FROM leads l LEFT JOIN due_leads d ON d.lead_id = l.id
WHERE l.id = ANY($1::uuid[]) ORDER BY l.created_at, l.id
"""


async def list_leads(conn: Connection, lead_ids: Sequence[LeadId]) -> list[Row]:
    """Leads with everything that the queue entry shows, the oldest first."""
    rows: list[Row] = await conn.fetch(LIST_LEADS, list(lead_ids))
    return rows


FIND_LEADS_OF_NUMBER: Final = "SELECT id FROM leads WHERE phone_number = $1 ORDER BY id"


async def find_leads_of_number(conn: Connection, phone_number: PhoneNumber) -> list[LeadId]:
    """The leads of a number, over all campaigns."""
    return [LeadId(row["id"]) for row in await conn.fetch(FIND_LEADS_OF_NUMBER, phone_number)]


LIST_ATTEMPTS: Final = """
SELECT id, lead_id, attempt_no, origin, state, close_reason, leased_at, marked_at, placed_at, closed_at, call_id,
       outcome, evidence, answered_by, talk_seconds, price_dollars, counted, provider_ended_at
FROM attempts WHERE lead_id = ANY($1::uuid[]) ORDER BY leased_at, id
"""


async def list_attempts(conn: Connection, lead_ids: Sequence[LeadId]) -> list[Row]:
    """Every attempt of these leads, in order."""
    rows: list[Row] = await conn.fetch(LIST_ATTEMPTS, list(lead_ids))
    return rows


LIST_INBOUND: Final = """
SELECT lead_id, outcome FROM events
WHERE lead_id = ANY($1::uuid[]) AND kind = 'inbound' AND outcome IS NOT NULL ORDER BY id
"""


async def list_inbound_outcomes(conn: Connection, lead_ids: Sequence[LeadId]) -> list[Row]:
    """Outcomes of calls in which the person phoned us."""
    rows: list[Row] = await conn.fetch(LIST_INBOUND, list(lead_ids))
    return rows


LIST_HISTORY: Final = """
WITH found AS MATERIALIZED (
    SELECT id, at, actor, verb, reason, details FROM audit_log WHERE lead_id = $1
    UNION ALL
    SELECT id, at, actor, verb, reason, details FROM audit_log WHERE phone_number = $2 AND lead_id IS NULL
)
SELECT at, actor, verb, reason, details FROM found ORDER BY id DESC LIMIT $3
"""


async def list_history(conn: Connection, lead_id: LeadId, phone_number: PhoneNumber, limit: int) -> list[Row]:
    """The audit log of a lead and of its number, the newest first."""
    rows: list[Row] = await conn.fetch(LIST_HISTORY, lead_id, phone_number, limit)
    return rows
