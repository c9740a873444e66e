"""Where calls are found: by id, by number, and by creation as the list shows them."""

import heapq
import itertools
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.simulator.bland.call import Call


@dataclass(frozen=True, slots=True)
class Span:
    """The calls of a time range, ascending, without a copy of them: valid until the next call is added."""

    calls: Sequence[Call]
    first: int
    end: int

    def __len__(self) -> int:
        """How many there are."""
        return self.end - self.first

    def page(self, first: int, end: int, *, ascending: bool) -> Sequence[Call]:
        """Those at [first, end) of the order asked for."""
        first, end = min(first, len(self)), min(end, len(self))
        if first >= end:
            return ()
        if ascending:
            return self.calls[self.first + first : self.first + end]
        return self.calls[self.end - end : self.end - first][::-1]


class CallIndex:
    """All calls of an account. One that the list does not know yet is found by its id alone. Not thread-safe."""

    def __init__(self) -> None:
        """No calls."""
        self._by_id: dict[str, Call] = {}
        self._listed: list[Call] = []
        self._listed_by_number: dict[str, list[Call]] = {}
        self._counts: Counter[str] = Counter()
        self._unlisted: list[tuple[float, int, Call]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        """How many calls there are, listed or not."""
        return len(self._by_id)

    def get(self, call_id: str) -> Call | None:
        """The call of an id."""
        return self._by_id.get(call_id)

    def count_of(self, number: str) -> int:
        """How many calls a person (E.164) had, listed or not."""
        return self._counts[number]

    def add(self, calls: Iterable[Call], real_now: float) -> None:
        """Take calls in, in any order: each is listed from its `listed_real` on."""
        listed = []
        for call in calls:
            self._by_id[call.id] = call
            self._counts[call.number] += 1
            if call.listed_real <= real_now:
                listed.append(call)
            else:
                heapq.heappush(self._unlisted, (call.listed_real, next(self._order), call))
        self._list(listed)

    def between(self, created_from: float, created_to: float, number: str | None, real_now: float) -> Span:
        """Listed calls created within [from, to] business time; of one person (E.164), or of all."""
        due = []
        while self._unlisted and self._unlisted[0][0] <= real_now:
            due.append(heapq.heappop(self._unlisted)[2])
        self._list(due)
        calls = self._listed if number is None else self._listed_by_number.get(number, [])
        first = bisect_left(calls, created_from, key=_created_at)
        return Span(calls, first, bisect_right(calls, created_to, lo=first, key=_created_at))

    def _list(self, calls: Sequence[Call]) -> None:
        if len(calls) > 1:
            # One sort of runs that are sorted already; a thousand insertions would move the whole list each time.
            self._listed.extend(calls)
            self._listed.sort(key=_created_at)
        elif calls:
            insort(self._listed, calls[0], key=_created_at)
        for call in calls:
            insort(self._listed_by_number.setdefault(call.number, []), call, key=_created_at)


def _created_at(call: Call) -> float:
    return call.created_at
