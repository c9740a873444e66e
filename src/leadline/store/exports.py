"""Leads page by page, with everything that another installation needs to make them again."""

from typing import Final
from uuid import UUID

from leadline.store.connection import Connection, Row

LIST_PAGE: Final = """
SELECT l.id, l.campaign, l.phone_number, l.sender_lead_id, l.list_id, l.first_name, l.last_name, l.state,
       l.postal_code, l.sender_fields, l.attributes, l.status, l.status_reason, l.scheduled_callback_at,
       l.attempts_before, l.attempts_before_on, l.attempts_before_that_day, l.outcomes_before, l.last_call_before,
       l.life_started_at, l.times_approximate, l.created_at, l.updated_at, d.due_at
FROM leads l LEFT JOIN due_leads d ON d.lead_id = l.id
WHERE l.id > $1 ORDER BY l.id LIMIT $2
"""

BEFORE_ALL: Final = UUID(int=0)


async def list_page(conn: Connection, after: UUID | None, limit: int) -> list[Row]:
    """The next leads by id."""
    rows: list[Row] = await conn.fetch(LIST_PAGE, after or BEFORE_ALL, limit)
    return rows
