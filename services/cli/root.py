"""The `leadline` command with everything in it: for people, whose machine can load it all."""

from importlib.metadata import version
from typing import Annotated

import typer

from services.cli.commands import (
    account,
    campaigns,
    crm,
    doctor,
    exporting,
    importing,
    leads,
    processes,
    status,
    suppress,
)
from services.cli.exits import EXIT_CODES_HELP
from services.cli.one_line import OneLineGroup
from services.cli.options import HELP_NAMES, examples
from services.cli.up.command import up

app = typer.Typer(
    cls=OneLineGroup,
    name="leadline",
    help="Calls every lead back at the right moment, never twice, never after no, and can say why.",
    epilog=examples("leadline up --demo 50", "leadline status", "leadline leads explain +15615550123")
    + "\n\nOperators' commands ask the queue-service of LEADLINE_QUEUE_URL with LEADLINE_QUEUE_TOKEN; with neither set,"
    " the `leadline up` that runs in this folder." + f"\n\n{EXIT_CODES_HELP}",
    context_settings=HELP_NAMES,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    *,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Print the help or the version if no command is given."""
    if show_version:
        typer.echo(f"leadline {version('leadline')}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
    else:
        return
    raise typer.Exit


app.command(
    "up",
    epilog=examples(
        "leadline up",
        "leadline up --demo 500 --start-at 2026-01-05T10:55-05:00 --speed 120 --until 2026-01-05T20:05-05:00",
    ),
)(up)
processes.register(app)
app.command(epilog=status.EPILOG)(status.status)
app.command(epilog=doctor.EPILOG)(doctor.doctor)
app.command(epilog=importing.EPILOG)(importing.import_queue)
app.command(epilog=exporting.EPILOG)(exporting.export_queue)
for name, group in (
    ("leads", leads.app),
    ("suppress", suppress.app),
    ("campaigns", campaigns.app),
    ("account", account.app),
    ("crm", crm.app),
):
    app.add_typer(group, name=name, context_settings=HELP_NAMES)
