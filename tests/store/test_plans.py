"""The statements on the way of every call keep their plans with a million due leads, whatever the statistics say."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from leadline.domain.lead import PriorityBand
from leadline.store.crm_outbox import LIST_DEAD, TAKE_MESSAGES
from leadline.store.due import LIST_DUE, PEEK
from leadline.store.events import LOCK_UNAPPLIED
from leadline.store.leads import FIND_PHONES_OF_SENDER, IS_KNOWN
from leadline.store.numbers import LOAD_ATTEMPTS, LOAD_LEADS, LOAD_PHONES
from leadline.store.phones import LOCK_FREE_PHONES, LOCK_PHONES, LOCK_PHONES_OF_ATTEMPTS
from leadline.store.views import LIST_ATTEMPTS, LIST_HISTORY
from tests.store.databases import module_database
from tests.store.plans import BIG_TABLES, CAMPAIGNS, DUE, Node, carried_out, fill
from tests.support.run import Server

pytestmark = pytest.mark.slow

LIMIT = 50
GROUP = 100
HEADS = len(CAMPAIGNS) * len(PriorityBand)
NOON = datetime(2026, 1, 6, 12, 0, tzinfo=UTC)
EVERYTHING_IS_DUE = "'2027-01-01Z'"
HALF_IS_DUE = f"'2026-01-06 12:00Z'::timestamptz + {DUE // 2} * interval '0.1 s'"
NOBODY = "'00000000-0000-7000-8000-000000000001'::uuid"
NUMBERS = f"ARRAY[{', '.join(repr(f'+1561{n:07d}') for n in range(1, GROUP + 1))}]"


@pytest.fixture(scope="module")
def filled(postgres: Server) -> Iterator[str]:
    with module_database(postgres) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            # Statistics that were true of an empty system: the worst that can be.
            connection.execute("ANALYZE")
            fill(connection)
        yield url


@pytest.fixture(scope="module", params=["stale statistics", "fresh statistics"])
def full(filled: str, request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    with psycopg.connect(filled, autocommit=True) as connection:
        if request.param == "fresh statistics":
            connection.execute("ANALYZE")
        yield connection


def array(kind: str, *items: object) -> str:
    return f"ARRAY[{', '.join(repr(str(item)) for item in items)}]::{kind}[]"


def heads(after: str, lead_id: str = "00000000-0000-0000-0000-000000000000") -> list[str]:
    """The first four arguments of LIST_DUE: every (campaign, band), read from behind one place."""
    pairs = [(campaign, int(band)) for campaign in CAMPAIGNS for band in PriorityBand]
    return [
        array("text", *(campaign for campaign, _ in pairs)),
        array("smallint", *(band for _, band in pairs)),
        array("timestamptz", *([after] * HEADS)),
        array("uuid", *([lead_id] * HEADS)),
    ]


def scans(nodes: list[Node]) -> list[Node]:
    return [node for node in nodes if node.table in BIG_TABLES]


def reads_the_head_in_order(nodes: list[Node], limit: int) -> None:
    """Only index scans of the partial index, no sorting at all, and no row read that is not given."""
    read = scans(nodes)
    assert read, nodes
    for node in read:
        assert node.kind in {"Index Scan", "Index Only Scan"}, str(node)
        assert node.index == "due_leads_head", str(node)
        assert "due_at" in node.condition, str(node)
        assert node.rows <= limit * HEADS, str(node)
        assert node.wasted == 0, str(node)
    assert [node for node in nodes if "Sort" in node.kind] == []


@pytest.mark.parametrize("until", [EVERYTHING_IS_DUE, HALF_IS_DUE], ids=["all due", "half due"])
@pytest.mark.parametrize("after", ["1970-01-01Z", "2026-01-06 20:00Z"], ids=["from the start", "behind a cursor"])
def test_due_leads_are_read_from_the_head_of_their_index(full: psycopg.Connection, after: str, until: str) -> None:
    nodes = carried_out(full, LIST_DUE, [*heads(after), until, str(LIMIT)])
    reads_the_head_in_order(nodes, LIMIT)
    assert any("ROW(" in node.condition for node in scans(nodes)), "the cursor is no filter but a place in the index"


@pytest.mark.parametrize("after", ["1970-01-01Z", "2026-01-06 20:00Z"], ids=["from the start", "behind a cursor"])
def test_the_next_due_time_is_one_row_of_each_head(full: psycopg.Connection, after: str) -> None:
    reads_the_head_in_order(carried_out(full, PEEK, heads(after)), 1)


@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        pytest.param(LOAD_ATTEMPTS, {"attempts_by_phone"}, id="LOAD_ATTEMPTS"),
        pytest.param(
            LOAD_LEADS,
            {"one_lead_per_campaign_and_number", "due_leads_pkey", "events_inbound_transfers"},
            id="LOAD_LEADS",
        ),
        pytest.param(LOAD_PHONES, {"phones_pkey"}, id="LOAD_PHONES"),
        pytest.param(LOCK_PHONES, {"phones_pkey"}, id="LOCK_PHONES"),
        pytest.param(LOCK_FREE_PHONES, {"phones_pkey"}, id="LOCK_FREE_PHONES"),
    ],
)
def test_numbers_are_found_by_their_index(full: psycopg.Connection, query: str, indexes: set[str]) -> None:
    nodes = carried_out(full, query, [NUMBERS])
    assert {node.index for node in nodes if node.index} == indexes, [str(node) for node in nodes]
    assert [str(node) for node in scans(nodes) if node.kind == "Seq Scan" or node.wasted] == []
    # What is sorted is what is given: the group's rows and no more.
    assert all(node.rows <= 4 * GROUP for node in nodes), [str(node) for node in nodes]


def test_numbers_of_attempts_are_locked_by_their_index(full: psycopg.Connection) -> None:
    nodes = carried_out(full, LOCK_PHONES_OF_ATTEMPTS, [f"ARRAY[{NOBODY}]"])
    assert {node.index for node in nodes if node.index} == {"attempts_pkey", "phones_pkey"}
    assert [str(node) for node in scans(nodes) if node.kind == "Seq Scan" or node.wasted] == []


def test_attempts_of_leads_are_found_by_their_index(full: psycopg.Connection) -> None:
    nodes = carried_out(full, LIST_ATTEMPTS, [f"ARRAY[{NOBODY}]"])
    assert {node.index for node in nodes if node.index} == {"attempts_by_lead"}
    assert [str(node) for node in scans(nodes) if node.kind == "Seq Scan" or node.wasted] == []


def test_messages_to_the_crm_are_taken_by_their_indexes(full: psycopg.Connection) -> None:
    nodes = [n for n in carried_out(full, TAKE_MESSAGES, [str(LIMIT), "60"]) if n.table == "crm_outbox"]
    read = [node for node in nodes if "Scan" in node.kind]
    assert {node.index for node in read} == {"crm_outbox_next", "crm_outbox_in_order", "crm_outbox_pkey"}
    # What waits for its time or was sent is not read at all.
    assert [str(node) for node in read if node.kind == "Seq Scan" or node.rows > 4 * LIMIT] == []
    # Looking for an earlier message of the same subject reads that subject alone.
    assert sum(node.wasted for node in read) <= 4 * LIMIT, [str(node) for node in read]


@pytest.mark.parametrize(
    ("query", "arguments", "index"),
    [
        pytest.param(FIND_PHONES_OF_SENDER, ["'nobody'", "4"], "leads_by_sender", id="FIND_PHONES_OF_SENDER"),
        pytest.param(IS_KNOWN, ["'+15610000003'"], "one_lead_per_campaign_and_number", id="IS_KNOWN"),
        pytest.param(LIST_DEAD, ["0", "100"], "crm_outbox_dead", id="LIST_DEAD"),
    ],
)
def test_what_the_crm_names_is_found_by_an_index(
    full: psycopg.Connection, query: str, arguments: list[str], index: str
) -> None:
    nodes = carried_out(full, query, arguments)
    assert {node.index for node in nodes if node.index} == {index}, [str(node) for node in nodes]
    assert [str(node) for node in scans(nodes) if node.kind == "Seq Scan" or node.wasted] == []


def test_an_event_is_locked_by_its_key(full: psycopg.Connection) -> None:
    (node,) = scans(carried_out(full, LOCK_UNAPPLIED, ["1"]))
    assert node.index in {"events_pkey", "events_unapplied"}


def test_the_history_of_a_lead_is_found_by_its_indexes(full: psycopg.Connection) -> None:
    nodes = carried_out(full, LIST_HISTORY, ["'00000000-0000-7000-8000-000000000001'", "'+15610000003'", "200"])
    assert {node.index for node in nodes if node.index} == {"audit_log_by_lead", "audit_log_by_phone"}
    assert [str(node) for node in scans(nodes) if node.kind == "Seq Scan" or node.wasted] == []


def test_a_due_row_goes_without_a_look_at_all_leads(full: psycopg.Connection) -> None:
    """PostgreSQL asks this for the key planned_leads_are_due whenever a due row is deleted."""
    asked = "SELECT 1 FROM ONLY leads x WHERE due_lead_id OPERATOR(pg_catalog.=) $1 FOR KEY SHARE OF x"
    nodes = carried_out(full, asked, [NOBODY])
    assert {node.index for node in nodes if node.index} == {"leads_by_due_lead"}
