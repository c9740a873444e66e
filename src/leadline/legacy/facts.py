"""What one row says, in true instants and our words: the form in which rows of all files meet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from leadline.contracts.imports import ImportStatus
from leadline.domain.ids import PhoneNumber
from leadline.domain.lead import CompletionReason, HeldReason
from leadline.domain.outcome import Outcome

Wish = tuple[ImportStatus, str | None]
"""The status that a row asks for, and the reason that goes with `completed` and `held`."""

_RANKED: tuple[Wish, ...] = (
    *(
        (ImportStatus.COMPLETED, reason)
        for reason in (
            CompletionReason.DNC,
            CompletionReason.SALE,
            CompletionReason.ACA,
            CompletionReason.NOT_INTERESTED,
            CompletionReason.BAD_NUMBER,
            CompletionReason.CRM_FINAL,
            CompletionReason.FINAL_OUTCOME,
            CompletionReason.REFUSED_NUMBER,
            CompletionReason.REMOVED,
            CompletionReason.EXHAUSTED,
        )
    ),
    *(
        (ImportStatus.HELD, reason)
        for reason in (
            HeldReason.LEGACY_UNCLEAR,
            HeldReason.UNRESOLVED_CALL,
            HeldReason.CRM_UNKNOWN,
            HeldReason.FOREIGN,
            HeldReason.BACKFILL,
            HeldReason.CANNOT_DISPATCH,
            HeldReason.NO_LEGAL_WINDOW,
        )
    ),
    (ImportStatus.PAUSED, None),
    (ImportStatus.RESCHEDULED, None),
    (ImportStatus.PENDING, None),
)
_RANK = {wish: rank for rank, wish in enumerate(_RANKED)}

DNC: Wish = (ImportStatus.COMPLETED, CompletionReason.DNC)
BAD_NUMBER: Wish = (ImportStatus.COMPLETED, CompletionReason.BAD_NUMBER)
UNCLEAR: Wish = (ImportStatus.HELD, HeldReason.LEGACY_UNCLEAR)
ASK_THE_CRM: Wish = (ImportStatus.HELD, HeldReason.CRM_UNKNOWN)
PENDING: Wish = (ImportStatus.PENDING, None)

_FINAL: Mapping[Outcome, Wish] = {
    Outcome.DNC: DNC,
    Outcome.DO_NOT_CALL: DNC,
    Outcome.SALE: (ImportStatus.COMPLETED, CompletionReason.SALE),
    Outcome.ACA: (ImportStatus.COMPLETED, CompletionReason.ACA),
    Outcome.NOT_INTERESTED: (ImportStatus.COMPLETED, CompletionReason.NOT_INTERESTED),
}


def final_wishes(outcomes: Iterable[Outcome | None]) -> list[Wish]:
    """What the final ones among outcomes ask for; the old system called on after them, which changes nothing."""
    return [_FINAL[outcome] for outcome in outcomes if outcome is not None and outcome in _FINAL]


def strictness(wish: Wish) -> int:
    """0 is the strictest. A reason for a pause is a person's words, and does not count."""
    status = wish[0]
    return _RANK[wish if status in {ImportStatus.COMPLETED, ImportStatus.HELD} else (status, None)]


def known_wish(status: str, reason: str | None) -> Wish | None:
    """The wish of these words; None if they make none."""
    try:
        asked = ImportStatus(status)
    except ValueError:
        return None
    if asked in {ImportStatus.COMPLETED, ImportStatus.HELD}:
        wish = (asked, reason)
        return _RANKED[_RANK[wish]] if wish in _RANK else None
    return asked, reason


@dataclass(frozen=True, slots=True)
class Call:
    """A call of which the provider's id is known."""

    call_id: str
    at: datetime
    outcome: Outcome | None
    """None: not known to have ended."""
    from_number: str | None = None
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One row. Every field but the number may be missing."""

    number: PhoneNumber
    wish: Wish | None = None
    """None: a trace of calls, which asks for nothing."""
    campaign: str | None = None
    """None: whichever the import is for."""
    lead_id: str | None = None
    list_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    state: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    due_at: datetime | None = None
    scheduled_callback_at: datetime | None = None
    attempts: int = 0
    attempts_today: int = 0
    attempts_today_on: date | None = None
    last_call_at: datetime | None = None
    outcomes: tuple[Outcome, ...] = ()
    """Oldest first."""
    calls: tuple[Call, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None
    times_approximate: bool = False
    sender_lead_ids: tuple[str, ...] = ()
    """Every id under which a sender knew the person: a blocklist may name any of them."""
    stops: bool = False
    """The person said stop: the number must not be called for any lead."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that cannot be used, and why."""

    field: str
    reason: str
    number: PhoneNumber | None = None
    """The number, where at least that can be read."""
    stops: bool = False
    """The row says stop, whatever else is wrong with it."""
