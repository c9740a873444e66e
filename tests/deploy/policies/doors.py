"""Services, monitors and ways in from outside lead to pods and ports that exist, and to no others."""

from collections.abc import Iterator

from tests.deploy.documents import Document, Pod, Rendered, label


def services_lead_somewhere(rendered: Rendered) -> Iterator[str]:
    """To pods that serve, by ports that these have by name."""
    for service in rendered.of("Service"):
        pods = served_by(rendered, service)
        if not pods:
            yield f"{label(service)}: leads to no pod"
        for pod in pods:
            for port in service["spec"]["ports"]:
                if port.get("targetPort") not in container_ports(pod):
                    yield f"{label(service)}: {pod} has no port {port.get('targetPort')}"


def served_by(rendered: Rendered, service: Document) -> list[Pod]:
    """The pods behind a Service."""
    selector = service["spec"]["selector"]
    return [pod for pod in rendered.pods if pod.serves and selector.items() <= pod.labels.items()]


def container_ports(pod: Pod) -> dict[str, int]:
    """Name -> number."""
    return {port["name"]: port["containerPort"] for port in pod.main.get("ports") or []}


def monitors_find_their_ports(rendered: Rendered) -> Iterator[str]:
    """Every serving process of ours is scraped, on a port that it has; labels are those that Prometheus selects by."""
    for monitor in rendered.of("PodMonitor"):
        selector = monitor["spec"]["selector"]
        chosen = [
            pod
            for pod in rendered.pods
            if pod.serves and pod.component != "postgres" and _matches(selector, pod.labels)
        ]
        if len(chosen) != len({pod.component for pod in rendered.pods if pod.serves} - {"postgres"}):
            yield f"{label(monitor)}: chooses {[str(pod) for pod in chosen]}"
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            yield from (
                f"{label(monitor)}: {pod} has no {endpoint['port']}"
                for pod in chosen
                if endpoint["port"] not in container_ports(pod)
            )
    for kind, key in (("PodMonitor", "podMonitor"), ("PrometheusRule", "prometheusRule")):
        for document in rendered.of(kind):
            if not rendered.values["monitoring"][key]["labels"].items() <= document["metadata"]["labels"].items():
                yield f"{label(document)}: lacks the labels that Prometheus selects by"


def _matches(selector: Document, labels: dict[str, str]) -> bool:
    return (selector.get("matchLabels") or {}).items() <= labels.items() and all(
        expression["operator"] == "In" and labels.get(expression["key"]) in expression["values"]
        for expression in selector.get("matchExpressions") or []
    )


def only_the_gateway_is_let_out(rendered: Rendered) -> Iterator[str]:
    """Ingress and HTTPRoute lead to the gateway's main port; no Service but its own is reachable from outside."""
    backends = [
        (label(ingress), path["backend"]["service"]["name"], path["backend"]["service"]["port"])
        for ingress in rendered.of("Ingress")
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    ] + [
        (label(route), backend["name"], {"number": backend["port"]})
        for route in rendered.of("HTTPRoute")
        for rule in route["spec"]["rules"]
        for backend in rule["backendRefs"]
    ]
    for name, backend, port in backends:
        service = rendered.named("Service", backend)
        if service is None:
            yield f"{name}: there is no Service {backend}"
            continue
        chosen = [p for p in service["spec"]["ports"] if port in ({"name": p["name"]}, {"number": p["port"]})]
        targets = {
            (pod.component, container_ports(pod).get(p["targetPort"]))
            for p in chosen
            for pod in served_by(rendered, service)
        }
        if targets != {("gateway", 8080)}:
            yield f"{name}: leads to {targets}"
    for service in rendered.of("Service"):
        component = service["metadata"]["labels"].get("app.kubernetes.io/component")
        if component != "gateway" and service["spec"].get("type", "ClusterIP") != "ClusterIP":
            yield f"{label(service)}: is open to the outside"
        if component == "gateway" and any(port["targetPort"] != "http" for port in service["spec"]["ports"]):
            yield f"{label(service)}: shows more than the main port"
