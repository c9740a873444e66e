"""Statuses that human agents set in the CRM: a sale or a stop ends redialling at once, whatever Leadline is doing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, assert_never

from leadline.contracts.events import EventDisposition
from leadline.crm.convoso_connect import StatusNews, parse_status
from leadline.domain.crm import CrmStanding, standing_of
from leadline.domain.ids import PhoneNumber
from leadline.domain.lead import CompletionReason, LeadStatus
from leadline.domain.outcome import Outcome
from leadline.store import leads, phones
from leadline.store.changes import Changes
from leadline.store.clock import get_clock
from leadline.store.connection import Connection
from leadline.store.decisions import Decided, about_lead
from leadline.store.events import EventResult
from leadline.store.numbers import LeadRow, NumberState, load_numbers
from services.queue_service.crm.standings import void_unwanted_lease
from services.queue_service.crm.statuses import read_statuses
from services.queue_service.crm.telling import CRM_SOURCE
from services.queue_service.policy import Policy
from services.queue_service.settle import complete_lead, settle_outcome_for_number, suppress_number

KIND: Final = "crm_status"
_NOT_INTERESTED_CODE: Final = "NI"
_MOST_NUMBERS: Final = 3
"""Of one id of the CRM; more is a constant that somebody put where the id belongs, and names nobody."""


@dataclass(frozen=True, slots=True)
class _Word:
    """One status as it is applied."""

    news: StatusNews
    standing: CrmStanding
    outcome: Outcome | None
    """What it says of the person, in the words for calls."""


async def apply_status(conn: Connection, policy: Policy, event_id: int, body: bytes) -> EventResult:
    """Apply one kept delivery inside the caller's transaction. Total over any body."""
    news = parse_status(body)
    if news is None:
        return EventResult(
            event_id, EventDisposition.QUARANTINED, "nonsense", problem="no status, or neither a number nor a lead id"
        )
    standing = standing_of(news.status, await read_statuses(conn))
    word = _Word(news, standing, _outcome(news, standing))
    wanted = await _numbers(conn, news)
    if standing is CrmStanding.DNC and news.phone_number is not None:
        wanted = [news.phone_number, *(number for number in wanted if number != news.phone_number)]
        await phones.ensure_phones(conn, wanted)
    await phones.lock_phones(conn, wanted)
    numbers = await load_numbers(conn, wanted)
    changes = Changes(now=(await get_clock(conn)).now, actor=CRM_SOURCE)
    for number in numbers.values():
        _apply(changes, policy, number, word)
    await changes.flush(conn)
    about = next((lead for number in numbers.values() for lead in _meant(number, news)), None)
    return EventResult(event_id, EventDisposition.APPLIED, KIND, word.outcome, lead_id=about.id if about else None)


async def _numbers(conn: Connection, news: StatusNews) -> list[PhoneNumber]:
    """The number that is named if we have it, else those of the lead that is named."""
    if news.phone_number is not None and await leads.is_known(conn, news.phone_number):
        return [news.phone_number]
    if news.crm_lead_id is None:
        return []
    found = await leads.find_phones_of_sender(conn, news.crm_lead_id, _MOST_NUMBERS + 1)
    return found if len(found) <= _MOST_NUMBERS else []


def _outcome(news: StatusNews, standing: CrmStanding) -> Outcome | None:
    match standing:
        case CrmStanding.DNC:
            return Outcome.DNC
        case CrmStanding.SALE:
            return Outcome.SALE
        case CrmStanding.ACA:
            return Outcome.ACA
        case CrmStanding.FINAL:
            return Outcome.NOT_INTERESTED if news.status == _NOT_INTERESTED_CODE else None
        case CrmStanding.OPEN | CrmStanding.UNKNOWN:
            return None
        case _:
            assert_never(standing)


def _apply(changes: Changes, policy: Policy, number: NumberState, word: _Word) -> None:
    match word.standing:
        case CrmStanding.DNC:
            suppress_number(changes, policy, number, f"CRM status {word.news.status}", source=CRM_SOURCE)
            decided = Decided("number_suppressed", phone_number=number.phone_number, details={"actor": CRM_SOURCE})
            changes.decided.append(decided)
        case CrmStanding.SALE | CrmStanding.ACA:
            assert word.outcome is not None
            _complete(changes, _meant(number, word.news), CompletionReason(word.outcome.lower()), word)
            settle_outcome_for_number(changes, policy, number, word.outcome, word.news.status, cause=KIND)
        case CrmStanding.FINAL:
            not_interested = word.outcome is Outcome.NOT_INTERESTED
            reason = CompletionReason.NOT_INTERESTED if not_interested else CompletionReason.CRM_FINAL
            _complete(changes, _meant(number, word.news), reason, word)
        case CrmStanding.OPEN | CrmStanding.UNKNOWN:
            return
        case _:
            assert_never(word.standing)
    void_unwanted_lease(changes, number, KIND)


def _meant(number: NumberState, news: StatusNews) -> Sequence[LeadRow]:
    """The leads that have the CRM's id; all of the number if none has: it is the same person."""
    everyone = list(number.leads.values())
    return [x for x in everyone if news.crm_lead_id and x.sender_lead_id == news.crm_lead_id] or everyone


def _complete(changes: Changes, ended: Iterable[LeadRow], reason: CompletionReason, word: _Word) -> None:
    details: dict[str, Any] = {"crm_status": word.news.status}
    for lead in ended:
        if lead.status is not LeadStatus.COMPLETED:
            complete_lead(changes, lead, reason, cause=KIND, details=details)
            decided = {"kind": KIND, "outcome": word.outcome}
            changes.decided.append(about_lead("lead_decided", lead, None, decided))
