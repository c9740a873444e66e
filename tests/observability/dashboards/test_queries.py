"""What the dashboards ask for exists, and is asked for in the way that gives the right answer."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.house.metrics_reference import Family, read_reference
from tests.house.tree import ROOT
from tests.observability.dashboards.queries import PanelQuery, other_queries, panel_queries
from tests.observability.tools import ABSENT, find

needs_promtool = pytest.mark.skipif(find("promtool") is None, reason=ABSENT)
ALL = [*panel_queries(), *other_queries()]
QUERIES = [pytest.param(query, id=f"{number}, {query.dashboard}: {query.panel}") for number, query in enumerate(ALL)]
REFERENCE = ROOT / "docs" / "operations" / "metrics.md"
OF_PROMETHEUS = {"namespace", "pod", "instance", "app_kubernetes_io_component"}
"""Labels that every series gets when it is scraped."""
SELECTOR = re.compile(r"\b(?P<name>(?:leadline|process)_\w+)\b(?:\{(?P<matchers>[^}]*)\})?")
GROUPED = re.compile(r"\b(?:by|on) \((?P<labels>[^)]*)\)")
PER_POD = {"leadline_http_requests_in_flight", "leadline_pool_connections"}
"""Gauges of the queue-service that each replica has for itself."""
MAXIMUM = re.compile(r"(?:\bmax(?: by \([^)]*\))? |\babsent)\($")
RISING = re.compile(r"\b(?:rate|increase)\($")


def _families() -> dict[str, Family]:
    return {
        name: family
        for families in read_reference(REFERENCE.read_text(encoding="utf-8")).values()
        for name, family in families.items()
    }


def _database_gauges() -> set[str]:
    shared = read_reference(REFERENCE.read_text(encoding="utf-8"))
    queue = {name for name, family in shared["queue-service"].items() if family.type == "gauge"}
    return {name for name in queue - set(shared["gateway"]) if name.startswith("leadline_")} - PER_POD


FAMILIES = _families()
DATABASE_GAUGES = _database_gauges()


def _family(name: str) -> tuple[Family | None, set[str]]:
    """The metric that a series belongs to, and the labels that its type adds."""
    if name in FAMILIES:
        return FAMILIES[name], set()
    base = re.sub(r"_(bucket|count|sum)$", "", name)
    found = FAMILIES.get(base)
    if found is None or found.type != "histogram":
        return None, set()
    return found, {"le"} if name.endswith("_bucket") else set()


def test_there_is_something_to_test() -> None:
    assert len(panel_queries()) > 100
    assert len(DATABASE_GAUGES) > 30


@needs_promtool
def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    rules = [
        {"record": f"query:{number}", "expr": query.resolved(namespace="leadline")} for number, query in enumerate(ALL)
    ]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    checked = subprocess.run(
        [str(find("promtool")), "check", "rules", str(file)], capture_output=True, text=True, check=False, timeout=60
    )
    assert checked.returncode == 0, checked.stderr
    assert f"{len(ALL)} rules found" in checked.stdout


@pytest.mark.parametrize("query", QUERIES)
def test_names_and_labels_exist(query: PanelQuery) -> None:
    known = set(OF_PROMETHEUS)
    for selector in SELECTOR.finditer(query.expr):
        family, added = _family(selector["name"])
        assert family is not None, f"{selector['name']} is in no /metrics"
        has = set(family.labels) | added | OF_PROMETHEUS
        asked = set(re.findall(r"(\w+)\s*[!=]~?", selector["matchers"] or ""))
        assert asked <= has, f"{selector['name']} has no label {asked - has}"
        known |= has
    for grouping in GROUPED.finditer(query.expr):
        asked = {label.strip() for label in grouping["labels"].split(",")} - {""}
        assert asked <= known, f"nothing here has a label {asked - known}"


@pytest.mark.parametrize("query", QUERIES)
def test_everything_is_of_the_chosen_namespace(query: PanelQuery) -> None:
    if query.panel == "variable namespace":
        return
    for selector in SELECTOR.finditer(query.expr):
        assert 'namespace="$namespace"' in (selector["matchers"] or ""), selector[0]


@pytest.mark.parametrize("query", QUERIES)
def test_what_has_a_campaign_can_be_asked_for_one(query: PanelQuery) -> None:
    if query.panel.startswith("variable"):
        return
    for selector in SELECTOR.finditer(query.expr):
        family, _ = _family(selector["name"])
        if family is not None and "campaign" in family.labels:
            expected = 'campaign=~"$campaign"' in selector["matchers"]
            assert expected or query.panel == "Calls per second and pace", selector[0]


@pytest.mark.parametrize("query", QUERIES)
def test_types_are_read_as_they_must_be(query: PanelQuery) -> None:
    """Replicas show the same gauges of the database: their greatest is read. Counters are read by how they rise."""
    if query.panel.startswith("variable"):
        return
    for selector in SELECTOR.finditer(query.expr):
        name, before = selector["name"], query.expr[: selector.start()]
        if name in DATABASE_GAUGES:
            assert MAXIMUM.search(before), f"{name} must not be added up over replicas"
        family, _ = _family(name)
        if family is not None and family.type in {"counter", "histogram"}:
            assert RISING.search(before), f"{name} only ever rises"
