"""Alembic, driven from code: which revisions there are, where a database is, and the way from there to head.

Only one migrate works at a time. The lock is polled with `pg_try_advisory_lock`: whoever blocks on it holds a snapshot,
and CREATE INDEX CONCURRENTLY in the migrate that has the lock would wait for that snapshot for ever.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

import migrations
from leadline.runtime.logging import get_logger

SCRIPTS = Path(migrations.__file__).parent
LOCK_KEY = 0x4C45_4144  # "LEAD"
LOCK_POLL_SECONDS = 0.5
STATEMENT_LOCK_TIMEOUT_MS = 5000
LOCK_TRIES = 12
CONNECT_TIMEOUT_SECONDS = 10
log = get_logger(__name__)


class MigrateError(Exception):
    """Migrating is not possible now; `str(error)` is one line."""


class Revisions:
    """The revisions in a folder. `versions` is another folder than the project's in tests alone."""

    def __init__(self, versions: Path = SCRIPTS / "versions") -> None:
        self._config = Config()
        self._config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
        self._config.set_main_option("version_locations", str(versions).replace("%", "%%"))
        self._config.set_main_option("path_separator", "newline")

    def head(self) -> str | None:
        """The newest revision; None if there is none."""
        return ScriptDirectory.from_config(self._config).get_current_head()

    def pending(self, current: str | None) -> list[str]:
        """Revisions after `current`, oldest first. Raises MigrateError if `current` is not among ours."""
        scripts = ScriptDirectory.from_config(self._config)
        ordered = [script.revision for script in reversed(list(scripts.walk_revisions()))]
        if current is None:
            return ordered
        if current not in ordered:
            msg = f"the database is at revision {current}, which this version does not know: use a newer one"
            raise MigrateError(msg)
        return ordered[ordered.index(current) + 1 :]

    def upgrade(self, database_url: str, *, lock_wait_seconds: float = 600) -> list[str]:
        """Bring the database to head and return what was run; an empty list if it was there already.

        Each revision commits by itself; one that fails leaves those before it in place. Raises MigrateError.
        """
        with connecting(database_url) as connection:
            _take_lock(connection, lock_wait_seconds)
            pending = self.pending(current_revision(connection))
            self._config.attributes["connection"] = connection
            for revision in pending:
                self._run(connection, revision)
                log.info("revision_applied", revision=revision)
            return pending

    def _run(self, connection: Connection, revision: str) -> None:
        for tries_left in reversed(range(LOCK_TRIES)):
            try:
                command.upgrade(self._config, revision)
            except DBAPIError as error:
                if not isinstance(error.orig, psycopg.errors.LockNotAvailable) or not tries_left:
                    msg = f"revision {revision} failed: {_one_line(error)}"
                    raise MigrateError(msg) from error
                connection.rollback()
                log.warning("revision_lock_timed_out", revision=revision, tries_left=tries_left)
                time.sleep(LOCK_POLL_SECONDS)
            else:
                return


@contextmanager
def connecting(database_url: str) -> Iterator[Connection]:
    """A connection of its own, closed at the end. MigrateError if the database cannot be reached or is lost."""
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(
            database_url,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            application_name="leadline-migrate",
            client_encoding="utf8",
        ),
        poolclass=NullPool,
    )
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"SET lock_timeout = {STATEMENT_LOCK_TIMEOUT_MS}")
            connection.exec_driver_sql("SET client_min_messages = warning")
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
            connection.commit()
            if encoding != "UTF8":
                msg = f"the database's encoding is {encoding}; create it with ENCODING 'UTF8' TEMPLATE template0"
                raise MigrateError(msg)
            yield connection
    except DBAPIError as error:
        raise MigrateError(_one_line(error)) from error


def _one_line(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())


def current_revision(connection: Connection) -> str | None:
    """The revision the database is at; None before the first."""
    revision = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    return revision


def _take_lock(connection: Connection, wait_seconds: float) -> None:
    give_up_at = time.monotonic() + wait_seconds
    told = False
    while True:
        taken = connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({LOCK_KEY})").scalar_one()
        connection.commit()  # the lock is the session's; no transaction stays open while polling
        if taken:
            return
        if time.monotonic() >= give_up_at:
            msg = f"another migrate has held the lock for {wait_seconds:g} s"
            raise MigrateError(msg)
        if not told:
            log.info("lock_waited_for", wait_seconds=wait_seconds)
            told = True
        time.sleep(LOCK_POLL_SECONDS)
