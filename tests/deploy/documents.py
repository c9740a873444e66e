"""What a template gives, as objects: YAML read strictly, pods found wherever they hide."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml

Document = dict[str, Any]

COMPONENT = "app.kubernetes.io/component"
_WITH_TEMPLATE = {"Deployment", "StatefulSet", "DaemonSet", "Job"}


class _Strict(yaml.CSafeLoader):
    """A key that stands twice, or is no text, is a mistake, as it is for Kubernetes."""


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    pairs = [
        (loader.construct_object(key, deep=True), loader.construct_object(value, deep=True))
        for key, value in node.value
    ]
    if len(dict(pairs)) != len(pairs):
        raise yaml.constructor.ConstructorError(None, None, f"a key stands twice in {dict(pairs)}", node.start_mark)
    if not all(isinstance(key, str) for key, _ in pairs):
        raise yaml.constructor.ConstructorError(None, None, f"a key of {dict(pairs)} is no text", node.start_mark)
    return dict(pairs)


_Strict.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)  # 1e+06 is a number to Helm, and a text to YAML 1.1
_Strict.add_constructor("tag:yaml.org,2002:map", _mapping)


def read(text: str) -> list[Document]:
    """The objects of a rendered text; raises yaml.YAMLError for what is no YAML and for keys that stand twice."""
    documents = [document for document in yaml.load_all(text, Loader=_Strict) if document is not None]
    for document in documents:
        if not isinstance(document, dict):
            raise yaml.YAMLError(f"a document is {document!r}, not an object")
    return documents


def label(document: Document) -> str:
    """How a test names an object."""
    return f"{document.get('kind')} {document.get('metadata', {}).get('name')}"


@dataclass(frozen=True)
class Pod:
    """A pod as some object will make it."""

    owner: Document
    template: Document

    @property
    def spec(self) -> Document:
        spec: Document = self.template["spec"]
        return spec

    @property
    def labels(self) -> dict[str, str]:
        labels: dict[str, str] = self.template.get("metadata", {}).get("labels") or {}
        return labels

    @property
    def annotations(self) -> dict[str, str]:
        annotations: dict[str, str] = self.template.get("metadata", {}).get("annotations") or {}
        return annotations

    @property
    def component(self) -> str:
        return self.labels.get(COMPONENT, "")

    @property
    def kind(self) -> str:
        return str(self.owner["kind"])

    @property
    def serves(self) -> bool:
        """Whether it runs until it is told to stop."""
        return self.kind in {"Deployment", "StatefulSet", "DaemonSet"}

    @property
    def containers(self) -> list[Document]:
        """Init containers first, then those that run together."""
        return [*(self.spec.get("initContainers") or []), *self.spec["containers"]]

    @property
    def main(self) -> Document:
        """The container of our process."""
        main: Document = self.spec["containers"][0]
        return main

    def __str__(self) -> str:
        return label(self.owner)


@dataclass(frozen=True)
class Rendered:
    """All that one rendering gave."""

    documents: list[Document]
    values: Document = field(repr=False)
    """The values as the templates saw them: the chart's with those given over them."""
    notes: str = field(default="", repr=False)
    namespace: str = ""

    def of(self, *kinds: str) -> list[Document]:
        return [document for document in self.documents if document["kind"] in kinds]

    def named(self, kind: str, name: str) -> Document | None:
        return next((found for found in self.of(kind) if found["metadata"]["name"] == name), None)

    @cached_property
    def pods(self) -> list[Pod]:
        return [Pod(document, template) for document in self.documents for template in _templates(document)]

    def component(self, component: str) -> list[Pod]:
        return [pod for pod in self.pods if pod.component == component]


def _templates(document: Document) -> Iterator[Document]:
    if document["kind"] in _WITH_TEMPLATE:
        yield document["spec"]["template"]
    elif document["kind"] == "CronJob":
        yield document["spec"]["jobTemplate"]["spec"]["template"]
    elif document["kind"] == "Pod":
        yield document
