"""One window listed to its end, and the proof that this was all.

Calls may be created, and appear late, while a window is paged through: then rows move to higher indexes, so that a page
repeats some of the one before and a call that came in behind our back is missed. Both show in the provider's total.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from leadline.contracts.backfill import BackfillWindow
from leadline.domain.ids import CallId
from leadline.runtime.tracing import span
from leadline.telephony.history import HistoryPage, HistoryRow
from leadline.telephony.port import ProviderError, ProviderRefused
from services.backfill.patience import Patience
from services.backfill.provider import PatientProvider

SHORTEST_HALVED: Final = timedelta(seconds=2)
"""A window of this length or less is read whole, however much it holds."""
MOST_LISTINGS: Final = 4
MOST_PAGES: Final = 20_000
_LONGEST_PROBLEM: Final = 500

TakeRows = Callable[[Sequence[HistoryRow]], Awaitable[None]]
"""Records rows that are new to the window. Raises ProviderError if their details cannot be read."""


@dataclass(frozen=True, slots=True)
class WindowRead:
    """What became of one window."""

    listed: int
    problem: str | None = None
    """Why it could not be read; None if it was."""
    halve: bool = False


@dataclass(frozen=True, slots=True)
class _Listing:
    total: int | None
    too_full: bool = False


class WindowReader:
    """Lists windows. What was taken is bounded by one page; of a whole window only the ids are kept."""

    def __init__(self, provider: PatientProvider, patience: Patience, take: TakeRows, *, most_calls: int) -> None:
        """A window that holds more than `most_calls` is to be halved."""
        self._provider = provider
        self._patience = patience
        self._take = take
        self._most_calls = most_calls

    async def read(self, window: BackfillWindow) -> WindowRead:
        """List a window until the provider's own total is reached, a few times over if need be.

        Raises ProviderRefused, ToldToStop and what `take` raises of its own.
        """
        # A trace of its own: that of a whole run would be too large to be looked at.
        with span("read window", root=True):
            return await self._read(window)

    async def _read(self, window: BackfillWindow) -> WindowRead:
        seen: set[CallId] = set()
        try:
            for number in range(MOST_LISTINGS):
                listing = await self._list(window, seen)
                if listing.too_full:
                    return WindowRead(0, halve=True)
                if listing.total is not None and len(seen) >= listing.total:
                    return WindowRead(len(seen))
                if number + 1 == MOST_LISTINGS or not await self._patience.before_repetition(number):
                    break
        except ProviderRefused:
            raise
        except ProviderError as error:
            return WindowRead(len(seen), str(error)[:_LONGEST_PROBLEM])
        return WindowRead(len(seen), _lack(len(seen), listing.total))

    async def _list(self, window: BackfillWindow, seen: set[CallId]) -> _Listing:
        """Page through once. `seen` is what all listings of the window have shown; it grows with every page."""
        listed: set[CallId] = set()
        first = 0
        total: int | None = None
        for _ in range(MOST_PAGES):
            page = await self._provider.page(window, first)
            total = page.total
            if not seen and self._is_too_full(window, page):
                return _Listing(total, too_full=True)
            adds = not {row.call_id for row in page.rows} <= listed
            listed.update(row.call_id for row in page.rows)
            news = {row.call_id: row for row in page.rows if row.call_id not in seen}
            if news:
                await self._take(list(news.values()))
            seen.update(news)
            # By what was sent, not by what was asked for: a provider that sends less has not left anything out.
            first += page.size
            if not adds or (total is not None and len(listed) >= total):
                break
        return _Listing(total)

    def _is_too_full(self, window: BackfillWindow, page: HistoryPage) -> bool:
        wide = window.ends_at - window.starts_at > SHORTEST_HALVED
        return wide and page.total is not None and page.total > self._most_calls


def _lack(listed: int, total: int | None) -> str:
    if total is None:
        return f"{listed} calls listed, but the provider does not say how many there are (no total_count)"
    return f"{listed} of {total} calls listed; the provider's list did not hold still or leaves calls out"
