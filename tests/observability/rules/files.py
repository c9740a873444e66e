"""The rule files of the chart, read."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import yaml

from tests.house.tree import ROOT

RULES: Final = ROOT / "deploy" / "helm" / "leadline" / "files" / "rules"
RECORDING: Final = RULES / "recording.yaml"
ALERTS: Final = RULES / "alerts.yaml"
FILES: Final = (RECORDING, ALERTS)

Rule = dict[str, Any]
Group = dict[str, Any]

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACED: Final = re.compile(r"\{[^}]*\}")
_WINDOW: Final = re.compile(r"\[[^\]]*\]")
_GROUPING: Final = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_NAME: Final = re.compile(r"(?<![\w:])[a-z_][\w:]*(?![\w:]*\s*\()")
_KEYWORDS: Final = frozenset({"and", "or", "unless", "offset", "bool"})


def groups(*paths: Path) -> list[Group]:
    """All groups of the files, in their order."""
    found: list[Group] = []
    for path in paths or FILES:
        found += yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    return found


def rules(*paths: Path) -> list[Rule]:
    """All rules of the files, in their order."""
    return [rule for group in groups(*paths) for rule in group["rules"]]


def alerts() -> dict[str, list[Rule]]:
    """The rules of each alert, by its name."""
    found: dict[str, list[Rule]] = {}
    for rule in rules(ALERTS):
        found.setdefault(rule["alert"], []).append(rule)
    return found


def names_in(expression: str) -> set[str]:
    """The metrics that an expression reads, recorded ones included.

    Not a parser: what is neither in quotes, braces, brackets or a grouping, no keyword and no function is a metric.
    """
    bare = _WINDOW.sub("", _BRACED.sub("", _STRING.sub("", expression)))
    return set(_NAME.findall(_GROUPING.sub("", bare))) - _KEYWORDS


def without_suffix(metric: str) -> str:
    """The family of a series: `x_total`, `x_bucket`, `x_count` and `x_sum` are of x."""
    return re.sub(r"_(total|bucket|count|sum)$", "", metric)


def needed_for(alert: str) -> list[Group]:
    """The groups with nothing but an alert and what it reads, so that a test of days takes moments."""
    wanted: set[str] = set()
    _follow(alerts()[alert], {name: list(of) for name, of in _recorded().items()}, wanted)
    kept = []
    for group in groups():
        mine = [rule for rule in group["rules"] if rule.get("record") in wanted or rule.get("alert") == alert]
        if mine:
            kept.append({"name": group["name"], "rules": mine})
    return kept


def _recorded() -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in rules(RECORDING):
        found.setdefault(rule["record"], []).append(rule)
    return found


def _follow(of: Iterable[Rule], recorded: dict[str, list[Rule]], wanted: set[str]) -> None:
    for rule in of:
        for name in names_in(rule["expr"]) & recorded.keys() - wanted:
            wanted.add(name)
            _follow(recorded[name], recorded, wanted)
