"""What Bland refuses by itself: plan caps, one call per ten seconds to a number, an optional rate. Business time."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.simulator.answer import Answer
from services.simulator.bland import answers
from services.simulator.settings import Plan

_HOUR_SECONDS: Final = 3600.0
_DAY_SECONDS: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class PlanCaps:
    """One plan. None: no cap."""

    per_day: int | None = None
    per_hour: int | None = None
    concurrent: int | None = None
    minutes_per_day: float | None = None
    dollars_per_minute: float = 0.09


PLAN_CAPS: Final[Mapping[Plan, PlanCaps]] = {
    "start": PlanCaps(100, 100, 10, dollars_per_minute=0.14),
    "build": PlanCaps(2_000, 1_000, 50, dollars_per_minute=0.12),
    "scale": PlanCaps(5_000, 1_000, 100, dollars_per_minute=0.11),
    "enterprise": PlanCaps(),
    "agent": PlanCaps(50, 20, 1, minutes_per_day=1_000, dollars_per_minute=0.14),
}
"""The vendor's billing page, from 2025-12-05. Day and hour roll."""


class Limits:
    """Counts accepted calls; a refused one counts nowhere. Not thread-safe."""

    def __init__(self, plan: PlanCaps, same_number_seconds: float, calls_per_second: float) -> None:
        """`same_number_seconds` and `calls_per_second` 0: no such rule."""
        self._plan = plan
        self._same_number_seconds = same_number_seconds
        self._per_second = _Rolling(1.0, calls_per_second or None)
        self._per_hour = _Rolling(_HOUR_SECONDS, plan.per_hour)
        self._per_day = _Rolling(_DAY_SECONDS, plan.per_day)
        self._minutes = _Rolling(_DAY_SECONDS, plan.minutes_per_day)
        self._last_by_number: dict[str, float] = {}

    def refusal(self, number: str, now: float, live_calls: int) -> Answer | None:
        """Why a call to this number may not be placed now; None if it may."""
        last = self._last_by_number.get(number)
        if last is not None and now - last < self._same_number_seconds:
            return answers.ten_seconds(self._same_number_seconds)
        if self._per_second.reached(now):
            return answers.rate_limited()
        if self._plan.concurrent is not None and live_calls >= self._plan.concurrent:
            return answers.plan_concurrency()
        if self._per_hour.reached(now):
            return answers.plan_hourly()
        if self._per_day.reached(now):
            return answers.plan_daily()
        if self._minutes.reached(now):
            return answers.plan_daily_minutes()
        return None

    def note_call(self, number: str, now: float) -> None:
        """A call was placed."""
        self._last_by_number[number] = now
        for rolling in (self._per_second, self._per_hour, self._per_day):
            rolling.add(now, 1)

    def note_minutes(self, now: float, minutes: float) -> None:
        """A call ended."""
        self._minutes.add(now, minutes)


class _Rolling:
    """A sum over the last seconds; keeps nothing if there is no cap."""

    def __init__(self, seconds: float, cap: float | None) -> None:
        self._seconds = seconds
        self._cap = cap
        self._entries: deque[tuple[float, float]] = deque()
        self._sum = 0.0

    def add(self, now: float, amount: float) -> None:
        if self._cap is not None:
            self._entries.append((now, amount))
            self._sum += amount

    def reached(self, now: float) -> bool:
        if self._cap is None:
            return False
        while self._entries and self._entries[0][0] <= now - self._seconds:
            self._sum -= self._entries.popleft()[1]
        return self._sum >= self._cap
