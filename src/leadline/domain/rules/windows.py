"""Sets of instants made of windows, whatever they mean: is it open, when does it open, when does it close.

A set answers from spans of UTC instants, kept block by block of 32 days and computed at the first question: a judgement
is a binary search. Which windows there are and whom they concern is decided in `hours` and `legal`.
"""

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

HORIZON: Final = timedelta(days=370)
"""How far ahead an opening is looked for; beyond it there is none."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BLOCK: Final = timedelta(days=32)
_KEPT_BLOCKS: Final = 64


class Spans(NamedTuple):
    """Disjoint spans of UTC instants, ascending: span i is open from `opens[i]` (incl.) to `closes[i]` (excl.)."""

    opens: tuple[datetime, ...]
    closes: tuple[datetime, ...]


class Windows(ABC):
    """A set of instants made of windows. Instants are aware; answers are UTC."""

    __slots__ = ()

    @abstractmethod
    def spans(self, block: int) -> Spans:
        """The spans inside one block of time, cut at its edges."""

    def is_open(self, t: datetime) -> bool:
        """Whether `t` lies in a window: the opening instant does, the closing instant does not."""
        t = t.astimezone(UTC)
        spans = self.spans(block_of(t))
        i = bisect_right(spans.opens, t) - 1
        return i >= 0 and t < spans.closes[i]

    def next_opening(self, t: datetime) -> datetime | None:
        """The first open instant that is not before `t` (`t` itself if open); None if there is none within 370 days."""
        t = t.astimezone(UTC)
        block, last = block_of(t), block_of(t + HORIZON)
        spans = self.spans(block)
        i = bisect_right(spans.opens, t)
        if i and t < spans.closes[i - 1]:
            return t
        while i == len(spans.opens):
            block, i = block + 1, 0
            if block > last:
                return None
            spans = self.spans(block)
        return spans.opens[i] if spans.opens[i] <= t + HORIZON else None

    def closes_at(self, t: datetime) -> datetime | None:
        """The first instant from `t` on that is not open (`t` itself if closed); None if that is beyond 370 days."""
        t = t.astimezone(UTC)
        block, last = block_of(t), block_of(t + HORIZON)
        spans = self.spans(block)
        i = bisect_right(spans.opens, t) - 1
        if i < 0 or t >= spans.closes[i]:
            return t
        closes = spans.closes[i]
        while closes == block_start(block + 1):
            block += 1
            if block > last:
                return None
            spans = self.spans(block)
            if not spans.opens or spans.opens[0] != closes:
                break
            closes = spans.closes[0]
        return closes if closes <= t + HORIZON else None


@dataclass(frozen=True, slots=True)
class AllOf(Windows):
    """What several windows have in common; open always if there are none."""

    parts: tuple[Windows, ...]
    _spans: dict[int, Spans] = field(default_factory=dict, init=False, compare=False, repr=False)

    def spans(self, block: int) -> Spans:
        """The common spans inside one block, computed at the first question and kept."""
        return remembered(self._spans, block, lambda: self._common(block))

    def _common(self, block: int) -> Spans:
        common = Spans((block_start(block),), (block_start(block + 1),))
        for part in self.parts:
            common = _intersected(common, part.spans(block))
        return common


def block_of(t: datetime) -> int:
    """The number of the block in which an aware instant lies."""
    return (t - _EPOCH) // _BLOCK


def block_start(block: int) -> datetime:
    """The first instant of a block."""
    return _EPOCH + block * _BLOCK


def remembered(kept: dict[int, Spans], block: int, compute: Callable[[], Spans]) -> Spans:
    """The block's spans from what is kept, else computed and kept; a full store is emptied and refills in ms."""
    spans = kept.get(block)
    if spans is None:
        if len(kept) >= _KEPT_BLOCKS:
            kept.clear()
        spans = kept[block] = compute()
    return spans


def clipped(spans: Iterable[tuple[datetime, datetime]], block: int) -> Spans:
    """Spans cut at the edges of a block, without those that are then empty or were never open."""
    start, end = block_start(block), block_start(block + 1)
    cut = [(max(opens, start), min(closes, end)) for opens, closes in spans]
    kept = [(opens, closes) for opens, closes in cut if opens < closes]
    return Spans(tuple(opens for opens, _ in kept), tuple(closes for _, closes in kept))


def _intersected(a: Spans, b: Spans) -> Spans:
    opens: list[datetime] = []
    closes: list[datetime] = []
    i = j = 0
    while i < len(a.opens) and j < len(b.opens):
        start, end = max(a.opens[i], b.opens[j]), min(a.closes[i], b.closes[j])
        if start < end:
            opens.append(start)
            closes.append(end)
        if a.closes[i] <= b.closes[j]:
            i += 1
        else:
            j += 1
    return Spans(tuple(opens), tuple(closes))
