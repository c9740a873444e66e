"""The ledger: every request for a call that reached the simulator, and what became of it. The truth about Leadline."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from leadline.domain.outcome import Outcome
from services.simulator.clock import iso


class Origin(StrEnum):
    """Who wanted the call."""

    POST = "post"
    """Somebody asked for it with `POST /v1/calls`."""
    PROVIDER_RETRY = "provider_retry"
    """The provider dialled again by itself, because the request had a `retry`."""
    ELSEWHERE = "elsewhere"
    """Placed on the account by somebody else (`POST /simulator/calls`)."""
    INBOUND = "inbound"
    """The person phoned us (`POST /simulator/calls`)."""


class Delivery(NamedTuple):
    """One try to deliver one webhook."""

    kind: str
    real_at: float
    status: int | None
    """None: no answer."""


class CrmWord(NamedTuple):
    """What human agents had made of a person's leads in the CRM when a call was accepted."""

    ended_business: float
    """Since when one of them was over: sold, do not call ..."""
    cleared_real: float | None
    """When the CRM last answered a question about the number without any lead that was over."""


@dataclass(slots=True, eq=False)
class LedgerRow:
    """One request for a call, from its receipt to its last webhook. Instants are epoch seconds.

    `real` is wall time, `business` the simulated world's.
    """

    seq: int
    origin: Origin
    received_real: float
    received_business: float
    phone_number: str | None = None
    """E.164 if it could be read."""
    attempt_id: str | None = None
    campaign: str = ""
    """`metadata.campaign`; empty if not sent."""
    answer: str = "unanswered"
    """What the caller got to see: `answered`, `unanswered` (yet), or the fault's name."""
    http_status: int | None = None
    """None: no status line was sent."""
    refusal: str | None = None
    """Why there is no call: code or phrase."""
    call_id: str | None = None
    wants_result: bool = False
    """Whether a webhook was named."""
    started_business: float | None = None
    ended_business: float | None = None
    """None while the call is queued or live."""
    outcome: Outcome | None = None
    """What the call was meant to come to; told once it has ended."""
    callback_promised: bool = False
    stopped_real: float | None = None
    """When somebody ended it with `POST /v1/calls/{id}/stop`."""
    delivered_real: float | None = None
    """When its result was first answered with 2xx: from then on the receiver knows."""
    deliveries: list[Delivery] = field(default_factory=list)
    crm_word: CrmWord | None = None
    """At its acceptance; None: no lead of the person was over."""


def row_view(row: LedgerRow) -> dict[str, Any]:
    """A row as JSON: instants in ISO 8601, UTC."""
    return {
        "seq": row.seq,
        "origin": row.origin,
        "received_real_at": iso(row.received_real),
        "received_business_at": iso(row.received_business),
        "phone_number": row.phone_number,
        "attempt_id": row.attempt_id,
        "campaign": row.campaign,
        "answer": row.answer,
        "http_status": row.http_status,
        "refusal": row.refusal,
        "call_id": row.call_id,
        "wants_result": row.wants_result,
        "started_business_at": _iso(row.started_business),
        "ended_business_at": _iso(row.ended_business),
        "outcome": row.outcome,
        "callback_promised": row.callback_promised,
        "stopped_real_at": _iso(row.stopped_real),
        "delivered_real_at": _iso(row.delivered_real),
        "deliveries": [
            {"kind": delivery.kind, "real_at": iso(delivery.real_at), "status": delivery.status}
            for delivery in row.deliveries
        ],
        "crm_ended_business_at": None if row.crm_word is None else iso(row.crm_word.ended_business),
    }


def _iso(epoch: float | None) -> str | None:
    return None if epoch is None else iso(epoch)


class Ledger:
    """Rows in order of receipt, bounded: the truth is refused rather than thinned out. Not thread-safe."""

    def __init__(self, limit: int) -> None:
        """At most `limit` rows."""
        self._rows: list[LedgerRow] = []
        self._limit = limit

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def __iter__(self) -> Iterator[LedgerRow]:
        """All rows, oldest first."""
        return iter(self._rows)

    @property
    def full(self) -> bool:
        """Whether no further row fits."""
        return len(self._rows) >= self._limit

    def keeps(self, row: LedgerRow) -> bool:
        """Whether a row that was opened is among those that are kept."""
        return row.seq <= self._limit

    def open(self, origin: Origin, real: float, business: float) -> LedgerRow:
        """Write down a receipt; a row beyond the limit is made but not kept."""
        row = LedgerRow(seq=len(self._rows) + 1, origin=origin, received_real=real, received_business=business)
        if not self.full:
            self._rows.append(row)
        return row

    def page(self, offset: int, limit: int | None, phone_number: str | None) -> tuple[int, list[LedgerRow]]:
        """How many rows match, and those of one page."""
        rows = self._rows if phone_number is None else [r for r in self._rows if r.phone_number == phone_number]
        return len(rows), rows[offset : None if limit is None else offset + limit]

    def snapshot(self) -> list[LedgerRow]:
        """The rows of this moment; the rows themselves go on changing."""
        return list(self._rows)

    def clear(self) -> None:
        """Forget everything."""
        self._rows = []
