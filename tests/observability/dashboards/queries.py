"""The queries of the committed dashboards, as Prometheus is asked them once Grafana has filled in the variables.

for query in panel_queries():
    samples = await prometheus.query(query.resolved(namespace=NAMESPACE, rate_interval="15s", range_="10m"))
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.house.tree import ROOT

FOLDER: Final = ROOT / "deploy" / "helm" / "leadline" / "files" / "dashboards"
NAMES: Final = ("calls", "queue", "dialer", "platform")


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """One expression of one panel."""

    dashboard: str
    panel: str
    expr: str
    """As it is committed, with Grafana's variables."""

    @property
    def looks_back(self) -> bool:
        """Compares with a time before the one shown, and so has nothing to say in a young Prometheus."""
        return " offset " in self.expr

    def resolved(self, *, namespace: str, campaign: str = ".*", rate_interval: str = "1m", range_: str = "1h") -> str:
        """With the variables filled in. `campaign` is a regular expression, the others are PromQL's durations."""
        filled = self.expr
        for name, value in {
            "$namespace": namespace,
            "$campaign": campaign,
            "$__rate_interval": rate_interval,
            "$__range": range_,
        }.items():
            filled = filled.replace(name, value)
        assert "$" not in filled, f"{self.dashboard}, {self.panel}: a variable that nobody fills in: {filled}"
        return filled


def dashboards() -> dict[str, Any]:
    """The committed dashboards by name."""
    return {name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES}


def panels(dashboard: Any) -> list[Any]:
    """Its panels, without the headings of rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def panel_queries() -> list[PanelQuery]:
    """Every expression of every panel."""
    return [
        PanelQuery(name, panel["title"], target["expr"])
        for name, dashboard in dashboards().items()
        for panel in panels(dashboard)
        for target in panel["targets"]
    ]


def other_queries() -> Iterator[PanelQuery]:
    """Those of annotations and variables. A variable's `label_values(series, label)` is asked for as its series."""
    for name, dashboard in dashboards().items():
        for annotation in dashboard["annotations"]["list"]:
            yield PanelQuery(name, f"annotation {annotation['name']}", annotation["expr"])
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                series = variable["query"]["query"].removeprefix("label_values(").rpartition(", ")[0]
                yield PanelQuery(name, f"variable {variable['name']}", series)
