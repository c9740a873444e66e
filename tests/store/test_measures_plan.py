"""What fast gauges ask reads no more than its bounds, however much there is and whatever the statistics say."""

from collections.abc import Iterator, Sequence
from typing import LiteralString

import psycopg
import pytest

from leadline.domain.lead import PriorityBand
from leadline.store import measures, pace
from services.queue_service.measuring.keeping import LOOKED_UP
from tests.store.databases import module_database
from tests.store.plans import CAMPAIGNS, Node, carried_out
from tests.store.test_plans import array
from tests.support.run import Server

pytestmark = pytest.mark.slow

DUE = 90_000
OPEN = 500
LATE = "'2027-01-01Z'"
LIMIT = 200
RUN = "'00000000-0000-7000-8000-000000000001'::uuid"
WINDOWS = 300
BROKEN = 20

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
    """
    INSERT INTO leads (id, campaign, phone_number, status, scheduled_callback_at, life_started_at, created_at,
                       updated_at)
    SELECT lead_id, campaign, phone_number, 'rescheduled', due_at, now(), now(), now() FROM due_leads
    """,
    """
    INSERT INTO attempts (id, lead_id, campaign, phone_number, origin, attempt_no, state, leased_at, marked_at,
                          closed_at, outcome)
    SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, gen_random_uuid(), 'awhealth',
           '+1561' || lpad(n::text, 7, '0'), 'leadline', 1, CASE WHEN n <= {open} THEN 'placed' ELSE 'ended' END,
           timestamptz '2026-01-06Z' - n * interval '1 min', now(), CASE WHEN n > {open} THEN now() END,
           CASE WHEN n > {open} THEN 'NO_ANSWER' END
    FROM generate_series(1, {due}) n
    """,
    "INSERT INTO open_attempts SELECT phone_number, id, now() FROM attempts WHERE state = 'placed'",
    """
    INSERT INTO events (source, call_id, body_sha256, body, received_at, disposition)
    SELECT 'bland', n::text, sha256('x'), 'x', now(), CASE WHEN n % 2 = 0 THEN 'applied' ELSE 'unapplied' END
    FROM generate_series(1, 20000) n
    """,
    """
    INSERT INTO stop_orders (id, attempt_id, phone_number, reason, created_at, next_try_at, confirmed_at)
    SELECT gen_random_uuid(), id, phone_number, 'x', now(), now(), CASE WHEN leased_at < '2026-01-01Z' THEN now() END
    FROM attempts
    """,
    """
    INSERT INTO crm_outbox (subject, kind, phone_number, outcome, state, created_at, closed_at)
    SELECT n::text, 'result', '+15615550123', 'NO_ANSWER', CASE n % 3 WHEN 0 THEN 'waiting' WHEN 1 THEN 'dead'
           ELSE 'sent' END, now(), CASE WHEN n % 3 > 0 THEN now() END
    FROM generate_series(1, 30000) n
    """,
    """
    INSERT INTO sweep_runs (id, started_at, finished_at, succeeded, counters)
    SELECT gen_random_uuid(), now() - n * interval '5 min', now() - n * interval '5 min' + interval '1 min', false,
           '{{"plan.missed_callbacks": 1}}'
    FROM generate_series(1, 20000) n
    """,
    """
    INSERT INTO alarms (at, kind, details)
    SELECT timestamptz '2026-01-01Z' + (n / {broken}) * interval '5 min', 'promise_broken', '{{"promise": 4}}'
    FROM generate_series(0, 20000) n
    """,
    """
    INSERT INTO backfill_runs (id, starts_at, ends_at, asked_ends_at, state, created_at)
    SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '2026-01-01Z', '2026-02-01Z',
           timestamptz '2026-02-01Z' + n * interval '1 s', 'finished', now() FROM generate_series(1, 50) n
    """,
    """
    INSERT INTO backfill_windows (run_id, starts_at, ends_at, state)
    SELECT r.id, '2026-01-01Z'::timestamptz + n * interval '1 hour', '2026-01-02Z'::timestamptz + n * interval '1 hour',
           'done' FROM backfill_runs r, generate_series(1, {windows}) n
    """,
    "SET session_replication_role = origin",
)


