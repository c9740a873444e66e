"""A pod template, understood whole: an unknown field is refused, so that no test passes by overlooking it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.image.environment import environment_of
from tests.image.rendered import Manifest, Refused, Rendered

_POD_FIELDS = frozenset(
    {
        "serviceAccountName",
        "automountServiceAccountToken",
        "enableServiceLinks",
        "terminationGracePeriodSeconds",
        "securityContext",
        "initContainers",
        "containers",
        "volumes",
        "restartPolicy",
        "activeDeadlineSeconds",
    }
)
_PLACEMENT = frozenset(
    {
        "topologySpreadConstraints",
        "nodeSelector",
        "tolerations",
        "affinity",
        "priorityClassName",
        "imagePullSecrets",
    }
)
"""Where a pod runs and whence its image comes: there is one node here, which has the image."""
_CONTAINER_FIELDS = frozenset(
    {
        "name",
        "image",
        "imagePullPolicy",
        "command",
        "args",
        "env",
        "envFrom",
        "ports",
        "volumeMounts",
        "resources",
        "securityContext",
        "startupProbe",
        "readinessProbe",
        "livenessProbe",
        "lifecycle",
    }
)
_POD_SECURITY_FIELDS = frozenset({"runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "seccompProfile"})
_SECURITY_FIELDS = (_POD_SECURITY_FIELDS - {"fsGroup"}) | {
    "allowPrivilegeEscalation",
    "capabilities",
    "readOnlyRootFilesystem",
}
_MEMORY_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_DEFAULT_GRACE_SECONDS = 30


@dataclass(frozen=True)
class Probe:
    """One HTTP probe; times in seconds."""

    path: str
    port: int
    period_seconds: int
    timeout_seconds: int
    failures: int


@dataclass(frozen=True)
class Mount:
    """One volume in one container."""

    volume: str
    path: str
    read_only: bool


@dataclass(frozen=True)
class Volume:
    """Files with their modes; without any, an empty folder of the pod's own."""

    files: Mapping[str, str] | None
    mode: int = 0o644


@dataclass(frozen=True)
class Security:
    """What a container may."""

    user: int
    group: int
    read_only_root: bool
    drops_all: bool
    may_escalate: bool


@dataclass(frozen=True)
class Container:
    """What is started."""

    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    environment: Mapping[str, str]
    mounts: tuple[Mount, ...]
    security: Security
    memory_bytes: int | None
    ports: Mapping[str, int]
    startup: Probe | None
    readiness: Probe | None
    liveness: Probe | None
    pre_stop_seconds: int


@dataclass(frozen=True)
class Pod:
    """What a kubelet is given."""

    name: str
    labels: Mapping[str, str]
    init_containers: tuple[Container, ...]
    container: Container
    volumes: Mapping[str, Volume]
    fs_group: int | None
    grace_seconds: int
    service_names: tuple[str, ...] = field(default=())


def pod_of(name: str, template: Manifest, rendered: Rendered, namespace: str = "default") -> Pod:
    """The pod that a controller makes of `template` (`metadata`, `spec`). Raises Refused."""
    spec = template["spec"]
    _know(spec, _POD_FIELDS | _PLACEMENT, f"pod {name}")
    if spec.get("automountServiceAccountToken") is not False:
        raise Refused(f"pod {name} would get a token of the cluster")
    if spec.get("enableServiceLinks") is not False:
        raise Refused(f"pod {name} would get variables of every Service, such as LEADLINE_GATEWAY_PORT")
    if len(spec["containers"]) != 1:
        raise Refused(f"pod {name} has {len(spec['containers'])} containers")
    labels = dict((template.get("metadata") or {}).get("labels") or {})
    context = spec.get("securityContext") or {}
    fields = {"metadata.name": name, "metadata.namespace": namespace}

    def made(container: Manifest) -> Container:
        return _container(container, context, rendered, fields)

    main = made(spec["containers"][0])
    return Pod(
        name=name,
        labels=labels,
        init_containers=tuple(made(container) for container in spec.get("initContainers") or []),
        container=main,
        volumes={volume["name"]: _volume(volume, rendered) for volume in spec.get("volumes") or []},
        fs_group=context.get("fsGroup"),
        grace_seconds=spec.get("terminationGracePeriodSeconds", _DEFAULT_GRACE_SECONDS),
        service_names=tuple(rendered.service_names(labels, main.ports)),
    )


def pod_template(workload: Manifest) -> Manifest:
    """The template in a Deployment, Job or CronJob; a Pod is its own."""
    match workload["kind"]:
        case "Deployment" | "Job":
            return dict(workload["spec"]["template"])
        case "CronJob":
            return dict(workload["spec"]["jobTemplate"]["spec"]["template"])
        case "Pod":
            return workload
        case kind:
            raise Refused(f"a {kind} is not run here")


