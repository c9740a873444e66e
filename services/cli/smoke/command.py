"""Runs the test, prints what it finds."""

import os
import sys

from leadline.clients.token_source import token_source
from leadline.runtime.settings import load
from services.cli.connection import Connection, smoke_defaults
from services.cli.exits import CliError
from services.cli.printing import print_json
from services.cli.settings import SmokeSettings
from services.cli.smoke.steps import Smoke, Step


def run(*, as_json: bool) -> None:
    """Do it. Raises CliError at the first step that fails, SettingsError for wrong settings."""
    defaults = smoke_defaults()
    settings = load(SmokeSettings, {**os.environ, **defaults})
    origin = "the running `leadline up`" if defaults else "LEADLINE_QUEUE_URL"
    connection = Connection(settings.queue.queue_url, token_source(settings.queue), origin)
    smoke = Smoke(settings.smoke, connection, tell=_nothing if as_json else _print)
    problem: str | None = None
    try:
        smoke.run()
    except CliError as error:
        problem = str(error)
        raise
    finally:
        if as_json:
            print_json(smoke.document(problem))


def _print(step: Step) -> None:
    sys.stdout.write(f"{step.step:<10} {step.milliseconds:>8.1f} ms  {step.says}\n")
    sys.stdout.flush()


def _nothing(_step: Step) -> None:
    """All steps stand in the document."""
