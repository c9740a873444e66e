"""migrate as a process: what it says, and what it ends with."""

import signal
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from leadline.store.schema import EXPECTED_REVISION
from services.migrate.revisions import LOCK_KEY, Revisions
from tests.migrations.making import migrate, next_version, rows, where
from tests.support.processes import ServiceProcess
from tests.support.waiting import until_true

EXPANDING = "ALTER TABLE leads ADD COLUMN language text;"
CONTRACTING = "ALTER TABLE leads DROP COLUMN language; UPDATE schema_compatibility SET oldest_code = '0004';"
COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., ServiceProcess]:
    """migrate with these arguments, not started."""

    def made(url: str, *arguments: str) -> ServiceProcess:
        return ServiceProcess("services.migrate", {"LEADLINE_DATABASE_URL": url}, tmp_path, arguments=arguments)

    return made


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
        f"at {EXPECTED_REVISION}, head {EXPECTED_REVISION}, pending none, oldest code 0003\n",
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


def test_the_rollback_of_a_release_leaves_a_newer_schema_as_it_is(database_url: str, tmp_path: Path) -> None:
    """`helm rollback` runs the migrate of the version before."""
    next_version(tmp_path, EXPANDING).upgrade(database_url)
    before = rows(database_url, COLUMNS)

    upgrade = migrate("upgrade", url=database_url)
    assert (upgrade.returncode, "newer_schema_left_as_it_is" in upgrade.stderr) == (0, True)
    assert (where(database_url), rows(database_url, COLUMNS)) == (("0004", "0003"), before)
    status = migrate("status", url=database_url)
    assert (status.returncode, status.stdout) == (0, "at 0004, head 0003, pending none, oldest code 0003\n")
    assert migrate("wait", "--timeout", "0", url=database_url).returncode == 0


def test_a_rollback_behind_a_contraction_is_refused(database_url: str, tmp_path: Path) -> None:
    next_version(tmp_path, EXPANDING, CONTRACTING).upgrade(database_url)
    before = rows(database_url, COLUMNS)
    for arguments in (("upgrade",), ("status",), ("wait", "--timeout", "3600")):
        refused = migrate(*arguments, url=database_url)
        assert refused.returncode == 1
        assert "the database is at revision 0005, which needs code from 0004 on" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    assert (where(database_url), rows(database_url, COLUMNS)) == (("0005", "0004"), before)


def test_the_next_version_goes_on_after_a_rollback(database_url: str, tmp_path: Path) -> None:
    next_version(tmp_path, EXPANDING).upgrade(database_url)
    assert migrate(url=database_url).returncode == 0
    assert next_version(tmp_path, EXPANDING, CONTRACTING).upgrade(database_url) == ["0005"]


async def test_wait_says_what_it_waits_for_and_is_released_by_an_upgrade(
    empty_database_url: str, start: Callable[..., ServiceProcess]
) -> None:
    async with start(empty_database_url, "wait", "--timeout", "60") as waiting:
        await until_true(lambda: "has no schema yet" in waiting.log_text(), "wait says what it waits for")
        assert "schema_waited_for" in waiting.log_text()
        Revisions().upgrade(empty_database_url)
        assert await waiting.wait() == 0


def test_wait_gives_up_with_one_line_that_says_what_to_do(empty_database_url: str) -> None:
    gave_up = migrate("wait", "--timeout", "0", url=empty_database_url)
    assert gave_up.returncode == 1
    (line,) = gave_up.stderr.splitlines()
    assert "gave up after 0 s: the database has no schema yet" in line
    assert "run `leadline migrate` of this version" in line


async def test_upgrade_waits_for_a_database_that_is_younger(
    empty_database_url: str, start: Callable[..., ServiceProcess]
) -> None:
    name = f"{urlsplit(empty_database_url).path.lstrip('/')}_younger"
    url = urlsplit(empty_database_url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(empty_database_url, autocommit=True) as other:
        try:
            async with start(url, "upgrade", "--timeout", "60") as migrating:
                await until_true(
                    lambda: "database_waited_for" in migrating.log_text(), "migrate waits for the database"
                )
                other.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
                assert await migrating.wait() == 0
            assert where(url) == (EXPECTED_REVISION, "0003")
        finally:
            other.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def test_migrate_ends_when_its_pod_is_deleted(database_url: str, start: Callable[..., ServiceProcess]) -> None:
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        async with start(database_url) as migrating:
            await until_true(lambda: "lock_waited_for" in migrating.log_text(), "migrate waits for the lock")
            migrating.send(signal.SIGTERM)
            assert await migrating.wait() == 130
    assert "migrate_stopped" in migrating.log_text()
