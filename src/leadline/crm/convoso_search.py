"""Reading a search of Convoso to its end, and what the leads of one number come to."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from leadline.contracts.crm import Learned
from leadline.crm.convoso_answers import FoundLead, read_lead, read_page
from leadline.crm.port import CrmNonsense
from leadline.domain.crm import FINAL_STANDINGS, CrmStanding, StatusTable, standing_of, strictest
from leadline.domain.ids import PhoneNumber

Ask = Callable[[str, Mapping[str, str]], Awaitable[Mapping[str, Any]]]
"""Path and form in, decoded answer out."""

MOST_LEADS: Final = 2000
"""Leads of one number that are looked at: more are no number of a person."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found."""

    rows: tuple[object, ...]
    complete: bool
    """Whether that is everything; if not, there are more than were wanted."""


async def find_all(ask: Ask, path: str, form: Mapping[str, str], *, page_rows: int, most_rows: int) -> Found:
    """All pages of a search, up to about `most_rows` rows.

    Raises:
        CrmNonsense: a page came twice, or fewer rows came than were counted; what is missing may be what matters.
    """
    rows: list[object] = []
    seen: set[str] = set()
    while True:
        answer = await ask(path, {**form, "offset": str(len(rows)), "limit": str(page_rows)})
        page = read_page(answer)
        keys = {repr(row) for row in page.rows}
        if keys and keys <= seen:
            raise CrmNonsense("Convoso shows the same page twice")
        rows += page.rows
        seen |= keys
        if page.total is not None and len(rows) >= page.total:
            return Found(tuple(rows), complete=True)
        if not page.rows:
            if page.total is None:
                return Found(tuple(rows), complete=True)
            raise CrmNonsense("Convoso counts more than it shows")
        if len(rows) >= most_rows:
            return Found(tuple(rows), complete=False)


def learned_from(phone_number: PhoneNumber, found: Found, statuses: StatusTable, *, unlisted_is_open: bool) -> Learned:
    """The strictest standing of a number's leads. Pure.

    A lead that names another number says nothing of this one; one whose number cannot be read is counted.
    """
    leads = [read_lead(row) for row in found.rows]
    ours = [lead for lead in leads if lead.phone_number in {None, phone_number}]
    if not ours:
        return _without_lead(others=bool(leads), unlisted_is_open=unlisted_is_open)
    standings = [standing_of(lead.status, statuses) for lead in ours]
    standing = strictest(standings)
    deciding = ours[standings.index(standing)]
    if not found.complete and standing not in FINAL_STANDINGS:
        return _learned(CrmStanding.UNKNOWN, deciding, f"more than {MOST_LEADS} leads of Convoso have this number")
    return _learned(standing, deciding, _why_unknown(deciding) if standing is CrmStanding.UNKNOWN else None)


def _without_lead(*, others: bool, unlisted_is_open: bool) -> Learned:
    if others:
        return Learned(standing=CrmStanding.UNKNOWN, problem="Convoso answered with leads of other numbers")
    if unlisted_is_open:
        return Learned(standing=CrmStanding.OPEN)
    return Learned(standing=CrmStanding.UNKNOWN, problem="no lead of Convoso has this number")


def _learned(standing: CrmStanding, lead: FoundLead, problem: str | None) -> Learned:
    return Learned(
        standing=standing,
        status=lead.status or None,
        crm_lead_id=lead.lead_id or None,
        crm_list_id=lead.list_id or None,
        problem=problem,
    )


def _why_unknown(lead: FoundLead) -> str:
    if not lead.status:
        return "Convoso's lead has no status"
    return f"Convoso's account does not list the status {lead.status}"
