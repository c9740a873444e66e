"""How pods start, are watched, are replaced and end, and what they may use."""

from collections.abc import Iterator

from tests.deploy.documents import Document, Pod, Rendered, label
from tests.deploy.policies.ours import own_containers, runs_leadline, setting

_DRAINS = {"gateway", "queue", "dialer", "crm-sync"}
_DRAIN_SECONDS = "20"
_SPARE_SECONDS = 5
_SCALERS = ("HorizontalPodAutoscaler", "ScaledObject")


def what_serves_is_probed(rendered: Rendered) -> Iterator[str]:
    """All three probes, on the metrics port; life is never judged by what others do."""
    for pod in _serving(rendered):
        for kind, path in (("startup", "/healthz"), ("liveness", "/healthz"), ("readiness", "/readyz")):
            asked = (pod.main.get(f"{kind}Probe") or {}).get("httpGet") or {}
            if (asked.get("path"), asked.get("port")) != (path, "metrics"):
                yield f"{pod}: {kind} asks {asked}"
        if setting(rendered, pod, "LEADLINE_METRICS_PORT", "9090") != str(_ports(pod).get("metrics")):
            yield f"{pod}: its port `metrics` is not where LEADLINE_METRICS_PORT says"
    for pod in rendered.component("postgres"):
        if not {"startupProbe", "livenessProbe", "readinessProbe"} <= set(pod.main):
            yield f"{pod}: is not probed"


def _serving(rendered: Rendered) -> list[Pod]:
    return [pod for pod in rendered.pods if pod.serves and runs_leadline(pod)]


def _ports(pod: Pod) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in pod.main.get("ports") or []}


def pods_have_time_to_end(rendered: Rendered) -> Iterator[str]:
    """preStop, then the drain, and 5 s to spare: a pod that is killed before that gives back nothing."""
    for pod in rendered.pods:
        if pod.component not in _DRAINS:
            continue
        sleep = ((pod.main.get("lifecycle") or {}).get("preStop") or {}).get("sleep") or {}
        drain = float(setting(rendered, pod, "LEADLINE_DRAIN_SECONDS", _DRAIN_SECONDS))
        if pod.spec.get("terminationGracePeriodSeconds", 30) < sleep.get("seconds", 0) + drain + _SPARE_SECONDS:
            yield f"{pod}: is killed before it has drained"


def load_balancers_have_time_to_learn(rendered: Rendered) -> Iterator[str]:
    """What serves others goes on listening for a while after it was told to stop."""
    for pod in [*rendered.component("gateway"), *rendered.component("queue")]:
        if not ((pod.main.get("lifecycle") or {}).get("preStop") or {}).get("sleep"):
            yield f"{pod}: stops listening before load balancers know"


def resources_are_asked_for(rendered: Rendered) -> Iterator[str]:
    """CPU and memory are requested; memory is limited to what was requested, CPU is not limited."""
    for pod in rendered.pods:
        for container in own_containers(rendered, pod):
            resources = container.get("resources") or {}
            requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
            if not {"cpu", "memory"} <= set(requests):
                yield f"{pod}/{container['name']}: does not say what it needs"
            if limits.get("memory") != requests.get("memory") or "cpu" in limits:
                yield f"{pod}/{container['name']}: limits are {limits}"


def scaled_workloads_have_no_replicas(rendered: Rendered) -> Iterator[str]:
    """Who scales sets the number; there is one of them at most, and it can do what it says."""
    targets: list[str] = []
    for scaler in rendered.of(*_SCALERS):
        name = scaler["spec"]["scaleTargetRef"]["name"]
        targets.append(name)
        if rendered.named("Deployment", name) is None:
            yield f"{label(scaler)}: there is no Deployment {name}"
        least, most = _bounds(scaler)
        if least > most:
            yield f"{label(scaler)}: at least {least}, at most {most}"
    for deployment in rendered.of("Deployment"):
        name = deployment["metadata"]["name"]
        if targets.count(name) > 1:
            yield f"{label(deployment)}: two scalers pull at it"
        if ("replicas" in deployment["spec"]) is (name in targets):
            yield f"{label(deployment)}: replicas and a scaler, or neither"


def _bounds(scaler: Document) -> tuple[int, int]:
    spec = scaler["spec"]
    if scaler["kind"] == "ScaledObject":
        return spec.get("minReplicaCount", 0), spec["maxReplicaCount"]
    return spec.get("minReplicas", 1), spec["maxReplicas"]


def scaling_down_is_slow(rendered: Rendered) -> Iterator[str]:
    """Dialers go one at a time, after a while."""
    for scaler in rendered.of(*_SCALERS):
        if scaler["metadata"]["labels"].get("app.kubernetes.io/component") != "dialer":
            continue
        spec = scaler["spec"]
        inner = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", spec)
        down = (inner.get("behavior") or {}).get("scaleDown") or {}
        gentle = down.get("policies") == [{"type": "Pods", "value": 1, "periodSeconds": 60}]
        wanted = rendered.values["dialer"]["scaling"]["scaleDownSeconds"]
        if down.get("stabilizationWindowSeconds") != wanted or down.get("selectPolicy") != "Min" or not gentle:
            yield f"{label(scaler)}: scales down by {down}"


def autoscalers_use_known_words(rendered: Rendered) -> Iterator[str]:
    """The models of npm take any word here."""
    for scaler in rendered.of("HorizontalPodAutoscaler"):
        for metric in scaler["spec"].get("metrics", []):
            kind = metric["type"]
            if kind not in {"Resource", "External"} or set(metric) != {"type", kind.lower()}:
                yield f"{label(scaler)}: metric {metric}"
            target = metric.get(kind.lower(), {}).get("target", {})
            if target.get("type") not in {"Utilization", "AverageValue", "Value"}:
                yield f"{label(scaler)}: target {target}"


def disruption_budgets_leave_a_way(rendered: Rendered) -> Iterator[str]:
    """With one pod a budget would only block a node's drain."""
    for budget in rendered.of("PodDisruptionBudget"):
        wanted = budget["spec"]["selector"]["matchLabels"]
        owners = [pod.owner for pod in rendered.pods if pod.serves and wanted.items() <= pod.labels.items()]
        if len(owners) != 1:
            yield f"{label(budget)}: is about {[label(owner) for owner in owners]}"
            continue
        name = owners[0]["metadata"]["name"]
        least = [
            _bounds(scaler)[0] for scaler in rendered.of(*_SCALERS) if scaler["spec"]["scaleTargetRef"]["name"] == name
        ]
        pods = least[0] if least else owners[0]["spec"].get("replicas", 1)
        if pods < 2:
            yield f"{label(budget)}: {name} may have {pods} pods"
        if budget["spec"].get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield f"{label(budget)}: a pod that never got ready blocks a node's drain"


_ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}}
_RECREATED = {"type": "Recreate"}


def deployments_roll_and_spread(rendered: Rendered) -> Iterator[str]:
    """A new pod serves before an old one goes, but for the simulator, of whose world there is one; pods lie apart."""
    for pod in rendered.pods:
        if pod.kind != "Deployment":
            continue
        strategy = pod.owner["spec"].get("strategy")
        if strategy != (_RECREATED if pod.component == "simulator" else _ROLLING):
            yield f"{pod}: is replaced by {strategy}"
        if not pod.spec.get("topologySpreadConstraints"):
            yield f"{pod}: is not spread"
        for constraint in pod.spec.get("topologySpreadConstraints") or []:
            selected = (constraint.get("labelSelector") or {}).get("matchLabels") or {}
            if not selected.items() <= pod.labels.items():
                yield f"{pod}: is spread against {selected}"
