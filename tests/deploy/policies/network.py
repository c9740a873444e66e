"""Who may reach whom, by the NetworkPolicies as a cluster reads them, compared with who has to."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlsplit

from tests.deploy.documents import Document, Pod, Rendered
from tests.deploy.policies.doors import container_ports, served_by

Way = tuple[str, int]
"""A component, or `outside` or `anywhere`, and a port."""

_DNS = 53
_DATABASE = 5432
_METRICS = 9090


def every_pod_is_behind_a_policy(rendered: Rendered) -> Iterator[str]:
    """And there is one that denies everything by default."""
    if not rendered.values["networkPolicy"]["enabled"]:
        if rendered.of("NetworkPolicy"):
            yield "networkPolicy.enabled is false"
        return
    denying = [policy for policy in rendered.of("NetworkPolicy") if not {"ingress", "egress"} & set(policy["spec"])]
    for pod in rendered.pods:
        for direction in ("Ingress", "Egress"):
            if not any(_selects(policy, pod) and direction in policy["spec"]["policyTypes"] for policy in denying):
                yield f"{pod}: {direction} is not denied by default"
        if not any(
            _selects(policy, pod)
            for policy in rendered.of("NetworkPolicy")
            if policy not in denying or pod.component == "postgres"
        ):
            yield f"{pod}: has no policy of its own"


def _selects(policy: Document, pod: Pod) -> bool:
    selector = policy["spec"]["podSelector"].get("matchLabels") or {}
    return bool(selector.items() <= pod.labels.items())


def ways_out(rendered: Rendered, pod: Pod) -> set[Way]:
    """Where a pod may go, but for DNS."""
    found: set[Way] = set()
    for policy in rendered.of("NetworkPolicy"):
        if not _selects(policy, pod):
            continue
        for rule in policy["spec"].get("egress") or []:
            for port in rule.get("ports", [{"port": 0}]):
                for peer in rule.get("to") or [None]:
                    found |= set(_destinations(rendered, peer, port["port"]))
    return {way for way in found if way[1] != _DNS}


def _names_can_be_asked(rendered: Rendered, pod: Pod) -> bool:
    """Whether a pod may ask DNS, by both protocols."""
    selecting = [policy for policy in rendered.of("NetworkPolicy") if _selects(policy, pod)]
    rules = [rule for policy in selecting for rule in policy["spec"].get("egress") or []]
    ports = [port for rule in rules for port in rule.get("ports") or [] if port["port"] == _DNS]
    return {port.get("protocol", "TCP") for port in ports} == {"TCP", "UDP"}


def _destinations(rendered: Rendered, peer: Document | None, port: Any) -> Iterator[Way]:
    if peer is None:
        yield "anywhere", int(port)
        return
    labels = (peer.get("podSelector") or {}).get("matchLabels") or {}
    reached = (
        []
        if "namespaceSelector" in peer or not labels
        else [pod for pod in rendered.pods if labels.items() <= pod.labels.items()]
    )
    for pod in reached:
        number = container_ports(pod).get(port) if isinstance(port, str) else port
        yield pod.component, number or 0
    if not reached:
        yield ("database" if "cnpg.io/cluster" in labels else "outside"), int(port)


def lets_in(rendered: Rendered, pod: Pod, caller: Pod, port: int) -> bool:
    """Whether a pod's own policies admit a caller of this release at a port."""
    for policy in rendered.of("NetworkPolicy"):
        if not _selects(policy, pod):
            continue
        for rule in policy["spec"].get("ingress") or []:
            numbers = [container_ports(pod).get(p["port"], p["port"]) for p in rule.get("ports", [{"port": port}])]
            if port in numbers and any(_is_peer(peer, caller) for peer in rule.get("from") or [{"podSelector": {}}]):
                return True
    return False


def _is_peer(peer: Document, caller: Pod) -> bool:
    if "podSelector" not in peer and "namespaceSelector" not in peer:
        return False
    labels = (peer.get("podSelector") or {}).get("matchLabels") or {}
    spaces = (peer.get("namespaceSelector") or {}).get("matchLabels") or {}
    return not spaces and bool(labels.items() <= caller.labels.items())


