"""Whatever an object names is there: keys of Secrets and ConfigMaps, volumes, ports, pods, and that early enough."""

from collections.abc import Iterator
from typing import Any

from tests.deploy.documents import Document, Pod, Rendered
from tests.deploy.policies.ours import workload_values

_GIVEN = "existingSecret"


def given_secrets(rendered: Rendered) -> set[str]:
    """Secrets that somebody else makes: those that values name, and the one of CloudNativePG's operator."""
    named = set(_named(rendered.values))
    return named | {f"{cluster['metadata']['name']}-app" for cluster in rendered.of("Cluster")}


def _named(values: Any) -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _named(value)
        elif key == _GIVEN and value:
            yield value


def references(container: Document) -> Iterator[tuple[str, str, str | None, bool]]:
    """(Secret or ConfigMap, name, key or None for all, whether it may be missing) of a container's environment."""
    for entry in container.get("env") or []:
        for kind, field in (("Secret", "secretKeyRef"), ("ConfigMap", "configMapKeyRef")):
            source = (entry.get("valueFrom") or {}).get(field)
            if source:
                yield kind, source["name"], source["key"], source.get("optional", False)
    for entry in container.get("envFrom") or []:
        for kind, field in (("Secret", "secretRef"), ("ConfigMap", "configMapRef")):
            if field in entry:
                yield kind, entry[field]["name"], None, entry[field].get("optional", False)


def volume_references(pod: Pod) -> Iterator[tuple[str, str, str]]:
    """(Secret or ConfigMap, its name, the volume's) of a pod's volumes."""
    for volume in pod.spec.get("volumes") or []:
        for source in (volume, *volume.get("projected", {}).get("sources", [])):
            for kind, field, name in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
                if field in source:
                    yield kind, source[field].get(name) or source[field].get("name"), volume["name"]


def what_the_environment_names_is_there(rendered: Rendered) -> Iterator[str]:
    """Otherwise the pod waits for ever in CreateContainerConfigError."""
    given = given_secrets(rendered) | set(_added(rendered))
    for pod in rendered.pods:
        for container in pod.containers:
            for kind, name, key, optional in references(container):
                found = rendered.named(kind, name)
                if optional or name in given:
                    continue
                if found is None:
                    yield f"{pod}/{container['name']}: {kind} {name} is not made, nor named by values"
                elif key is not None and key not in {**(found.get("data") or {}), **(found.get("stringData") or {})}:
                    yield f"{pod}/{container['name']}: {kind} {name} has no {key}"


def _added(rendered: Rendered) -> Iterator[str]:
    """What values themselves add to pods is for those who wrote them."""
    for values in rendered.values.values():
        if isinstance(values, dict):
            extra = {"env": values.get("extraEnv"), "envFrom": values.get("extraEnvFrom")}
            yield from (name for _, name, _, _ in references(extra))


def volumes_are_there(rendered: Rendered) -> Iterator[str]:
    """Every mount has its volume, and every volume its ConfigMap or Secret; nothing is mounted over another."""
    for pod in rendered.pods:
        values = workload_values(rendered, pod.component)
        added = {item["name"] for key in ("extraVolumes", "extraVolumeMounts") for item in values.get(key) or []}
        claims = pod.owner["spec"].get("volumeClaimTemplates") or []
        volumes = [volume["name"] for volume in pod.spec.get("volumes") or []] + [
            claim["metadata"]["name"] for claim in claims
        ]
        if len(set(volumes)) != len(volumes):
            yield f"{pod}: volumes {volumes}"
        for container in pod.containers:
            mounts = container.get("volumeMounts") or []
            yield from (
                f"{pod}: there is no volume {name}" for name in {m["name"] for m in mounts} - {*volumes, *added}
            )
            paths = [mount["mountPath"] for mount in mounts]
            if len(set(paths)) != len(paths):
                yield f"{pod}/{container['name']}: mounts {paths}"
        for kind, name, volume in volume_references(pod):
            if rendered.named(kind, name) is None and volume not in added:
                yield f"{pod}: {kind} {name} is not made"


def names_in_the_environment_stand_once(rendered: Rendered) -> Iterator[str]:
    for pod in rendered.pods:
        for container in pod.containers:
            names = [entry["name"] for entry in container.get("env") or []]
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                yield f"{pod}/{container['name']}: {twice} stand there twice"
            empty = [entry["name"] for entry in container.get("env") or [] if not ({"value", "valueFrom"} & set(entry))]
            wrong = [
                entry["name"] for entry in container.get("env") or [] if not isinstance(entry.get("value", ""), str)
            ]
            if empty or wrong:
                yield f"{pod}/{container['name']}: {empty + wrong} are no text"


def hooks_need_nothing_that_comes_later(rendered: Rendered) -> Iterator[str]:
    """A hook before install runs when nothing else of the release exists but hooks of lower weight."""
    made = {(document["kind"], document["metadata"]["name"]): _weight(document) for document in rendered.documents}
    for pod in rendered.pods:
        weight = _weight(pod.owner)
        if weight is None:
            continue
        for kind, name in sorted(_needed(pod) & set(made)):
            theirs = made[kind, name]
            if theirs is None or theirs >= weight:
                yield f"{pod}: needs {kind} {name}, which does not exist when it runs"


def _weight(document: Document) -> int | None:
    """Of what runs before install; None for all else."""
    annotations = document["metadata"].get("annotations") or {}
    return (
        int(annotations.get("helm.sh/hook-weight", "0"))
        if "pre-install" in annotations.get("helm.sh/hook", "")
        else None
    )


def _needed(pod: Pod) -> set[tuple[str, str]]:
    """Kind and name of all that must exist before the pod starts."""
    needed = {(kind, name) for container in pod.containers for kind, name, _, _ in references(container)}
    needed |= {(kind, name) for kind, name, _ in volume_references(pod)}
    return {*needed, ("ServiceAccount", pod.spec.get("serviceAccountName", "default"))}


def nothing_that_lasts_is_a_hook(rendered: Rendered) -> Iterator[str]:
    """Helm forgets hooks: a pod of the release must not lean on an object that an upgrade deletes first."""
    hooks = {
        (document["kind"], document["metadata"]["name"])
        for document in rendered.documents
        if "helm.sh/hook" in (document["metadata"].get("annotations") or {})
    }
    for pod in rendered.pods:
        if (pod.kind, pod.owner["metadata"]["name"]) in hooks:
            continue
        yield from (f"{pod}: needs {kind} {name}, which is a hook" for kind, name in sorted(_needed(pod) & hooks))
