"""A database so full that a wrong plan hurts, and the plans that PostgreSQL makes there."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

DUE = 1_000_000
NUMBERS = 50_000
EVENTS = 20_000
MESSAGES = 100_000
"""Of the outbox: nearly all are sent, few wait, and of those nearly all are in their back-off."""
CAMPAIGNS = ("awhealth", "second")
BIG_TABLES = frozenset({"due_leads", "phones", "leads", "attempts", "events", "audit_log", "crm_outbox"})

_FILL: tuple[LiteralString, ...] = (
    # Keys to other tables are not what is looked at here; with them the filling takes minutes.
    "SET session_replication_role = replica",
    """
    INSERT INTO due_leads (lead_id, campaign, band, due_at, phone_number, calling)
    SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
           CASE WHEN n % 10 = 0 THEN 'second' ELSE 'awhealth' END, n % 3,
           timestamptz '2026-01-06 12:00Z' + n * interval '0.1 s', '+1561' || lpad(n::text, 7, '0'), n % 50 = 0
    FROM generate_series(1, {due}) n
    """,
    "INSERT INTO phones (phone_number) SELECT '+1561' || lpad(n::text, 7, '0') FROM generate_series(1, {numbers}) n",
    """
    INSERT INTO leads (id, campaign, phone_number, status, life_started_at, created_at, updated_at)
    SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'awhealth',
           '+1561' || lpad(n::text, 7, '0'), 'pending', now(), now(), now() FROM generate_series(1, {numbers}) n
    """,
    """
    INSERT INTO attempts (id, lead_id, campaign, phone_number, origin, attempt_no, state, leased_at, marked_at,
                          closed_at, outcome)
    SELECT gen_random_uuid(), gen_random_uuid(), 'awhealth', '+1561' || lpad((1 + n % {numbers})::text, 7, '0'),
           'leadline', 1, 'ended', timestamptz '2026-01-01Z' + n * interval '1 s', now(), now(), 'NO_ANSWER'
    FROM generate_series(1, 2 * {numbers}) n
    """,
    """
    INSERT INTO events (source, call_id, body_sha256, body, received_at, disposition)
    SELECT 'bland', n::text, sha256('x'), 'x', now(), 'applied' FROM generate_series(1, {events}) n
    """,
    """
    INSERT INTO audit_log (at, actor, verb, lead_id, phone_number)
    SELECT now(), 'x', 'x', CASE WHEN n % 3 > 0 THEN gen_random_uuid() END,
           CASE WHEN n % 3 = 0 THEN '+1561' || lpad((n % {numbers})::text, 7, '0') END
    FROM generate_series(1, {numbers}) n
    """,
    """
    INSERT INTO crm_outbox (subject, kind, phone_number, outcome, state, created_at, closed_at, next_try_at)
    SELECT (n % {numbers})::text, 'result', '+1561' || lpad((n % {numbers})::text, 7, '0'), 'NO_ANSWER',
           CASE WHEN n % 20 = 0 THEN 'waiting' ELSE 'sent' END, now(), CASE WHEN n % 20 > 0 THEN now() END,
           now() + CASE WHEN n % 500 = 0 THEN interval '-1 minute' ELSE interval '1 hour' END
    FROM generate_series(1, {messages}) n
    """,
    "SET session_replication_role = origin",
)


def fill(connection: psycopg.Connection) -> None:
    """Due leads by the million; the planner is told of none of them."""
    for statement in _FILL:
        connection.execute(statement.format(due=DUE, numbers=NUMBERS, events=EVENTS, messages=MESSAGES), prepare=False)


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a plan that was carried out."""

    kind: str
    table: str | None
    index: str | None
    condition: str
    rows: float
    """What it gave, over all its loops."""
    wasted: float
    """What it read and threw away, over all its loops."""

    def __str__(self) -> str:
        return (
            f"{self.kind} on {self.table} by {self.index} [{self.condition}]: {self.rows:g} rows, {self.wasted:g} not"
        )


def carried_out(connection: psycopg.Connection, query: str, arguments: Sequence[str]) -> list[Node]:
    """The nodes of the query's generic plan, the root first. `arguments` are SQL. What it changes is rolled back."""
    connection.execute("SET plan_cache_mode = force_generic_plan")
    connection.execute(f"PREPARE looked_at AS {query}", prepare=False)
    given = f"({', '.join(arguments)})" if arguments else ""
    try:
        row = connection.execute(
            f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE looked_at{given}", prepare=False
        ).fetchone()
    finally:
        connection.execute("DEALLOCATE looked_at")
    assert row is not None
    return list(_nodes(row[0][0]["Plan"]))


def _nodes(plan: dict[str, Any]) -> Iterator[Node]:
    yield Node(
        kind=plan["Node Type"],
        table=plan.get("Relation Name"),
        index=plan.get("Index Name"),
        condition=re.sub(r"\s+", " ", plan.get("Index Cond", "")),
        rows=plan["Actual Rows"] * plan["Actual Loops"],
        wasted=plan.get("Rows Removed by Filter", 0) * plan["Actual Loops"],
    )
    for child in plan.get("Plans", ()):
        yield from _nodes(child)
