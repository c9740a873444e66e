"""skaffold.yaml: valid, and everything that it names is there.

The schema beside this file is the Skaffold authors' own, unchanged (GoogleContainerTools/skaffold, Apache License 2.0).
"""

import copy
import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema_rs
import pytest
import yaml

from tests.deploy.chart import CHART, render
from tests.deploy.documents import Document, Rendered
from tests.house.tree import ROOT

LIVE = PurePosixPath("/live")
_LOCAL = {"REPO": "leadline", "TAG": "6c1f", "DIGEST": "", "FULLY_QUALIFIED": "leadline:6c1f"}
"""What skaffold knows of an image that it built and pushed nowhere: pods must name it so, or no file is copied in."""


@pytest.fixture(scope="module")
def skaffold() -> Document:
    loaded: Document = yaml.safe_load((ROOT / "skaffold.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def artifact(skaffold: Document) -> Document:
    (only,) = skaffold["build"]["artifacts"]
    return dict(only)


@pytest.fixture(scope="module")
def release(skaffold: Document) -> Document:
    (only,) = skaffold["deploy"]["helm"]["releases"]
    return dict(only)


@pytest.fixture(scope="module")
def installed(release: Document) -> Rendered:
    """What skaffold has Helm install: the values files, then the templates."""
    values: Document = {}
    for file in release["valuesFiles"]:
        values = _merged(values, yaml.safe_load((ROOT / file).read_text(encoding="utf-8")))
    for key, template in release["setValueTemplates"].items():
        text = re.sub(r"\{\{\.IMAGE_(\w+?)_leadline\}\}", lambda match: _LOCAL[match[1]], template)
        _set(values, key, text)
    return render(values, release["name"])


def _merged(under: Document, over: Document) -> Document:
    merged = copy.deepcopy(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _set(values: Any, key: str, text: str) -> None:
    """`helm --set key=text`, for keys like `image.tag` and `defaults.initContainers[0].image`."""
    *folders, last = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", key)]
    for folder in folders:
        values = values.setdefault(folder, {}) if isinstance(values, dict) else values[folder]
    values[last] = text


def test_it_is_what_its_version_admits(skaffold: Document) -> None:
    schema = json.loads(Path(__file__).with_name("skaffold-v4beta14.json").read_text(encoding="utf-8"))
    assert skaffold["apiVersion"] == "skaffold/v4beta14"
    problems = [str(error) for error in jsonschema_rs.validator_for(schema).iter_errors(skaffold)]
    assert not problems


def test_every_path_is_there(artifact: Document, release: Document) -> None:
    paths = [artifact["docker"]["dockerfile"], f"{release['chartPath']}/Chart.yaml", *release["valuesFiles"]]
    assert not [path for path in paths if not (ROOT / path).is_file()]
    assert ROOT / release["chartPath"] == CHART


def test_every_value_that_it_sets_is_one_of_the_charts(release: Document) -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    for key in release["setValueTemplates"]:
        found = values
        for part in re.sub(r"\[.*", "", key).split("."):
            assert part in found, key
            found = found[part]


def test_every_pod_of_ours_names_the_image_as_skaffold_does(installed: Rendered) -> None:
    for pod in installed.pods:
        for container in pod.containers:
            if container["name"] != "postgres":
                assert container["image"] == _LOCAL["FULLY_QUALIFIED"], container["name"]


def test_every_rule_of_the_sync_matches_files_of_a_package_that_pods_copy(
    artifact: Document, installed: Rendered
) -> None:
    copying = next(found for pod in installed.pods for found in pod.containers if found["name"] == "live")
    packages = re.findall(r"cp -a (.*) /live/", copying["args"][0])[0].split()
    for rule in artifact["sync"]["manual"]:
        files = [path.relative_to(ROOT).as_posix() for path in ROOT.glob(rule["src"])]
        assert files, rule
        inside = {PurePosixPath(rule["dest"], file.removeprefix(rule.get("strip", ""))) for file in files}
        assert {path.relative_to(LIVE).parts[0] for path in inside} <= set(packages)
        assert all(
            (ROOT / "src" / path.relative_to(LIVE)).exists() or (ROOT / path.relative_to(LIVE)).exists()
            for path in inside
        )


def test_synced_files_are_what_python_finds_first_in_every_process(installed: Rendered) -> None:
    for pod in installed.pods:
        main = pod.main
        if main["name"] in {"postgres", "smoke"}:
            continue
        assert {"name": "PYTHONPATH", "value": str(LIVE)} in main["env"], main["name"]
        assert {"name": "live", "mountPath": str(LIVE)} in main["volumeMounts"], main["name"]
        assert {"name": "live", "emptyDir": {}} in pod.spec["volumes"], main["name"]
        assert main["securityContext"]["readOnlyRootFilesystem"] is True, main["name"]


def test_every_forwarded_port_is_one_of_a_service(skaffold: Document, release: Document, installed: Rendered) -> None:
    services = {
        service["metadata"]["name"]: {port["port"] for port in service["spec"]["ports"]}
        for service in installed.of("Service")
    }
    forwarded = skaffold["portForward"]
    assert {entry["resourceName"].removeprefix("leadline-") for entry in forwarded} == {"gateway", "queue", "simulator"}
    for entry in forwarded:
        assert entry["resourceType"] == "service"
        assert entry["namespace"] == release["namespace"]
        assert entry["port"] in services[entry["resourceName"]]
        assert entry["port"] == entry["localPort"]