@pytest.fixture(scope="module")
def filled(postgres: Server) -> Iterator[str]:
    with module_database(postgres) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            # Statistics that were true of an empty system: the worst that can be.
            connection.execute("ANALYZE")
            for statement in _FILL:
                connection.execute(statement.format(due=DUE, open=OPEN, windows=WINDOWS, broken=BROKEN), prepare=False)
        yield url


@pytest.fixture(scope="module", params=["stale statistics", "fresh statistics"])
def full(filled: str, request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    with psycopg.connect(filled, autocommit=True) as connection:
        if request.param == "fresh statistics":
            connection.execute("ANALYZE")
        for name, value in LOOKED_UP.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        yield connection


HEADS = [(campaign, int(band)) for campaign in CAMPAIGNS for band in PriorityBand]
OF_HEADS = [array("text", *(c for c, _ in HEADS)), array("smallint", *(band for _, band in HEADS))]


def read_at_most(nodes: Sequence[Node], rows: int) -> None:
    """No node that reads a table or an index reads more, and none reads a table without an index."""
    reading = [node for node in nodes if node.table or node.index]
    assert reading, "a plan that reads nothing shows nothing"
    assert [str(node) for node in reading if node.rows + node.wasted > rows] == []
    assert [str(node) for node in reading if node.kind == "Seq Scan" and node.table != "open_attempts"] == []


def test_the_oldest_due_lead_is_the_head_of_the_index_that_leases_read(full: psycopg.Connection) -> None:
    nodes = carried_out(full, measures.OLDEST_DUE, [*OF_HEADS, LATE])
    (read,) = (node for node in nodes if node.table == "due_leads")
    assert (read.kind, read.index, read.rows, read.wasted) == ("Index Only Scan", "due_leads_head", len(HEADS), 0)
    assert "due_at" in read.condition


@pytest.mark.parametrize("due_until", [LATE, "'2026-01-06 12:00:30Z'"], ids=["all due", "few due"])
def test_callbacks_are_looked_for_in_a_bounded_head(full: psycopg.Connection, due_until: str) -> None:
    campaigns = array("text", *CAMPAIGNS)
    nodes = carried_out(full, measures.COUNT_CALLBACKS, [campaigns, "0", due_until, due_until, str(LIMIT)])
    read_at_most(nodes, LIMIT * len(CAMPAIGNS))
    (due,) = (node for node in nodes if node.table == "due_leads")
    assert (due.index, due.wasted) == ("due_leads_head", 0)
    assert {node.index for node in nodes if node.table == "leads"} == {"leads_pkey"}


def test_open_attempts_are_looked_up_in_the_ledger_by_key(full: psycopg.Connection) -> None:
    nodes = carried_out(full, measures.OPEN_ATTEMPTS, [])
    read_at_most(nodes, OPEN)
    (ledger,) = (node for node in nodes if node.table == "attempts")
    assert (ledger.index, ledger.rows, ledger.wasted) == ("attempts_pkey", OPEN, 0)


@pytest.mark.parametrize(
    ("query", "arguments", "rows"),
    [
        pytest.param(measures.COUNT_WAITING, [str(LIMIT)], LIMIT, id="what waits"),
        pytest.param(measures.COUNT_UNTOLD, [str(LIMIT)], LIMIT, id="what the CRM does not know"),
        pytest.param(measures.LAST_SWEEPS, [str(LIMIT), "'promises.checked'", "'x'"], LIMIT, id="sweeps"),
        pytest.param(measures.COUNT_BROKEN, ["'2026-01-06Z'", "'2026-01-06 00:16Z'"], BROKEN, id="promises"),
        pytest.param(measures.NEWEST_BACKFILL, [], 50, id="backfill"),
        pytest.param(measures.COUNT_WINDOWS, [RUN], WINDOWS, id="windows"),
        pytest.param(pace.COUNT_SENT, ["'2026-01-06Z'", "'30 s'"], 24 * 60 + 1, id="caps"),
    ],
)
def test_no_more_is_read_than_is_asked_for(
    full: psycopg.Connection, query: str, arguments: Sequence[str], rows: int
) -> None:
    read_at_most(carried_out(full, query, arguments), rows)
