"""Gauges and their samples, as the parts of a reading make them."""

from collections.abc import Iterable
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily


class Gauge(NamedTuple):
    """One gauge: its name, what it means, and its labels, each of a closed set."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()

    def of(self, value: float, *labels: str) -> "Sample":
        """Its value for these labels."""
        return Sample(self, float(value), labels)

    def family(self, samples: Iterable["Sample"] = ()) -> GaugeMetricFamily:
        """For prometheus_client; without samples it is described and absent."""
        family = GaugeMetricFamily(self.name, self.meaning, labels=self.labels)
        for sample in samples:
            family.add_metric(sample.labels, sample.value)
        return family


class Sample(NamedTuple):
    """One value of a gauge."""

    gauge: Gauge
    value: float
    labels: tuple[str, ...] = ()
