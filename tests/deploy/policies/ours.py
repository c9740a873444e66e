"""What the policies ask of a pod: which of its containers are the chart's, and what a container's environment holds."""

from collections.abc import Iterator

from tests.deploy.documents import Document, Pod, Rendered

WORKLOADS = {
    "gateway": "gateway",
    "queue": "queue",
    "dialer": "dialer",
    "crm-sync": "crmSync",
    "simulator": "simulator",
    "sweep": "sweep",
    "backfill": "backfill",
    "migrate": "migrate",
}
"""Component -> key of its values."""


def workload_values(rendered: Rendered, component: str) -> Document:
    """The values of one workload over `defaults`, as the templates merge them, without depth."""
    return {**rendered.values["defaults"], **rendered.values.get(WORKLOADS.get(component, component), {})}


def own_containers(rendered: Rendered, pod: Pod) -> list[Document]:
    """The containers of a pod that the chart wrote, without those that values add."""
    values = workload_values(rendered, pod.component)
    added = {container["name"] for key in ("initContainers", "sidecars") for container in values.get(key) or []}
    return [container for container in pod.containers if container["name"] not in added]


def runs_leadline(pod: Pod) -> bool:
    """Whether the pod runs our image: all but the database."""
    return pod.component != "postgres"


def setting(rendered: Rendered, pod: Pod, name: str, default: str) -> str:
    """A plain setting of the main container: its own, else that of the ConfigMaps it reads, else the default."""
    for entry in pod.main.get("env") or []:
        if entry["name"] == name and "value" in entry:
            return str(entry["value"])
    for data in config_data(rendered, pod.main):
        if name in data:
            return data[name]
    return default


def config_data(rendered: Rendered, container: Document) -> Iterator[dict[str, str]]:
    """The rendered ConfigMaps that a container reads whole."""
    for source in container.get("envFrom") or []:
        found = rendered.named("ConfigMap", source.get("configMapRef", {}).get("name", ""))
        if found is not None:
            yield found.get("data") or {}
