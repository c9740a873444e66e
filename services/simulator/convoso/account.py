"""What Convoso answers to each of its endpoints, as its help pages describe it. No HTTP here.

Where the pages are silent (which code a wrong status gets) the choice is ours, and the client must not lean on it.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from services.simulator.answer import Answer
from services.simulator.convoso.book import Lead, LeadBook
from services.simulator.phone import e164

Parameters = Mapping[str, str]

_MOST_LEADS: Final = 2000
_MOST_STATUSES: Final = 1000
_MOST_DNC: Final = 1000
_TEXT_TOTAL_SHARE: Final = 0.3
_SEARCHED: Final = ("lead_id", "list_id", "status", "phone_number")
_OWN_FIELDS: Final = frozenset({"id", "lead_id", "list_id", "status", "phone_number"})
_ORDERS: Final = frozenset(
    {"check_dup", "check_dnc", "check_wireless", "hopper", "hopper_priority", "hopper_expires_in", "update_if_found"}
)
"""Parameters that say what to do; they are no fields of a lead."""


def said_no(code: int, text: str) -> Answer:
    """An error as Convoso sends it: inside HTTP 200."""
    return Answer(200, {"success": False, "code": code, "text": text}, refusal=f"{code} {text}")


class Account:
    """One account. Totals are texts now and then, as they are at Convoso; which ones, the seed decides."""

    def __init__(self, book: LeadBook, seed: int, *, adopts: bool = False) -> None:
        """Answers from `book`. `adopts`: an update makes the lead that it misses."""
        self._book = book
        self._adopts = adopts
        self._dice = random.Random(f"{seed}|convoso")  # noqa: S311 -- a simulation, not a secret

    def search_statuses(self, asked: Parameters) -> Answer:
        """`status/search`."""
        rows = [row.as_listed() for row in self._book.statuses.rows]
        return self._page(rows, asked, default=100, most=_MOST_STATUSES)

    def search_leads(self, asked: Parameters) -> Answer:
        """`leads/search`: every parameter that is named must fit; without any, all leads."""
        number = asked.get("phone_number")
        digits = None if number is None else e164(number)
        # Only ten digits are found: who sends +1 or a dash finds nobody.
        exact = number is None or (number.isdigit() and len(number) == 10)
        candidates = self._book if number is None else self._book.of_number(digits or "") if exact else ()
        leads = [lead for lead in candidates if _fits(lead, asked)]
        self._book.note_answered(leads, digits if exact else None)
        return self._page([lead.as_found() for lead in leads], asked, default=10, most=_MOST_LEADS)

    def update_lead(self, asked: Parameters) -> Answer:
        """`leads/update`."""
        lead = self._book.get(asked.get("lead_id", "")) or self._adopted(asked)
        if lead is None:
            return said_no(6001, "No such Lead")
        if asked.get("list_id", lead.list_id) != lead.list_id:
            return said_no(6002, "No such List")
        return self._changed(lead, asked)

    def _adopted(self, asked: Parameters) -> Lead | None:
        """A lead that was posted to us by hand, as if its sender had it here."""
        number = e164(asked.get("phone_number"))
        if not (self._adopts and asked.get("lead_id") and number):
            return None
        list_id = asked.get("list_id", "1001")
        return self._book.add(number, lead_id=asked["lead_id"], list_id=list_id, status="NEW", fields={})

    def _changed(self, lead: Lead, asked: Parameters) -> Answer:
        digits = asked.get("phone_number", lead.digits)
        if not _is_number(digits):
            return said_no(6008, "Invalid Phone Number")
        status = asked.get("status")
        if status is not None and self._book.statuses.find(status) is None:
            return said_no(6000, "Invalid Status")
        lead.fields.update(_other_fields(asked))
        if digits != lead.digits:
            self._book.move(lead, digits)
        if status is not None:
            self._book.set_status(lead, status.upper(), by="api")
        return Answer(200, {"success": True, "data": {"lead_id": lead.id}})

    def insert_lead(self, asked: Parameters) -> Answer:
        """`leads/insert`."""
        list_id, digits, status = asked.get("list_id"), asked.get("phone_number", ""), asked.get("status", "NEW")
        if not list_id:
            return said_no(6007, "No such List")
        if not _is_number(digits):
            return said_no(6008, "Invalid Phone Number")
        if asked.get("check_dnc") == "1" and digits in self._book.dnc:
            return said_no(6023, "Phone Number is on the DNC list")
        known = [lead for lead in self._book.of_number(f"+1{digits}") if _is_duplicate(lead, asked)]
        if known and asked.get("update_if_found") in {"1", "true"}:
            return self._changed(known[0], asked)
        if known:
            return said_no(6009, "Lead already exists")
        if self._book.statuses.find(status) is None:
            return said_no(6000, "Invalid Status")
        lead = self._book.add(
            f"+1{digits}", lead_id=None, list_id=list_id, status=status.upper(), fields=_other_fields(asked)
        )
        return Answer(200, {"success": True, "data": {"lead_id": lead.id}})

    def insert_dnc(self, asked: Parameters) -> Answer:
        """`dnc/insert`; a number that is there already is an error, 6008."""
        digits = asked.get("phone_number", "")
        if not _is_number(digits):
            return said_no(6006, "Invalid Phone Number")
        if digits in self._book.dnc:
            return said_no(6008, "Phone Number already exists")
        entry = {"phone_number": digits, "phone_code": "1", "campaign_id": "0", "reason": ""}
        self._book.dnc[digits] = entry | {name: asked[name] for name in entry if name in asked}
        return Answer(200, {"success": True, "data": {"dnc_id": str(len(self._book.dnc))}})

    def search_dnc(self, asked: Parameters) -> Answer:
        """`dnc/search`."""
        wanted = asked.get("phone_number")
        entries = [entry for digits, entry in self._book.dnc.items() if wanted in {None, digits}]
        return self._page(entries, asked, default=100, most=_MOST_DNC)

    def _page(self, rows: Sequence[Mapping[str, str]], asked: Parameters, *, default: int, most: int) -> Answer:
        offset, limit = _whole(asked.get("offset"), 0), _whole(asked.get("limit"), default)
        if offset is None or limit is None or not 1 <= limit <= most:
            return said_no(7231, f"Invalid offset or limit; at most {most}")
        total: int | str = len(rows)
        if self._dice.random() < _TEXT_TOTAL_SHARE:
            total = str(total)
        page = {"offset": offset, "limit": limit, "total": total, "entries": list(rows[offset : offset + limit])}
        return Answer(200, {"success": True, "data": page})


Endpoint = Callable[[Account, Parameters], Answer]


def _fits(lead: Lead, asked: Parameters) -> bool:
    found: dict[str, Any] = {"lead_id": lead.id, **lead.as_found()}
    return all(asked[name] == found[name] for name in _SEARCHED if name in asked)


def _is_duplicate(lead: Lead, asked: Parameters) -> bool:
    scope = asked.get("check_dup", "0")
    return scope != "0" and (scope != "2" or lead.list_id == asked.get("list_id"))


def _other_fields(asked: Parameters) -> dict[str, str]:
    return {name: value for name, value in asked.items() if name not in _OWN_FIELDS | _ORDERS}


def _is_number(digits: str) -> bool:
    return digits.isdigit() and len(digits) == 10 and e164(digits) is not None


def _whole(text: str | None, default: int) -> int | None:
    if text is None:
        return default
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
