"""The windows of a run, one after the other, ascending."""

from typing import Final

from leadline.contracts.backfill import BackfillWindow, FailedWindow, NextWindows, WindowDone
from leadline.runtime.logging import get_logger
from services.backfill.figures import Figures
from services.backfill.holding import Hold
from services.backfill.listing import WindowRead, WindowReader
from services.backfill.patience import Patience

log = get_logger(__name__)
WINDOWS_AT_A_TIME: Final = 20


async def read_windows(hold: Hold, reader: WindowReader, patience: Patience, figures: Figures) -> None:
    """Read every window that waits. One that cannot be read is reported as failed, and the next one is read.

    Raises ProviderRefused, ToldToStop, QueueError.
    """
    while True:
        asked = NextWindows(holder=hold.holder, lease_seconds=hold.lease_seconds, limit=WINDOWS_AT_A_TIME)
        windows = (await hold.queue.next_windows(hold.run_id, asked)).windows
        if not windows:
            return
        for window in windows:
            patience.check()
            read = await reader.read(window)
            await _report(hold, window, read)
            _count(figures, window, read)
            if read.halve:
                break  # its halves come next


async def _report(hold: Hold, window: BackfillWindow, read: WindowRead) -> None:
    done = WindowDone(
        holder=hold.holder,
        lease_seconds=hold.lease_seconds,
        window=window,
        listed=read.listed,
        problem=read.problem,
        halve=read.halve,
    )
    await hold.queue.finish_window(hold.run_id, done)


def _count(figures: Figures, window: BackfillWindow, read: WindowRead) -> None:
    if read.halve:
        figures.windows_waiting += 1
        return
    figures.windows_waiting = max(0, figures.windows_waiting - 1)
    if read.problem is None:
        figures.windows_done += 1
        return
    figures.failed.append(FailedWindow(starts_at=window.starts_at, ends_at=window.ends_at, problem=read.problem))
    log.warning("window_failed", starts_at=window.starts_at, ends_at=window.ends_at, problem=read.problem)
