"""What became of an import, by reason: a table for people, a stable document for programs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from leadline.contracts.imports import ImportedRecord
from services.cli.importing.clocks import FoundClock
from services.cli.importing.reading import FileRead
from services.cli.printing import RED, fields, table, text

LISTS = {
    "blocked_leads": "lead ids of the blocklist",
    "suppressed": "numbers to suppress",
    "bad_numbers": "bad numbers",
}
_IN_WORDS = {"unmatched": "no lead in the queue had it; its rows in the files are suppressed"}


@dataclass(slots=True)
class Report:
    """Counts; filled while the import goes on, so that an interrupted one can say how far it came."""

    dry_run: bool
    files: Sequence[FileRead] = ()
    clock: FoundClock | None = None
    numbers: int = 0
    """Different ones in the files, what is none among them."""
    leads: Counter[str] = field(default_factory=Counter)
    """Answers of the queue-service: taken, merged, unchanged, quarantined."""
    statuses: Counter[str] = field(default_factory=Counter)
    """Where the leads stand now."""
    lists: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in LISTS})
    quarantined_rows: dict[str, int] = field(default_factory=dict)
    quarantined_leads: Counter[str] = field(default_factory=Counter)
    quarantine_file: Path | None = None

    @property
    def posted(self) -> int:
        """Leads and entries of lists that the queue-service has answered for."""
        return self.leads.total() + sum(counts.total() for counts in self.lists.values())

    def note_lead(self, answer: ImportedRecord) -> None:
        """Count one answer."""
        self.leads[answer.result] += 1
        if answer.status is not None:
            reason = answer.status_reason if answer.status in {"held", "completed"} else None
            self.statuses[f"{answer.status} ({reason})" if reason else answer.status] += 1

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        clock = self.clock
        return {
            "dry_run": self.dry_run,
            "files": [
                {
                    "file": str(file.path),
                    "shape": file.shape,
                    "rows": file.rows,
                    "quarantined": file.quarantined,
                    "not_imported_because": file.why_not,
                }
                for file in self.files
            ],
            "clock": {
                "offset_seconds": clock.clock.offset_seconds if clock else None,
                "is_new_york": clock is not None and clock.clock.offset_seconds is None,
                "proven": clock is not None and clock.clock.proven,
                "how": clock.how if clock else None,
            },
            "numbers": self.numbers,
            "leads": dict(sorted(self.leads.items())),
            "statuses": dict(sorted(self.statuses.items())),
            "lists": {name: dict(sorted(counts.items())) for name, counts in self.lists.items()},
            "quarantined_rows": self.quarantined_rows,
            "quarantined_leads": dict(sorted(self.quarantined_leads.items())),
            "quarantine_file": str(self.quarantine_file) if self.quarantine_file else None,
        }

    def parts(self) -> Iterator[Sequence[RenderableType]]:
        """For people: groups of tables and lines."""
        yield [_files(self.files)]
        yield [fields(self._facts())]
        counts = table("what", "why", "number")
        for what, why, number in self._counts():
            counts.add_row(text(what), text(why), text(f"{number:,}"))
        yield [counts]
        if self.quarantine_file is not None:
            yield [text(f"quarantined rows, each with its reason: {self.quarantine_file}", RED)]
        if self.dry_run:
            yield [text("nothing was changed: this was a dry run")]

    def _facts(self) -> Iterator[tuple[str, object]]:
        yield "numbers seen", f"{self.numbers:,}"
        if self.clock is not None:
            yield "clock of the files", f"{self.clock.clock.words} ({self.clock.how})"

    def _counts(self) -> Iterator[tuple[str, str, int]]:
        for result in ("taken", "merged", "unchanged"):
            yield "leads", result, self.leads[result]
        for status, number in sorted(self.statuses.items()):
            yield "leads now", status, number
        for name, counts in self.lists.items():
            for result, number in sorted(counts.items()):
                yield LISTS[name], _IN_WORDS.get(result, result), number
        for reasons in (self.quarantined_rows, self.quarantined_leads):
            for reason, number in sorted(reasons.items()):
                yield "quarantined", reason, number


def _files(files: Sequence[FileRead]) -> RenderableType:
    made = table("file", "what it is", "rows", "quarantined")
    for file in files:
        if file.shape is None:
            made.add_row(text(file.path), text(f"not imported: {file.why_not}"), text(None), text(None))
        else:
            words = file.shape.replace("_", " ")
            made.add_row(text(file.path), text(words), text(f"{file.rows:,}"), text(f"{file.quarantined:,}"))
    return made
