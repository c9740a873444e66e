"""The PrometheusRule: the rule files with this release's names, and what values say of alerts."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.chart import NAMESPACE, render, scenario_values
from tests.deploy.documents import Document
from tests.observability.rules import files
from tests.observability.tools import ABSENT, find

RELEASE = "spring-leads"


def rendered(**values: Any) -> list[Document]:
    """The groups, with these values of `monitoring.prometheusRule`."""
    live = scenario_values("live")
    given = {**live, "monitoring": {**live["monitoring"], "prometheusRule": {"enabled": True, **values}}}
    (document,) = render(given, RELEASE).of("PrometheusRule")
    groups: list[Document] = document["spec"]["groups"]
    return groups


def rules(name: str | None = None, **values: Any) -> list[Document]:
    """All rules, or those of one alert."""
    found = [rule for group in rendered(**values) for rule in group["rules"]]
    return [rule for rule in found if name is None or rule.get("alert") == name]


def test_the_rules_are_those_of_the_files() -> None:
    changed = {"NAMESPACE": NAMESPACE, ".+-migrate": f"{RELEASE}-migrate"}
    text = yaml.safe_dump(files.groups(), width=10_000)
    for placeholder, name in changed.items():
        assert placeholder in text
        text = text.replace(placeholder, name)
    assert rendered() == yaml.safe_load(text)


def test_minutes_of_the_sweep() -> None:
    (before,) = rules("LeadlineSweepNotSucceeding")
    (after,) = rules("LeadlineSweepNotSucceeding", sweepMinutes=30)
    assert "> 900" in before["expr"]
    assert after["expr"] == before["expr"].replace("> 900", "> 1800")


def test_labels_of_every_alert_and_of_no_other_rule() -> None:
    found = rules(alertLabels={"team": "sales", "severity": "info"})
    assert {rule["labels"]["team"] for rule in found if "alert" in rule} == {"sales"}
    assert {rule["labels"]["severity"] for rule in found if "alert" in rule} == {"info"}
    assert not [rule for rule in found if "record" in rule and "team" in rule.get("labels", {})]


def test_an_alert_can_be_left_out() -> None:
    """All of its rules; and no group is left empty."""
    all_names = {rule["alert"] for rule in rules() if "alert" in rule}
    groups = rendered(disabled=dict.fromkeys(all_names - {"LeadlineTargetDown"}, True))
    assert {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule} == {"LeadlineTargetDown"}
    assert all(group["rules"] for group in groups)


def test_runbooks_may_lie_elsewhere() -> None:
    (rule,) = rules("LeadlineQueueLate", runbookUrl="https://wiki.example.com/leadline#")
    assert rule["annotations"]["runbook_url"] == "https://wiki.example.com/leadline#leadlinequeuelate"


@pytest.mark.skipif(find("promtool") is None, reason=ABSENT)
def test_promtool_takes_what_is_rendered(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": rendered()}), encoding="utf-8")
    checked = subprocess.run(
        [str(find("promtool")), "check", "rules", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
