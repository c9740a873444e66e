"""What the database says in the end, without ids and times: two histories that came to the same are equal here."""

from typing import Any, Final

from leadline.runtime.postgres import Connection

_TABLES: Final = {
    "leads": """SELECT phone_number, campaign, status, status_reason, extra_attempts, attempts_before, list_id
        FROM leads""",
    "due_leads": "SELECT phone_number, campaign, band, calling, not_sent_in_row FROM due_leads",
    "attempts": """SELECT phone_number, origin, attempt_no, state, close_reason, outcome, evidence, answered_by,
        marked_at IS NOT NULL AS marked, call_id IS NOT NULL AS has_call,
        parent_id IS NOT NULL AS has_parent FROM attempts""",
    "open_attempts": "SELECT phone_number FROM open_attempts",
    "calls": "SELECT a.phone_number FROM calls c JOIN attempts a ON a.id = c.attempt_id",
    "phones": """SELECT phone_number, bad_number_reason, sold_outcome, rest_until IS NULL AS never_rested,
        last_sent_by IS NULL AS never_sent FROM phones""",
    "suppressions": "SELECT phone_number, reason, source FROM suppressions",
    "stop_orders": "SELECT phone_number, reason, confirmed_at IS NOT NULL AS confirmed FROM stop_orders",
    "events": """SELECT DISTINCT a.phone_number, e.disposition, e.outcome
        FROM events e LEFT JOIN attempts a ON a.id = e.attempt_id WHERE e.kind <> 'in_call'""",
    "alarms": "SELECT g.kind, a.phone_number FROM alarms g LEFT JOIN attempts a ON a.id = g.attempt_id",
    "dispatch_gate": "SELECT held_since IS NULL AS free, account_paused_at IS NULL AS account_free FROM dispatch_gate",
    "campaign_switches": "SELECT campaign, pause_reason FROM campaign_switches",
}
"""How often the provider was asked, and told the same, is no part of the end state: events are counted once."""

Row = tuple[tuple[str, Any], ...]


async def read_end_state(conn: Connection) -> dict[str, list[Row]]:
    """All tables, their rows sorted."""
    state: dict[str, list[Row]] = {}
    for table, query in _TABLES.items():
        rows = [tuple(dict(row).items()) for row in await conn.fetch(query)]
        state[table] = sorted(rows, key=repr)
    return state
