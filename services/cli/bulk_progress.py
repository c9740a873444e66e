"""How far a long command is: a bar on a terminal, else a line every ten seconds; both on stderr, never on stdout."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

LINE_EVERY_SECONDS: Final = 10.0

Tell = Callable[[int], None]
"""Hears how much more was done."""


class LineProgress:
    """A line now and then; nothing at all for what is done sooner."""

    def __init__(self, what: str, total: int, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        """`total` 0 is not known."""
        self._what = what
        self._total = total
        self._out = out
        self._clock = clock
        self._done = 0
        self._said_at = clock()

    def __call__(self, more: int) -> None:
        """So much more was done."""
        self._done += more
        if self._clock() - self._said_at >= LINE_EVERY_SECONDS:
            self._said_at = self._clock()
            share = f" of {self._total:,} ({min(self._done / self._total, 1):.0%})" if self._total else ""
            self._out.write(f"{self._what}: {self._done:,}{share}\n")
            self._out.flush()


@contextmanager
def progress(what: str, total: int = 0) -> Iterator[Tell]:
    """Show the progress of the block, as suits stderr."""
    if not sys.stderr.isatty():
        yield LineProgress(what, total, sys.stderr)
        return
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total or None)
        yield lambda more: bar.advance(task, more)
