"""Alembic, driven from code: which revisions there are, and the way from where a database is to head.

Only one migrate works at a time. The lock is polled with `pg_try_advisory_lock`: whoever blocks on it holds a snapshot,
and CREATE INDEX CONCURRENTLY in the migrate that has the lock would wait for that snapshot for ever.
"""

import time
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

import migrations
from leadline.runtime.logging import get_logger
from leadline.store.schema import Schema, SchemaFit
from services.migrate.database import connecting, find_schema, one_line
from services.migrate.errors import MigrateError
from services.migrate.polling import poll

SCRIPTS = Path(migrations.__file__).parent
LOCK_KEY = 0x4C45_4144  # "LEAD"
STATEMENT_LOCK_TIMEOUT_MS = 2000
"""Whoever comes after a statement that waits for a table's lock waits behind it: no longer than a send window."""
LOCK_PAUSE_SECONDS = 2.0
"""Between two tries at a table's lock, so that what piled up behind the last one gets through."""
LOCK_TRIES = 30
FOR_OTHERS_SAKE = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
"""The revision was rolled back whole, and those whom it was in the way of went on."""
log = get_logger(__name__)


class Revisions:
    """The revisions in a folder. `versions` is another folder than the project's in tests alone."""

    def __init__(self, versions: Path = SCRIPTS / "versions") -> None:
        self._config = Config()
        self._config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
        self._config.set_main_option("version_locations", str(versions).replace("%", "%%"))
        self._config.set_main_option("path_separator", "newline")

    def head(self) -> str:
        """The newest revision, which names this version's code. Raises MigrateError if there is none."""
        head = ScriptDirectory.from_config(self._config).get_current_head()
        if head is None:
            msg = "this version was built without its revisions"
            raise MigrateError(msg)
        return head

    def pending(self, schema: Schema) -> list[str]:
        """Revisions that a database lacks, oldest first; none if it is newer than head and this version runs on it.

        Raises MigrateError if this version neither runs on it nor knows the way from there.
        """
        scripts = ScriptDirectory.from_config(self._config)
        ordered = [script.revision for script in reversed(list(scripts.walk_revisions()))]
        if schema.revision in ordered:
            return ordered[ordered.index(schema.revision) + 1 :]
        match schema.fit(self.head()):
            case SchemaFit.FITS:
                return []
            case SchemaFit.BEHIND if schema.revision is None:
                return ordered
            case SchemaFit.BEHIND:
                msg = f"the database is at revision {schema.revision}, which is none of ours: restore alembic_version"
                raise MigrateError(msg)
            case _:
                raise MigrateError(schema.misfit(self.head()))

    def upgrade(
        self, database_url: str, *, lock_wait_seconds: float = 600, database_wait_seconds: float = 0
    ) -> list[str]:
        """Bring the database to head and return what was run; an empty list if it was there already, or beyond.

        Each revision commits by itself; one that fails leaves those before it in place. Raises MigrateError, also if
        the database cannot be reached within `database_wait_seconds`.
        """
        if database_wait_seconds:
            _wait_for_database(database_url, database_wait_seconds)
        with connecting(database_url) as connection:
            _take_lock(connection, lock_wait_seconds)
            schema = find_schema(connection)
            pending = self.pending(schema)
            self._config.attributes["connection"] = connection
            for revision in pending:
                self._run(connection, revision)
                log.info("revision_applied", revision=revision)
        if pending or schema.revision == self.head():
            log.info("schema_at_head", revision=self.head(), applied=len(pending))
        else:
            log.info(
                "newer_schema_left_as_it_is",
                revision=schema.revision,
                oldest_code=schema.oldest_code,
                this_version=self.head(),
            )
        return pending

    def _run(self, connection: Connection, revision: str) -> None:
        for tries_left in reversed(range(LOCK_TRIES)):
            connection.exec_driver_sql(f"SET lock_timeout = {STATEMENT_LOCK_TIMEOUT_MS}")
            connection.commit()
            try:
                command.upgrade(self._config, revision)
            except DBAPIError as error:
                if not isinstance(error.orig, FOR_OTHERS_SAKE) or not tries_left:
                    msg = f"revision {revision} failed: {one_line(error)}"
                    raise MigrateError(msg) from error
                connection.rollback()
                log.warning("revision_stepped_aside", revision=revision, reason=one_line(error), tries_left=tries_left)
                time.sleep(LOCK_PAUSE_SECONDS)
            else:
                return


def _wait_for_database(url: str, wait_seconds: float) -> None:
    """A database that is installed together with us may be younger than we are."""

    def look() -> str | None:
        try:
            with connecting(url):
                return None
        except MigrateError as error:
            return str(error)

    poll(look, most_seconds=wait_seconds, event="database_waited_for")


def _take_lock(connection: Connection, wait_seconds: float) -> None:
    def look() -> str | None:
        taken = connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({LOCK_KEY})").scalar_one()
        connection.commit()  # the lock is the session's; no transaction stays open while polling
        return None if taken else "another migrate holds the lock"

    poll(look, most_seconds=wait_seconds, event="lock_waited_for")
