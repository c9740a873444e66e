"""The committed dashboards are built as Grafana's own advice has it, and alike."""

import re
from itertools import combinations
from typing import Any

import pytest

from deploy.dashboards import colours
from deploy.dashboards.board import TAG
from deploy.dashboards.thresholds import OF_ALERTS, Threshold
from leadline.domain.lead import LeadStatus
from leadline.domain.outcome import Outcome
from tests.house.tree import ROOT
from tests.observability.dashboards.queries import NAMES, dashboards, panels

DASHBOARDS = dashboards()
PANELS = [pytest.param(panel, id=f"{name}: {panel['title']}") for name in NAMES for panel in panels(DASHBOARDS[name])]
UNITS = {"none", "locale", "s", "bytes", "percentunit", "currencyUSD", "cps", "reqps"}
OWN_UNIT = re.compile(r"suffix:\S.*")
LATENCY = re.compile(r"histogram_quantile\(")
OF_DASHBOARDS = ROOT / "deploy" / "helm" / "leadline" / "files"
MAP_BYTES = 1024 * 1024
"""Most that a ConfigMap may hold."""


def test_each_file_is_a_dashboard_and_each_dashboard_has_its_address() -> None:
    files = sorted(path.stem for path in (OF_DASHBOARDS / "dashboards").iterdir())
    assert files == sorted(NAMES)
    assert {name: found["uid"] for name, found in DASHBOARDS.items()} == {name: f"leadline-{name}" for name in NAMES}
    assert len({found["title"] for found in DASHBOARDS.values()}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_frame_is_the_same_on_each(name: str) -> None:
    found = DASHBOARDS[name]
    assert found["editable"] is False
    assert found["tags"] == [TAG]
    assert found["description"]
    assert [variable["name"] for variable in found["templating"]["list"]] == ["datasource", "namespace", "campaign"]
    campaign = found["templating"]["list"][2]
    assert campaign["multi"]
    assert campaign["includeAll"]
    [link] = found["links"]
    assert (link["type"], link["tags"], link["keepTime"], link["includeVars"]) == ("dashboards", [TAG], True, True)
    assert all(annotation["enable"] is False for annotation in found["annotations"]["list"])
    assert (OF_DASHBOARDS / "dashboards" / f"{name}.json").stat().st_size < MAP_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_panels_lie_on_the_grid_and_none_on_another(name: str) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARDS[name]["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken[x, y]}"
                taken[x, y] = panel["title"]
    height = max(y for _, y in taken) + 1
    assert len(taken) == 24 * height, "there is a hole in the grid"


@pytest.mark.parametrize("name", NAMES)
def test_a_glance_at_the_top_answers_in_three_or_four_figures(name: str) -> None:
    top = [panel for panel in DASHBOARDS[name]["panels"] if panel["gridPos"]["y"] == 0]
    assert {panel["type"] for panel in top} == {"stat"}
    assert 3 <= len(top) <= 4


@pytest.mark.parametrize("name", NAMES)
def test_titles_and_numbers_are_unique(name: str) -> None:
    titles = [panel["title"] for panel in panels(DASHBOARDS[name])]
    assert len(set(titles)) == len(titles)
    numbers = [panel["id"] for panel in DASHBOARDS[name]["panels"]]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_is(panel: Any) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert panel["title"]
    assert panel["description"].endswith((".", "?"))
    assert panel["description"] != panel["title"]
    assert defaults["unit"] in UNITS or OWN_UNIT.fullmatch(defaults["unit"])
    assert "noValue" in defaults
    assert panel["datasource"]["uid"] == "${datasource}"
    if defaults["unit"] == "none":
        assert defaults["mappings"] or panel["type"] == "stat"


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_asks_as_it_should(panel: Any) -> None:
    assert panel["targets"]
    for target in panel["targets"]:
        expr = target["expr"]
        assert target["datasource"]["uid"] == "${datasource}"
        for window in re.findall(r"\[([^\]]+)\]", expr.replace("[.]", "")):
            assert window in {"$__rate_interval", "$__range"}, expr
        assert "$__range" not in expr or target["instant"], "all of the time shown is looked at once, not at every step"
        shows_durations_over_time = panel["type"] == "timeseries" and LATENCY.search(expr)
        assert bool(target.get("exemplar")) == bool(shows_durations_over_time)


@pytest.mark.parametrize("panel", PANELS)
def test_series_with_a_colour_of_their_own_have_it_everywhere(panel: Any) -> None:
    for override in panel["fieldConfig"]["overrides"]:
        name = override["matcher"]["options"]
        for found in override["properties"]:
            if found["id"] == "color" and name in colours.ALL and name != "completed":
                assert found["value"]["fixedColor"] == colours.ALL[name], name


def test_every_outcome_and_every_status_has_a_colour_and_no_two_outcomes_the_same() -> None:
    assert set(colours.OUTCOMES) == set(Outcome)
    assert set(colours.STATUSES) == set(LeadStatus)
    for one, other in combinations(Outcome, 2):
        assert colours.OUTCOMES[one] != colours.OUTCOMES[other]


@pytest.mark.parametrize("threshold", OF_ALERTS, ids=lambda threshold: f"{threshold.alert} {threshold.value:g}")
def test_thresholds_are_those_of_the_alerts(threshold: Threshold) -> None:
    """The objective of lateness is in the recording rules that its alert reads."""
    rules = "".join(path.read_text(encoding="utf-8") for path in sorted((OF_DASHBOARDS / "rules").glob("*.yaml")))
    if threshold.alert == "LeadlineDispatchErrorBudgetBurn":
        assert re.search(rf'leadline_dispatch_lateness_seconds_bucket\{{[^}}]*le="{threshold.value:g}\.0"', rules)
        return
    written = re.findall(rf"alert: {threshold.alert}\n(.*?)\n +for:", rules, re.DOTALL)
    assert written, "no such alert"
    assert any(re.search(rf"[<>]=? {re.escape(f'{threshold.value:g}')}\b", expr) for expr in written)
