"""Restricted pods, and no right in the cluster that is not needed."""

from collections.abc import Iterator

from tests.deploy.documents import Document, Rendered, label
from tests.deploy.policies.ours import own_containers, runs_leadline

OUR_USER = 10001
_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
_RBAC = {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}


def pods_are_restricted(rendered: Rendered) -> Iterator[str]:
    """What the Pod Security Standard `restricted` asks of a pod."""
    for pod in rendered.pods:
        context = pod.spec.get("securityContext") or {}
        user = context.get("runAsUser")
        if context.get("runAsNonRoot") is not True or not user:
            yield f"{pod}: may run as root"
        if runs_leadline(pod) and not (user == context.get("runAsGroup") == context.get("fsGroup") == OUR_USER):
            yield f"{pod}: does not run as {OUR_USER}"
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{pod}: has no seccomp profile"
        for shared in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.spec.get(shared):
                yield f"{pod}: shares {shared}"
        for volume in pod.spec.get("volumes") or []:
            if not (set(volume) - {"name"}) <= _VOLUMES:
                yield f"{pod}: volume {volume['name']} is of a kind that is not allowed"


def containers_are_restricted(rendered: Rendered) -> Iterator[str]:
    """No capability, no way up, nothing written but to what is mounted."""
    for pod in rendered.pods:
        for container in own_containers(rendered, pod):
            context = container.get("securityContext") or {}
            name = f"{pod}/{container['name']}"
            if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
                yield f"{name}: may gain privileges"
            if context.get("capabilities") != {"drop": ["ALL"]}:
                yield f"{name}: keeps capabilities"
            if context.get("readOnlyRootFilesystem") is not True:
                yield f"{name}: may write to its root file system"
            if context.get("runAsNonRoot") is False or context.get("runAsUser") == 0:
                yield f"{name}: runs as root"
            if any("hostPort" in port for port in container.get("ports") or []):
                yield f"{name}: takes a port of the node"
            yield from _writable_tmp(name, container, pod.spec.get("volumes") or [])


def _writable_tmp(name: str, container: Document, volumes: list[Document]) -> Iterator[str]:
    empty = {volume["name"] for volume in volumes if "emptyDir" in volume}
    mounts = container.get("volumeMounts") or []
    if not any(mount["mountPath"] == "/tmp" and mount["name"] in empty for mount in mounts):
        yield f"{name}: has no /tmp to write to"


def every_component_has_its_own_account(rendered: Rendered) -> Iterator[str]:
    """Nobody runs as somebody else, or as `default`."""
    users: dict[str, str] = {}
    for pod in rendered.pods:
        name = pod.spec.get("serviceAccountName", "default")
        if rendered.named("ServiceAccount", name) is None:
            yield f"{pod}: its ServiceAccount {name} is not made"
        if users.setdefault(name, pod.component) != pod.component:
            yield f"{pod}: shares its ServiceAccount with {users[name]}"


def tokens_are_not_mounted(rendered: Rendered) -> Iterator[str]:
    """The cluster's own token is for the queue-service alone, where it verifies others'; no Service is a variable."""
    verifies = rendered.values["auth"]["mode"] == "serviceAccounts"
    for account in rendered.of("ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield f"{label(account)}: hands out tokens"
    for pod in rendered.pods:
        if pod.spec.get("automountServiceAccountToken") is not (verifies and pod.component == "queue"):
            yield f"{pod}: automountServiceAccountToken is {pod.spec.get('automountServiceAccountToken')}"
        if pod.spec.get("enableServiceLinks") is not False:
            yield f"{pod}: a Service would set LEADLINE_GATEWAY_PORT in it"


def no_right_but_to_review_tokens(rendered: Rendered) -> Iterator[str]:
    """At most one binding, for the queue-service."""
    verifies = rendered.values["auth"]["mode"] == "serviceAccounts"
    found = rendered.of(*_RBAC)
    if len(found) != int(verifies):
        yield f"there are {len(found)} RBAC objects with auth.mode={rendered.values['auth']['mode']}"
    for binding in found:
        accounts = {pod.spec.get("serviceAccountName") for pod in rendered.component("queue")}
        named = {
            (subject["kind"], subject["name"], subject.get("namespace")) for subject in binding.get("subjects", [])
        }
        if binding["kind"] != "ClusterRoleBinding" or binding["roleRef"]["name"] != "system:auth-delegator":
            yield f"{label(binding)}: gives more than TokenReview"
        if named != {("ServiceAccount", account, rendered.namespace) for account in accounts}:
            yield f"{label(binding)}: is for {named}"
