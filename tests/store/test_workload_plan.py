"""Counting the work for dialers reads the head of the due index and no further, and looks at no call that rings."""

from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest

from leadline.domain.lead import PriorityBand
from leadline.store.workload import COUNT_WORKLOAD
from tests.store.databases import module_database
from tests.store.plans import CAMPAIGNS, Node, carried_out
from tests.store.test_plans import EVERYTHING_IS_DUE, HEADS, array
from tests.support.run import Server

pytestmark = pytest.mark.slow

DUE = 300_000
RINGING = 30_000
IN_HAND = 200
LIMIT = 500
BEFORE_ALL = "1970-01-01Z"
HALF_WAY = "2026-01-06 16:10Z"
LATE = EVERYTHING_IS_DUE.strip("'")

_FILL: tuple[LiteralString, ...] = (
    # Keys to other tables are not what is looked at here; with them the filling takes minutes.
    "SET session_replication_role = replica",
    """
    INSERT INTO due_leads (lead_id, campaign, band, due_at, phone_number, calling)
    SELECT gen_random_uuid(), CASE WHEN n % 10 = 0 THEN 'second' ELSE 'awhealth' END, n % 3,
           timestamptz '2026-01-06 12:00Z' + n * interval '0.1 s', '+1561' || lpad(n::text, 7, '0'), n % 50 = 0
    FROM generate_series(1, {due}) n
    """,
    """
    INSERT INTO attempts (id, lead_id, campaign, phone_number, origin, attempt_no, state, leased_at, marked_at,
                          closed_at, outcome)
    SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, gen_random_uuid(), 'awhealth',
           '+1561' || lpad(n::text, 7, '0'), 'leadline', 1,
           CASE WHEN n <= {in_hand} THEN 'sending' WHEN n <= {in_hand} + {ringing} THEN 'placed' ELSE 'ended' END,
           now(), now(), CASE WHEN n > {in_hand} + {ringing} THEN now() END,
           CASE WHEN n > {in_hand} + {ringing} THEN 'NO_ANSWER' END
    FROM generate_series(1, 4 * {ringing}) n
    """,
    """
    INSERT INTO open_attempts (phone_number, attempt_id, deadline_at)
    SELECT phone_number, id, now() + CASE state WHEN 'sending' THEN interval '20 s' ELSE interval '40 min' END
    FROM attempts WHERE state <> 'ended'
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
                connection.execute(statement.format(due=DUE, ringing=RINGING, in_hand=IN_HAND), prepare=False)
        yield url


@pytest.fixture(scope="module", params=["stale statistics", "fresh statistics"])
def full(filled: str, request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    with psycopg.connect(filled, autocommit=True) as connection:
        if request.param == "fresh statistics":
            connection.execute("ANALYZE")
        yield connection


@pytest.mark.parametrize(
    ("now_until", "soon_until", "due"),
    [
        pytest.param(BEFORE_ALL, LATE, (0, LIMIT), id="all due soon"),
        pytest.param(HALF_WAY, LATE, (LIMIT, LIMIT), id="half due now"),
        pytest.param(LATE, LATE, (LIMIT, 0), id="all due now"),
    ],
)
def test_no_more_is_read_than_is_asked_for(
    full: psycopg.Connection, now_until: str, soon_until: str, due: tuple[int, int]
) -> None:
    heads = [(campaign, int(band)) for campaign in CAMPAIGNS for band in PriorityBand]
    arguments = [
        array("text", *(campaign for campaign, _ in heads)),
        array("smallint", *(band for _, band in heads)),
        array("timestamptz", *([now_until] * HEADS)),
        array("timestamptz", *([soon_until] * HEADS)),
        str(LIMIT),
        "52.5",
    ]
    nodes = carried_out(full, COUNT_WORKLOAD, arguments)
    assert [node.rows for node in nodes if node.kind == "Limit" and node.rows > LIMIT] == []
    read = [node for node in nodes if node.table == "due_leads"]
    assert len(read) == 2, [str(node) for node in nodes]
    assert tuple(node.rows for node in read) == due
    for node in read:
        assert (node.kind, node.index, node.wasted) == ("Index Only Scan", "due_leads_head", 0), str(node)
        assert "due_at" in node.condition, str(node)
    assert [node for node in nodes if "Sort" in node.kind] == []
    _looks_at_attempts_by_key(nodes)


def _looks_at_attempts_by_key(nodes: list[Node]) -> None:
    (attempts,) = (node for node in nodes if node.table == "attempts")
    assert (attempts.index, attempts.rows) == ("attempts_pkey", IN_HAND), str(attempts)
    (ours,) = (node for node in nodes if node.table == "open_attempts")
    assert ours.rows == IN_HAND, str(ours)
