"""Values that the chart's schema admits, drawn from it: a scenario with a few keys set to anything allowed."""

import copy
import string
from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.deploy.chart import scenario_values, schema
from tests.deploy.documents import Document
from tests.house.chart_values import resolved

Path = tuple[str, ...]

_PRINTABLE = st.characters(codec="ascii", min_codepoint=32, exclude_characters="\x7f")
_ANY_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.sampled_from("\n:#{}[]'\"-"), max_size=60
)
_MOST_KEYS = 12

_LABELS = st.sampled_from([{}, {"team": "sales"}, {"example.com/on": "yes", "example.com/n": "1", "x": ""}])
_CONTAINER = {"name": "beside", "image": "docker.io/library/busybox:1.37", "securityContext": {"runAsUser": 10001}}
_PEERS = st.sampled_from(
    [
        [],
        [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
        [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "x"}}}],
    ]
)
_KUBERNETES_OWN: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(
        ("podLabels", "podAnnotations", "serviceAccountAnnotations", "annotations", "nodeSelector"), _LABELS
    ),
    **dict.fromkeys(("labels", "commonLabels", "commonAnnotations", "alertLabels", "metricSelector"), _LABELS),
    **dict.fromkeys(("to", "gatewayFrom", "operatorsFrom", "metricsFrom"), _PEERS),
    **dict.fromkeys(("initContainers", "sidecars"), st.sampled_from([[], [_CONTAINER]])),
    "parameters": st.sampled_from([{}, {"shared_buffers": "1GB", "fsync": "on"}]),
    "extraSpec": st.sampled_from([{}, {"monitoring": {"enablePodMonitor": True}, "storage": {"size": "1Gi"}}]),
    "affinity": st.sampled_from(
        [{}, {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}]
    ),
    "dnsConfig": st.sampled_from([{}, {"options": [{"name": "ndots", "value": "2"}]}]),
    "podSecurityContext": st.sampled_from([{}, {"fsGroupChangePolicy": "OnRootMismatch"}]),
    "securityContext": st.sampled_from([{}, {"runAsUser": 10001}]),
    "tolerations": st.sampled_from([[], [{"operator": "Exists"}]]),
    "topologySpreadConstraints": st.sampled_from(
        [[], [{"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}]]
    ),
    "extraEnv": st.sampled_from([[], [{"name": "TZ", "value": "UTC"}]]),
    "extraEnvFrom": st.sampled_from([[], [{"secretRef": {"name": "more"}}]]),
    "extraVolumes": st.sampled_from([[], [{"name": "more", "emptyDir": {}}]]),
    "extraVolumeMounts": st.sampled_from([[], [{"name": "tmp", "mountPath": "/scratch"}]]),
    "tls": st.sampled_from([[], [{"hosts": ["a.example.com"], "secretName": "tls"}]]),
    "parentRefs": st.sampled_from([[], [{"name": "public"}]]),
    "hostnames": st.sampled_from([[], ["a.example.com"]]),
    **dict.fromkeys(
        ("relabelings", "metricRelabelings"), st.sampled_from([[], [{"action": "labeldrop", "regex": "pod"}]])
    ),
    "extraEgress": st.sampled_from([[], [{"to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}], "ports": [{"port": 3128}]}]]),
    "extraObjects": st.sampled_from(
        [[], ["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-x'}"]]
    ),
}
"""What Kubernetes judges, by key: samples that it takes."""

_TOGETHER: dict[Path, st.SearchStrategy[Any]] = {
    ("image", "repository"): st.sampled_from(["leadline", "calls/lead-line", "a/b_c/d.e"]),
}
"""Values that other values must go with: a repository may name its registry only where `image.registry` is empty."""

_SECONDS = st.integers(0, 60) | st.sampled_from(["7", 2.5])
_SETTING = (
    st.booleans()
    | st.integers(-5, 10**12)
    | st.floats(0, 1e9)
    | st.sampled_from(["", "no", "0x10", "1e6", "a: b # c", "'", "{{ .Values }}", 'zwölf\n"dreizehn"'])
    | st.text(_PRINTABLE, max_size=20)
)


@st.composite
def values(draw: st.DrawFn, base: str) -> Document:
    """A scenario's values with up to a dozen keys of the schema set to something else."""
    drawn = copy.deepcopy(scenario_values(base))
    for path in draw(st.lists(st.sampled_from(sorted(_every())), max_size=_MOST_KEYS, unique=True)):
        place = drawn
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = draw(_every()[path])
    return drawn


@cache
def _every() -> dict[Path, st.SearchStrategy[Any]]:
    """What each key may be."""
    every = {path: _value(path, node) for path, node in leaves()}
    assert set(_TOGETHER) <= set(every)
    return {**every, **_TOGETHER}


def leaves(node: Document | None = None, path: Path = ()) -> Iterator[tuple[Path, Document]]:
    """Every key that values can set as a whole, with its schema."""
    node = resolved(schema(), node or schema())
    if path and (path[-1] == "settings" or "properties" not in node):
        yield path, node
        return
    for name, below in node["properties"].items():
        yield from leaves(below, (*path, name))


def _value(path: Path, node: Document) -> st.SearchStrategy[Any]:
    if path[-1] == "settings":
        return _settings(node)
    if "$comment" in node:
        return _KUBERNETES_OWN[path[-1]]
    if "enum" in node:
        return st.sampled_from(node["enum"])
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    return st.one_of([_of_type(kind, path, node) for kind in kinds])


def _settings(node: Document) -> st.SearchStrategy[Document]:
    """Any name with any value, but for times that the chart reckons with."""
    names = sorted(node["properties"])
    reckoned = [name for name in names if name.endswith(("_SECONDS", "_CONCURRENCY"))]
    free = [name for name in names if name not in reckoned]
    return st.builds(
        lambda some, others: {**some, **others},
        st.dictionaries(st.sampled_from(free), _SETTING, max_size=4),
        st.dictionaries(st.sampled_from(reckoned), _SECONDS, max_size=2),
    )


def _of_type(kind: str, path: Path, node: Document) -> st.SearchStrategy[Any]:
    if kind == "null":
        return st.none()
    if kind == "boolean":
        return st.booleans()
    if kind == "integer":
        least, most = node.get("minimum", 0), node.get("maximum", 2**31 - 1)
        return st.integers(least, min(most, least + 60)) | st.integers(least, most)
    if kind == "number":
        return st.floats(node.get("minimum", 0), node.get("maximum", 1e6))
    if kind == "string":
        return _text(node)
    if kind == "array":
        return st.lists(_value((*path, "item"), node["items"]), min_size=node.get("minItems", 0), max_size=3)
    return _mapping(path, node)


def _text(node: Document) -> st.SearchStrategy[str]:
    if "pattern" not in node:
        return _ANY_TEXT
    found = st.from_regex(node["pattern"].replace("$", r"\Z"), alphabet=_PRINTABLE)
    return found.filter(lambda text: node.get("minLength", 0) <= len(text) <= node.get("maxLength", 300))


def _mapping(path: Path, node: Document) -> st.SearchStrategy[Document]:
    if "properties" in node:
        fields = {name: _value((*path, name), below) for name, below in node["properties"].items()}
        return st.fixed_dictionaries({}, optional=fields)
    names = st.text(string.ascii_lowercase, min_size=1, max_size=8)
    if "propertyNames" in node:
        names = _text({"type": "string", **node["propertyNames"]})
    elif path[-1] in {"requests", "limits"}:
        names = st.sampled_from(["cpu", "memory", "ephemeral-storage"])
    return st.dictionaries(names, _value((*path, "item"), node["additionalProperties"]), max_size=3)
