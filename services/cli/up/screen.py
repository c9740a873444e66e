"""What the person at the terminal sees: lines, progress while something starts, the board, the scoreboard."""

import json
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from services.cli.up.board import board, plain_line
from services.cli.up.figures import Snapshot
from services.cli.up.scoreboard import Verdict

_REFRESHES_PER_SECOND = 4


@contextmanager
def _keys_unseen() -> Iterator[None]:
    """What is typed, `^C` among it, does not stand in the middle of the board."""
    if not sys.stdin.isatty():
        yield
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    quiet = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(terminal, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


class Screen:
    """Writes to stdout; with `as_json` to stderr, so that stdout holds nothing but the scoreboard. One task at a time.

    Colours and the live board only on a terminal that can show them (NO_COLOR and TERM=dumb are respected).
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self._console = Console(stderr=as_json, highlight=False, soft_wrap=True)
        self._as_json = as_json
        self._live: Live | None = None

    @property
    def is_live(self) -> bool:
        """Whether the board can be shown."""
        return self._console.is_terminal and not self._console.is_dumb_terminal

    def say(self, line: str) -> None:
        """One line; above the board if that is shown."""
        self._console.print(Text(line))

    def heading(self, line: str) -> None:
        """What begins here."""
        self._console.print(Text(line, style="bold"))

    def remark(self, line: str) -> None:
        """What a line to come is for."""
        self._console.print(Text(line, style="dim"))

    def facts(self, facts: Mapping[str, str]) -> None:
        """Names and values, aligned."""
        width = max(map(len, facts), default=0)
        for name, value in facts.items():
            self._console.print(Text.assemble((f"  {name:<{width}}  ", "dim"), value))

    def complain(self, line: str) -> None:
        """What went wrong, on stderr."""
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(f"leadline up: {line}", style="bold red"))

    @contextmanager
    def progress(self, what: str) -> Iterator[None]:
        """Show that something takes time."""
        if self.is_live:
            with self._console.status(f"{what} ..."):
                yield
        else:
            self.say(f"{what} ...")
            yield

    @contextmanager
    def showing(self) -> Iterator[None]:
        """The board is there inside the block, and its last state stays on the terminal."""
        if not self.is_live:
            yield
            return
        with (
            _keys_unseen(),
            Live(console=self._console, auto_refresh=False, refresh_per_second=_REFRESHES_PER_SECOND) as live,
        ):
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def show(self, snapshot: Snapshot) -> None:
        """Bring the board up to date, or print its line."""
        if self._live is not None:
            self._live.update(board(snapshot), refresh=True)
        else:
            self.say(plain_line(snapshot))

    def show_verdict(self, verdict: Verdict, figures: Mapping[str, Any]) -> None:
        """The scoreboard, and one word on it."""
        if self._as_json:
            sys.stdout.write(json.dumps(figures) + "\n")
            sys.stdout.flush()
        table = Table(title="Scoreboard (from the simulator's own ledger)", title_justify="left", show_header=False)
        table.add_column()
        table.add_column(justify="right")
        for row in verdict.rows:
            style = "" if row.good is None else ("green" if row.good else "bold red")
            table.add_row(row.label, Text(row.value, style=style))
        self._console.print(table)
        if verdict.failures:
            for failure in verdict.failures[:20]:
                self._console.print(Text(f"✗ {failure}", style="bold red"))
            if len(verdict.failures) > 20:
                self._console.print(Text(f"✗ and {len(verdict.failures) - 20} more", style="bold red"))
        else:
            self._console.print(Text("✓ everything was as it must be", style="green"))
