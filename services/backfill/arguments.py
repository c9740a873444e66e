"""The options of `python -m services.backfill`."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from leadline.runtime.settings.crm_parts import BackfillOptionsPart
from services.backfill.asked import RangeNames, read_pace, read_range, read_window
from services.backfill.errors import WrongOption
from services.backfill.run import Asked

EXIT_USAGE: Final = 2
_PREFIX: Final = "backfill_"
"""An option's value stands under the name of the setting that it replaces."""

DESCRIPTION: Final = (
    "Read the provider's call history between two dates into the queue: every call is recorded, so that caps are"
    " right; numbers that nobody knew are added as leads, after the CRM was asked. Killed at any moment, the same"
    " command goes on from there."
)
EPILOG: Final = (
    "Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 4 windows are missing (the same command reads only"
    " those), 5 another copy holds the run, 130 interrupted."
)


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        sys.stderr.write(f"{self.prog}: {message}; see `leadline {self.prog} --help`\n")
        sys.exit(EXIT_USAGE)


def make_parser() -> argparse.ArgumentParser:
    """The options and their help."""
    parser = OneLineParser(prog="backfill", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument(
        "--from",
        dest="backfill_from",
        metavar="DATE",
        help="first day (2026-01-01, in LEADLINE_CALLING_TIMEZONE), or an instant with offset",
    )
    parser.add_argument(
        "--to",
        dest="backfill_to",
        metavar="DATE",
        help="last day, included whole, or an instant; calls of the last minutes are left for another run",
    )
    parser.add_argument(
        "--campaign",
        dest="backfill_campaign",
        metavar="NAME",
        help="campaign of numbers that are added; default: the default one",
    )
    parser.add_argument(
        "--dry-run",
        dest="backfill_dry_run",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="change nothing: say what would be recorded and added; the CRM is not asked: which of the new numbers it"
        " would end or hold a dry run cannot know",
    )
    for option, metavar, words in (
        ("--pace", "N/s", "pages a second: 1/s, 30/min, none (default 1/s)"),
        ("--details-pace", "N/s", "calls read in detail a second (default 5/s)"),
        ("--window", "TIME", "width of one window: 30m, 1h, 1d (default 1h)"),
    ):
        field = _PREFIX + option.removeprefix("--").replace("-", "_")
        parser.add_argument(option, dest=field, metavar=metavar, help=words)
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--no-wait", action="store_true", help="leave at once with exit code 5 if another copy runs")
    return parser


def read_asked(options: argparse.Namespace, settings: BackfillOptionsPart, zone_name: str) -> Asked:
    """What the options mean, or the settings where there are none. Raises WrongOption, which names the one or other."""
    _refuse_missing(options, settings)
    from_text, from_name = _said(options, settings, "from")
    to_text, to_name = _said(options, settings, "to")
    window, window_name = _said(options, settings, "window")
    pace, pace_name = _said(options, settings, "pace")
    details_pace, details_pace_name = _said(options, settings, "details_pace")
    window_seconds = read_window(window, window_name)
    names = RangeNames(from_name, to_name, window_name)
    return Asked(
        range=read_range(from_text, to_text, zone_name, window_seconds, names),
        campaign=options.backfill_campaign or settings.backfill_campaign,
        window_seconds=window_seconds,
        page_interval_seconds=read_pace(pace_name, pace),
        details_interval_seconds=read_pace(details_pace_name, details_pace),
        dry_run=settings.backfill_dry_run if options.backfill_dry_run is None else options.backfill_dry_run,
        wait=not options.no_wait,
    )


def _said(options: argparse.Namespace, settings: BackfillOptionsPart, name: str) -> tuple[str, str]:
    """A text, and the option or the setting that said it."""
    field = _PREFIX + name
    given: str | None = getattr(options, field)
    return (getattr(settings, field), settings.variable(field)) if given is None else (given, _option(field))


def _refuse_missing(options: argparse.Namespace, settings: BackfillOptionsPart) -> None:
    fields = [f"{_PREFIX}from", f"{_PREFIX}to"]
    missing = [field for field in fields if getattr(options, field) is None and getattr(settings, field) is None]
    if missing:
        flags = " and ".join(f"{_option(field)} DATE" for field in missing)
        variables = " and ".join(settings.variable(field) for field in missing)
        raise WrongOption(f"which days? Say {flags}, or set {variables}; see `leadline backfill --help`")


def _option(field: str) -> str:
    return "--" + field.removeprefix(_PREFIX).replace("_", "-")


def command_again(arguments: Sequence[str], options: argparse.Namespace, settings: BackfillOptionsPart) -> str:
    """The same command, to be typed: what settings said is said by options."""
    words = ["leadline", "backfill", *arguments]
    for field in settings.model_fields_set:
        if getattr(options, field) is None:
            value = getattr(settings, field)
            words += ([_option(field)] if value else []) if isinstance(value, bool) else [_option(field), value]
    return shlex.join(words)
