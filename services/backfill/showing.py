"""What people see while a backfill runs: a bar on a terminal, a line every ten seconds anywhere else. On stderr."""

import asyncio
import io
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from leadline.runtime.logging import get_logger
from services.backfill.figures import Figures, Phase

log = get_logger(__name__)
LINE_EVERY_SECONDS: Final = 10.0
_REDRAW_SECONDS: Final = 0.25
_WORDS: Final = {
    Phase.LISTING: "windows of history",
    Phase.RECORDING: "windows read; trying calls",
    Phase.DECIDING: "windows read; deciding numbers",
}


class AboveTheBar(io.TextIOBase):
    """A stream for logs that does not write into the bar."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> int:
        """Print as it is."""
        self._console.print(text, end="", markup=False, highlight=False, soft_wrap=True)
        return len(text)

    def isatty(self) -> bool:
        """Only made for a terminal."""
        return True


class Showing:
    """Tells how far the work is. Make one for each run of the process."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stderr, highlight=False)
        self._phase: Phase | None = None
        self._phase_begun_at = 0.0
        self._done_before = 0

    @property
    def is_live(self) -> bool:
        """Whether there is a terminal that can show a bar."""
        return self.console.is_terminal and not self.console.is_dumb_terminal

    def say(self, words: str) -> None:
        """One line for people."""
        if self.is_live:
            self.console.print(words, markup=False, highlight=False)
        else:
            log.info("backfill_notice", words=words)

    @asynccontextmanager
    async def shown(self, figures: Figures) -> AsyncIterator[None]:
        """Show `figures` as they change while the block runs."""
        task = asyncio.create_task(self._bar(figures) if self.is_live else self._lines(figures))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _lines(self, figures: Figures) -> None:
        while True:
            self._rate(figures)
            await asyncio.sleep(LINE_EVERY_SECONDS)
            log.info(
                "backfill_progress",
                phase=figures.phase,
                windows_done=figures.windows_done,
                windows_failed=len(figures.failed),
                windows=figures.windows,
                calls_listed=figures.listed,
                decided=figures.decided,
                per_second=round(self._rate(figures), 1),
            )

    async def _bar(self, figures: Figures) -> None:
        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TextColumn("{task.fields[figures]}", style="dim"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console, transient=True) as bar:
            shown = bar.add_task("", total=None, figures="")
            while True:
                bar.update(
                    shown,
                    completed=figures.windows_done + len(figures.failed),
                    total=figures.windows,
                    description=_WORDS[figures.phase],
                    figures=self._words(figures),
                )
                await asyncio.sleep(_REDRAW_SECONDS)

    def _words(self, figures: Figures) -> str:
        words = f"{figures.listed:,} calls"
        if figures.phase is not Phase.LISTING:
            words += f", {figures.decided:,} {'decided' if figures.phase is Phase.DECIDING else 'tried'}"
        words += f", {self._rate(figures):,.0f}/s"
        return words + (f", {len(figures.failed)} windows failed" if figures.failed else "")

    def _rate(self, figures: Figures) -> float:
        """What this phase does in a second, since it was first looked at: calls listed, or what is decided."""
        done = figures.listed if figures.phase is Phase.LISTING else figures.decided
        if figures.phase is not self._phase:
            self._phase, self._phase_begun_at, self._done_before = figures.phase, time.monotonic(), done
        return (done - self._done_before) / max(time.monotonic() - self._phase_begun_at, 1.0)
