"""How much of a stretch of time lay inside windows."""

from datetime import datetime, timedelta

from leadline.domain.rules.windows import Windows


def open_time(windows: Windows, since: datetime, until: datetime) -> timedelta:
    """The part of [since, until) that is open."""
    total, at = timedelta(0), windows.next_opening(since)
    while at is not None and at < until:
        closes = windows.closes_at(at)
        if closes is None or closes >= until:
            return total + (until - at)
        total += closes - at
        at = windows.next_opening(closes)
    return total
