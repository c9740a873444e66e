"""Values, schema, templates, settings, notes and documents speak of the same things."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
import typer
import yaml
from typer.main import get_command

from leadline.runtime.settings import Part
from leadline.runtime.settings.loader import known_variables
from leadline.runtime.settings.types import is_secret
from services.cli.root import app
from tests.deploy.chart import CHART, RELEASE, scenario, schema, values_files
from tests.deploy.documents import Document, Rendered
from tests.deploy.policies.ours import config_data, runs_leadline
from tests.house.chart_schema import OF_LEADLINE_UP, SET_BY_THE_CHART, WORKLOADS, setting_names, unused_rules
from tests.house.chart_values import keys, schema_at, value_at
from tests.house.tree import ROOT

_PATH = re.compile(r"(?:\$|\.root|\$root|\B)\.Values((?:\.[A-Za-z]\w*)+)")
_ALIAS = re.compile(r"\$(\w+) :?= (?:\$|\.root|\$root)?\.Values((?:\.[A-Za-z]\w*)+) -?}}")
_FIXED_PORTS = {"LEADLINE_GATEWAY_PORT", "LEADLINE_QUEUE_PORT", "LEADLINE_SIMULATOR_PORT"}
"""The chart leaves them at their defaults, and admits no others: its Services and policies name them."""
_OPTIONAL_SECRETS = {"LEADLINE_QUEUE_TOKEN"}
"""Seen as a file in one of the two modes."""


def values_text() -> str:
    return (CHART / "values.yaml").read_text(encoding="utf-8")


@cache
def values() -> Document:
    found: Document = yaml.safe_load(values_text())
    return found


def templates() -> Iterator[tuple[str, str]]:
    for path in sorted((CHART / "templates").rglob("*")):
        if path.is_file():
            yield path.relative_to(CHART).as_posix(), path.read_text(encoding="utf-8")


def test_every_value_is_in_the_schema_and_explained() -> None:
    every = list(keys(values_text()))
    explained = {key.path for key in every if key.comment}
    unknown, silent = [], []
    for key in every:
        free = any(schema_at(schema(), key.path[:depth]) is None for depth in range(1, len(key.path) + 1))
        above = {key.path[:depth] for depth in range(1, len(key.path))}
        if free and not above & explained:
            unknown.append(str(key))
        is_section = any(path[: len(key.path)] == key.path for path in explained)
        if not is_section and not above & explained:
            silent.append(str(key))
    assert not unknown
    assert not silent, "say above it what it is for"


def test_every_key_of_the_schema_is_a_value() -> None:
    """Or one of `defaults`, which each workload may have too."""
    strange = []
    for path in _properties(schema()):
        try:
            value_at(values(), path)
        except (KeyError, TypeError):
            if not (path[0] in WORKLOADS and path[1] in values()["defaults"]):
                strange.append(".".join(path))
    assert not strange
    assert not list(unused_rules())


def _properties(node: Document, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, below in node.get("properties", {}).items():
        yield (*path, name)
        yield from _properties(below, (*path, name))


def test_the_schema_is_one() -> None:
    jsonschema_rs.meta.validate(schema())
    jsonschema_rs.validator_for(schema()).validate(values())


def test_every_path_in_a_template_is_a_value() -> None:
    wrong = [f"{name}: .Values{path}" for name, text in templates() for path in _paths(text) if not _exists(path)]
    assert not wrong


def _paths(text: str) -> Iterator[str]:
    yield from _PATH.findall(text)
    for alias, path in _ALIAS.findall(text):
        yield from (path + rest for rest in re.findall(rf"\${alias}((?:\.[A-Za-z]\w*)+)", text))


def _exists(path: str) -> bool:
    place: Any = values()
    for name in path.strip(".").split("."):
        if not isinstance(place, dict) or name not in place:
            return isinstance(place, dict) and not place  # below a free-form map anything may stand
        place = place[name]
    return True


def test_every_value_is_used_by_a_template() -> None:
    text = "\n".join(text for _, text in templates())
    leaves = [key for key in keys(values_text()) if key.comment]
    assert not [str(key) for key in leaves if not re.search(rf"\b{re.escape(key.path[-1])}\b", text)]


def containers() -> Iterator[tuple[str, Rendered, Document]]:
    for name in values_files():
        rendered = scenario(name)
        for pod in filter(runs_leadline, rendered.pods):
            yield from ((f"{name}: {pod}", rendered, container) for container in pod.containers)


def test_every_variable_that_is_set_is_a_setting() -> None:
    known = known_variables()
    unknown = {
        f"{place}: {name}"
        for place, rendered, container in containers()
        for name in _variables(rendered, container)
        if name.startswith(("LEADLINE_", "REDIAL_")) and name not in known
    }
    assert not unknown


def _variables(rendered: Rendered, container: Document) -> set[str]:
    own = {entry["name"] for entry in container.get("env") or []}
    return own.union(*config_data(rendered, container))


def test_every_setting_can_be_set_in_one_way() -> None:
    """Under `settings`, or by other values, or not in a cluster; secrets come from Secrets."""
    set_somewhere = {entry["name"] for _, _, container in containers() for entry in container.get("env") or []}
    known = {
        part.variable(name): is_secret(info.annotation)
        for part in Part.parts
        if part.__module__.startswith("leadline.")
        for name, info in part.model_fields.items()
    }
    plain = set(setting_names())
    assert plain == set(schema()["definitions"]["settings"]["properties"])
    assert not plain & SET_BY_THE_CHART
    assert {name for name, secret in known.items() if not secret} == plain | SET_BY_THE_CHART | OF_LEADLINE_UP
    assert not SET_BY_THE_CHART - _FIXED_PORTS - set_somewhere, "no scenario shows that the chart sets it"
    assert not {name for name, secret in known.items() if secret} - set_somewhere - _OPTIONAL_SECRETS


def test_settings_reach_every_process_as_text() -> None:
    rendered = scenario("live")
    settings = (rendered.named("ConfigMap", f"{RELEASE}-settings") or {})["data"]
    assert settings["LEADLINE_CALLS_PER_SECOND"] == "20"
    assert settings["LEADLINE_CALLING_HOURS"] == "Mon-Fri 11:00-20:00"
    readers = {
        pod.component
        for pod in rendered.pods
        for source in pod.main.get("envFrom") or []
        if source.get("configMapRef", {}).get("name") == f"{RELEASE}-settings"
    }
    assert readers == {"gateway", "queue", "dialer", "crm-sync", "sweep", "backfill", "smoke"}


def test_campaigns_are_taken_verbatim() -> None:
    rendered = scenario("live")
    config = rendered.named("ConfigMap", f"{RELEASE}-campaigns")
    assert config is not None
    assert list(config["data"].values()) == [rendered.values["campaigns"]]


def test_the_chart_is_of_this_version() -> None:
    about: Document = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert about["appVersion"] == project["version"]
    assert f":{about['appVersion']}\n" in about["annotations"]["artifacthub.io/images"]
    upgrading = (CHART / "UPGRADING.md").read_text(encoding="utf-8")
    assert f"\n## {about['version']}\n" in upgrading


def test_documents_that_values_speak_of_exist() -> None:
    named = set(re.findall(r"docs/[\w/.-]+\.md", values_text() + (CHART / "README.md").read_text(encoding="utf-8")))
    assert named
    assert not [name for name in sorted(named) if not (ROOT / name).exists()]


@pytest.mark.parametrize("name", values_files())
def test_the_notes_name_what_is_there(name: str) -> None:
    rendered = scenario(name)
    notes = rendered.notes
    kinds = {"deploy": "Deployment", "svc": "Service", "cronjob": "CronJob"}
    named = [(kinds[kind], found) for kind, found in re.findall(r"\b(deploy|svc|cronjob)/([\w-]+)", notes)]
    assert len(named) >= 4
    assert not [pair for pair in named if rendered.named(*pair) is None]
    for service, port in re.findall(r"svc/([\w-]+) \d+:(\d+)", notes):
        ports = (rendered.named("Service", service) or {})["spec"]["ports"]
        assert int(port) in {known["port"] for known in ports}
    for secret, key in re.findall(r"get secret ([\w.-]+) -o jsonpath='\{\.data\.([^}]+)\}'", notes):
        made = rendered.named("Secret", secret)
        assert made is None or key.replace("\\", "") in made["stringData"], key
    root = get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    assert set(re.findall(r"^ +leadline (\w[\w-]*)", notes, re.MULTILINE)) <= set(root.commands)
