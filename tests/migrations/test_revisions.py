"""The runner of migrations: order, lock, failure, statements outside of a transaction."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from services.migrate.database import connecting, find_schema
from services.migrate.errors import MigrateError
from services.migrate.revisions import LOCK_KEY, Revisions
from tests.migrations.making import rows, write_revision
from tests.support.run import with_database


def test_runs_plain_sql_with_many_statements_and_percent_signs(empty_database_url: str, tmp_path: Path) -> None:
    write_revision(
        tmp_path,
        "0001",
        None,
        "CREATE TABLE a (b text);\nINSERT INTO a VALUES (format('%s%%', 5)), (':name');\n"
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 7 % 4; END $$;\n",
    )
    write_revision(tmp_path, "0002", "0001", "ALTER TABLE a ADD c int;")
    revisions = Revisions(tmp_path)

    assert revisions.upgrade(empty_database_url) == ["0001", "0002"]
    assert revisions.upgrade(empty_database_url) == []
    assert rows(empty_database_url, "SELECT b, c, f() FROM a ORDER BY b") == [("5%", None, 3), (":name", None, 3)]


def test_a_failing_revision_leaves_those_before_it(empty_database_url: str, tmp_path: Path) -> None:
    write_revision(tmp_path, "0001", None, "CREATE TABLE a ();")
    write_revision(tmp_path, "0002", "0001", "CREATE TABLE b (); SELECT 1/0;")
    with pytest.raises(MigrateError, match="revision 0002 failed: division by zero"):
        Revisions(tmp_path).upgrade(empty_database_url)
    with connecting(empty_database_url) as connection:
        assert find_schema(connection).revision == "0001"
    assert rows(empty_database_url, "SELECT to_regclass('a') IS NULL, to_regclass('b') IS NULL") == [(False, True)]


def test_concurrent_index_is_built_outside_a_transaction_while_others_wait_for_the_lock(
    empty_database_url: str, tmp_path: Path
) -> None:
    write_revision(
        tmp_path, "0001", None, "CREATE TABLE a AS SELECT generate_series(1, 20000) AS n; SELECT pg_sleep(1);"
    )
    write_revision(
        tmp_path, "0002", "0001", "-- outside a transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS a_n ON a (n);"
    )
    applied: list[list[str]] = []
    others = [
        threading.Thread(target=lambda: applied.append(Revisions(tmp_path).upgrade(empty_database_url)))
        for _ in range(3)
    ]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert sorted(applied) == [[], [], ["0001", "0002"]]
    assert rows(empty_database_url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_n'::regclass") == [(True,)]


def test_says_and_gives_up_when_another_migrate_keeps_the_lock(
    empty_database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_revision(tmp_path, "0001", None, "CREATE TABLE a ();")
    with psycopg.connect(empty_database_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        with (
            caplog.at_level("INFO"),
            pytest.raises(MigrateError, match=r"gave up after 0\.1 s: another migrate holds the lock"),
        ):
            Revisions(tmp_path).upgrade(empty_database_url, lock_wait_seconds=0.1)
    assert [record.message for record in caplog.records if "waited" in record.message] == ["lock_waited_for"]


def test_waits_for_a_table_that_is_in_use_and_tries_again(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.migrate.revisions.STATEMENT_LOCK_TIMEOUT_MS", 100)
    monkeypatch.setattr("services.migrate.revisions.LOCK_PAUSE_SECONDS", 0.2)
    write_revision(tmp_path, "0001", None, "CREATE TABLE a ();")
    Revisions(tmp_path).upgrade(empty_database_url)
    write_revision(tmp_path, "0002", "0001", "CREATE TABLE b (); ALTER TABLE a ADD c int;")
    with psycopg.connect(empty_database_url) as reader:
        reader.execute("SELECT * FROM a")
        release = threading.Timer(0.8, reader.rollback)
        release.start()
        assert Revisions(tmp_path).upgrade(empty_database_url) == ["0002"]
        release.join()


def test_steps_aside_in_a_deadlock_and_tries_again(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("services.migrate.revisions.STATEMENT_LOCK_TIMEOUT_MS", 60_000)
    monkeypatch.setattr("services.migrate.revisions.LOCK_PAUSE_SECONDS", 0.2)
    write_revision(tmp_path, "0001", None, "CREATE TABLE a (); CREATE TABLE b ();")
    Revisions(tmp_path).upgrade(empty_database_url)
    write_revision(tmp_path, "0002", "0001", "ALTER TABLE a ADD c int; ALTER TABLE b ADD c int;")
    applied: list[str] = []
    migrating = threading.Thread(target=lambda: applied.extend(Revisions(tmp_path).upgrade(empty_database_url)))
    with psycopg.connect(empty_database_url) as service:
        service.execute("SET deadlock_timeout = '60s'")  # the other side notices first
        service.execute("SELECT * FROM b")
        migrating.start()
        while not rows(empty_database_url, "SELECT 1 FROM pg_locks WHERE relation = 'b'::regclass AND NOT granted"):
            assert migrating.is_alive()
            time.sleep(0.05)
        service.execute("SELECT * FROM a")
        service.commit()
    migrating.join()
    assert applied == ["0002"]
    (record,) = [record for record in caplog.records if record.message == "revision_stepped_aside"]
    assert "deadlock detected" in str(vars(record))


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ("0099", "schema cannot be told"),
        ("0000", "revision 0000, which is none of ours"),
        ("", "schema cannot be told"),
    ],
)
def test_a_database_that_no_version_left_like_this_is_refused(
    empty_database_url: str, tmp_path: Path, found: str, reason: str
) -> None:
    write_revision(tmp_path, "0001", None, "CREATE TABLE a ();")
    Revisions(tmp_path).upgrade(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (found,))
    with pytest.raises(MigrateError, match=reason):
        Revisions(tmp_path).upgrade(empty_database_url)


def test_a_version_without_revisions_says_so(empty_database_url: str, tmp_path: Path) -> None:
    with pytest.raises(MigrateError, match="built without its revisions"):
        Revisions(tmp_path).upgrade(empty_database_url)


OURS = " AND application_name = 'leadline-migrate' AND datname = current_database()"
CONCURRENTLY = "-- outside a transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_n ON a (n);"
IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_n'::regclass"


def test_an_index_that_was_left_half_built_is_built_anew(empty_database_url: str, tmp_path: Path) -> None:
    write_revision(tmp_path, "0001", None, "CREATE TABLE a AS SELECT 1 AS n FROM generate_series(1, 2);")
    write_revision(tmp_path, "0002", "0001", CONCURRENTLY)
    with pytest.raises(MigrateError, match="could not create unique index"):
        Revisions(tmp_path).upgrade(empty_database_url)
    assert rows(empty_database_url, IS_VALID) == [(False,)]
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("DELETE FROM a")
    assert Revisions(tmp_path).upgrade(empty_database_url) == ["0002"]
    assert rows(empty_database_url, IS_VALID) == [(True,)]


def test_an_index_that_waited_too_long_for_others_is_built_anew(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("migrations.plain_sql.OUTSIDE_LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr("services.migrate.revisions.LOCK_PAUSE_SECONDS", 0.2)
    write_revision(tmp_path, "0001", None, "CREATE TABLE a (n int);")
    Revisions(tmp_path).upgrade(empty_database_url)
    write_revision(tmp_path, "0002", "0001", CONCURRENTLY)
    with psycopg.connect(empty_database_url) as writer:
        writer.execute("INSERT INTO a VALUES (1)")
        release = threading.Timer(0.8, writer.commit)
        release.start()
        assert Revisions(tmp_path).upgrade(empty_database_url) == ["0002"]
        release.join()
    assert "revision_stepped_aside" in [record.message for record in caplog.records]
    assert rows(empty_database_url, IS_VALID) == [(True,)]


def test_a_killed_migrate_leaves_the_lock_to_the_next(empty_database_url: str, tmp_path: Path) -> None:
    """Also while the server is busy with a statement of the dead one."""
    write_revision(tmp_path, "0001", None, "CREATE TABLE a (); SELECT pg_sleep(3600);")
    program = "import pathlib, sys; from services.migrate.revisions import Revisions; \
Revisions(pathlib.Path(sys.argv[1])).upgrade(sys.argv[2])"
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path), empty_database_url]) as doomed:
        while not rows(empty_database_url, "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3600)%'" + OURS):
            assert doomed.poll() is None
            time.sleep(0.05)
        doomed.kill()
    write_revision(tmp_path, "0001", None, "CREATE TABLE a ();")
    assert Revisions(tmp_path).upgrade(empty_database_url, lock_wait_seconds=60) == ["0001"]


def test_an_unreachable_database_is_one_line(tmp_path: Path) -> None:
    write_revision(tmp_path, "0001", None, "CREATE TABLE a ();")
    with pytest.raises(MigrateError) as caught:
        Revisions(tmp_path).upgrade("postgresql://nobody:geheim@127.0.0.1:1/none")
    assert "\n" not in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_database_that_cannot_hold_every_letter_is_refused(empty_database_url: str, tmp_path: Path) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE leadline_test_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        try:
            with pytest.raises(MigrateError, match="encoding is SQL_ASCII; create it with"):
                Revisions(tmp_path).upgrade(with_database(empty_database_url, "leadline_test_ascii"))
        finally:
            connection.execute("DROP DATABASE leadline_test_ascii WITH (FORCE)")
