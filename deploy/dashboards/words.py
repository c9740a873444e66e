"""Words in place of numbers: what a gate's 0 or 1 means, and in which colour it says so."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from grafana_foundation_sdk.models import dashboard as model


@dataclass(frozen=True, slots=True)
class Words:
    """What is written, and in which colour, for single values and for ranges of values."""

    of: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    between: Mapping[tuple[float, float], tuple[str, str]] = field(default_factory=dict)
    """From and to, both included."""

    def mappings(self) -> list[model.ValueMapping]:
        """As Grafana takes them."""
        found: list[model.ValueMapping] = []
        if self.of:
            said = {str(value): _result(at, *word) for at, (value, word) in enumerate(self.of.items())}
            found.append(model.ValueMap(options=said))
        for at, ((least, most), word) in enumerate(self.between.items(), start=len(self.of)):
            result = _result(at, *word)
            found.append(model.RangeMap(options=model.DashboardRangeMapOptions(least, most, result)))
        return found


def _result(at: int, text: str, colour: str) -> model.ValueMappingResult:
    return model.ValueMappingResult(text=text, color=colour, index=at)
