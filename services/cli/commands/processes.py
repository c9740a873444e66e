"""Launchers: one process each, as `python -m services.<name>` starts it in the chart."""

import importlib
import os
from typing import Annotated, Literal

import typer

from services.cli.connection import backfill_defaults
from services.cli.options import examples

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
                "leadline backfill --from 2026-01-05T11:00-05:00 --to 2026-01-05T20:00-05:00 --window 30m --no-wait",
            ),
        ),
        (migrate, ("leadline migrate", "leadline migrate status", "leadline migrate wait --timeout 60")),
        (simulator, ("leadline simulator", "LEADLINE_SIMULATOR_PORT=8190 leadline simulator")),
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
    launch("sweep", *(option for option, is_given in given if is_given))


def crm_sync() -> None:
    """Tell the CRM what became of calls, and ask it again about leads that wait for its word."""
    launch("crm_sync")


def backfill(
    *,
    from_date: Annotated[
        str,
        typer.Option(
            "--from", metavar="DATE", help="First day, in LEADLINE_CALLING_TIMEZONE; or an instant with its offset."
        ),
    ],
    to_date: Annotated[
        str,
        typer.Option(
            "--to", metavar="DATE", help="Last day, included whole; or an instant. The last minutes are left out."
        ),
    ],
    campaign: Annotated[
        str | None, typer.Option("--campaign", "-c", metavar="NAME", help="Campaign of numbers that are added.")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Change nothing; print what would be recorded and added. The CRM is not asked: which of the new"
            " numbers it would end or hold a dry run cannot know.",
        ),
    ] = False,
    pace: Annotated[str, typer.Option(metavar="N/s", help="Pages a second: 1/s, 30/min, or none.")] = "1/s",
    details_pace: Annotated[
        str, typer.Option("--details-pace", metavar="N/s", help="Calls whose details are read, a second.")
    ] = "5/s",
    window: Annotated[str, typer.Option(metavar="TIME", help="Width of one window: 30m, 1h, 1d.")] = "1h",
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Leave with exit code 5 if another copy holds the run.")
    ] = False,
) -> None:
    """Read the provider's call history of some days into the queue; start it again whenever it was stopped.

    Every call is recorded, so that caps are right. Numbers that nobody knew become leads, after the CRM was asked; one
    whose standing cannot be learned is held. Exit code 4 if windows of history are missing: the same command reads
    only those.
    """
    os.environ.update(backfill_defaults())
    words = ["--from", from_date, "--to", to_date, "--pace", pace, "--details-pace", details_pace, "--window", window]
    words += ["--campaign", campaign] if campaign is not None else []
    given = (("--dry-run", dry_run), ("--json", as_json), ("--no-wait", no_wait))
    launch("backfill", *words, *(option for option, is_given in given if is_given))


def migrate(
    verb: Annotated[
        Literal["upgrade", "status", "wait"], typer.Argument(help="Bring to head, print revisions, or wait for head.")
    ] = "upgrade",
    *,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="SECONDS", help="With wait: how long; default 300.")
    ] = None,
) -> None:
    """Bring the database's schema to head, then exit."""
    launch("migrate", verb, *(() if timeout is None or verb != "wait" else ("--timeout", str(timeout))))


def simulator() -> None:
    """Simulate Bland on LEADLINE_SIMULATOR_PORT: calls, webhooks, faults on demand."""
    launch("simulator")


def launch(package: str, *arguments: str) -> None:
    """Run a service's own `main` in this process and exit with its code. Loaded only now: the others stay unloaded."""
    main = importlib.import_module(f"services.{package}.__main__").main
    raise typer.Exit(main(arguments) if arguments else main())
