"""The project's own revisions, and the process that runs them."""

import subprocess
import sys
from pathlib import Path

import pytest

from leadline.runtime.postgres import Connection
from leadline.store.schema import EXPECTED_REVISION, UnknownSchema, get_revision, require_expected_revision
from services.migrate.revisions import SCRIPTS, Revisions
from tests.support.environment import clean_environ


def migrate(*arguments: str, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.migrate", *arguments],
        env=clean_environ({"LEADLINE_DATABASE_URL": url}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_code_expects_the_newest_revision() -> None:
    assert Revisions().head() == EXPECTED_REVISION


def test_every_revision_is_four_lines_and_a_file_of_sql() -> None:
    versions = SCRIPTS / "versions"
    headers = sorted(versions.glob("*.py"))
    assert [path.stem for path in headers] == [path.stem for path in sorted(versions.glob("*.sql"))]
    for path in headers:
        assert len(path.read_text().splitlines()) == 4, path.name
        assert "upgrade = sql_beside(__file__)" in path.read_text()


def test_a_statement_outside_a_transaction_stands_alone() -> None:
    for path in Path(SCRIPTS / "versions").glob("*.sql"):
        text = path.read_text()
        if text.startswith("-- outside a transaction"):
            assert text.rstrip().removesuffix(";").count(";") == 0, path.name


async def test_a_fresh_database_is_at_the_expected_revision(conn: Connection) -> None:
    assert await get_revision(conn) == EXPECTED_REVISION
    await require_expected_revision(conn)


async def test_a_service_refuses_a_schema_it_does_not_know(conn: Connection) -> None:
    await conn.execute("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(UnknownSchema, match=f"is at revision 0000, this version needs {EXPECTED_REVISION}"):
        await require_expected_revision(conn)
    await conn.execute("DROP TABLE alembic_version")
    with pytest.raises(UnknownSchema, match="has no schema yet"):
        await require_expected_revision(conn)


def test_the_process_tells_where_the_schema_is_and_moves_it(empty_database_url: str) -> None:
    before = migrate("status", url=empty_database_url)
    assert (before.returncode, before.stdout.startswith("at nothing, head ")) == (1, True)
    assert migrate("wait", "--timeout", "0.2", url=empty_database_url).returncode == 1
    assert migrate(url=empty_database_url).returncode == 0
    assert migrate("upgrade", url=empty_database_url).returncode == 0
    assert migrate("wait", "--timeout", "0", url=empty_database_url).returncode == 0
    after = migrate("status", url=empty_database_url)
    assert (after.returncode, after.stdout) == (
        0,
        f"at {EXPECTED_REVISION}, head {EXPECTED_REVISION}, pending none\n",
    )


def test_the_process_says_in_one_line_what_is_wrong() -> None:
    no_server = migrate(url="postgresql://user:geheim@127.0.0.1:1/none")
    assert no_server.returncode == 1
    assert "migrate_failed" in no_server.stderr
    assert "geheim" not in no_server.stderr
    no_url = migrate(url="")
    assert (no_url.returncode, no_url.stderr) == (
        2,
        "migrate: LEADLINE_DATABASE_URL: is not set (nor LEADLINE_DATABASE_URL_FILE)\n",
    )
