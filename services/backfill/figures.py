"""What a backfill has done so far, as counts; what it shows meanwhile and sums up at the end."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from leadline.contracts.backfill import BackfillRun, FailedWindow


class Phase(StrEnum):
    """What is being done."""

    LISTING = "listing"
    RECORDING = "recording"
    """Only in a dry run: everything is listed before anything is tried."""
    DECIDING = "deciding"


@dataclass
class Figures:
    """Counts of this process, beside those that the run had before. Belongs to one event loop."""

    phase: Phase = Phase.LISTING
    windows_done: int = 0
    windows_waiting: int = 0
    failed: list[FailedWindow] = field(default_factory=list)
    listed: int = 0
    decided: int = 0
    counters: Counter[str] = field(default_factory=Counter)
    """By the queue-service's own names."""

    @property
    def windows(self) -> int:
        """All windows, as far as they are known: halving makes more."""
        return self.windows_done + self.windows_waiting + len(self.failed)

    def begin(self, run: BackfillRun) -> None:
        """Go on from where the run is."""
        self.windows_done, self.windows_waiting = run.windows_done, run.windows_waiting
        self.failed = list(run.failed)

    def add(self, counters: Mapping[str, int]) -> None:
        """Take in what one request did."""
        self.counters.update(counters)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a backfill ended."""

    run_id: str | None
    """None for a dry run: there is none."""
    starts_at: datetime
    ends_at: datetime
    campaign: str | None
    windows_done: int
    windows_waiting: int
    failed: tuple[FailedWindow, ...]
    listed: int
    """Calls that this process was shown."""
    listed_in_run: int
    """Calls in all windows of the run that were read, by whichever process."""
    counters: Mapping[str, int]
    """Of the whole run."""
