"""Every policy sees the mistake that it is for: each is shown objects with one thing wrong."""

import copy
from typing import Any

import pytest

from tests.deploy.chart import RELEASE, scenario
from tests.deploy.documents import Document, Rendered, label
from tests.deploy.policies import (
    ALWAYS,
    UNLESS_OVERRIDDEN,
    Policy,
    batch,
    doors,
    lifecycle,
    naming,
    network,
    privilege,
    security,
)
from tests.deploy.policies import references as refs

_GONE = object()
_POD = "spec.template.spec"
_JOB = "spec.jobTemplate.spec"
_MAIN = f"{_POD}.containers.0"

MISTAKES: list[tuple[Policy, str, str, str, Any]] = [
    (security.pods_are_restricted, "dev", "Deployment gateway", f"{_POD}.securityContext.runAsNonRoot", False),
    (security.pods_are_restricted, "dev", "Deployment gateway", f"{_POD}.securityContext.runAsUser", 999),
    (security.pods_are_restricted, "dev", "Deployment gateway", f"{_POD}.hostNetwork", True),
    (security.pods_are_restricted, "dev", "Deployment gateway", f"{_POD}.volumes.0", {"name": "x", "hostPath": {}}),
    (security.containers_are_restricted, "dev", "Deployment queue", f"{_MAIN}.securityContext.capabilities", _GONE),
    (security.containers_are_restricted, "dev", "Deployment queue", f"{_POD}.initContainers.0.securityContext", {}),
    (security.containers_are_restricted, "dev", "Deployment queue", f"{_MAIN}.volumeMounts.0.mountPath", "/var"),
    (security.every_component_has_its_own_account, "dev", "Pod smoke", "spec.serviceAccountName", _GONE),
    (
        security.every_component_has_its_own_account,
        "dev",
        "Deployment dialer",
        f"{_POD}.serviceAccountName",
        f"{RELEASE}-gateway",
    ),
    (security.tokens_are_not_mounted, "dev", "Deployment dialer", f"{_POD}.automountServiceAccountToken", _GONE),
    (security.tokens_are_not_mounted, "dev", "Deployment dialer", f"{_POD}.enableServiceLinks", _GONE),
    (security.tokens_are_not_mounted, "dev", "ServiceAccount dialer", "automountServiceAccountToken", True),
    (
        security.no_right_but_to_review_tokens,
        "service-accounts",
        "ClusterRoleBinding token-review",
        "roleRef.name",
        "cluster-admin",
    ),
    (lifecycle.what_serves_is_probed, "dev", "Deployment queue", f"{_MAIN}.livenessProbe.httpGet.path", "/readyz"),
    (lifecycle.what_serves_is_probed, "dev", "Deployment queue", f"{_MAIN}.readinessProbe", _GONE),
    (lifecycle.what_serves_is_probed, "dev", "StatefulSet postgres", f"{_MAIN}.startupProbe", _GONE),
    (lifecycle.pods_have_time_to_end, "live", "Deployment dialer", f"{_POD}.terminationGracePeriodSeconds", 29),
    (lifecycle.load_balancers_have_time_to_learn, "dev", "Deployment queue", f"{_MAIN}.lifecycle", _GONE),
    (lifecycle.resources_are_asked_for, "dev", "Deployment queue", f"{_MAIN}.resources.limits.cpu", "1"),
    (lifecycle.resources_are_asked_for, "dev", "Deployment queue", f"{_MAIN}.resources.limits.memory", "1Gi"),
    (lifecycle.resources_are_asked_for, "dev", "Pod smoke", "spec.containers.0.resources.requests", _GONE),
    (lifecycle.scaled_workloads_have_no_replicas, "keda", "Deployment dialer", "spec.replicas", 2),
    (lifecycle.scaled_workloads_have_no_replicas, "dev", "Deployment dialer", "spec.replicas", _GONE),
    (lifecycle.scaled_workloads_have_no_replicas, "hpa", "HorizontalPodAutoscaler queue", "spec.maxReplicas", 1),
    (
        lifecycle.scaling_down_is_slow,
        "keda",
        "ScaledObject dialer",
        "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown",
        _GONE,
    ),
    (
        lifecycle.autoscalers_use_known_words,
        "hpa",
        "HorizontalPodAutoscaler queue",
        "spec.metrics.0.resource.target.type",
        "Utilisation",
    ),
    (lifecycle.disruption_budgets_leave_a_way, "hpa", "Deployment dialer", "metadata.name", "other"),
    (lifecycle.disruption_budgets_leave_a_way, "minimal", "Deployment queue", "spec.replicas", 1),
    (
        lifecycle.deployments_roll_and_spread,
        "dev",
        "Deployment queue",
        "spec.strategy.rollingUpdate.maxUnavailable",
        1,
    ),
    (lifecycle.deployments_roll_and_spread, "dev", "Deployment queue", f"{_POD}.topologySpreadConstraints", _GONE),
    (naming.names_are_allowed, "dev", "CronJob sweep", "metadata.name", "s" * 53),
    (naming.names_are_allowed, "dev", "Service queue", "metadata.name", "1-queue"),
    (naming.nothing_is_made_twice, "dev", "Service queue", "metadata.name", f"{RELEASE}-gateway"),
    (naming.objects_are_in_the_namespace, "dev", "Service queue", "metadata.namespace", "default"),
    (naming.everything_is_labelled, "dev", "Secret tokens", "metadata.labels", {}),
    (naming.everything_is_labelled, "dev", "Deployment queue", "spec.template.metadata.labels.note", "a b"),
    (naming.common_metadata_is_everywhere, "live", "Secret tokens", "metadata.labels.cost-centre", _GONE),
    (naming.annotations_are_text, "dev", "Secret tokens", "metadata.annotations", {"a": 1}),
    (naming.hooks_are_known, "minimal", "Job migrate", "metadata.annotations.helm\\.sh/hook", "post-install"),
    (naming.selectors_are_stable, "dev", "Deployment queue", "spec.selector.matchLabels.version", "1"),
    (naming.images_are_pinned, "dev", "Deployment queue", f"{_MAIN}.image", "leadline:latest"),
    (naming.images_are_pinned, "live", "Deployment queue", f"{_MAIN}.image", "leadline:1.0"),
    (refs.what_the_environment_names_is_there, "dev", "Secret tokens", "metadata.name", "other"),
    (refs.what_the_environment_names_is_there, "dev", "Secret tokens", "stringData.dialer-token", _GONE),
    (refs.volumes_are_there, "live", "ConfigMap campaigns", "metadata.name", "other"),
    (refs.volumes_are_there, "dev", "Deployment queue", f"{_POD}.volumes", []),
    (refs.names_in_the_environment_stand_once, "dev", "Deployment queue", f"{_MAIN}.env.0.name", "LEADLINE_CRM"),
    (refs.names_in_the_environment_stand_once, "dev", "Deployment queue", f"{_MAIN}.env.0.value", 1),
    (
        refs.hooks_need_nothing_that_comes_later,
        "minimal",
        "ServiceAccount migrate",
        "metadata.annotations.helm\\.sh/hook",
        _GONE,
    ),
    (
        refs.nothing_that_lasts_is_a_hook,
        "dev",
        "Secret tokens",
        "metadata.annotations",
        {"helm.sh/hook": "pre-install"},
    ),
    (doors.services_lead_somewhere, "dev", "Service queue", "spec.selector.app\\.kubernetes\\.io/component", "queues"),
    (doors.services_lead_somewhere, "dev", "Service queue", "spec.ports.0.targetPort", "web"),
    (doors.monitors_find_their_ports, "live", "PodMonitor ", "spec.podMetricsEndpoints.0.port", "web"),
    (doors.monitors_find_their_ports, "live", "PodMonitor ", "spec.selector.matchExpressions.0.values", ["queue"]),
    (doors.monitors_find_their_ports, "live", "PodMonitor ", "metadata.labels.release", _GONE),
    (doors.only_the_gateway_is_let_out, "gateway-api", "HTTPRoute gateway", "spec.rules.0.backendRefs.0.port", 9090),
    (doors.only_the_gateway_is_let_out, "dev", "Service queue", "spec.type", "LoadBalancer"),
    (batch.cron_jobs_are_bounded, "dev", "CronJob sweep", "spec.timeZone", _GONE),
    (batch.cron_jobs_are_bounded, "dev", "CronJob sweep", f"{_JOB}.activeDeadlineSeconds", _GONE),
    (batch.jobs_are_bounded, "dev", "Job migrate", "spec.podFailurePolicy.rules", []),
    (batch.jobs_are_bounded, "dev", "Job migrate", f"{_POD}.restartPolicy", "OnFailure"),
    (batch.only_the_sweep_runs_by_itself, "dev", "CronJob backfill", "spec.suspend", False),
    (batch.jobs_are_named_after_what_they_do, "dev", "Job migrate", "metadata.name", f"{RELEASE}-migrate"),
    (
        privilege.secrets_are_seen_by_their_owners,
        "dev",
        "Deployment gateway",
        f"{_MAIN}.env.0",
        {"name": "LEADLINE_BLAND_API_KEY", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}},
    ),
    (
        privilege.secrets_are_seen_by_their_owners,
        "dev",
        "Deployment gateway",
        f"{_MAIN}.envFrom",
        [{"secretRef": {"name": "x"}}],
    ),
    (
        privilege.init_containers_see_less,
        "dev",
        "Deployment gateway",
        f"{_POD}.initContainers.0.env.0",
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}},
    ),
    (
        privilege.callers_show_their_own_token,
        "dev",
        "CronJob sweep",
        f"{_JOB}.template.spec.containers.0.env.1.valueFrom.secretKeyRef.key",
        "dialer-token",
    ),
    (network.every_pod_is_behind_a_policy, "dev", "NetworkPolicy default-deny", "spec.policyTypes", ["Ingress"]),
    (network.every_pod_is_behind_a_policy, "dev", "NetworkPolicy dialer", "spec.podSelector.matchLabels.a", "b"),
    (network.pods_reach_what_they_need_and_nothing_else, "dev", "NetworkPolicy dialer", "spec.egress.0", {"ports": []}),
    (
        network.pods_reach_what_they_need_and_nothing_else,
        "dev",
        "NetworkPolicy dialer",
        "spec.egress.0",
        {"ports": [{"port": 5432}]},
    ),
    (network.doors_are_open_to_those_who_need_them, "dev", "NetworkPolicy queue", "spec.ingress", []),
    (network.doors_are_open_to_those_who_need_them, "dev", "NetworkPolicy postgres", "spec.ingress.0.from", _GONE),
    (
        network.addresses_in_the_environment_can_be_reached,
        "dev",
        "Service queue",
        "spec.ports.0.port",
        80,
    ),
]


