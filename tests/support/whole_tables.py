"""Every row of every table, without what two like histories may differ in: made ids, real time, and who did it.

A made id is replaced by what it stands for (a lead by its number and campaign, an attempt by its call), so that
whatever points to it still has to point to the same.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from leadline.runtime.postgres import Connection

_COLUMNS: Final = """
SELECT c.table_name, c.column_name FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' ORDER BY c.table_name, c.ordinal_position
"""
_LEADS: Final = "SELECT id::text, 'lead of ' || phone_number || ' in ' || campaign FROM leads"
_ATTEMPTS: Final = """
SELECT id::text, 'attempt ' || coalesce(call_id, phone_number || ' at ' || leased_at) FROM attempts
"""
_EVENTS: Final = """
SELECT id::text, 'event of ' || source || ' ' || call_id || ' ' || encode(body_sha256, 'hex') FROM events
"""
_RUNS: Final = "SELECT id::text, 'run from ' || starts_at FROM backfill_runs"
_LEFT_OUT: Final[Mapping[str, Collection[str]]] = {
    "attempts": ("traceparent",),
    "leads": ("traceparent",),
    "audit_log": ("id", "recorded_at"),
    "calls": ("recorded_at",),
    "crm_outbox": ("id", "next_try_at", "tries", "last_error"),
    "crm_questions": ("next_ask_at", "asked", "last_error"),
    "crm_statuses": ("loaded_at",),
    "alarms": ("id",),
    "events": ("body",),
    "open_attempts": ("deadline_at", "quiet_until", "asked_at", "asked_seconds"),
    "stop_orders": ("id", "next_try_at", "tries"),
}
"""Numbers that are given out in order of arrival count as made ids; an event's digest stands for its body."""
OF_THE_RUNS: Final = frozenset({"backfill_runs", "backfill_windows"})
"""How the work was done, not what came of it: windows are tried again, counters count tries."""
_NO_HISTORY: Final = frozenset(
    {"clock", "dispatch_gate", "pace", "alembic_version", "schema_compatibility", "operations", "sweep_runs"}
)
"""The machine's own: cluster, pace, schema, answers kept for repetitions."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Tables = dict[str, list[str]]


async def read_whole_tables(conn: Connection, *, but: Collection[str] = OF_THE_RUNS | _NO_HISTORY) -> Tables:
    """All rows of all other tables as sorted texts, made ids replaced."""
    names: dict[str, str] = {}
    for query in (_LEADS, _ATTEMPTS, _RUNS):
        names |= {found[0]: found[1] for found in await conn.fetch(query)}
    events = {found[0]: found[1] for found in await conn.fetch(_EVENTS)}
    columns: dict[str, list[str]] = {}
    for table, column in await conn.fetch(_COLUMNS):
        columns.setdefault(table, []).append(column)
    whole: Tables = {}
    for table, every in columns.items():
        if table in but:
            continue
        kept = [column for column in every if column not in _LEFT_OUT.get(table, ())]
        # A row as JSON spells every type alike, also those that the driver has no value for.
        fields = ", ".join(f"'{column}', {column}" for column in kept)
        rows = await conn.fetch(f"SELECT json_build_object({fields})::text FROM {table}")
        whole[table] = sorted(_named(table, json.loads(row[0]), names, events) for row in rows)
    return whole


async def read_raw_tables(conn: Connection) -> Tables:
    """All rows of all tables exactly as they are: what has not been touched at all is equal here."""
    tables = sorted({row[0] for row in await conn.fetch(_COLUMNS)})
    return {
        table: sorted(row[0] for row in await conn.fetch(f"SELECT t::text || t.xmin::text FROM {table} AS t"))
        for table in tables
    }


def _named(table: str, row: dict[str, Any], names: Mapping[str, str], events: Mapping[str, str]) -> str:
    if table == "events":
        row["id"] = events[str(row["id"])]
    elif row.get("event_id") is not None:
        row["event_id"] = events.get(str(row["event_id"]), row["event_id"])
    return _UUID.sub(lambda found: names.get(found[0], found[0]), json.dumps(row, sort_keys=True))


def difference(found: Tables, wanted: Tables, most: int = 8) -> str:
    """Where two states differ, in a few lines; empty if nowhere."""
    lines = []
    for table in sorted(found.keys() | wanted.keys()):
        more = sorted(set(found.get(table, [])) - set(wanted.get(table, [])))
        less = sorted(set(wanted.get(table, [])) - set(found.get(table, [])))
        counts = len(found.get(table, [])), len(wanted.get(table, []))
        if more or less or counts[0] != counts[1]:
            lines.append(f"{table}: {counts[0]} rows, wanted {counts[1]}")
            lines += [f"  only found:  {row[:900]}" for row in more[:most]]
            lines += [f"  only wanted: {row[:900]}" for row in less[:most]]
    return "\n".join(lines)
