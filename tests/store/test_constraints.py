"""What the database itself refuses, each shown by a statement that would break the rule; everything is rolled back."""

from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest
from psycopg import errors

from tests.store.databases import module_database
from tests.support.run import Server

FURNITURE: LiteralString = """
INSERT INTO phones (phone_number)
    SELECT n FROM unnest(ARRAY['+15615550123', '+15615550124', '+15615550125', '+15615550126']) n;
INSERT INTO leads (id, campaign, phone_number, status, status_reason, life_started_at, created_at, updated_at) VALUES
    ('00000000-0000-7000-8000-00000000000a', 'c', '+15615550123', 'pending', NULL, now(), now(), now()),
    ('00000000-0000-7000-8000-00000000000b', 'c', '+15615550124', 'completed', 'sale', now(), now(), now()),
    ('00000000-0000-7000-8000-00000000000c', 'c', '+15615550125', 'pending', NULL, now(), now(), now());
INSERT INTO due_leads (lead_id, campaign, band, due_at, phone_number)
    SELECT id, campaign, 0, now(), phone_number FROM leads WHERE status = 'pending';
INSERT INTO attempts (id, lead_id, campaign, phone_number, origin, attempt_no, state, leased_at, marked_at) VALUES
    ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-00000000000a', 'c', '+15615550123',
     'leadline', 1, 'placed', now(), now());
INSERT INTO open_attempts (phone_number, attempt_id, deadline_at)
    VALUES ('+15615550123', '00000000-0000-7000-8000-000000000001', now());
INSERT INTO attempts (id, lead_id, campaign, phone_number, origin, attempt_no, state, leased_at, marked_at, closed_at,
                      outcome)
    VALUES ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-00000000000b', 'c', '+15615550124',
            'leadline', 1, 'ended', now(), now(), now(), 'SALE');
INSERT INTO calls VALUES ('call-2', '00000000-0000-7000-8000-000000000002', now());
INSERT INTO events (source, call_id, body_sha256, body, received_at, disposition)
    VALUES ('bland', 'call-2', sha256('x'), 'x', now(), 'applied');
INSERT INTO stop_orders (id, attempt_id, phone_number, reason, created_at, next_try_at) VALUES
    ('00000000-0000-7000-8000-0000000000aa', '00000000-0000-7000-8000-000000000001', '+15615550123', 'x', now(), now());
INSERT INTO clock (real_at, business_at, speed) VALUES (clock_timestamp(), clock_timestamp() + interval '1 day', 1);
"""


@pytest.fixture(scope="module")
def furnished(postgres: Server) -> Iterator[psycopg.Connection]:
    """A database with one lead being called, one completed and one waiting."""
    with module_database(postgres) as url, psycopg.connect(url) as connection:
        connection.execute(FURNITURE)
        connection.commit()
        yield connection
        connection.rollback()


_NEW_LEAD: LiteralString = (
    "INSERT INTO leads (id, campaign, phone_number, status, life_started_at, created_at, updated_at) "
)
_NEW_ATTEMPT: LiteralString = (
    "INSERT INTO attempts (id, lead_id, campaign, phone_number, origin, attempt_no, leased_at, state, marked_at,"
    " closed_at, outcome) SELECT gen_random_uuid(), gen_random_uuid(), 'c', '+15615550126', 'leadline', 1, now(), "
)
_NEW_EVENT: LiteralString = "INSERT INTO events (source, call_id, body_sha256, body, received_at, disposition) "
_NEW_ORDER: LiteralString = "INSERT INTO stop_orders (id, attempt_id, phone_number, reason, created_at, next_try_at) "
_NEW_RUN: LiteralString = "INSERT INTO backfill_runs (id, starts_at, ends_at, asked_ends_at, state, created_at) "
_ONE = "WHERE id = '00000000-0000-7000-8000-000000000001'"
_TWO = "WHERE id = '00000000-0000-7000-8000-000000000002'"

