"""A dry run: the same windows are listed, and the queue-service tries every call in a transaction that it takes back.

Such a request sees nothing of the one before it. So everything is listed first, into a draft; then all calls of a
number are tried in one request, as the run would leave them.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from leadline.clients.queue_backfill import BackfillQueue
from leadline.contracts.backfill import (
    BackfillRun,
    BackfillStep,
    BackfillWindow,
    FailedWindow,
    RecordRequest,
    SiftRequest,
)
from leadline.runtime.groups import in_groups
from leadline.telephony.history import HistoryRow
from services.backfill.bodies import Body, in_requests
from services.backfill.draft import Draft
from services.backfill.figures import Figures
from services.backfill.listing import WindowReader
from services.backfill.patience import Patience
from services.backfill.recording import DETAILS_IN_MEMORY, KNOWN, BodyReader, history_calls


class DryRun:
    """Lists into a draft and has it tried. Raises ProviderRefused, ToldToStop and QueueError."""

    def __init__(
        self, queue: BackfillQueue, run: BackfillRun, draft: Draft, reader: BodyReader, figures: Figures, *, holder: str
    ) -> None:
        """`run` describes the run that would begin; there is none."""
        self._queue = queue
        self._run = run
        self._draft = draft
        self._reader = reader
        self._figures = figures
        self._holder = holder

    async def take(self, rows: Sequence[HistoryRow]) -> None:
        """Keep what is news of these rows, with details where they are needed. Raises ProviderError too."""
        for some in in_groups(rows, DETAILS_IN_MEMORY):
            asked = SiftRequest(holder=self._holder, lease_seconds=1, calls=history_calls(some), dry_run=True)
            sifted = await self._queue.sift(self._run.id, asked)
            doubtful = set(sifted.needs_details)
            new = doubtful.union(sifted.new)
            news = [row for row in some if row.call_id in new]
            bodies = await self._reader.bodies(news, doubtful)
            for row, body in zip(news, bodies, strict=True):
                self._draft.add(row, body)
            self._figures.listed += len(some)
            self._figures.add({KNOWN: len(some) - len(news)})

    async def try_all(self, patience: Patience) -> None:
        """Have the queue-service say what each call would do."""
        for group in self._draft.groups():
            patience.check()
            for bodies in in_requests(group):
                step = await self._try(bodies)
                if step.needs_details:
                    step = await self._try(await self._reader.complete(bodies, set(step.needs_details)))
                self._figures.add(step.counters)
                self._figures.decided += len(bodies)

    async def _try(self, bodies: Sequence[Body]) -> BackfillStep:
        request = RecordRequest(
            holder=self._holder,
            lease_seconds=1,
            bodies=[body.text for body in bodies],
            from_details=[body.from_details for body in bodies],
            dry_run=True,
            campaign=self._run.campaign,
        )
        return await self._queue.record(self._run.id, request)


def cut(starts_at: datetime, ends_at: datetime, window_seconds: float) -> Iterator[BackfillWindow]:
    """The windows of a range, ascending."""
    width = timedelta(seconds=window_seconds)
    while starts_at < ends_at:
        end = min(starts_at + width, ends_at)
        yield BackfillWindow(starts_at=starts_at, ends_at=end)
        starts_at = end


async def list_windows(
    windows: Iterator[BackfillWindow], reader: WindowReader, patience: Patience, figures: Figures
) -> None:
    """Read all windows, halving what is too full. Raises ProviderRefused and ToldToStop."""
    for whole in windows:
        waiting = [whole]
        while waiting:
            patience.check()
            window = waiting.pop()
            read = await reader.read(window)
            if read.halve:
                waiting += reversed(_halves(window))
                figures.windows_waiting += 1
                continue
            figures.windows_waiting = max(0, figures.windows_waiting - 1)
            if read.problem is None:
                figures.windows_done += 1
            else:
                failed = FailedWindow(starts_at=window.starts_at, ends_at=window.ends_at, problem=read.problem)
                figures.failed.append(failed)


def _halves(window: BackfillWindow) -> list[BackfillWindow]:
    middle = window.starts_at + (window.ends_at - window.starts_at) / 2
    return [
        BackfillWindow(starts_at=window.starts_at, ends_at=middle),
        BackfillWindow(starts_at=middle, ends_at=window.ends_at),
    ]
