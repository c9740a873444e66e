"""One simulated call, from its acceptance to its last webhook."""

from dataclasses import dataclass

from services.simulator.bland.request import CallRequest
from services.simulator.fate import Fate
from services.simulator.ledger import LedgerRow


@dataclass(slots=True, eq=False)
class Call:
    """Instants are epoch seconds of business time unless named real."""

    id: str
    request: CallRequest
    number: str
    """The person's number, E.164."""
    our_number: str
    listed_number: str
    """The person's number as the list spells it: E.164, or without `+1`."""
    fate: Fate
    row: LedgerRow
    created_at: float
    """Whole milliseconds: dates of the list are inclusive, so what is printed must be what is compared."""
    listed_real: float
    """From when on the list shows it."""
    started_at: float
    """When it begins to ring."""
    is_retry: bool = False
    inbound: bool = False
    ended_at: float | None = None
    canceled: bool = False
    """Stopped before anything answered."""
    stopped: bool = False
    result_sent: bool = False
    webhook_failed: bool = False
    """Every try to deliver the result failed."""
    price_dollars: float = 0.0

    @property
    def answered_at(self) -> float:
        """When somebody or something takes the call, or the ringing ends."""
        return self.started_at + self.fate.ring_seconds

    @property
    def talk_seconds(self) -> float:
        """How long is talked in all; `max_duration` ends every talk."""
        return min(self.fate.talk_seconds, self.request.max_duration_minutes * 60)

    @property
    def planned_end(self) -> float:
        """When it ends by itself."""
        return self.answered_at + self.talk_seconds

    @property
    def live(self) -> bool:
        """Whether it is queued, ringing or talking."""
        return self.ended_at is None