REFUSED = {
    # promise 1
    "a second open attempt to a number": (
        "INSERT INTO open_attempts VALUES ('+15615550123', '00000000-0000-7000-8000-000000000002', now())",
        "open_attempts_pkey",
    ),
    "one attempt that holds two numbers": (
        "INSERT INTO open_attempts VALUES ('+15615550126', '00000000-0000-7000-8000-000000000001', now())",
        "open_attempts_attempt_id_key",
    ),
    "a number held for no attempt": (
        "INSERT INTO open_attempts VALUES ('+15615550126', gen_random_uuid(), now())",
        "open_attempts_attempt_id_fkey",
    ),
    "an open attempt without its number": (
        _NEW_ATTEMPT + "'leased', NULL, NULL, NULL",
        "open_attempts_hold_their_number",
    ),
    "a closed attempt that keeps its number": (
        f"UPDATE attempts SET state = 'ended', outcome = 'SALE', closed_at = now() {_ONE}",
        "open_attempts_hold_their_number",
    ),
    "a number let go while its attempt is open": (
        "DELETE FROM open_attempts",
        "numbers_are_held_by_open_attempts",
    ),
    "a number taken for an attempt that is closed": (
        "INSERT INTO open_attempts VALUES ('+15615550124', '00000000-0000-7000-8000-000000000002', now())",
        "numbers_are_held_by_open_attempts",
    ),
    # the way of an attempt
    "an arrow that is not drawn": (f"UPDATE attempts SET state = 'leased' {_ONE}", "attempts_move_along_the_arrows"),
    "a way back from the end": (
        f"UPDATE attempts SET state = 'placed', outcome = NULL, closed_at = NULL {_TWO}",
        "attempts_move_along_the_arrows",
    ),
    "a state that does not exist": (_NEW_ATTEMPT + "'dialled', NULL, NULL, NULL", "attempts_state_check"),
    "an attempt that was sent without a mark": (
        _NEW_ATTEMPT + "'sending', NULL, NULL, NULL",
        "sent_attempts_were_marked",
    ),
    "an end without an outcome": (_NEW_ATTEMPT + "'ended', now(), now(), NULL", "ended_attempts_have_an_outcome"),
    "an outcome before the end": (_NEW_ATTEMPT + "'placed', now(), NULL, 'SALE'", "ended_attempts_have_an_outcome"),
    "a closed attempt without a time": (_NEW_ATTEMPT + "'released', NULL, NULL, NULL", "closed_attempts_have_a_time"),
    "an attempt deleted": ("DELETE FROM attempts", "rows_are_never_deleted"),
    "attempts truncated": ("TRUNCATE attempts CASCADE", "rows_are_never_deleted"),
    # promise 4 and 5
    "a lead deleted": ("DELETE FROM leads WHERE false", "rows_are_never_deleted"),
    "leads truncated": ("TRUNCATE leads CASCADE", "rows_are_never_deleted"),
    "a planned lead that is not due": ("DELETE FROM due_leads", "planned_leads_are_due"),
    "a new planned lead that is not due": (
        _NEW_LEAD + "VALUES (gen_random_uuid(), 'd', '+15615550126', 'pending', now(), now(), now())",
        "planned_leads_are_due",
    ),
    "a completed lead planned without a due time": (
        "UPDATE leads SET status = 'pending' WHERE status = 'completed'",
        "planned_leads_are_due",
    ),
    "something due that is no lead": (
        "INSERT INTO due_leads VALUES (gen_random_uuid(), 'c', 0, now(), '+15615550126')",
        "due_leads_lead_id_fkey",
    ),
    "a lead that is never due": ("UPDATE due_leads SET due_at = 'infinity'", "due_leads_due_at_check"),
    "a band that nobody reads": ("UPDATE due_leads SET band = 3", "due_leads_band_check"),
    "a second lead of a number in a campaign": (
        _NEW_LEAD + "VALUES (gen_random_uuid(), 'c', '+15615550123', 'paused', now(), now(), now())",
        "one_lead_per_campaign_and_number",
    ),
    "a lead of no number": (
        _NEW_LEAD + "VALUES (gen_random_uuid(), 'c', '+15615550999', 'paused', now(), now(), now())",
        "leads_phone_number_fkey",
    ),
    "a completed lead without a reason": (
        "UPDATE leads SET status_reason = NULL WHERE status = 'completed'",
        "closed_statuses_have_a_reason",
    ),
    "a promise without a time": (
        "UPDATE leads SET status = 'rescheduled' WHERE status = 'pending'",
        "callback_has_a_time",
    ),
    "a status that is only shown": ("UPDATE leads SET status = 'calling'", "leads_status_check"),
    "a number that is no E.164": ("INSERT INTO phones VALUES ('5615550123')", "phones_phone_number_check"),
    "a suppression that is no E.164": (
        "INSERT INTO suppressions VALUES ('561', 'x', 'x', now())",
        "suppressions_phone_number_check",
    ),
    "an event counted twice": (
        _NEW_EVENT + "VALUES ('bland', 'call-2', sha256('x'), 'x', now(), 'unapplied')",
        "every_event_counts_once",
    ),
    "a call that belongs to two attempts": (
        "INSERT INTO calls VALUES ('call-2', '00000000-0000-7000-8000-000000000001', now())",
        "calls_pkey",
    ),
    "two pending orders to stop one call": (
        _NEW_ORDER + "SELECT gen_random_uuid(), attempt_id, phone_number, 'x', now(), now() FROM open_attempts",
        "one_pending_stop_order_per_call",
    ),
    # backfills
    "two unfinished runs of one range": (
        _NEW_RUN + "SELECT gen_random_uuid(), now() - interval '1 day', now(), now(), 'listing', now()"
        " FROM generate_series(1, 2)",
        "one_unfinished_run_per_range",
    ),
    "a run that ends before it begins": (
        _NEW_RUN + "SELECT gen_random_uuid(), now(), now(), now(), 'listing', now()",
        "ranges_run_forwards",
    ),
    "a run that reads more than was asked": (
        _NEW_RUN + "SELECT gen_random_uuid(), now() - interval '1 day', now(), now() - interval '1 hour', 'listing',"
        " now()",
        "ranges_run_forwards",
    ),
    "a window of no run": (
        "INSERT INTO backfill_windows SELECT gen_random_uuid(), now() - interval '1 day', now(), 'waiting'",
        "backfill_windows_run_id_fkey",
    ),
    "a window that failed and does not say why": (
        "INSERT INTO backfill_windows SELECT gen_random_uuid(), now() - interval '1 day', now(), 'failed'",
        "failed_windows_say_why",
    ),
    # clocks and switches
    "business time that runs backwards": (
        "UPDATE clock SET business_at = business_at - interval '1 minute'",
        "clock_never_runs_backwards",
    ),
    "a wall clock that lies behind business time": ("DELETE FROM clock", "clock_never_runs_backwards"),
    "a slower clock that was faster all along": (
        "UPDATE clock SET real_at = real_at + interval '1 hour'",
        "clock_never_runs_backwards",
    ),
    "a second clock": ("INSERT INTO clock VALUES (false, now(), now(), 1)", "clock_id_check"),
    "a clock that stands still": (
        "UPDATE clock SET speed = 0, business_at = business_at + interval '1 day'",
        "clock_speed_check",
    ),
    "a hold without a reason": ("UPDATE dispatch_gate SET held_since = now()", "dispatch_gate_check"),
    "an account paused without a reason": (
        "UPDATE dispatch_gate SET account_paused_at = now()",
        "dispatch_gate_check1",
    ),
    "a second gate": ("INSERT INTO dispatch_gate SELECT false, 1, 1", "dispatch_gate_id_check"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_database_refuses(furnished: psycopg.Connection, what: str) -> None:
    statement, constraint = REFUSED[what]
    with pytest.raises(errors.IntegrityError) as refusal:
        _commit(furnished, statement)
    assert refusal.value.diag.constraint_name == constraint


def _commit(connection: psycopg.Connection, statement: str) -> None:
    """As far as every deferred constraint, and back."""
    try:
        connection.execute(statement, prepare=False)
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    finally:
        connection.rollback()


def test_the_furniture_breaks_no_rule(furnished: psycopg.Connection) -> None:
    _commit(furnished, "UPDATE clock SET business_at = business_at + interval '1 hour', speed = 60")
    _commit(furnished, "UPDATE due_leads SET calling = true, band = 2")


_KEYS_WITHOUT_INDEX = """
SELECT c.conrelid::regclass::text, c.confrelid::regclass::text FROM pg_constraint c
WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace AND NOT EXISTS (
    SELECT FROM pg_index i
    WHERE i.indrelid = c.conrelid AND (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] = c.conkey
)
"""

_NEVER_DELETED = {"attempts", "leads", "phones"}
"""Triggers refuse it, and nothing of ours deletes a phone."""


def test_a_key_to_what_may_be_deleted_has_an_index(furnished: psycopg.Connection) -> None:
    """Without one, every deletion there reads the whole table here."""
    found = furnished.execute(_KEYS_WITHOUT_INDEX).fetchall()
    assert {(table, to) for table, to in found if to not in _NEVER_DELETED} == set()
