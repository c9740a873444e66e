"""Figures as differences: prometheus_client counts for the whole process, whichever test came before."""

from collections.abc import Iterator

from prometheus_client.metrics import MetricWrapperBase

from services.queue_service.counting import figures

Labels = tuple[str, ...]


class Tally:
    """What was counted since it was made."""

    def __init__(self) -> None:
        self._before = dict(_samples())

    def of(self, name: str) -> dict[Labels, float]:
        """What was added to a sample (`leadline_attempts_total`), by the values of its labels, in their order."""
        now = {key: value for key, value in _samples() if key[0] == name}
        assert now, f"there is no {name}"
        added = {labels: value - self._before.get((name, labels), 0.0) for (_, labels), value in now.items()}
        return {labels: value for labels, value in added.items() if value}

    def sum_of(self, name: str) -> float:
        """What was added, whatever the labels."""
        return sum(self.of(name).values())

    def everything(self) -> dict[tuple[str, Labels], float]:
        """Every counter and histogram of the queue-service that moved."""
        now = dict(_samples())
        moved = {key: value - self._before.get(key, 0.0) for key, value in now.items()}
        return {key: value for key, value in moved.items() if value}


def _samples() -> Iterator[tuple[tuple[str, Labels], float]]:
    counted = (figure for figure in vars(figures).values() if isinstance(figure, MetricWrapperBase))
    families = (family for figure in counted for family in figure.collect() if family.type != "gauge")
    for family in families:
        for sample in family.samples:
            if not sample.name.endswith(("_created", "_bucket")):
                yield (sample.name, tuple(sample.labels.values())), sample.value
