"""`leadline up` on the command line."""

import os
import signal
from asyncio import Event, get_running_loop
from pathlib import Path
from typing import Annotated

import typer

from leadline.runtime.logging import configure_logging
from leadline.runtime.settings import SettingsError
from leadline.runtime.shutdown import run_service
from services.cli.up.errors import EXIT_REFUSED, UpError
from services.cli.up.folder import DataFolder
from services.cli.up.options import Options, read_options, refuse_pretending
from services.cli.up.run import Run
from services.cli.up.screen import Screen
from services.cli.up.settings import bland_base_url, configure, data_dir

_DEMO_HELP = "Post N sample leads of invented people, whom the simulated carrier answers."
_START_HELP = "Begin at this business time, such as 2026-01-05T10:55-05:00; `now` returns to the wall clock."
_SPEED_HELP = "How many times as fast as real time business time runs."
_UNTIL_HELP = "End at this business time with a scoreboard; exit code 1 if anything was not as it must be."
_DATA_HELP = "Where everything is kept; else LEADLINE_DATA_DIR, else .leadline."
_JSON_HELP = "Print the scoreboard as JSON on stdout; everything else goes to stderr."


def up(
    *,
    demo: Annotated[int, typer.Option("--demo", metavar="N", help=_DEMO_HELP)] = 0,
    start_at: Annotated[str | None, typer.Option("--start-at", metavar="ISO", help=_START_HELP)] = None,
    speed: Annotated[float | None, typer.Option("--speed", metavar="X", help=_SPEED_HELP)] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="ISO", help=_UNTIL_HELP)] = None,
    data: Annotated[Path | None, typer.Option("--data-dir", metavar="DIR", help=_DATA_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=_JSON_HELP)] = False,
) -> None:
    """Run all of Leadline on this machine: database, services and, without a real key, a simulated Bland.

    With no settings at all it starts everything, prints the URLs and shows a live board. Ctrl-C stops it; a second
    start goes on where it was. --demo, --start-at, --speed and --until are for the simulated Bland alone.
    """
    screen = Screen(as_json=as_json)
    try:
        options = read_options(demo=demo, start_at=start_at, speed=speed, until=until, as_json=as_json)
        code = _run(options, data, screen)
    except SettingsError as error:
        screen.complain(str(error))
        code = EXIT_REFUSED
    except UpError as error:
        screen.complain(str(error))
        code = error.exit_code
    raise typer.Exit(code)


def _run(options: Options, data: Path | None, screen: Screen) -> int:
    environ = dict(os.environ)
    refuse_pretending(options, bland_base_url(environ))
    folder = DataFolder(data_dir(environ, data))
    with folder.locked(), folder.log_path("up").open("a", encoding="utf-8") as log:
        configure_logging("up", log_format="console", stream=log)
        configured = configure(environ, folder)

        async def main(stop: Event) -> int:
            get_running_loop().add_signal_handler(signal.SIGHUP, stop.set)  # the terminal was closed
            return await Run(configured, options, folder, screen).run(stop)

        return run_service(main)
