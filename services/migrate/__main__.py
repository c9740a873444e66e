"""`python -m services.migrate [upgrade|status|wait --timeout SECONDS]`."""

import argparse
import os
import sys
import time
from collections.abc import Sequence

from leadline.runtime.logging import configure_logging, get_logger
from leadline.runtime.settings import SettingsError, load
from services.migrate.revisions import MigrateError, Revisions, connecting, current_revision
from services.migrate.settings import MigrateSettings

WAIT_POLL_SECONDS = 0.5
log = get_logger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, and turn errors into one line and exit code 1 (2 for settings and arguments)."""
    asked = _parser().parse_args(arguments)
    try:
        settings = load(MigrateSettings, os.environ)
    except SettingsError as error:
        sys.stderr.write(f"migrate: {error}\n")
        return 2
    configure_logging("migrate", level=settings.observability.log_level, log_format=settings.observability.log_format)
    url = settings.database.database_url.get_secret_value()
    try:
        match asked.verb:
            case "status":
                return status(url)
            case "wait":
                return wait(url, asked.timeout)
            case _:
                return upgrade(url)
    except MigrateError as error:
        log.error("migrate_failed", reason=str(error))
        return 1


def upgrade(url: str) -> int:
    """Bring the schema to head."""
    revisions = Revisions()
    applied = revisions.upgrade(url)
    log.info("schema_at_head", revision=revisions.head(), applied=len(applied))
    return 0


def status(url: str) -> int:
    """Print where the schema is; 0 if that is head, 1 if not."""
    revisions = Revisions()
    with connecting(url) as connection:
        current = current_revision(connection)
    pending = revisions.pending(current)
    sys.stdout.write(f"at {current or 'nothing'}, head {revisions.head()}, pending {' '.join(pending) or 'none'}\n")
    return 1 if pending else 0


def wait(url: str, timeout_seconds: float) -> int:
    """Return 0 as soon as the schema is at head; MigrateError after `timeout_seconds`. For init containers."""
    revisions = Revisions()
    give_up_at = time.monotonic() + timeout_seconds
    while True:
        try:
            with connecting(url) as connection:
                current = current_revision(connection)
            if not revisions.pending(current):
                return 0
            reason = f"the schema is at {current or 'nothing'}, head is {revisions.head()}"
        except MigrateError as error:
            reason = str(error)
        if time.monotonic() >= give_up_at:
            msg = f"gave up after {timeout_seconds:g} s: {reason}"
            raise MigrateError(msg)
        time.sleep(WAIT_POLL_SECONDS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="migrate", description="Brings Leadline's schema to head.")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    verbs.add_parser("upgrade", help="bring the schema to head (the default)")
    verbs.add_parser("status", help="print revisions; exit 1 if some are pending")
    waiting = verbs.add_parser("wait", help="wait until the schema is at head")
    waiting.add_argument("--timeout", type=float, default=300, metavar="SECONDS", help="default: %(default)s")
    return parser


if __name__ == "__main__":
    sys.exit(main())
