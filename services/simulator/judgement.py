"""What Leadline must never do, judged from ledger rows alone. Pure functions; each returns the rows at fault.

Nothing here asks Leadline: a row is what was seen on the wire, and whoever received a result is held to it from the
moment it answered 2xx.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from datetime import date
from typing import Final

from leadline.domain.campaign import LegalProfile
from leadline.domain.ids import PhoneNumber
from leadline.domain.outcome import SALE_OUTCOMES, STOP_OUTCOMES, Outcome
from leadline.domain.rules.legal import legal_hours
from leadline.domain.zones import possible_zones
from services.simulator.clock import instant
from services.simulator.ledger import LedgerRow, Origin
from services.simulator.rules import CampaignRules, Rulebook

Rows = list[LedgerRow]

_DIALLED: Final = frozenset({Origin.POST, Origin.PROVIDER_RETRY})


def dialled(rows: Iterable[LedgerRow]) -> Rows:
    """Rows that became a call that Leadline answers for, by business time of receipt."""
    calls = [row for row in rows if row.call_id is not None and row.origin in _DIALLED]
    return sorted(calls, key=lambda row: (row.received_business, row.seq))


def _by(calls: Iterable[LedgerRow], key: Callable[[LedgerRow], Hashable]) -> Iterable[Rows]:
    groups: defaultdict[Hashable, Rows] = defaultdict(list)
    for call in calls:
        groups[key(call)].append(call)
    return groups.values()


def overlapping(calls: Rows) -> Rows:
    """Calls that began (were asked for) while another call to the same number was not over."""
    found = []
    for group in _by(calls, lambda call: call.phone_number):
        free_at = float("-inf")
        for call in group:
            if call.received_business < free_at:
                found.append(call)
            free_at = max(free_at, float("inf") if call.ended_business is None else call.ended_business)
    return found


def out_of_hours(calls: Rows, rules: Rulebook) -> Rows:
    """Calls outside the campaign's hours, or outside the legal hours of any zone in which the person may be."""
    return [call for call in calls if not _within_hours(call, rules)]


def _within_hours(call: LedgerRow, rules: Rulebook) -> bool:
    campaign = rules.of(call.campaign)
    at = instant(call.received_business)
    number = PhoneNumber(call.phone_number or "")
    zones = possible_zones(number, rules.states.get(number))
    return campaign.hours.is_open(at) and legal_hours(LegalProfile(campaign.legal_profile), zones).is_open(at)


def over_life_cap(calls: Rows, rules: Rulebook) -> Rows:
    """Calls to one number in one campaign beyond the cap of a life; a callback promised on the last one grants one."""
    found = []
    for group in _by(calls, lambda call: (call.phone_number, call.campaign)):
        campaign = rules.of(group[0].campaign)
        cap = campaign.max_attempts
        if campaign.extra_callback_attempt and len(group) > cap and group[cap - 1].callback_promised:
            cap += 1
        found += group[cap:]
    return found


def over_day_cap(calls: Rows, rules: Rulebook) -> Rows:
    """Calls to one number, over all campaigns, beyond the cap of a day on the dialling campaign's date."""
    found = []
    for group in _by(calls, lambda call: call.phone_number):
        for n, call in enumerate(group):
            campaign = rules.of(call.campaign)
            day = _local_date(call, campaign)
            same_day = sum(_local_date(earlier, campaign) == day for earlier in group[:n])
            if same_day >= campaign.max_daily_attempts:
                found.append(call)
    return found


def _local_date(call: LedgerRow, campaign: CampaignRules) -> date:
    return instant(call.received_business).astimezone(campaign.zone).date()


def over_rolling_cap(calls: Rows, cap: int | None, seconds: float) -> Rows:
    """Calls for which `cap` others had been asked for within the last `seconds`."""
    if cap is None:
        return []
    return [
        call
        for call, earliest in zip(calls[cap:], calls, strict=False)
        if call.received_business - earliest.received_business < seconds
    ]


