"""The database knows the same states, arrows, statuses and words as the domain. The domain is the source."""

import re

import pytest

from leadline.contracts.events import EventDisposition
from leadline.domain.attempt import COUNTED_STATES, OPEN_STATES, AttemptOrigin, AttemptState
from leadline.domain.lead import PLANNED_STATUSES, LeadStatus, PriorityBand
from leadline.domain.outcome import SALE_OUTCOMES
from leadline.domain.transitions import ALLOWED_ARROWS
from leadline.runtime.postgres import Connection
from leadline.store.due import LIST_DUE
from leadline.store.open_attempts import LIST_EXPIRED
from leadline.store.promises import TWO_LIVE_CALLS

CONSTRAINTS = """
SELECT conname AS name, pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conrelid = $1::text::regclass
"""
GENERATED = """
SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = adrelid AND a.attnum = adnum
WHERE adrelid = $1::text::regclass AND attname = $2
"""


def quoted(text: str) -> set[str]:
    """The words in quotes."""
    return set(re.findall(r"'(\w+)'", text))


async def check_of(conn: Connection, table: str, name: str) -> str:
    found = {row["name"]: row["text"] for row in await conn.fetch(CONSTRAINTS, table)}
    return str(found[name])


async def test_the_arrows_are_the_domains(conn: Connection) -> None:
    rows = await conn.fetch("SELECT from_state, to_state FROM attempt_arrows")
    stored = {(AttemptState(row["from_state"]), AttemptState(row["to_state"])) for row in rows}
    assert stored == ALLOWED_ARROWS


@pytest.mark.parametrize(
    ("table", "constraint", "words"),
    [
        ("attempts", "attempts_state_check", set(AttemptState)),
        ("attempts", "attempts_origin_check", set(AttemptOrigin)),
        ("attempts", "closed_attempts_have_a_time", set(OPEN_STATES)),
        ("leads", "leads_status_check", set(LeadStatus)),
        ("leads", "closed_statuses_have_a_reason", {LeadStatus.HELD, LeadStatus.COMPLETED}),
        ("phones", "phones_sold_outcome_check", set(SALE_OUTCOMES)),
        ("events", "events_disposition_check", set(EventDisposition) - {EventDisposition.DUPLICATE}),
    ],
)
async def test_a_check_lists_the_words_of_its_enum(
    conn: Connection, table: str, constraint: str, words: set[str]
) -> None:
    assert quoted(await check_of(conn, table, constraint)) == {str(word) for word in words}


@pytest.mark.parametrize(
    ("table", "column", "words"),
    [("attempts", "counted", COUNTED_STATES), ("leads", "due_lead_id", PLANNED_STATUSES)],
)
async def test_a_generated_column_knows_the_words_of_its_set(
    conn: Connection, table: str, column: str, words: frozenset[str]
) -> None:
    assert quoted(await conn.fetchval(GENERATED, table, column)) == {str(word) for word in words}


async def test_the_bands_are_the_domains(conn: Connection) -> None:
    text = await check_of(conn, "due_leads", "due_leads_band_check")
    assert [int(n) for n in re.findall(r"\d+", text)] == [min(PriorityBand), max(PriorityBand)]


@pytest.mark.parametrize("function", ["open_attempts_hold_their_number", "numbers_are_held_by_open_attempts"])
async def test_the_triggers_know_the_open_states(conn: Connection, function: str) -> None:
    source = await conn.fetchval("SELECT prosrc FROM pg_proc WHERE proname = $1", function)
    assert quoted(re.split(r"\bRAISE\b", source)[0]) - {"DELETE"} == {str(state) for state in OPEN_STATES}


def test_statements_name_only_states_that_exist() -> None:
    assert quoted(TWO_LIVE_CALLS) == {str(state) for state in OPEN_STATES}
    assert quoted(LIST_EXPIRED) == {AttemptState.LEASED, AttemptState.SENDING}
    assert quoted(LIST_DUE) == set()
