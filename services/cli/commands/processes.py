"""Launchers: one process each, as `python -m services.<name>` starts it in the chart."""

import importlib
from typing import Annotated, Literal

import typer

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
