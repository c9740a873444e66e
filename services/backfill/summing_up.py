"""The end of a backfill: JSON for programs, a table for people, and what to do about windows that are missing."""

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from leadline.contracts.backfill import FailedWindow
from services.backfill.figures import Outcome

MOST_MISSING_SHOWN: Final = 20
_OF_CALLS: Final = ("recorded", "known", "adopted", "inbound", "not_ended", "own_number", "no_number", "poison")
"""Counters of calls; the others count numbers. Those that are 0 are told too, as far as they are listed here."""
_WIDTH_WITHOUT_TERMINAL: Final = 160


def summary(outcome: Outcome, *, dry_run: bool) -> dict[str, Any]:
    """The outcome as a stable document. Counters of calls and of numbers stand apart."""
    calls = {name: outcome.counters.get(name, 0) for name in _OF_CALLS}
    numbers = {name: n for name, n in outcome.counters.items() if name not in {*_OF_CALLS, "listed"}}
    return {
        "run_id": outcome.run_id,
        "dry_run": dry_run,
        "range": {"starts_at": outcome.starts_at.isoformat(), "ends_at": outcome.ends_at.isoformat()},
        "campaign": outcome.campaign,
        "windows": {
            "done": outcome.windows_done,
            "failed": len(outcome.failed),
            "waiting": outcome.windows_waiting,
        },
        "calls": {"listed": outcome.listed, "listed_in_run": outcome.listed_in_run, **calls},
        "numbers": dict(sorted(numbers.items())),
        "missing": [window.model_dump(mode="json") for window in outcome.failed],
    }


def print_summary(outcome: Outcome, *, dry_run: bool, as_json: bool, again: str) -> None:
    """Print on stdout; `again` is the command that reads what is missing."""
    document = summary(outcome, dry_run=dry_run)
    if as_json:
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    width = None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL
    console = Console(file=sys.stdout, highlight=False, width=width)
    title = "backfill, tried and taken back" if dry_run else "backfill"
    console.print(f"{title}: {_span(outcome)}", markup=False)
    console.print(_table(document))
    if dry_run:
        console.print("Nothing was changed. The CRM was not asked: it may still end, or hold, any number that is new.")
    then = "their calls are not counted" if dry_run else "nobody is decided while they are missing"
    _print_missing(console, outcome.failed, then, again)


def _table(document: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("of")
    table.add_column("what")
    table.add_column("count", justify="right")
    for group in ("windows", "calls", "numbers"):
        for place, (name, count) in enumerate(document[group].items()):
            words = "" if place else group
            table.add_row(words, name.replace("_", " "), f"{count:,}", style="" if count else "dim")
    return table


def _print_missing(console: Console, failed: tuple[FailedWindow, ...], then: str, again: str) -> None:
    if not failed:
        return
    console.print(f"{len(failed)} windows could not be read; {then}:", markup=False)
    for window in failed[:MOST_MISSING_SHOWN]:
        console.print(f"  {_instant(window)}: {window.problem}", markup=False)
    if len(failed) > MOST_MISSING_SHOWN:
        console.print(f"  ... and {len(failed) - MOST_MISSING_SHOWN} more (--json lists all)")
    console.print(f"Read them again with: {again}", markup=False)


def _span(outcome: Outcome) -> str:
    return f"{outcome.starts_at:%Y-%m-%d %H:%M:%S %Z} to {outcome.ends_at:%Y-%m-%d %H:%M:%S %Z}"


def _instant(window: FailedWindow) -> str:
    return f"{window.starts_at.isoformat()} to {window.ends_at.isoformat()}"
