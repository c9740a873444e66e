"""Launchers: one process each, as `python -m services.<name>` starts it in the chart."""

import importlib
import os
from collections.abc import Callable
from typing import Annotated, Literal

import typer

from services.cli.commands.waiting import wait_for_queue
from services.cli.connection import backfill_defaults
from services.cli.options import AsJson, examples

NAMES = frozenset(
    {"gateway", "queue", "dialer", "sweep", "crm-sync", "backfill", "migrate", "simulator", "wait-for-queue", "smoke"}
)
"""What `register` adds."""
_SETTINGS = "Everything is set by environment variables (LEADLINE_*); a wrong one is one line and exit code 2."


def register(app: typer.Typer) -> None:
    """Add all launchers to the root."""
    panel = "Processes"
    for command, lines in (
        (gateway, ("leadline gateway",)),
        (queue, ("leadline queue",)),
        (dialer, ("leadline dialer", "LEADLINE_DIALER_CONCURRENCY=20 leadline dialer")),
        (sweep, ("leadline sweep --dry-run", "leadline sweep --json")),
        (crm_sync, ("leadline crm-sync",)),
        (
            backfill,
            (
                "leadline backfill --from 2025-11-01 --to 2025-11-30 --dry-run",
                "leadline backfill --from 2025-11-01 --to 2025-11-30 --pace 2/s --json",
                "LEADLINE_BACKFILL_FROM=2025-11-01 LEADLINE_BACKFILL_TO=2025-11-30 leadline backfill",
                "leadline backfill --from 2026-01-05T11:00-05:00 --to 2026-01-05T20:00-05:00 --window 30m --no-wait",
            ),
        ),
        (migrate, ("leadline migrate", "leadline migrate status", "leadline migrate wait --timeout 60")),
        (simulator, ("leadline simulator", "LEADLINE_SIMULATOR_PORT=8190 leadline simulator")),
        (smoke, ("leadline smoke", "leadline smoke --json")),
        (wait_for_queue, ("LEADLINE_QUEUE_URL=http://leadline-queue:8081 leadline wait-for-queue --timeout 60",)),
    ):
        app.command(epilog=examples(*lines) + f"\n\n{_SETTINGS}", rich_help_panel=panel)(command)


def gateway() -> None:
    """Take leads and Bland's events on LEADLINE_GATEWAY_PORT and hand them to the queue-service."""
    launch("webhook_gateway")


def queue() -> None:
    """Serve the queue on LEADLINE_QUEUE_PORT: the only process with the database."""
    launch("queue_service")


def dialer() -> None:
    """Lease due leads and have Bland call them."""
    launch("dialer")


def sweep(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what a pass would take up; change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    show_pii: Annotated[
        bool, typer.Option("--show-pii", help="With --dry-run: print telephone numbers in full.")
    ] = False,
) -> None:
    """Run one bounded pass over everything late or stuck, then exit. It never dials.

    Exit code 1 if a promise is broken, 4 if part of the pass could not be done.
    """
    given = (("--dry-run", dry_run), ("--json", as_json), ("--show-pii", show_pii))
    launch_with("sweep", *(option for option, is_given in given if is_given))


def crm_sync() -> None:
    """Tell the CRM what became of calls, and ask it again about leads that wait for its word."""
    launch("crm_sync")


def backfill(
    *,
    from_date: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="DATE", help="First day, in LEADLINE_CALLING_TIMEZONE; or an instant with its offset."
        ),
    ] = None,
    to_date: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="DATE", help="Last day, included whole; or an instant. The last minutes are left out."
        ),
    ] = None,
    campaign: Annotated[
        str | None, typer.Option("--campaign", "-c", metavar="NAME", help="Campaign of numbers that are added.")
    ] = None,
    dry_run: Annotated[
        bool | None,
        typer.Option(
            "--dry-run/--no-dry-run",
            help="Change nothing; print what would be recorded and added. The CRM is not asked: which of the new"
            " numbers it would end or hold a dry run cannot know.",
        ),
    ] = None,
    pace: Annotated[
        str | None, typer.Option(metavar="N/s", help="Pages a second: 1/s (the default), 30/min, or none.")
    ] = None,
    details_pace: Annotated[
        str | None,
        typer.Option("--details-pace", metavar="N/s", help="Calls whose details are read, a second; 5/s by default."),
    ] = None,
    window: Annotated[
        str | None, typer.Option(metavar="TIME", help="Width of one window: 30m, 1h (the default), 1d.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Leave with exit code 5 if another copy holds the run.")
    ] = False,
) -> None:
    """Read the provider's call history of some days into the queue; start it again whenever it was stopped.

    What no option says, LEADLINE_BACKFILL_FROM, _TO, _CAMPAIGN, _DRY_RUN, _PACE, _DETAILS_PACE and _WINDOW may say.
    Every call is recorded, so that caps are right. Numbers that nobody knew become leads, after the CRM was asked; one
    whose standing cannot be learned is held. Exit code 4 if windows of history are missing: the same command reads
    only those.
    """
    os.environ.update(backfill_defaults())
    worded = (
        ("--from", from_date),
        ("--to", to_date),
        ("--campaign", campaign),
        ("--pace", pace),
        ("--details-pace", details_pace),
        ("--window", window),
    )
    words = [word for option, value in worded if value is not None for word in (option, value)]
    words += [] if dry_run is None else ["--dry-run" if dry_run else "--no-dry-run"]
    given = (("--json", as_json), ("--no-wait", no_wait))
    launch_with("backfill", *words, *(option for option, is_given in given if is_given))


def migrate(
    verb: Annotated[
        Literal["upgrade", "status", "wait"],
        typer.Argument(help="Bring to head, print revisions, or wait until this version runs on it."),
    ] = "upgrade",
    *,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            metavar="SECONDS",
            help="With wait: how long; default 300. With upgrade: how long the database is waited for; default 0.",
        ),
    ] = None,
) -> None:
    """Bring the database's schema to head, then exit."""
    launch_with("migrate", verb, *(() if timeout is None or verb == "status" else ("--timeout", str(timeout))))


def simulator() -> None:
    """Simulate Bland on LEADLINE_SIMULATOR_PORT: calls, webhooks, faults on demand."""
    launch("simulator")


def smoke(*, as_json: AsJson = False) -> None:
    """Prove that a lead gets through the gateway into the database and before an operator's eyes; no phone rings.

    Suppresses a number of nobody's (LEADLINE_SMOKE_PHONE_NUMBER), posts a lead of it to LEADLINE_GATEWAY_URL with
    LEADLINE_SMOKE_GATEWAY_KEY, and reads the lead back with an operator's LEADLINE_QUEUE_TOKEN. Both stay: the next
    test uses them again. A CRM is told of the suppression, once. If no queue-service is set, that is done to the
    `leadline up` that runs in this folder. Exit code 1 and one line if a step fails.
    """
    importlib.import_module("services.cli.smoke.command").run(as_json=as_json)


def launch(package: str) -> None:
    """Run a service's own `main` in this process and exit with its code. Loaded only now: the others stay unloaded."""
    raise typer.Exit(_main_of(package)())


def launch_with(package: str, *arguments: str) -> None:
    """The same for a service whose `main` takes options, given or not: it must not look for them in ours."""
    raise typer.Exit(_main_of(package)(arguments))


def _main_of(package: str) -> Callable[..., int]:
    main: Callable[..., int] = importlib.import_module(f"services.{package}.__main__").main
    return main
