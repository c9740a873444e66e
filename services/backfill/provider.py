"""The provider's history, as a backfill may ask for it: at its pace, and again after a while if nobody answers."""

from typing import Final

from leadline.contracts.backfill import BackfillWindow
from leadline.domain.ids import CallId
from leadline.telephony.history import History, HistoryPage
from leadline.telephony.port import CallDetails
from services.backfill.patience import Pacer, Patience

PAGE_CALLS: Final = 1000


class PatientProvider:
    """Asks for pages and calls. Raises ProviderError once all repetitions failed, and ToldToStop."""

    def __init__(self, history: History, patience: Patience, *, pages: Pacer, details: Pacer) -> None:
        """`pages` and `details` pace the two kinds of requests, repetitions included."""
        self._history = history
        self._patience = patience
        self._pages = pages
        self._details = details

    async def page(self, window: BackfillWindow, first: int) -> HistoryPage:
        """The calls of a window from an index on."""

        async def question() -> HistoryPage:
            await self._pages.turn()
            return await self._history.window(window.starts_at, window.ends_at, first, first + PAGE_CALLS)

        return await self._patience.ask(question)

    async def details(self, call_id: CallId) -> CallDetails | None:
        """One call whole; None if the provider has none."""

        async def question() -> CallDetails | None:
            await self._details.turn()
            return await self._history.details(call_id)

        return await self._patience.ask(question)
