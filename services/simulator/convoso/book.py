"""The leads of the simulated account, its DNC list, and since when a human's word has ended a lead. No HTTP here."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from services.simulator.clock import Clock, iso
from services.simulator.convoso.statuses import default_statuses
from services.simulator.ledger import CrmWord
from services.simulator.phone import e164

_FIRST_ID: Final = 400_001


@dataclass(slots=True, eq=False)
class Change:
    """A status that a lead was given."""

    by: str
    """`agent`, `api`, or `control` for how the lead came."""
    status: str
    business_at: float


@dataclass(slots=True, eq=False)
class Lead:
    """One lead in one list."""

    id: str
    list_id: str
    phone_number: str
    """E.164; Convoso prints the ten digits."""
    status: str = "NEW"
    fields: dict[str, str] = field(default_factory=dict)
    """Whatever else was ever said of it."""
    changes: list[Change] = field(default_factory=list)
    ended_business: float | None = None
    """Since when a person's word says that it is over; what the API writes is nobody's word."""

    @property
    def digits(self) -> str:
        """The number as Convoso spells it."""
        return self.phone_number.removeprefix("+1")

    def as_found(self) -> dict[str, str]:
        """As `leads/search` prints it."""
        own = {"id": self.id, "status": self.status, "list_id": self.list_id, "phone_number": self.digits}
        return {**self.fields, **own}

    def view(self) -> dict[str, Any]:
        """For tests: everything, with its history."""
        changes = [{"by": c.by, "status": c.status, "business_at": iso(c.business_at)} for c in self.changes]
        return {**self.as_found(), "changes": changes}


class LeadBook:
    """Single-threaded; every method returns at once."""

    def __init__(self, clock: Clock) -> None:
        """No leads, the usual statuses."""
        self._clock = clock
        self.statuses = default_statuses()
        self.clear()

    def clear(self) -> None:
        """Forget every lead, the DNC list, and who was asked about."""
        self._ids = itertools.count(_FIRST_ID)
        self._leads: dict[str, Lead] = {}
        self._by_number: defaultdict[str, list[Lead]] = defaultdict(list)
        self._cleared_real: dict[str, float] = {}
        self.dnc: dict[str, dict[str, str]] = {}

    def __len__(self) -> int:
        """How many leads there are."""
        return len(self._leads)

    def __iter__(self) -> Iterator[Lead]:
        """All leads, oldest first."""
        return iter(self._leads.values())

    def get(self, lead_id: str) -> Lead | None:
        """The lead of an id."""
        return self._leads.get(lead_id)

    def of_number(self, phone_number: str) -> list[Lead]:
        """The leads of a number (E.164), oldest first."""
        return list(self._by_number.get(phone_number, ()))

    def add(self, phone_number: str, *, lead_id: str | None, list_id: str, status: str, fields: dict[str, str]) -> Lead:
        """A new lead, or a new text of one whose id is known."""
        lead_id = lead_id or next(free for n in self._ids if (free := str(n)) not in self._leads)
        self._forget(lead_id)
        lead = Lead(lead_id, list_id, phone_number, fields=fields)
        self._leads[lead_id] = lead
        self._by_number[phone_number].append(lead)
        self.set_status(lead, status, by="control")
        return lead

    def _forget(self, lead_id: str) -> None:
        if known := self._leads.pop(lead_id, None):
            self._by_number[known.phone_number].remove(known)

    def set_status(self, lead: Lead, status: str, *, by: str) -> None:
        """Give a lead a status; only what people say (`by` is not `api`) ends it or opens it again."""
        now = self._clock.now()
        lead.status = status
        lead.changes.append(Change(by, status, now))
        if by == "api":
            return
        if not self.statuses.is_final(status):
            lead.ended_business = None
        elif lead.ended_business is None:
            lead.ended_business = now

    def move(self, lead: Lead, digits: str) -> None:
        """Give a lead another number."""
        self._by_number[lead.phone_number].remove(lead)
        lead.phone_number = e164(digits) or lead.phone_number
        self._by_number[lead.phone_number].append(lead)

    def note_answered(self, leads: Iterable[Lead], phone_number: str | None) -> None:
        """Somebody asked about a number and sees these leads: whether he may take it for open."""
        if phone_number is None:
            return
        if all(lead.ended_business is None and not self.statuses.is_final(lead.status) for lead in leads):
            self._cleared_real[phone_number] = self._clock.real_now()
        else:
            self._cleared_real.pop(phone_number, None)

    def word(self, phone_number: str) -> CrmWord | None:
        """What people had made of a number's leads by now; None while none of them is over."""
        ended = [lead.ended_business for lead in self.of_number(phone_number) if lead.ended_business is not None]
        return CrmWord(min(ended), self._cleared_real.get(phone_number)) if ended else None
