"""Every scenario on Helm 3 and 4, on the oldest Kubernetes that the chart admits and on the newest with a schema."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy import models, schemas
from tests.deploy.chart import CHART, RELEASE, scenario, values_files
from tests.deploy.documents import Document, label, read
from tests.deploy.helm_cli import lint, template
from tests.deploy.schemas import NEWEST, OLDEST
from tests.deploy.tools import HELM_3, HELM_4, HELMS, Binaries

_SCENARIOS = pytest.mark.parametrize("name", values_files())
_HELMS = pytest.mark.parametrize("helm", HELMS, ids=lambda helm: f"helm-{helm.helm}")
_VERSIONS = pytest.mark.parametrize("kubernetes", [OLDEST, NEWEST])
_RANDOM = re.compile(r"\b[A-Za-z0-9]{32,48}\b")
"""Secrets that the chart makes; digests are lower-case hexadecimal and longer."""


@cache
def rendered(helm: Binaries, name: str, kubernetes: str) -> tuple[Document, ...]:
    done = template(helm, RELEASE, values_files()[name], kubernetes)
    assert done.returncode == 0, done.stderr
    return tuple(read(done.stdout))


def test_the_oldest_kubernetes_is_the_chart_s() -> None:
    about: dict[str, Any] = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert about["kubeVersion"] == f">={OLDEST}.0-0"


@_SCENARIOS
@_HELMS
@_VERSIONS
def test_lint(name: str, helm: Binaries, kubernetes: str) -> None:
    done = lint(helm, values_files()[name], kubernetes)
    assert done.returncode == 0, done.stdout + done.stderr


@_SCENARIOS
@_HELMS
@_VERSIONS
def test_strict_schemas(name: str, helm: Binaries, kubernetes: str) -> None:
    found = [line for document in rendered(helm, name, kubernetes) for line in schemas.problems(document, kubernetes)]
    assert not found


@_SCENARIOS
@_VERSIONS
def test_both_helms_render_the_same(name: str, kubernetes: str) -> None:
    three, four = (_comparable(rendered(helm, name, kubernetes)) for helm in (HELM_3, HELM_4))
    assert three == four


@_SCENARIOS
def test_the_library_renders_the_same(name: str) -> None:
    """What all other tests look at is what people get. (Users' own objects are left out there.)"""
    from_cli, from_library = _comparable(rendered(HELM_4, name, NEWEST)), _comparable(tuple(scenario(name).documents))
    assert {key: from_cli.get(key) for key in from_library} == from_library


def _comparable(documents: tuple[Document, ...]) -> dict[str, Any]:
    """By kind and name; random texts are all the same."""
    return {label(document): _masked(document) for document in documents}


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return _RANDOM.sub("<random>", value) if isinstance(value, str) else value


def test_the_models_of_npm_agree() -> None:
    """Enumerations, and fields that a custom object does not have: the API server would drop those in silence."""
    documents = [
        (f"{name}: {label(document)}", document) for name in values_files() for document in scenario(name).documents
    ]
    found = models.problems(documents)
    assert not found, "\n".join(found)


def test_the_models_of_npm_see_mistakes() -> None:
    """The judge is awake."""
    cron, scaled, monitor = (_first(kind) for kind in ("CronJob", "ScaledObject", "PodMonitor"))
    broken: list[tuple[str, Document, Callable[[Document], None]]] = [
        ("enumeration", cron, lambda spec: spec.update(concurrencyPolicy="Never")),
        ("required", scaled, lambda spec: spec.pop("triggers")),
        ("unknown", scaled, lambda spec: spec.update(cooldownperiod=300)),
        ("type", monitor, lambda spec: spec["podMetricsEndpoints"][0].update(port=9090)),
    ]
    documents = []
    for name, document, spoil in broken:
        spoiled = {**document, "spec": {**document["spec"]}}
        if "podMetricsEndpoints" in spoiled["spec"]:
            spoiled["spec"]["podMetricsEndpoints"] = [dict(spoiled["spec"]["podMetricsEndpoints"][0])]
        spoil(spoiled["spec"])
        documents.append((name, spoiled))
    found = models.problems(documents)
    assert {line.split(":")[0] for line in found} == {name for name, _ in documents}


def _first(kind: str) -> Document:
    return next(document for name in values_files() for document in scenario(name).of(kind))


def test_an_older_kubernetes_is_refused(tmp_path: Path) -> None:
    done = template(HELM_4, RELEASE, values_files()["minimal"], "1.29.0")
    assert done.returncode != 0
    assert "chart requires kubeVersion: >=1.30.0-0" in done.stderr
