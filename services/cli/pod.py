"""The commands that run in a pod, alone: the same ones that stand in the whole `leadline` command."""

import typer

from services.cli.commands import processes
from services.cli.one_line import OneLineGroup
from services.cli.options import HELP_NAMES

app = typer.Typer(
    cls=OneLineGroup,
    name="leadline",
    context_settings=HELP_NAMES,
    add_completion=False,
    pretty_exceptions_enable=False,
)
processes.register(app)
