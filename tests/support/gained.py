"""What a counter of this process gained, other tests counting in the same registry, and which traces are named."""

from collections import Counter

from prometheus_client import REGISTRY
from prometheus_client.openmetrics.exposition import generate_latest


def traced_lines(words: str) -> list[str]:
    """Lines of the OpenMetrics exposition that hold these words and an exemplar."""
    shown = generate_latest(REGISTRY)  # type: ignore[no-untyped-call]  # the library gives it no types
    return [line for line in shown.decode().splitlines() if words in line and " # {" in line]


class Gained:
    """What the series of one counter gained since this was made."""

    def __init__(self, name: str) -> None:
        """`name` as in queries, with its `_total`."""
        self._name = name
        self._before = self._now()

    def by(self, *labels: str) -> dict[str, int]:
        """By the values of these labels, with spaces between them; what gained nothing is left out."""
        gained: Counter[str] = Counter()
        for key, value in self._now().items():
            named = dict(key)
            gained[" ".join(named[label] for label in labels)] += round(value - self._before.get(key, 0))
        return {values: count for values, count in gained.items() if count}

    def _now(self) -> dict[frozenset[tuple[str, str]], float]:
        samples = (sample for family in REGISTRY.collect() for sample in family.samples)
        return {frozenset(sample.labels.items()): sample.value for sample in samples if sample.name == self._name}
