"""What a backfill asks of a telephony provider: everything that it lists between two instants, and one call whole."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from leadline.domain.ids import CallId
from leadline.telephony.port import CallDetails


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One call as the list shows it."""

    call_id: CallId
    phone_number: str
    """The person's number, as the provider spelt it; empty if the list does not say."""
    created_at: datetime | None
    says_all: bool
    """Whether the row alone tells how the call came out: nobody was talked to."""
    raw: str
    """The row as JSON."""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """One page of a window, oldest first."""

    rows: tuple[HistoryRow, ...]
    size: int
    """Rows that the provider sent, those without a readable call id included."""
    total: int | None
    """How many calls the provider says the whole window holds; None if it does not say."""


class History(Protocol):
    """A provider's history. Safe for use by many tasks at once; closing is the owner's business."""

    async def window(self, starts_at: datetime, ends_at: datetime, first: int, end: int) -> HistoryPage:
        """The calls that were created in a window (both ends inclusive), by index: from `first` to before `end`.

        Raises:
            ProviderError: the page could not be read.
        """
        ...

    async def details(self, call_id: CallId) -> CallDetails | None:
        """What is known of one call; None if the provider says that there is none.

        Raises:
            ProviderError: the call could not be read.
        """
        ...
