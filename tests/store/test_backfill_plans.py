"""What a backfill asks of large tables is found by their indexes, while a live system works beside it."""

from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest

from leadline.runtime.postgres import INDEXES_ONLY
from leadline.store import backfill, suppressions
from tests.store.databases import module_database
from tests.store.plans import carried_out
from tests.support.run import Server

pytestmark = pytest.mark.slow

RUN = "'00000000-0000-7000-8000-000000000001'::uuid"
FIRST_ID = "'00000000-0000-0000-0000-000000000000'::uuid"
NUMBERS = "ARRAY['+15610000003', '+15610000004']"
CALLS = "ARRAY['3', '4']"
LIMIT = 10
_FILL: tuple[LiteralString, ...] = (
    "SET session_replication_role = replica",
    "INSERT INTO phones (phone_number) SELECT '+1561' || lpad(n::text, 7, '0') FROM generate_series(1, 20000) n",
    """
    INSERT INTO leads (id, campaign, phone_number, status, status_reason, life_started_at, created_at, updated_at)
    SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'awhealth', '+1561' || lpad(n::text, 7, '0'),
           'held', CASE n % 4 WHEN 0 THEN 'backfill' WHEN 1 THEN 'foreign' ELSE 'crm_unknown' END, now(), now(), now()
    FROM generate_series(1, 20000) n
    """,
    """
    INSERT INTO attempts (id, lead_id, campaign, phone_number, origin, attempt_no, state, leased_at, closed_at, outcome)
    SELECT gen_random_uuid(), ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'awhealth',
           '+1561' || lpad(n::text, 7, '0'), 'elsewhere', 1, 'ended', '2026-01-01Z', now(), 'NO_ANSWER'
    FROM generate_series(1, 20000) n
    """,
    "INSERT INTO calls SELECT n::text, gen_random_uuid(), now() FROM generate_series(1, 20000) n",
    """
    INSERT INTO events (source, call_id, body_sha256, body, received_at, disposition)
    SELECT 'bland', n::text, sha256('x'), 'x', now(), 'applied' FROM generate_series(1, 20000) n
    """,
    """
    INSERT INTO audit_log (at, actor, verb, phone_number)
    SELECT now(), 'x', 'x', '+1561' || lpad(n::text, 7, '0') FROM generate_series(1, 20000) n
    """,
    """
    INSERT INTO backfill_runs (id, starts_at, ends_at, asked_ends_at, state, created_at)
    VALUES ('00000000-0000-7000-8000-000000000001', '2026-01-01Z', '2026-01-02Z', '2026-01-02Z', 'listing', now())
    """,
    """
    INSERT INTO backfill_windows (run_id, starts_at, ends_at, state)
    SELECT '00000000-0000-7000-8000-000000000001', at, at + interval '1 s',
           CASE WHEN at < '2026-01-01 23:59Z' THEN 'done' ELSE 'waiting' END
    FROM generate_series(timestamptz '2026-01-01Z', '2026-01-02Z', interval '5 s') at
    """,
    "SET session_replication_role = origin",
)
ASKED = {
    "FIND_KNOWN": (backfill.FIND_KNOWN, [CALLS, "ARRAY['bland', 'bland_history']", "'bland_history'"]),
    "LIST_WITHOUT_CALL": (backfill.LIST_WITHOUT_CALL, [NUMBERS]),
    "FIND_REMOVALS": (suppressions.FIND_REMOVALS, [NUMBERS]),
    "LIST_CANDIDATES": (backfill.LIST_CANDIDATES, [RUN, FIRST_ID, "'2026-01-01Z'", "'2026-01-02Z'", str(LIMIT)]),
    "NEXT_WINDOWS": (backfill.NEXT_WINDOWS, [RUN, str(LIMIT)]),
    "COUNT_MISSING": (backfill.COUNT_MISSING, [RUN]),
    "END_WINDOW": (backfill.END_WINDOW, [RUN, "'2026-01-01Z'", "'2026-01-01Z'", "'done'", "1", "NULL"]),
}


@pytest.fixture(scope="module")
def full(postgres: Server) -> Iterator[psycopg.Connection]:
    """Many numbers of history, as the queue-service's sessions see them."""
    with module_database(postgres) as url, psycopg.connect(url, autocommit=True) as connection:
        for statement in _FILL:
            connection.execute(statement, prepare=False)
        connection.execute("ANALYZE")
        for name, value in INDEXES_ONLY.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        yield connection


@pytest.mark.parametrize("name", ASKED)
def test_a_backfill_reads_little_of_large_tables(full: psycopg.Connection, name: str) -> None:
    query, arguments = ASKED[name]
    nodes = [node for node in carried_out(full, query, arguments) if node.table]
    assert [str(node) for node in nodes if node.kind == "Seq Scan" and node.table != "backfill_news"] == []
    assert all(node.rows + node.wasted <= 4 * LIMIT for node in nodes), [str(node) for node in nodes]
