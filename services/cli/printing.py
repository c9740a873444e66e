"""Printing: JSON for programs, tables for people. What comes from outside is printed, never interpreted."""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

RED: Final = "red"
DIM: Final = "dim"
_WIDTH_WITHOUT_TERMINAL: Final = 160
"""A table in a pipe or a file is not squeezed into 80 columns."""


def console() -> Console:
    """Where people read; colours only on a terminal and without NO_COLOR."""
    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else _WIDTH_WITHOUT_TERMINAL
    return Console(file=sys.stdout, width=width, highlight=False)


def print_json(document: BaseModel | Mapping[str, Any]) -> None:
    """Print a stable document: instants in ISO 8601, keys as in the contracts."""
    if isinstance(document, BaseModel):
        document = document.model_dump(mode="json")
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def say(words: str, style: str = "") -> None:
    """Print one line for people."""
    console().print(text(words, style))


def print_parts(groups: Iterable[Iterable[RenderableType]]) -> None:
    """Print groups of tables and lines, a blank line between two groups."""
    out = console()
    for number, group in enumerate(groups):
        if number:
            out.print()
        for part in group:
            out.print(part)


def text(value: object, style: str = "") -> Text:
    """A value as text without markup or control characters; None is a dash."""
    words = "-" if value is None else str(value)
    return Text("".join(c if c.isprintable() else "?" for c in words), style=style)


def table(*columns: str, title: str | None = None) -> Table:
    """An empty table."""
    made = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def fields(rows: Iterable[tuple[str, object]]) -> Table:
    """Names and values, one pair a line."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style=DIM, no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(name, value if isinstance(value, Text) else text(value))
    return made


def moment(at: datetime | None) -> str | None:
    """An instant in this machine's zone, to the second."""
    return None if at is None else f"{at.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def counted(counts: Mapping[str, int]) -> str:
    """`pending 3, completed 12`; a dash if there is nothing."""
    return ", ".join(f"{name} {number}" for name, number in counts.items() if number) or "-"


def duration(seconds: float) -> str:
    """Seconds as people say them: `12 s`, `4 min`, `3 h 20 min`, `2 d 4 h`."""
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if minutes < 1:
        return f"{max(0, int(seconds))} s"
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"