def needed(rendered: Rendered, component: str) -> set[Way]:
    """Where a component has to go."""
    values = rendered.values
    policy = values["networkPolicy"]
    database = {
        "dev": {("postgres", _DATABASE)},
        "cnpg": {("database", _DATABASE)},
        "external": {(_place(policy["database"]), port) for port in policy["database"]["ports"]},
    }[values["database"]["mode"]]
    internet = {(_place(policy["internet"]), port) for port in policy["internet"]["ports"]}
    api = {(_place(policy["kubernetesApi"]), port) for port in policy["kubernetesApi"]["ports"]}
    carrier = {("simulator", 8090)} if values["simulator"]["enabled"] else internet
    simulated_crm = values["simulator"]["enabled"] and not values["convoso"]["existingSecret"]
    crm = ({("simulator", 8090)} if simulated_crm else internet) if values["convoso"]["enabled"] else set()
    queue = {("queue", 8081)}
    ways: dict[str, set[Way]] = {
        "gateway": queue,
        "queue": database | (api if values["auth"]["mode"] == "serviceAccounts" else set()),
        "dialer": queue | carrier | crm,
        "sweep": queue | carrier,
        "backfill": queue | carrier | crm,
        "crm-sync": queue | crm,
        "migrate": database,
        "simulator": {("gateway", 8080)},
        "postgres": set(),
        "smoke": queue | {("gateway", 8080)},
    }
    return ways[component]


def _place(rule: Document) -> str:
    return "outside" if rule["to"] else "anywhere"


def pods_reach_what_they_need_and_nothing_else(rendered: Rendered) -> Iterator[str]:
    """The database by the queue-service and migrate alone; Bland by those who talk to it."""
    if not rendered.values["networkPolicy"]["enabled"]:
        return
    extra = {
        way
        for rule in rendered.values["networkPolicy"]["extraEgress"]
        for port in rule.get("ports", [{"port": 0}])
        for peer in rule.get("to") or [None]
        for way in _destinations(rendered, peer, port["port"])
    }
    for pod in rendered.pods:
        allowed = ways_out(rendered, pod)
        wanted = {way for way in needed(rendered, pod.component) if way[1] != _DNS}
        if wanted and not _names_can_be_asked(rendered, pod):
            yield f"{pod}: cannot ask DNS"
        if wanted - allowed:
            yield f"{pod}: cannot reach {sorted(wanted - allowed)}"
        if allowed - wanted - extra:
            yield f"{pod}: can reach {sorted(allowed - wanted - extra)}"


def doors_are_open_to_those_who_need_them(rendered: Rendered) -> Iterator[str]:
    """Every way out has its way in on the other side; nobody else has one, but to the gateway and to metrics."""
    if not rendered.values["networkPolicy"]["enabled"]:
        return
    for server in rendered.pods:
        for port in container_ports(server).values():
            for caller in rendered.pods:
                needs = (server.component, port) in needed(rendered, caller.component)
                open_door = lets_in(rendered, server, caller, port)
                public = port == _METRICS or (
                    server.component == "gateway" and not rendered.values["networkPolicy"]["gatewayFrom"]
                )
                if needs and not open_door:
                    yield f"{server}: does not let {caller} in at {port}"
                if open_door and not (needs or public):
                    yield f"{server}: lets {caller} in at {port}"


def _address(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:  # no address at all, as far as the chart can tell
        return urlsplit("")


def addresses_in_the_environment_can_be_reached(rendered: Rendered) -> Iterator[str]:
    """An URL that names a Service of ours names one of its ports, and the pod may go to the pod behind it."""
    for pod in rendered.pods:
        for entry in [entry for container in pod.containers for entry in container.get("env") or []]:
            address = _address(str(entry.get("value", "")))
            service = rendered.named("Service", (address.hostname or "").split(".")[0])
            if address.scheme not in {"http", "https"} or service is None:
                continue
            ports = [port for port in service["spec"]["ports"] if port["port"] == (address.port or 80)]
            if not ports:
                yield f"{pod}: {entry['name']}={entry['value']}, and the Service has no such port"
                continue
            target = served_by(rendered, service)[0]
            number = container_ports(target)[ports[0]["targetPort"]]
            if (
                entry["name"] != "LEADLINE_PUBLIC_URL"
                and rendered.values["networkPolicy"]["enabled"]
                and (target.component, number) not in ways_out(rendered, pod)
            ):
                yield f"{pod}: {entry['name']}={entry['value']}, and no policy lets it go there"
