"""`leadline import-queue`: the old system's files into the queue."""

from pathlib import Path
from typing import Annotated

import typer

from leadline.clients.queue_imports import ImportQueue
from leadline.legacy.shapes import Shape
from services.cli.bulk_progress import progress
from services.cli.connection import find_connection
from services.cli.exits import CliError, ExitCode, wrong_usage
from services.cli.importing import clocks
from services.cli.importing.posting import post_all
from services.cli.importing.quarantine import QuarantineFile, default_path
from services.cli.importing.reading import Asked, read_files
from services.cli.importing.report import Report
from services.cli.importing.staging import Staging, staging
from services.cli.options import AsJson, examples
from services.cli.printing import print_json, print_parts
from services.cli.talking import talk, talk_by

EPILOG = examples(
    "leadline import-queue data/redial-queue/*.json --dry-run",
    "leadline import-queue data/redial-queue/*.json data/request-queue.json data/call-state-cache.json"
    " data/daily-calls/*.json --blocklist data/blocklist-config.json --bad-numbers data/bad-numbers.json",
)

_AGAIN = "run the same command again: what was posted is not posted twice"


def import_queue(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files of the old system, of any kind.", show_default=False)
    ],
    *,
    blocklist: Annotated[
        list[Path] | None, typer.Option("--blocklist", metavar="FILE", help="blocklist-config.json.")
    ] = None,
    bad_numbers: Annotated[
        list[Path] | None, typer.Option("--bad-numbers", metavar="FILE", help="bad-numbers.json.")
    ] = None,
    clock_offset: Annotated[
        str,
        typer.Option(
            "--clock-offset",
            metavar="auto|SECONDS",
            help="By how much the files' clock is slow. auto asks Bland about up to 20 calls if LEADLINE_BLAND_API_KEY"
            " is set, else takes 18000 and marks times as approximate.",
        ),
    ] = clocks.AUTO,
    campaign: Annotated[
        str | None, typer.Option("--campaign", "-c", metavar="NAME", help="Campaign of the leads; else the default.")
    ] = None,
    quarantine: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Where rows that cannot be used are written; else quarantine-<UTC time>.jsonl."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would be done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import the old system's files. Every file is read to its end before anything is posted.

    Rows of one number become one lead, in whatever order the files are given; the strictest status wins. May be stopped
    at any moment and run again: the same files change nothing the second time.
    """
    given = clocks.given_offset(clock_offset)
    asked = [
        *(Asked(path) for path in files),
        *(Asked(path, Shape.BLOCKLIST) for path in blocklist or ()),
        *(Asked(path, Shape.BAD_NUMBERS) for path in bad_numbers or ()),
    ]
    _check_campaign(campaign)
    report = Report(dry_run=dry_run)
    with staging() as staged, QuarantineFile(quarantine or default_path()) as kept:
        try:
            _read(asked, staged, report)
            report.clock = clocks.find(given, staged.call_samples(clocks.MOST_LOOK_UPS))
            _post(staged, report, kept, campaign)
            _keep_quarantined(staged, kept)
        except KeyboardInterrupt:
            raise CliError(_how_far("interrupted", report), ExitCode.INTERRUPTED) from None
        report.quarantine_file = kept.path
    if as_json:
        print_json(report.document())
    else:
        print_parts(report.parts())


def _check_campaign(campaign: str | None) -> None:
    """Before hundreds of megabytes are read: whom to ask, and whether it knows the campaign. Raises CliError."""
    if campaign is None:
        find_connection()
        return
    known = sorted(view.campaign for view in talk(lambda client: client.list_campaigns()).campaigns)
    if campaign not in known:
        raise wrong_usage(f"--campaign {campaign}: there is no such campaign; configured are: {', '.join(known)}")


def _read(asked: list[Asked], staged: Staging, report: Report) -> None:
    total = sum(file.path.stat().st_size for file in asked if file.path.is_file())
    with progress("reading files, bytes", total) as tell:
        report.files = read_files(asked, staged, tell)
    report.numbers = staged.count_numbers()
    report.quarantined_rows = staged.reasons_of_quarantine()


def _keep_quarantined(staged: Staging, kept: QuarantineFile) -> None:
    """After everything was posted: an import that changed nothing leaves no file either."""
    for file, place, field, reason, row in staged.quarantined():
        kept.add_raw(row, {"file": file, "place": place, "field": field, "reason": f"{field}: {reason}"})


def _post(staged: Staging, report: Report, kept: QuarantineFile, campaign: str | None) -> None:
    with progress("posting leads", staged.count_staged() + staged.count_listed()) as tell:
        try:
            talk_by(ImportQueue, lambda client: post_all(client, staged, report, kept, tell, campaign))
        except CliError as error:
            raise CliError(_how_far(str(error), report), error.exit_code) from None


def _how_far(what: str, report: Report) -> str:
    if report.dry_run or not report.posted:
        return f"{what}; nothing was imported"
    return f"{what}; {report.posted:,} leads and numbers were posted before; {_AGAIN}"
