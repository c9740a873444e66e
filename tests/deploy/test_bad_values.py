"""Values that cannot work end `helm template` with a sentence: never with a template's error, never with objects."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.chart import CHART, RELEASE, Refused, render, scenario_values, schema
from tests.deploy.documents import Document
from tests.deploy.helm_cli import template
from tests.deploy.schemas import NEWEST
from tests.deploy.tools import HELMS, Binaries
from tests.house.chart_values import schema_at

_URL = "postgresql://a:b@c/d"
_LIVE = {"simulator": {"enabled": False}, "bland": {"existingSecret": "bland"}, "publicUrl": "https://x.example.com"}

IMPOSSIBLE: list[tuple[Document, str]] = [
    ({"database": {"url": ""}}, "There is no database: set database.existingSecret (or database.url)"),
    ({"database": {"existingSecret": "db"}}, "There are two databases, database.url and database.existingSecret"),
    (
        {"database": {"url": "", "existingSecret": "db", "keys": {"url": ""}}},
        "database.existingSecret has no address: name its key in database.keys.url",
    ),
    ({"database": {"mode": "dev"}}, "database.mode=dev makes a database, and database.url or database.existingSecret"),
    (
        {"database": {"mode": "cnpg"}},
        "database.mode=cnpg makes a database, and database.url or database.existingSecret",
    ),
    (
        {"database": {"mode": "cnpg", "url": ""}, "migrate": {"mode": "hook"}},
        "migrate.mode=hook runs before the database of database.mode=cnpg exists",
    ),
    ({"bland": {"existingSecret": "bland"}}, "simulator.enabled and bland.existingSecret are both set"),
    ({**_LIVE, "bland": {}}, "Bland's key is needed: set bland.existingSecret"),
    ({**_LIVE, "publicUrl": "http://x.example.com"}, "Bland must reach the gateway with its results: set publicUrl"),
    ({**_LIVE, "publicUrl": ""}, "Bland must reach the gateway with its results: set publicUrl"),
    ({**_LIVE, "convoso": {"enabled": True}}, "convoso.enabled needs Convoso's token: set convoso.existingSecret"),
    ({"auth": {"keys": {"sweep": "gateway-token"}}}, "auth.keys names one key for two tokens"),
    (
        {"dialer": {"hpa": {"enabled": True}, "keda": {"enabled": True}}},
        "Two autoscalers would pull at the dialers: set dialer.hpa.enabled or dialer.keda.enabled, not both.",
    ),
    (
        {"dialer": {"keda": {"enabled": True, "trigger": "prometheus"}}},
        "dialer.keda.trigger=prometheus needs dialer.keda.prometheus.serverAddress.",
    ),
    (
        {"gateway": {"hpa": {"enabled": True, "minReplicas": 5, "maxReplicas": 4}}},
        "gateway.hpa.minReplicas (5) is more than gateway.hpa.maxReplicas (4).",
    ),
    (
        {"dialer": {"keda": {"enabled": True, "minReplicas": 5, "maxReplicas": 4}}},
        "dialer.keda.minReplicas (5) is more than dialer.keda.maxReplicas (4).",
    ),
    ({"gateway": {"ingress": {"enabled": True}}}, "gateway.ingress.enabled needs a host in gateway.ingress.hosts."),
    (
        {"gateway": {"httpRoute": {"enabled": True}}},
        "gateway.httpRoute.enabled needs a Gateway in gateway.httpRoute.parentRefs.",
    ),
    (
        {"dialer": {"terminationGracePeriodSeconds": 24}},
        "dialer.terminationGracePeriodSeconds=24 is too short: preStopSeconds, LEADLINE_DRAIN_SECONDS and 5 more are",
    ),
    (
        {"settings": {"LEADLINE_DRAIN_SECONDS": 60}, "gateway": {"terminationGracePeriodSeconds": 69}},
        "gateway.terminationGracePeriodSeconds=69 is too short",
    ),
    (
        {"crmSync": {"settings": {"LEADLINE_DRAIN_SECONDS": "90"}}},
        "crmSync.terminationGracePeriodSeconds=40 is too short",
    ),
    ({"backfill": {"job": {"enabled": True}}}, "backfill.job.enabled needs backfill.arguments.from and"),
    (
        {"sweep": {"activeDeadlineSeconds": 600}},
        "sweep.activeDeadlineSeconds=600 ends a pass before LEADLINE_SWEEP_PASS_SECONDS=600 does: make it longer.",
    ),
]
"""Over the minimal scenario: combinations that the schema admits and that cannot work."""

UNADMITTED: list[tuple[Document, str]] = [
    ({"replicaCount": 3}, "at '': additional properties 'replicaCount' not allowed"),
    ({"dialer": {"keda": {"cooldown": 3}}}, "at '/dialer/keda': additional properties 'cooldown' not allowed"),
    ({"dialer": {"resource": {}}}, "at '/dialer': additional properties 'resource' not allowed"),
    ({"settings": {"LEADLINE_CALS_PER_SECOND": 5}}, "at '/settings': additional properties 'LEADLINE_CALS_PER_SECOND'"),
    ({"settings": {"LEADLINE_BLAND_API_KEY": "x"}}, "at '/settings': additional properties 'LEADLINE_BLAND_API_KEY'"),
    ({"queue": {"settings": {"PATH": "/"}}}, "at '/queue/settings': additional properties 'PATH' not allowed"),
    ({"database": {"mode": "sqlite"}}, "at '/database/mode': value must be one of"),
    ({"database": {"url": "mysql://a"}}, "at '/database/url': 'mysql://a' does not match pattern"),
    ({"gateway": {"replicas": "3"}}, "at '/gateway/replicas': got string, want integer"),
    ({"gateway": {"service": {"port": 0}}}, "at '/gateway/service/port': minimum: got 0, want 1"),
    ({"sweep": {"startingDeadlineSeconds": 5}}, "at '/sweep/startingDeadlineSeconds': minimum: got 5, want 10"),
    ({"image": {"digest": "sha256:12"}}, "at '/image/digest': 'sha256:12' does not match pattern"),
    ({"dialer": {"scaling": {"utilisation": 0}}}, "at '/dialer/scaling/utilisation': minimum: got 0, want 0.1"),
    ({"gateway": {"hpa": None}}, "at '/gateway': missing property 'hpa'"),
    ({"settings": None}, "at '': missing property 'settings'"),
]


def over(base: Document, changes: Document) -> Document:
    """Values over values, as Helm lays them."""
    found = copy.deepcopy(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = over(found[key], value) if both else value
    return found


@pytest.mark.parametrize(("changes", "sentence"), [*IMPOSSIBLE, *UNADMITTED], ids=lambda part: str(part)[:60])
def test_bad_values_are_refused_with_a_sentence(changes: Document, sentence: str) -> None:
    with pytest.raises(Refused, match=re.escape(sentence)):
        render(over(scenario_values("minimal"), changes))


def test_every_sentence_of_the_chart_is_seen_here() -> None:
    text = (CHART / "templates" / "_validate.tpl").read_text(encoding="utf-8")
    sentences = re.findall(r'append \$found (?:\(printf )?"((?:[^"\\]|\\.)*)"', text)
    assert len(sentences) > 10
    fixed = [max(re.split(r"%[sdv]", sentence.replace('\\"', '"')), key=len) for sentence in sentences]
    tried = [_refusal(changes) for changes, _ in IMPOSSIBLE]
    assert not [part for part in fixed if not any(part in refusal for refusal in tried)]


def _refusal(changes: Document) -> str:
    with pytest.raises(Refused) as refused:
        render(over(scenario_values("minimal"), changes))
    return str(refused.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    refusal = _refusal({"database": {"url": ""}, "bland": {"existingSecret": "bland"}})
    assert refusal.count("\n- ") == 2


@pytest.mark.parametrize("helm", HELMS, ids=lambda helm: f"helm-{helm.helm}")
@pytest.mark.parametrize(("changes", "sentence"), [IMPOSSIBLE[0], UNADMITTED[0]], ids=["impossible", "unadmitted"])
def test_people_see_the_sentence(helm: Binaries, changes: Document, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(over(scenario_values("minimal"), changes)), encoding="utf-8")
    done = template(helm, RELEASE, file, NEWEST)
    assert done.returncode != 0
    assert not done.stdout
    # Helm 3 quotes differently; the words are the same.
    assert sentence.split("'")[-2 if "'" in sentence else 0] in done.stderr


def test_a_key_that_is_taken_away_is_no_template_error() -> None:
    """`--set gateway.hpa=null`, or a key with nothing but comments below it: the schema wants what has a default."""
    defaults: Document = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    with_default = [path for path, value in _paths(defaults) if value is not None and "resources" not in path[:-1]]
    free = [path for path in with_default if path[-1] not in _required(path[:-1])]
    assert not [path for path in free if schema_at(schema(), path) is not None]


def _required(path: tuple[str, ...]) -> list[str]:
    node = schema_at(schema(), path) or {}
    return list(node.get("required", []))


def _paths(values: Document, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in values.items():
        yield (*path, key), value
        if isinstance(value, dict):
            yield from _paths(value, (*path, key))


def test_a_long_name_is_cut_to_fit() -> None:
    rendered = render(scenario_values("minimal"), "a" * 53)
    assert rendered.named("Deployment", "a" * 42 + "-gateway") is not None
