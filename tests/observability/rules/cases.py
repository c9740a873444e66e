"""What a test of an alert is: series as promtool takes them, an instant, and what fires then, word for word."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import yaml

from tests.observability.rules.files import alerts, groups, needed_for

NAMESPACE: Final = "NAMESPACE"
"""The files are tested as they lie: the placeholder is a namespace like any other."""
Series = Mapping[str, str]


class Kind(StrEnum):
    """Each alert has at least one case of each kind."""

    FIRES = "fires"
    QUIET = "quiet"
    EDGE = "edge"


@dataclass(frozen=True, slots=True)
class Fired:
    """One alert as a pager shows it."""

    severity: str
    says: str
    labels: Mapping[str, str] = field(default_factory=dict)
    """Beside alertname, severity and namespace."""


@dataclass(frozen=True, slots=True)
class Case:
    """One course of events and what fires at its end."""

    kind: Kind
    what: str
    series: Series
    at: str
    fired: tuple[Fired, ...] = ()
    step: str = "1m"
    """Between two samples, and between two evaluations."""


def fires(what: str, series: Series, at: str, *fired: Fired, step: str = "1m") -> Case:
    """It fires, and so it reads."""
    assert fired
    return Case(Kind.FIRES, what, series, at, fired, step)


def quiet(what: str, series: Series, at: str, *, step: str = "1m") -> Case:
    """Nothing is wrong, and nobody is called."""
    return Case(Kind.QUIET, what, series, at, (), step)


def edge(what: str, series: Series, at: str, *fired: Fired, step: str = "1m") -> Case:
    """On the border: by a value, by time, by what is missing."""
    return Case(Kind.EDGE, what, series, at, fired, step)


def page(says: str, **labels: str) -> Fired:
    """Somebody is woken."""
    return Fired("page", says, labels)


def ticket(says: str, **labels: str) -> Fired:
    """Somebody looks in the morning."""
    return Fired("ticket", says, labels)


def write(alert: str, cases: Iterable[Case], folder: Path) -> list[Path]:
    """Test files of promtool, one for each case and named after it, with the rules that they need beside them."""
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": needed_for(alert)}), encoding="utf-8")
    written = []
    for case in cases:
        path = folder / f"{re.sub('[^a-z0-9]+', '-', case.what.lower())}.yaml"
        path.write_text(yaml.safe_dump(_test_file(alert, case), sort_keys=False), encoding="utf-8")
        written.append(path)
    return written


def _test_file(alert: str, case: Case) -> dict[str, Any]:
    series = [{"series": _in_namespace(selector), "values": values} for selector, values in case.series.items()]
    expected = [_expected(alert, fired) for fired in case.fired]
    return {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": case.step,
        "group_eval_order": [group["name"] for group in groups()],
        "tests": [
            {
                "interval": case.step,
                "input_series": series,
                "alert_rule_test": [{"eval_time": case.at, "alertname": alert, "exp_alerts": expected}],
            }
        ],
    }


def _in_namespace(selector: str) -> str:
    """`x{a="b"}` with the labels that every target has."""
    name, _, labels = selector.rstrip("}").partition("{")
    added = [f'namespace="{NAMESPACE}"'] if "namespace=" not in labels else []
    added += ['pod="a"'] if "pod=" not in labels else []
    return f"{name}{{{', '.join([*added, *filter(None, [labels])])}}}"


def _expected(alert: str, fired: Fired) -> dict[str, Any]:
    labels = {"severity": fired.severity, "namespace": NAMESPACE, **fired.labels}
    rule = next(rule for rule in alerts()[alert] if rule["labels"].items() <= labels.items())
    return {"exp_labels": labels, "exp_annotations": {**rule["annotations"], "description": fired.says}}


def course(expression: str) -> str:
    """Readable counters: `2/step for 30` is what promtool writes as `0+2x30`, `5 for 10` as `5x10`; joined by `, then`.

    A counter goes on from where the part before has ended.
    """
    level, parts = 0.0, []
    for part in expression.split(", then "):
        found = re.fullmatch(r"(?P<value>[\d.]+|_)(?P<rate>/step)? for (?P<times>\d+)", part)
        assert found is not None, part
        times = int(found["times"])
        if found["rate"]:
            step = float(found["value"])
            parts.append(f"{level:g}+{step:g}x{times}")
            level += step * (times + 1)
        else:
            parts.append(f"{found['value']}x{times}")
            level = level if found["value"] == "_" else float(found["value"])
    return " ".join(parts)