_NAMES = [f"{policy.__name__}-{what}-{path}" for policy, _, what, path, _ in MISTAKES]


@pytest.mark.parametrize(("policy", "base", "what", "path", "value"), MISTAKES, ids=_NAMES)
def test_the_mistake_is_seen(policy: Policy, base: str, what: str, path: str, value: Any) -> None:
    good = scenario(base)
    assert not list(policy(good))
    kind, _, name = what.partition(" ")
    documents = copy.deepcopy(good.documents)
    document = next(found for found in documents if _is(found, kind, name))
    _spoil(document, path, value)
    assert list(policy(Rendered(documents, good.values, good.notes, good.namespace))), label(document)


def _is(document: Document, kind: str, name: str) -> bool:
    rest = str(document["metadata"]["name"]).removeprefix(RELEASE).removeprefix("-")
    return document["kind"] == kind and (rest == name or (bool(name) and (rest.startswith(f"{name}-") or name in rest)))


def _spoil(document: Any, path: str, value: Any) -> None:
    *above, last = [step.replace("\0", ".") for step in path.replace("\\.", "\0").split(".")]
    for step in above:
        document = document[int(step)] if isinstance(document, list) else document.setdefault(step, {})
    if isinstance(document, list):
        document[int(last)] = value
    elif value is _GONE:
        del document[last]
    else:
        document[last] = value


def test_every_policy_is_shown_a_mistake() -> None:
    shown = {policy for policy, *_ in MISTAKES}
    assert not [policy.__name__ for policy in (*ALWAYS, *UNLESS_OVERRIDDEN) if policy not in shown]
