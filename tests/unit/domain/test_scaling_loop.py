"""The control loop on paper: the number that dialers are scaled by, in the autoscaler's formula, on a Monday morning.

The HPA's part is its documented one (tolerance, stabilisation, policies); dialers' part is what bounds them: slots, and
the account's pace. Nothing here is a clock or a process.
"""

import math
from collections import Counter, deque
from dataclasses import dataclass, field

import pytest

from leadline.domain.rules.scaling import Work, calls_wanted, most_in_hand

TICK_SECONDS = 0.5
LEADS = 10_000
SLOTS = 50
UTILISATION = 0.8
SECONDS_IN_HAND = 3.5
LOOK_AHEAD_SECONDS = 60
READ_SECONDS = 5
SYNC_SECONDS = 15
STARTING_SECONDS = 10
"""From the decision to a dialer that leases."""
AHEAD_SECONDS = 1.0
"""How long a call is in hand before its turn comes."""
OPENING = 600.0
TALK_SECONDS = 30
CADENCE_MINUTES = (0, 1, 5, 10, 30)
MOST_REPLICAS = 200


@dataclass
class Hpa:
    """`behavior`: up at once by four pods or by all again per 15 s; down by one per 60 s after 300 s."""

    replicas: int = 1
    recommended: deque[tuple[float, int]] = field(default_factory=deque)
    fell_at: float = -math.inf

    def sync(self, now: float, metric: int) -> None:
        """One turn of the controller, with an external metric of type AverageValue."""
        target = SLOTS * UTILISATION
        ratio = metric / (target * self.replicas)
        desired = self.replicas if abs(ratio - 1) <= 0.1 else math.ceil(metric / target)
        desired = min(max(desired, 1), MOST_REPLICAS)
        self.recommended.append((now, desired))
        while self.recommended[0][0] < now - 300:
            self.recommended.popleft()
        if desired > self.replicas:
            self.replicas = min(desired, self.replicas + max(4, self.replicas))
        elif max(n for _, n in self.recommended) < self.replicas and now - self.fell_at >= 60:
            self.replicas -= 1
            self.fell_at = now


