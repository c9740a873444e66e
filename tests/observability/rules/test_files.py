"""The rule files themselves: valid as they lie, of this installation alone, and in step with code and documents."""

import re
import subprocess
from typing import Any

import pytest

from leadline.domain.outcome import REACHED_OUTCOMES, Outcome
from leadline.runtime.http.figures import REQUEST_SECONDS
from services.queue_service.counting.figures import DISPATCH_LATENESS
from services.webhook_gateway.routes import ROUTES
from tests.house.tree import ROOT
from tests.observability.rules.files import ALERTS, FILES, RECORDING, groups, names_in, rules, without_suffix
from tests.observability.tools import ABSENT, find

METRICS = ROOT / "docs" / "operations" / "metrics.md"
OTHERS = {"up", "kube_job_failed"}
"""Of Prometheus, and of kube-state-metrics."""
DASHBOARDS = {"leadline-calls", "leadline-queue", "leadline-dialer", "leadline-platform"}
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
_SELECTOR = re.compile(r'[\w:]+\{(?:[^{}"]|"[^"]*")*\}')


@pytest.mark.skipif(find("promtool") is None, reason=ABSENT)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_promtool_takes_it(path: Any) -> None:
    checked = subprocess.run(
        [str(find("promtool")), "check", "rules", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_metric_exists() -> None:
    """Names are compared with the reference, which is generated from the code and compared with live processes."""
    assert METRICS.exists(), "docs/operations/metrics.md is not there: run `make generated`"
    documented = {without_suffix(name) for name in re.findall(r"\bleadline_\w+", METRICS.read_text(encoding="utf-8"))}
    recorded = {rule["record"] for rule in rules(RECORDING)}
    read = {name for rule in rules() for name in names_in(rule["expr"])} - recorded - OTHERS
    assert len(read) > 30
    assert not {name for name in read if without_suffix(name) not in documented}


def test_every_recorded_series_is_read_by_somebody() -> None:
    read = {name for rule in rules() for name in names_in(rule["expr"])}
    assert not {rule["record"] for rule in rules(RECORDING)} - read


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_every_selector_is_of_this_namespace(rule: dict[str, Any]) -> None:
    """Else two releases in one Prometheus would wake each other's people."""
    selected = _SELECTOR.findall(rule["expr"])
    assert {re.split(r"\{", selector)[0] for selector in selected} == names_in(rule["expr"])
    assert not [selector for selector in selected if 'namespace="NAMESPACE"' not in selector]


def test_groups_have_names_of_their_own() -> None:
    """Both files become one PrometheusRule."""
    names = [group["name"] for group in groups()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("rule", rules(ALERTS), ids=lambda rule: rule["alert"])
def test_every_alert_says_what_a_pager_needs(rule: dict[str, Any]) -> None:
    assert re.fullmatch(r"Leadline([A-Z][a-z]+)+", rule["alert"])
    assert rule["labels"]["severity"] in {"page", "ticket"}
    annotations = rule["annotations"]
    assert annotations.keys() == {"summary", "description", "dashboard_uid", "runbook_url"}
    assert annotations["dashboard_uid"] in DASHBOARDS
    assert annotations["runbook_url"].endswith(f"/docs/operations/alerts.md#{rule['alert'].lower()}")
    assert "{{" not in annotations["summary"]
    assert annotations["description"].endswith((".", "{{ end }}."))


def test_few_alerts_page() -> None:
    paging = {rule["alert"] for rule in rules(ALERTS) if rule["labels"]["severity"] == "page"}
    assert len(paging) <= len({rule["alert"] for rule in rules(ALERTS)}) / 2.5


def test_every_objective_has_every_window() -> None:
    recorded = {(rule["record"], rule.get("labels", {}).get("slo")) for rule in rules(RECORDING)}
    for window in WINDOWS:
        assert (f"leadline:slo_bad:ratio_rate{window}", None) in recorded
        for slo in ("gateway", "event", "dispatch"):
            assert {(f"leadline:slo_events:rate{window}", slo), (f"leadline:slo_bad:rate{window}", slo)} <= recorded


def test_bounds_of_histograms_are_buckets_as_the_code_writes_them() -> None:
    """`le="60"` would select nothing: prometheus_client writes `60.0`."""
    families = {
        "leadline_http_request_seconds": REQUEST_SECONDS,
        "leadline_dispatch_lateness_seconds": DISPATCH_LATENESS,
    }
    found = re.findall(r'(leadline_\w+)_bucket\{[^}]*le="([^"]+)"', RECORDING.read_text(encoding="utf-8"))
    assert {name for name, _ in found} == families.keys()
    for name, bound in found:
        assert bound in {str(float(upper)) for upper in families[name]._kwargs["buckets"]}


def test_routes_are_the_gateways() -> None:
    written = set(re.findall(r'route=~"([^"]+)"', RECORDING.read_text(encoding="utf-8")))
    matched = {pattern: {r.path for r in ROUTES if re.fullmatch(pattern, r.path)} for pattern in written}
    assert matched == {
        "/webhooks/.+": {route.path for route in ROUTES},
        "/webhooks/(bland-callback|convoso)": {"/webhooks/bland-callback", "/webhooks/convoso"},
    }


def test_outcomes_are_the_domains() -> None:
    by_name = {rule["record"]: rule["expr"] for rule in rules(RECORDING)}
    reached = re.search(r'outcome=~"([^"]+)"', by_name["leadline:calls_reached:increase3h"])
    unheard = re.search(r'outcome!~"([^"]+)"', by_name["leadline:calls_heard:increase3h"])
    assert reached is not None
    assert unheard is not None
    assert set(reached[1].split("|")) == REACHED_OUTCOMES
    assert set(unheard[1].split("|")) == {Outcome.FAILED, Outcome.UNKNOWN, Outcome.BAD_NUMBER}
