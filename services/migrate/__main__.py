"""`python -m services.migrate [upgrade [--timeout SECONDS]|status|wait --timeout SECONDS]`."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from leadline.runtime.logging import configure_logging, get_logger
from leadline.runtime.settings import SettingsError, load
from leadline.store.schema import SchemaFit
from services.migrate.database import connecting, find_schema
from services.migrate.errors import MigrateError
from services.migrate.polling import poll
from services.migrate.revisions import Revisions
from services.migrate.settings import MigrateSettings

EXIT_STOPPED = 130
log = get_logger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, and turn errors into one line and exit code 1 (2 for settings and arguments, 130 if told to stop)."""
    asked = _parser().parse_args(arguments)
    try:
        settings = load(MigrateSettings, os.environ)
    except SettingsError as error:
        sys.stderr.write(f"migrate: {error}\n")
        return 2
    configure_logging("migrate", level=settings.observability.log_level, log_format=settings.observability.log_format)
    # SIGTERM has no default action for the first process of a container: a deleted pod would last out its grace period.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    url = settings.database.database_url.get_secret_value()
    try:
        match asked.verb:
            case "status":
                return status(url)
            case "wait":
                return wait(url, asked.timeout)
            case "upgrade":
                return upgrade(url, asked.timeout)
            case _:
                return upgrade(url)
    except MigrateError as error:
        log.error("migrate_failed", reason=str(error))
        return 1
    except KeyboardInterrupt:
        log.warning("migrate_stopped")
        return EXIT_STOPPED


def upgrade(url: str, database_wait_seconds: float = 0) -> int:
    """Bring the schema to head; one that is newer, and fits this version, stays as it is."""
    Revisions().upgrade(url, database_wait_seconds=database_wait_seconds)
    return 0


def status(url: str) -> int:
    """Print where the schema is; 0 if nothing is pending and this version runs on it, else 1 (or MigrateError)."""
    revisions = Revisions()
    with connecting(url) as connection:
        schema = find_schema(connection)
    pending = revisions.pending(schema)
    misfit = None if pending else schema.misfit(revisions.head())
    sys.stdout.write(
        f"at {schema.revision or 'nothing'}, head {revisions.head()}, pending {' '.join(pending) or 'none'}, "
        f"oldest code {schema.oldest_code or 'not recorded'}\n"
    )
    if misfit is not None:
        raise MigrateError(misfit)
    return 1 if pending else 0


def wait(url: str, timeout_seconds: float) -> int:
    """Return 0 as soon as this version's code runs on the schema, at head or beyond. For init containers.

    Raises MigrateError after `timeout_seconds`, and at once if the schema is beyond what this version runs on: no
    waiting mends that.
    """
    head = Revisions().head()

    def look() -> str | None:
        try:
            with connecting(url) as connection:
                schema = find_schema(connection)
        except MigrateError as error:
            return str(error)
        misfit = schema.misfit(head)
        if schema.fit(head) is SchemaFit.CONTRACTED:
            raise MigrateError(misfit)
        return misfit

    poll(look, most_seconds=timeout_seconds, event="schema_waited_for")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="migrate", description="Brings Leadline's schema to head.")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    upgrading = verbs.add_parser("upgrade", help="bring the schema to head (the default)")
    upgrading.add_argument(
        "--timeout",
        type=float,
        default=0,
        metavar="SECONDS",
        help="wait so long for the database; default: %(default)s",
    )
    verbs.add_parser("status", help="print revisions; exit 1 if some are pending or this version is too old")
    waiting = verbs.add_parser("wait", help="wait until this version runs on the schema")
    waiting.add_argument("--timeout", type=float, default=300, metavar="SECONDS", help="default: %(default)s")
    return parser


if __name__ == "__main__":
    sys.exit(main())
