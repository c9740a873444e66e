"""The collector of both readings, fast and slow, and when each was taken."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from services.queue_service.measuring import account, backfills, campaigns, leads, sweeps, waiting
from services.queue_service.measuring.gauges import Gauge, Sample
from services.queue_service.measuring.readings import LastReading

Speed = Literal["fast", "slow"]

GAUGES: Final[dict[Speed, tuple[Gauge, ...]]] = {
    "fast": (*campaigns.GAUGES, *account.GAUGES, *waiting.GAUGES, *sweeps.GAUGES, *backfills.GAUGES),
    "slow": leads.GAUGES,
}
READ_AT: Final = Gauge(
    "leadline_figures_timestamp_seconds",
    "When the gauges that are read from the database were read: fast by index, slow by counting whole tables.",
    ("reading",),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read, at one moment or (slow) from one on."""

    samples: Sequence[Sample]
    read_at: float
    read_at_unix: float

    @classmethod
    def now(cls, samples: Sequence[Sample] = ()) -> "Reading":
        """A reading that begins now."""
        return cls(samples, time.monotonic(), time.time())


class Figures(Collector):
    """Every gauge of both readings."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is monotonic."""
        self.fast: LastReading[Reading] = LastReading(clock)
        self.slow: LastReading[Reading] = LastReading(clock)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """For prometheus_client."""
        readings: tuple[tuple[Speed, LastReading[Reading]], ...] = (("fast", self.fast), ("slow", self.slow))
        for speed, last in readings:
            fresh = last.fresh
            yield from _families(GAUGES[speed], fresh.samples if fresh else ())
        taken = [(speed, last.read_at_unix) for speed, last in readings]
        yield READ_AT.family(READ_AT.of(at, speed) for speed, at in taken if at is not None)


def _families(gauges: Sequence[Gauge], samples: Iterable[Sample]) -> Iterator[GaugeMetricFamily]:
    of_gauge: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        of_gauge[sample.gauge.name].append(sample)
    for gauge in gauges:
        yield gauge.family(of_gauge[gauge.name])


FIGURES: Final = Figures()
REGISTRY.register(FIGURES)
