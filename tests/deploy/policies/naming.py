"""Names, labels, images and annotations."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.deploy.documents import COMPONENT, Document, Rendered, label

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"{_NAME.pattern}(\.{_NAME.pattern})*")
_SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_LABEL = re.compile(r"([A-Za-z0-9]([-\w.]*[A-Za-z0-9])?)?")
_PART = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?:[a-z0-9.-]+(?::\d+)?/)?{_PART}(?:/{_PART})*(?::(?P<tag>\w[\w.-]{{0,127}}))?(?P<digest>@sha256:[0-9a-f]{{64}})?"
)
_CLUSTER_WIDE = {"ClusterRole", "ClusterRoleBinding"}
_STANDARD = (
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/version",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/managed-by",
    "helm.sh/chart",
)
_STABLE = {"app.kubernetes.io/name", "app.kubernetes.io/instance", COMPONENT}
_HOOKS = {"pre-install,pre-upgrade", "test"}


def names_are_allowed(rendered: Rendered) -> Iterator[str]:
    """The controllers append to names of CronJobs (11 characters) and StatefulSets (a hash, as a label)."""
    longest = {"CronJob": 52, "StatefulSet": 52, "ConfigMap": 253, "Secret": 253, "ServiceAccount": 253}
    for document in rendered.documents:
        name, kind = document["metadata"]["name"], document["kind"]
        if len(name) > longest.get(kind, 63):
            yield f"{label(document)}: {len(name)} characters"
        pattern = _SERVICE_NAME if kind == "Service" else _SUBDOMAIN if longest.get(kind) == 253 else _NAME
        if not pattern.fullmatch(name):
            yield f"{label(document)}: is no name"


def nothing_is_made_twice(rendered: Rendered) -> Iterator[str]:
    made = Counter((document["apiVersion"].split("/")[0], label(document)) for document in rendered.documents)
    yield from (f"{name} is made {times} times" for (_, name), times in made.items() if times > 1)


def objects_are_in_the_namespace(rendered: Rendered) -> Iterator[str]:
    for document in rendered.documents:
        wanted = None if document["kind"] in _CLUSTER_WIDE else rendered.namespace
        if document["metadata"].get("namespace") != wanted:
            yield f"{label(document)}: namespace {document['metadata'].get('namespace')}"


def everything_is_labelled(rendered: Rendered) -> Iterator[str]:
    """The standard labels on every object and every pod; pods say their component."""
    for name, labels, is_pod in _labelled(rendered):
        missing = [key for key in (*_STANDARD, *([COMPONENT] if is_pod else [])) if not labels.get(key)]
        if missing:
            yield f"{name}: lacks {missing}"
        wrong = [
            key
            for key, value in labels.items()
            if not isinstance(value, str) or len(value) > 63 or not _LABEL.fullmatch(value)
        ]
        if wrong:
            yield f"{name}: labels {wrong} are no labels"


def _labelled(rendered: Rendered) -> Iterator[tuple[str, dict[str, Any], bool]]:
    for document in rendered.documents:
        yield label(document), document["metadata"].get("labels") or {}, document["kind"] == "Pod"
    for pod in rendered.pods:
        yield f"{pod}'s pod", pod.labels, True


def common_metadata_is_everywhere(rendered: Rendered) -> Iterator[str]:
    """commonLabels and commonAnnotations."""
    for document in rendered.documents:
        for kind, values in (
            ("labels", rendered.values["commonLabels"]),
            ("annotations", rendered.values["commonAnnotations"]),
        ):
            if not values.items() <= (document["metadata"].get(kind) or {}).items():
                yield f"{label(document)}: lacks common {kind}"


def annotations_are_text(rendered: Rendered) -> Iterator[str]:
    """Numbers and booleans there are refused by the API server."""
    for document in rendered.documents:
        for owner in [document, *(pod.template for pod in rendered.pods if pod.owner is document)]:
            annotations = owner.get("metadata", {}).get("annotations") or {}
            yield from (
                f"{label(document)}: annotation {key}"
                for key, value in annotations.items()
                if not isinstance(value, str)
            )


def hooks_are_known(rendered: Rendered) -> Iterator[str]:
    """Before install and upgrade, or `helm test`; a failed one stays for its log, and makes way for the next."""
    for document in rendered.documents:
        annotations: Document = document["metadata"].get("annotations") or {}
        hook = annotations.get("helm.sh/hook")
        if hook is None:
            continue
        if hook not in _HOOKS:
            yield f"{label(document)}: hook {hook}"
        if "before-hook-creation" not in annotations.get("helm.sh/hook-delete-policy", "").split(","):
            yield f"{label(document)}: the second upgrade would find the first one's"


def selectors_are_stable(rendered: Rendered) -> Iterator[str]:
    """A selector cannot be changed: no version in it, nothing of the values, and nobody else's pods."""
    for document in rendered.of("Deployment", "StatefulSet"):
        selector = document["spec"]["selector"]["matchLabels"]
        if set(selector) != _STABLE:
            yield f"{label(document)}: selects by {sorted(selector)}"
        taken = [pod for pod in rendered.pods if selector.items() <= pod.labels.items()]
        if [pod.owner for pod in taken] != [document]:
            yield f"{label(document)}: selects {[str(pod) for pod in taken]}"


def images_are_pinned(rendered: Rendered) -> Iterator[str]:
    """A tag or a digest, never `latest`; a digest wins."""
    digest = rendered.values["image"]["digest"]
    for pod in rendered.pods:
        for container in pod.containers:
            image = _IMAGE.fullmatch(container["image"])
            if image is None or image["tag"] == "latest" or not (image["tag"] or image["digest"]):
                yield f"{pod}/{container['name']}: {container['image']}"
    for pod in rendered.pods:
        if pod.component != "postgres" and digest and not pod.main["image"].endswith(f"@{digest}"):
            yield f"{pod}: {pod.main['image']} is not the digest"
