"""The options of `python -m services.backfill`."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from services.backfill.asked import read_pace, read_range, read_window
from services.backfill.run import Asked

EXIT_USAGE: Final = 2

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
        dest="from_text",
        required=True,
        metavar="DATE",
        help="first day (2026-01-01, in LEADLINE_CALLING_TIMEZONE), or an instant with offset",
    )
    parser.add_argument(
        "--to",
        dest="to_text",
        required=True,
        metavar="DATE",
        help="last day, included whole, or an instant; calls of the last minutes are left for another run",
    )
    parser.add_argument(
        "--campaign", metavar="NAME", help="campaign of numbers that are added; default: the default one"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="change nothing: say what would be recorded and added; the CRM is not asked: which of the new numbers it"
        " would end or hold a dry run cannot know",
    )
    parser.add_argument("--pace", default="1/s", metavar="N/s", help="pages a second: 1/s, 30/min, none (default 1/s)")
    parser.add_argument(
        "--details-pace", default="5/s", metavar="N/s", help="calls read in detail a second (default 5/s)"
    )
    parser.add_argument("--window", default="1h", metavar="TIME", help="width of one window: 30m, 1h, 1d (default 1h)")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--no-wait", action="store_true", help="leave at once with exit code 5 if another copy runs")
    return parser


def read_asked(options: argparse.Namespace, zone_name: str) -> Asked:
    """What the options mean. Raises WrongOption."""
    window_seconds = read_window(options.window)
    return Asked(
        range=read_range(options.from_text, options.to_text, zone_name, window_seconds),
        campaign=options.campaign,
        window_seconds=window_seconds,
        page_interval_seconds=read_pace("--pace", options.pace),
        details_interval_seconds=read_pace("--details-pace", options.details_pace),
        dry_run=options.dry_run,
        wait=not options.no_wait,
    )


def command_again(arguments: Sequence[str]) -> str:
    """The same command, to be typed."""
    return shlex.join(("leadline", "backfill", *arguments))
