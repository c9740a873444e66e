"""Kubernetes' own schemas, strictly: unknown fields and wrong types. kubernetes-validate ships them."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

from tests.deploy.documents import Document, label

OLDEST = "1.30"
"""What Chart.yaml admits; a test compares the two."""
NEWEST = "1.37"
_CUSTOM = ("keda.sh", "monitoring.coreos.com", "gateway.networking.k8s.io", "postgresql.cnpg.io")


def is_custom(document: Document) -> bool:
    """Whether an operator defines it; kubernetes-validate knows none of those, npm's models do."""
    return str(document["apiVersion"]).split("/", maxsplit=1)[0] in _CUSTOM


def problems(document: Document, version: str) -> Iterator[str]:
    """What an API server of that version would refuse, or drop, of an object that it knows itself."""
    if is_custom(document):
        return
    api_version, kind = str(document["apiVersion"]), str(document["kind"])
    try:
        judge = _validator(api_version, kind, version)
    except FileNotFoundError:
        yield f"{label(document)}: Kubernetes {version} has no {api_version} {kind}"
        return
    for error in judge.iter_errors(document):
        yield f"{label(document)}: {'.'.join(map(str, error.instance_path))}: {error.message} (Kubernetes {version})"


@cache
def _validator(api_version: str, kind: str, version: str) -> jsonschema_rs.Validator:
    group, _, number = api_version.rpartition("/")
    name = "-".join(filter(None, (kind.lower(), group.split(".", maxsplit=1)[0], number)))
    return jsonschema_rs.validator_for(_schema(f"{name}.json", version), registry=_definitions(version))


@cache
def _definitions(version: str) -> jsonschema_rs.Registry:
    definitions = _schema("_definitions.json", version)
    return jsonschema_rs.Registry([(definitions["$id"], definitions)])


def _schema(name: str, version: str) -> dict[str, Any]:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    schema: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return schema
