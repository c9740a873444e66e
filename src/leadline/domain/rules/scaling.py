"""How many calls dialers should be able to have in hand together: what their number is decided by."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from leadline.domain.rules.windows import Windows

MOST_UNPACED: Final = 10_000
"""Calls in hand that are asked for at most where no pace bounds them."""


def most_in_hand(calls_per_second: float, seconds_in_hand: float, at_once: int | None) -> int:
    """How many calls dialers have in hand at most while the account's pace, not their number, is what holds them back.

    Little's law: what is in hand is the rate at which calls come times the time that each stays. A dialer more than
    that has nothing to do.

    Args:
        calls_per_second: the account's pace in real time; 0 is none.
        seconds_in_hand: how long a call is in hand where the provider answers as it should, from lease to report.
        at_once: the plan's cap of concurrent calls; None without one.
    """
    by_pace = math.ceil(calls_per_second * seconds_in_hand) if calls_per_second else MOST_UNPACED
    return max(1, by_pace if at_once is None else min(by_pace, at_once))


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do, over all dialers."""

    due_now: int
    due_soon: int
    """Due within the look-ahead."""
    in_hand: int
    """Attempts that hold a dialer's slot: leased or marked, and not yet reported."""
    most: int
    """As `most_in_hand` says."""
    calls_left: int | None = None
    """Further calls that the provider's plan allows now; None without a cap."""


class CallsWanted(NamedTuple):
    """The answer, and the bound it was held to."""

    wanted: int
    bound: int


def calls_wanted(work: Work) -> CallsWanted:
    """How many calls dialers should be able to have in hand together.

    What is in hand counts beside what waits, so that leasing a lead changes nothing; and it is never cut off. That
    makes the bound follow a provider that answers slowly: full dialers ask for as much as they have, and who aims at
    less than full slots adds dialers until the pace, not their number, holds calls back.
    """
    allowed = work.most if work.calls_left is None else min(work.most, work.in_hand + work.calls_left)
    bound = max(work.in_hand, allowed)
    return CallsWanted(min(work.due_now + work.due_soon + work.in_hand, bound), bound)


class DueUntil(NamedTuple):
    """A campaign's leads are due now up to one instant, and due soon behind it up to the other."""

    now: datetime
    soon: datetime


BEFORE_ALL: Final = datetime(1970, 1, 1, tzinfo=UTC)


def due_until(now: datetime, look_ahead: timedelta, hours: Windows) -> DueUntil | None:
    """Until when a campaign's leads must be due to be given to a dialer now, or within the look-ahead.

    Before an opening that lies within the look-ahead nothing is due now and all that waits for it is due soon. None:
    the campaign is closed for longer than that.
    """
    if hours.is_open(now):
        return DueUntil(now, min(now + look_ahead, hours.closes_at(now) or now + look_ahead))
    opens_at = hours.next_opening(now)
    if opens_at is None or opens_at > now + look_ahead:
        return None
    return DueUntil(BEFORE_ALL, now + look_ahead)
