"""When leads that are held for the CRM's word are asked about again."""

from collections.abc import Sequence
from typing import Final

from leadline.domain.ids import LeadId
from leadline.store.connection import Connection, Row

ADD_QUESTIONS: Final = """
INSERT INTO crm_questions (lead_id, next_ask_at)
SELECT l.id, clock_timestamp() FROM leads l
WHERE l.status = 'held' AND l.status_reason = 'crm_unknown'
    AND NOT EXISTS (SELECT FROM crm_questions q WHERE q.lead_id = l.id)
ORDER BY l.id LIMIT $1
ON CONFLICT DO NOTHING
"""
FORGET_DECIDED: Final = """
DELETE FROM crm_questions WHERE lead_id IN (
    SELECT q.lead_id FROM crm_questions q JOIN leads l ON l.id = q.lead_id
    WHERE l.status <> 'held' OR l.status_reason <> 'crm_unknown'
    ORDER BY q.lead_id FOR UPDATE OF q SKIP LOCKED)
"""
TAKE_QUESTIONS: Final = """
WITH taken AS MATERIALIZED (
    SELECT q.lead_id FROM crm_questions q JOIN leads l ON l.id = q.lead_id
    WHERE q.next_ask_at <= statement_timestamp() AND l.status = 'held' AND l.status_reason = 'crm_unknown'
    ORDER BY q.next_ask_at, q.lead_id LIMIT $1 FOR UPDATE OF q SKIP LOCKED
)
UPDATE crm_questions q SET asked = q.asked + 1, next_ask_at = clock_timestamp() + make_interval(secs => $2)
FROM leads l
WHERE q.lead_id IN (SELECT lead_id FROM taken) AND l.id = q.lead_id
RETURNING q.lead_id, l.phone_number
"""


async def take_questions(conn: Connection, limit: int, seconds: float) -> list[Row]:
    """Give out leads to ask about for so many real seconds, each to one asker; the longest waiting first."""
    await conn.execute(ADD_QUESTIONS, limit)
    await conn.execute(FORGET_DECIDED)
    rows: list[Row] = await conn.fetch(TAKE_QUESTIONS, limit, seconds)
    return rows


ASK_LATER: Final = """
UPDATE crm_questions q SET last_error = c.problem,
    next_ask_at = clock_timestamp() + make_interval(secs =>
        least(600, 30 * power(2, least(greatest(q.asked, 1) - 1, 9))) * (1 + random() / 4))
FROM unnest($1::uuid[], $2::text[]) AS c(lead_id, problem) WHERE q.lead_id = c.lead_id
"""


async def ask_later(conn: Connection, unanswered: Sequence[tuple[LeadId, str | None]]) -> None:
    """The CRM's word could not be learned: asked again after 30, 60 ... 600 real seconds and some jitter."""
    if unanswered:
        await conn.execute(ASK_LATER, [u[0] for u in unanswered], [u[1] for u in unanswered])


FORGET_QUESTIONS: Final = "DELETE FROM crm_questions WHERE lead_id = ANY($1::uuid[])"


async def forget_questions(conn: Connection, answered: Sequence[LeadId]) -> None:
    """These need no answer any more."""
    if answered:
        await conn.execute(FORGET_QUESTIONS, sorted(answered))