@dataclass
class Morning:
    """Leads that fall due when calling hours begin, and again by the cadence: nobody ever answers."""

    calls_per_second: float
    answer_seconds: float
    hpa: Hpa = field(default_factory=Hpa)
    now: float = 0.0
    due: Counter[int] = field(default_factory=Counter)
    """By the number of the call that is next."""
    later: dict[int, Counter[int]] = field(default_factory=dict)
    """Ticks at which leads fall due."""
    ends: Counter[int] = field(default_factory=Counter)
    """Ticks at which calls leave the hand."""
    in_hand: int = 0
    allowance: float = 0.0
    metric: int = 0
    ready: deque[tuple[float, int]] = field(default_factory=deque)
    dialers: int = 1
    started: Counter[int] = field(default_factory=Counter)
    first_round_seconds: float = math.inf
    most_replicas: int = 1
    replicas_at_opening: int = 0

    def __post_init__(self) -> None:
        self.later[round(OPENING / TICK_SECONDS)] = Counter({1: LEADS})

    def run(self, seconds: float) -> None:
        for tick in range(round(seconds / TICK_SECONDS)):
            self.now = tick * TICK_SECONDS
            self.due += self.later.pop(tick, Counter())
            self.in_hand -= self.ends.pop(tick, 0)
            self._dial(tick)
            if self.now % READ_SECONDS == 0:
                self._read(tick)
            if self.now % SYNC_SECONDS == 0:
                self._scale()
            if self.now == OPENING:
                self.replicas_at_opening = self.hpa.replicas

    def _dial(self, tick: int) -> None:
        while self.ready and self.ready[0][0] <= self.now:
            self.dialers = self.ready.popleft()[1]
        self.allowance = min(self.allowance + self.calls_per_second * TICK_SECONDS, max(1, self.calls_per_second))
        room = min(int(self.allowance), self.dialers * SLOTS - self.in_hand)
        for number in sorted(self.due):
            count = min(room, self.due[number])
            if count > 0:
                self._start(tick, number, count)
                room -= count
        self.due = +self.due

    def _start(self, tick: int, number: int, count: int) -> None:
        self.due[number] -= count
        self.allowance -= count
        self.in_hand += count
        self.started[number] += count
        self.ends[tick + round((AHEAD_SECONDS + self.answer_seconds) / TICK_SECONDS)] += count
        if number < len(CADENCE_MINUTES):
            again = tick + round((TALK_SECONDS + CADENCE_MINUTES[number] * 60) / TICK_SECONDS)
            self.later.setdefault(again, Counter())[number + 1] += count
        if number == 1 and self.started[1] == LEADS:
            self.first_round_seconds = self.now - OPENING

    def _read(self, tick: int) -> None:
        soon = range(tick + 1, tick + 1 + round(LOOK_AHEAD_SECONDS / TICK_SECONDS))
        due_soon = sum(self.later[at].total() for at in soon if at in self.later)
        most = most_in_hand(self.calls_per_second, SECONDS_IN_HAND, None)
        work = Work(min(self.due.total(), most), min(due_soon, most), self.in_hand, most)
        self.metric = calls_wanted(work).wanted
        assert self.metric >= self.in_hand

    def _scale(self) -> None:
        before = self.hpa.replicas
        self.hpa.sync(self.now, self.metric)
        if self.hpa.replicas < before:
            assert self.in_hand <= self.hpa.replicas * SLOTS, "a dialer was stopped whose slots are needed"
            self.ready.clear()
            self.dialers = min(self.dialers, self.hpa.replicas)
        elif self.hpa.replicas > before:
            self.ready.append((self.now + STARTING_SECONDS, self.hpa.replicas))
        self.most_replicas = max(self.most_replicas, self.hpa.replicas)

    @property
    def all_called(self) -> bool:
        return all(self.started[number] == LEADS for number in range(1, len(CADENCE_MINUTES) + 1))


def test_five_calls_a_second_need_one_dialer_however_many_leads_wait() -> None:
    morning = Morning(calls_per_second=5, answer_seconds=0.5)
    morning.run(4 * 3600)
    assert morning.most_replicas == 1
    assert morning.all_called
    assert morning.first_round_seconds <= 1.02 * LEADS / 5, "the pace is what holds them back"


def test_a_slow_provider_at_five_calls_a_second_needs_a_second_dialer() -> None:
    """Sixty-five calls are in hand then, which fifty slots would hold back."""
    morning = Morning(calls_per_second=5, answer_seconds=12)
    morning.run(4 * 3600)
    assert morning.most_replicas == 2
    assert morning.all_called


def test_five_hundred_calls_a_second_have_their_dialers_when_calling_hours_begin() -> None:
    morning = Morning(calls_per_second=500, answer_seconds=0.5)
    morning.run(2 * 3600)
    needed = math.ceil(500 * (AHEAD_SECONDS + 0.5) / SLOTS)
    assert needed <= morning.replicas_at_opening <= morning.most_replicas <= math.ceil(500 * SECONDS_IN_HAND / 40)
    assert morning.first_round_seconds <= 1.1 * LEADS / 500
    assert morning.all_called
    assert morning.hpa.replicas == 1, "an hour after the last call, one by one"


@pytest.mark.parametrize("answer_seconds", [4, 10, 15])
def test_dialers_follow_a_provider_that_answers_slowly(answer_seconds: float) -> None:
    """More is in hand than the bound foresees; full dialers ask for a quarter more, until the pace holds calls back."""
    morning = Morning(calls_per_second=100, answer_seconds=answer_seconds)
    morning.run(2 * 3600)
    in_hand = 100 * (AHEAD_SECONDS + answer_seconds)
    assert in_hand / SLOTS <= morning.most_replicas <= math.ceil(1.3 * in_hand / (SLOTS * UTILISATION))
    assert morning.all_called
