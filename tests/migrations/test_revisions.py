"""The runner of migrations: order, lock, failure, statements outside of a transaction."""

import threading
from pathlib import Path

import psycopg
import pytest

from services.migrate.revisions import LOCK_KEY, MigrateError, Revisions, connecting, current_revision
from tests.support.run import with_database

HEADER = '''"""Words."""
from migrations.plain_sql import sql_beside
revision, down_revision = {revision!r}, {before!r}
upgrade = sql_beside(__file__)
'''


def write_revision(folder: Path, revision: str, before: str | None, text: str) -> None:
    (folder / f"{revision}_words.py").write_text(HEADER.format(revision=revision, before=before))
    (folder / f"{revision}_words.sql").write_text(text)


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


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
        assert current_revision(connection) == "0001"
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


def test_gives_up_when_another_migrate_keeps_the_lock(empty_database_url: str, tmp_path: Path) -> None:
    write_revision(tmp_path, "0001", None, "CREATE TABLE a ();")
    with psycopg.connect(empty_database_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        with pytest.raises(MigrateError, match=r"held the lock for 0\.1 s"):
            Revisions(tmp_path).upgrade(empty_database_url, lock_wait_seconds=0.1)


def test_waits_for_a_table_that_is_in_use_and_tries_again(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.migrate.revisions.STATEMENT_LOCK_TIMEOUT_MS", 100)
    write_revision(tmp_path, "0001", None, "CREATE TABLE a ();")
    Revisions(tmp_path).upgrade(empty_database_url)
    write_revision(tmp_path, "0002", "0001", "CREATE TABLE b (); ALTER TABLE a ADD c int;")
    with psycopg.connect(empty_database_url) as reader:
        reader.execute("SELECT * FROM a")
        release = threading.Timer(0.8, reader.rollback)
        release.start()
        assert Revisions(tmp_path).upgrade(empty_database_url) == ["0002"]
        release.join()


def test_a_database_of_a_newer_version_is_refused(empty_database_url: str, tmp_path: Path) -> None:
    write_revision(tmp_path, "0001", None, "CREATE TABLE a ();")
    Revisions(tmp_path).upgrade(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
    with pytest.raises(MigrateError, match="revision 0099, which this version does not know"):
        Revisions(tmp_path).upgrade(empty_database_url)


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