def over_concurrency(calls: Rows, cap: int | None) -> Rows:
    """Calls that began while `cap` others were not over."""
    if cap is None:
        return []
    changes = [(call.received_business, 1, call) for call in calls]
    changes += [(call.ended_business, 0, call) for call in calls if call.ended_business is not None]
    found, live = [], 0
    for _, begins, call in sorted(changes, key=lambda change: (change[0], change[1], change[2].seq)):
        live += 1 if begins else -1
        if begins and live > cap:
            found.append(call)
    return found


def after_final_result(rows: Iterable[LedgerRow], rules: Rulebook) -> Rows:
    """Calls asked for after a final result of an earlier call had been delivered (answered 2xx)."""
    rows = list(rows)
    told = _told(rows, lambda row: _final_scope(row, rules))
    return [
        call
        for call in dialled(rows)
        if min(told.get(scope, call.received_real) for scope in _scopes(call)) < call.received_real
    ]


def after_stop(rows: Iterable[LedgerRow], rules: Rulebook) -> Rows:
    """Calls to a number after its stop had been delivered, or after the instant named in `rules.stopped`."""
    rows = list(rows)
    told = _told(rows, lambda row: row.phone_number if row.outcome in STOP_OUTCOMES else None)
    for number, at in rules.stopped.items():
        told[number] = min(told.get(number, at.timestamp()), at.timestamp())
    return [call for call in dialled(rows) if told.get(call.phone_number, call.received_real) < call.received_real]


def after_bad_number(rows: Iterable[LedgerRow]) -> Rows:
    """Calls to a number that a delivered result had called non-existent."""
    rows = list(rows)
    told = _told(rows, lambda row: row.phone_number if row.outcome is Outcome.BAD_NUMBER else None)
    return [call for call in dialled(rows) if told.get(call.phone_number, call.received_real) < call.received_real]


def after_sale_in_crm(calls: Rows, news_seconds: float, clearance_seconds: float) -> Rows:
    """Calls to people whose lead a human agent had ended in the CRM: sold, do not call ...

    Excused is a call within `news_seconds` (business time) of that, and one before which (at most `clearance_seconds`
    of real time) the CRM had been asked and had still said otherwise: nobody can know what was not yet so.
    """
    return [call for call in calls if _knew_of_the_end(call, news_seconds, clearance_seconds)]


def _knew_of_the_end(call: LedgerRow, news_seconds: float, clearance_seconds: float) -> bool:
    word = call.crm_word
    if word is None or call.received_business - word.ended_business <= news_seconds:
        return False
    return word.cleared_real is None or call.received_real - word.cleared_real > clearance_seconds


def _told(rows: Iterable[LedgerRow], scope: Callable[[LedgerRow], Hashable]) -> dict[Hashable, float]:
    """Since when (real time) a scope is known to be closed."""
    told: dict[Hashable, float] = {}
    for row in rows:
        if row.delivered_real is not None and (key := scope(row)) is not None:
            told[key] = min(told.get(key, row.delivered_real), row.delivered_real)
    return told


def _scopes(call: LedgerRow) -> tuple[Hashable, Hashable]:
    return call.phone_number, (call.phone_number, call.campaign)


def _final_scope(row: LedgerRow, rules: Rulebook) -> Hashable:
    """Whom a final result closes: the number for every campaign, or one campaign's lead."""
    campaign = rules.of(row.campaign)
    whole_number, lead = _scopes(row)
    if row.outcome in STOP_OUTCOMES:
        return whole_number
    if row.outcome not in campaign.final_outcomes:
        return None
    return whole_number if row.outcome in SALE_OUTCOMES and campaign.sale_is_for_number else lead


def second_posts(rows: Iterable[LedgerRow]) -> Rows:
    """Requests that repeat the attempt id of an earlier one, whatever became of either."""
    posts = [row for row in rows if row.origin is Origin.POST and row.attempt_id is not None]
    return [row for group in _by(posts, lambda row: row.attempt_id) for row in group[1:]]


def most_in_a_second(instants: Iterable[float]) -> int:
    """The most instants within any second (half-open)."""
    ordered = sorted(instants)
    most = first = 0
    for last, at in enumerate(ordered):
        while at - ordered[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most
