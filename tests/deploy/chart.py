"""The chart, rendered in this process by Helm's own library (2 ms), and the scenarios of its `ci` folder."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import yaml

from tests.deploy.documents import Document, Rendered, read
from tests.house.tree import ROOT

CHART = ROOT / "deploy" / "helm" / "leadline"
RELEASE = "leadline"
NAMESPACE = "calls"
LONGEST_RELEASE = "leads-" * 7 + "of-a-region"
"""A release's name may have 53 characters; where the chart cuts this one, a dash stands."""

_EXTRA = "/templates/extra"
_SENTENCE = re.compile(r"execution error at \(.*?\): (?P<sentence>.*)", re.DOTALL)


class Refused(Exception):
    """The chart says no; `str(error)` is its sentence."""


class Broken(Exception):
    """A template failed in a way that no sentence of ours explains, or gave what is no YAML."""


@cache
def chart() -> helm_python.Chart:
    return helm_python.Chart.load(CHART)


def values_files() -> dict[str, Path]:
    """Scenarios by name: `full` is ci/full-values.yaml."""
    return {path.name.removesuffix("-values.yaml"): path for path in sorted((CHART / "ci").glob("*-values.yaml"))}


@cache
def scenario_values(name: str) -> Document:
    values: Document = yaml.safe_load(values_files()[name].read_text(encoding="utf-8")) or {}
    return values


@cache
def scenario(name: str, release: str = RELEASE) -> Rendered:
    """One scenario; the same object for every test, so none may change it."""
    return render(scenario_values(name), release)


def render(values: Document, release: str = RELEASE) -> Rendered:
    """Render. Raises Refused with the sentence of the chart or of its schema, Broken for anything else that fails."""
    try:
        files = chart().render(values, name=release, namespace=NAMESPACE)
        merged: Document = chart().merge_values(values)
    except helm_python.HelmValuesError as error:
        raise Refused(str(error)) from None
    except helm_python.HelmRenderError as error:
        said = _SENTENCE.search(str(error))
        if said is None:
            raise Broken(str(error)) from None
        raise Refused(said["sentence"]) from None
    return Rendered(
        [document for path, text in sorted(files.items()) if _ours(path) for document in _read(path, text)],
        merged,
        next((text for path, text in files.items() if path.endswith("NOTES.txt")), ""),
        NAMESPACE,
    )


def _ours(path: str) -> bool:
    """Objects that a user adds are the user's business."""
    return path.endswith((".yaml", ".yml")) and _EXTRA not in path


def _read(path: str, text: str) -> list[Document]:
    try:
        documents = read(text)
    except yaml.YAMLError as error:
        msg = f"{path}: {error}\n{text}"
        raise Broken(msg) from None
    for document in documents:
        if not (document.get("kind") and document.get("apiVersion") and document.get("metadata", {}).get("name")):
            msg = f"{path}: an object without kind, apiVersion or name: {str(document)[:200]}"
            raise Broken(msg)
    return documents


@cache
def schema() -> Document:
    """values.schema.json."""
    found: Any = chart().schema
    assert isinstance(found, dict), "the chart has no values.schema.json"
    return found