def _container(container: Manifest, pod: Manifest, rendered: Rendered, fields: Mapping[str, str]) -> Container:
    name = container["name"]
    _know(container, _CONTAINER_FIELDS, f"container {name}")
    ports = {port["name"]: int(port["containerPort"]) for port in container.get("ports") or []}
    limits = (container.get("resources") or {}).get("limits") or {}
    return Container(
        name=name,
        image=container["image"],
        command=tuple(container.get("command") or ()),
        args=tuple(container.get("args") or ()),
        environment=environment_of(container, rendered, fields),
        mounts=tuple(_mount(mount) for mount in container.get("volumeMounts") or []),
        security=_security(pod, container.get("securityContext") or {}, name),
        memory_bytes=memory_bytes(limits["memory"]) if "memory" in limits else None,
        ports=ports,
        startup=_probe(container.get("startupProbe"), ports),
        readiness=_probe(container.get("readinessProbe"), ports),
        liveness=_probe(container.get("livenessProbe"), ports),
        pre_stop_seconds=_pre_stop(container.get("lifecycle") or {}),
    )


def _know(found: Manifest, known: Iterable[str], where: str) -> None:
    unknown = sorted(set(found) - set(known))
    if unknown:
        raise Refused(f"{where}: nobody here knows {', '.join(unknown)}")


def _security(pod: Manifest, own: Manifest, where: str) -> Security:
    _know(pod, _POD_SECURITY_FIELDS, where)
    _know(own, _SECURITY_FIELDS, where)
    both = pod | own
    if (both.get("seccompProfile") or {}).get("type") != "RuntimeDefault":
        raise Refused(f"{where}: the seccomp profile is not the runtime's")
    user = both.get("runAsUser")
    if not isinstance(user, int) or (both.get("runAsNonRoot") and user == 0):
        raise Refused(f"{where}: runs as user {user}")
    capabilities = own.get("capabilities") or {}
    if capabilities.get("add"):
        raise Refused(f"{where}: adds {capabilities['add']}")
    return Security(
        user=user,
        group=both.get("runAsGroup", 0),
        read_only_root=bool(own.get("readOnlyRootFilesystem")),
        drops_all=capabilities.get("drop") == ["ALL"],
        may_escalate=own.get("allowPrivilegeEscalation") is not False,
    )


def _mount(mount: Manifest) -> Mount:
    _know(mount, {"name", "mountPath", "readOnly"}, f"mount of {mount.get('name')}")
    return Mount(mount["name"], mount["mountPath"], bool(mount.get("readOnly")))


def _volume(volume: Manifest, rendered: Rendered) -> Volume:
    match volume:
        case {"emptyDir": _}:
            return Volume(None)
        case {"configMap": {"name": name, **how}}:
            return _files(rendered.config_map(name), how, name)
        case {"secret": {"secretName": name, **how}}:
            return _files(rendered.secret(name), how, name)
        case _:
            raise Refused(f"volume {volume}")


def _files(data: Mapping[str, str], how: Any, name: str) -> Volume:
    _know(dict(how), {"items", "defaultMode"}, f"volume of {name}")
    chosen = how.get("items")
    files = data if chosen is None else {item["path"]: data[item["key"]] for item in chosen}
    return Volume(files, how.get("defaultMode", 0o644))


def _probe(probe: Manifest | None, ports: Mapping[str, int]) -> Probe | None:
    if probe is None:
        return None
    _know(probe, {"httpGet", "periodSeconds", "timeoutSeconds", "failureThreshold"}, "probe")
    asked = probe["httpGet"]
    _know(asked, {"path", "port"}, "probe")
    return Probe(
        path=asked["path"],
        port=ports[asked["port"]] if isinstance(asked["port"], str) else int(asked["port"]),
        period_seconds=probe.get("periodSeconds", 10),
        timeout_seconds=probe.get("timeoutSeconds", 1),
        failures=probe.get("failureThreshold", 3),
    )


def _pre_stop(lifecycle: Manifest) -> int:
    match lifecycle:
        case {} if not lifecycle:
            return 0
        case {"preStop": {"sleep": {"seconds": int(seconds)}}} if len(lifecycle) == 1:
            return seconds
        case _:
            raise Refused(f"lifecycle {lifecycle}")


def memory_bytes(quantity: str) -> int:
    """`128Mi` and its kin. Raises Refused."""
    match = re.fullmatch(r"(\d+)([A-Za-z]*)", str(quantity))
    if match is None or match.group(2) not in _MEMORY_UNITS:
        raise Refused(f"memory {quantity}")
    return int(match.group(1)) * _MEMORY_UNITS[match.group(2)]
