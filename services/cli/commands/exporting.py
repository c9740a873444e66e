"""`leadline export-queue`: the queue as a file."""

from pathlib import Path
from typing import Annotated, Final

import typer

from leadline.clients.queue_imports import ImportQueue
from leadline.legacy.clock import USUAL_OFFSET_SECONDS
from services.cli.bulk_progress import Tell, progress
from services.cli.exporting.formats import Format, Writer, writer
from services.cli.exporting.whole_file import whole_file
from services.cli.options import examples
from services.cli.printing import say
from services.cli.talking import talk_by

EPILOG = examples(
    "leadline export-queue --format legacy --output redial-queue_2026-01.json",
    "leadline export-queue --format csv > leads.csv",
)
PAGE: Final = 500
_MOST_OFFSET_SECONDS: Final = 20 * 3600


def export_queue(
    *,
    kind: Annotated[
        Format, typer.Option("--format", help="legacy can be imported again; csv and json are for people and programs.")
    ] = Format.LEGACY,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", dir_okay=False, help="Where to; without it stdout."),
    ] = None,
    clock_offset: Annotated[
        int,
        typer.Option(
            "--clock-offset",
            metavar="SECONDS",
            min=-_MOST_OFFSET_SECONDS,
            max=_MOST_OFFSET_SECONDS,
            help="legacy: by how much the clock of the file shall be slow, as the old system expects it.",
        ),
    ] = USUAL_OFFSET_SECONDS,
) -> None:
    """Write every lead to a file, telephone numbers and names in full. The file is there whole, or not at all."""
    with whole_file(output) as file, progress("exporting leads") as tell:
        made = writer(kind, file, clock_offset)
        count = talk_by(ImportQueue, lambda client: _export(client, made, tell))
        made.finish()
    if output is not None:
        say(f"{count:,} leads in {output}")


async def _export(client: ImportQueue, made: Writer, tell: Tell) -> int:
    """Page by page; the number of leads."""
    after, count = None, 0
    while True:
        page = await client.export_page(after, PAGE)
        for lead in page.leads:
            made.add(lead)
        count += len(page.leads)
        tell(len(page.leads))
        if page.next_after is None:
            return count
        after = page.next_after
