"""How the harness reads what a chart renders: it does as a kubelet does, and refuses whatever it does not know."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.image.environment import environment_of
from tests.image.podman import create_arguments
from tests.image.pods import Mount, Pod, Volume, memory_bytes, pod_of, pod_template
from tests.image.rendered import Refused, Rendered

_OBJECTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {LEADLINE_HOST: 0.0.0.0, LEADLINE_LOG_FORMAT: json}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: campaigns}
data: {campaigns.yaml: "campaigns: []"}
---
apiVersion: v1
kind: Secret
metadata: {name: tokens}
data: {gateway-token: Z2F0ZQ==}
stringData: {operator-token: "op"}
---
apiVersion: v1
kind: Service
metadata: {name: ll-gateway}
spec:
  selector: {app: gateway}
  ports: [{name: http, port: 8080, targetPort: http}]
---
apiVersion: v1
kind: Service
metadata: {name: ll-queue}
spec:
  selector: {app: queue}
  ports: [{name: http, port: 8081, targetPort: http}]
"""
_DEPLOYMENT = """
kind: Deployment
metadata: {name: ll-gateway}
spec:
  template:
    metadata: {labels: {app: gateway, more: x}}
    spec:
      serviceAccountName: ll-gateway
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 40
      securityContext:
        {runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001,
         seccompProfile: {type: RuntimeDefault}}
      initContainers:
        - name: wait
          image: leadline:dev
          args: [wait-for-queue]
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      containers:
        - name: gateway
          image: leadline:dev
          args: [gateway]
          envFrom: [{configMapRef: {name: settings}}]
          env:
            - {name: LEADLINE_HOST, value: "::"}
            - {name: LEADLINE_QUEUE_TOKEN, valueFrom: {secretKeyRef: {name: tokens, key: gateway-token}}}
            - {name: LEADLINE_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
          ports: [{name: http, containerPort: 8080}, {name: metrics, containerPort: 9090}]
          startupProbe:
            {httpGet: {path: /healthz, port: metrics}, periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 60}
          lifecycle: {preStop: {sleep: {seconds: 5}}}
          resources: {limits: {memory: 128Mi}, requests: {cpu: 1}}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
          volumeMounts: [{name: tmp, mountPath: /tmp}, {name: campaigns, mountPath: /etc/leadline, readOnly: true}]
      volumes: [{name: tmp, emptyDir: {}}, {name: campaigns, configMap: {name: campaigns}}]
"""


@pytest.fixture
def objects() -> Rendered:
    return Rendered.parse(_OBJECTS)


@pytest.fixture
def deployment() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(_DEPLOYMENT)
    return loaded


@pytest.fixture
def pod(objects: Rendered, deployment: dict[str, Any]) -> Pod:
    return pod_of("ll-gateway-1", pod_template(deployment), objects)


def test_variables_of_a_container_win_over_those_of_a_config_map(pod: Pod) -> None:
    assert pod.container.environment == {
        "LEADLINE_HOST": "::",
        "LEADLINE_LOG_FORMAT": "json",
        "LEADLINE_QUEUE_TOKEN": "gate",
        "LEADLINE_NAME": "ll-gateway-1",
    }
    assert pod.init_containers[0].environment == {}


def test_a_pod_is_known_by_the_services_that_select_it(pod: Pod) -> None:
    assert pod.service_names == ("ll-gateway",)


def test_a_service_that_changes_the_port_is_refused(deployment: dict[str, Any]) -> None:
    objects = Rendered.parse(_OBJECTS.replace("port: 8080,", "port: 80,"))
    with pytest.raises(Refused, match="port 80 leads to http"):
        pod_of("one", pod_template(deployment), objects)


def test_volumes_probes_limits_and_times_are_read(pod: Pod) -> None:
    assert pod.volumes == {"tmp": Volume(None), "campaigns": Volume({"campaigns.yaml": "campaigns: []"})}
    assert pod.container.mounts == (
        Mount("tmp", "/tmp", read_only=False),
        Mount("campaigns", "/etc/leadline", read_only=True),
    )
    assert pod.container.startup is not None
    assert (pod.container.startup.port, pod.container.startup.failures) == (9090, 60)
    assert pod.container.memory_bytes == 128 * 2**20
    assert (pod.grace_seconds, pod.container.pre_stop_seconds) == (40, 5)


def test_podman_is_told_everything_and_no_secret(pod: Pod) -> None:
    volumes = {"tmp": Path("/v/tmp"), "campaigns": Path("/v/campaigns")}
    said = create_arguments(pod, pod.container, volumes, "net")
    text = " ".join(said)
    for wanted in (
        "--user 10001:10001",
        "--group-add 10001",
        "--read-only --read-only-tmpfs=false",
        "--cap-drop all",
        "--security-opt no-new-privileges",
        "--memory 134217728",
        "--network-alias ll-gateway",
        "--publish 127.0.0.1::8080",
        "--env LEADLINE_QUEUE_TOKEN ",
        "/v/campaigns:/etc/leadline:ro",
    ):  # fmt: skip -- one word group after the other
        assert wanted in text
    assert text.endswith("leadline:dev gateway")
    assert "gate " not in text.replace("ll-gate", "")


@pytest.mark.parametrize(
    ("where", "change", "match"),
    [
        ("pod", {"hostNetwork": True}, "hostNetwork"),
        ("pod", {"automountServiceAccountToken": True}, "token of the cluster"),
        ("pod", {"enableServiceLinks": True}, "LEADLINE_GATEWAY_PORT"),
        (
            "pod",
            {"securityContext": {"runAsUser": 0, "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}},
            "user 0",
        ),
        ("pod", {"securityContext": {"runAsUser": 1}}, "seccomp"),
        ("container", {"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}, "NET_ADMIN"),
        ("container", {"securityContext": {"privileged": True}}, "privileged"),
        ("container", {"tty": True}, "tty"),
        ("container", {"env": [{"name": "A", "value": 1}]}, "no string"),
        (
            "container",
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "tokens", "key": "x"}}}]},
            "no key x",
        ),
        (
            "container",
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "x", "key": "x"}}}]},
            "no Secret x",
        ),
        ("container", {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]}, "nodeName"),
        ("container", {"lifecycle": {"preStop": {"exec": {"command": ["x"]}}}}, "lifecycle"),
        ("container", {"startupProbe": {"exec": {"command": ["x"]}}}, "exec"),
    ],
)
def test_what_it_does_not_know_is_refused(
    objects: Rendered, deployment: dict[str, Any], where: str, change: dict[str, Any], match: str
) -> None:
    template = copy.deepcopy(pod_template(deployment))
    changed = template["spec"] if where == "pod" else template["spec"]["containers"][0]
    changed.update(change)
    with pytest.raises(Refused, match=match):
        pod_of("one", template, objects)


def test_references_in_values_are_expanded_as_kubernetes_does(objects: Rendered) -> None:
    container = {
        "env": [
            {"name": "A", "value": "1"},
            {"name": "B", "value": "$(A) $(C) $$(A) $A"},
            {"name": "D", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "x", "optional": True}}},
        ]
    }
    assert environment_of(container, objects, {}) == {"A": "1", "B": "1 $(C) $(A) $A"}


def test_two_objects_of_one_name_are_refused() -> None:
    with pytest.raises(Refused, match="two of ConfigMap settings"):
        Rendered.parse(_OBJECTS + _OBJECTS)


@pytest.mark.parametrize(("quantity", "number"), [("128Mi", 134_217_728), ("1G", 10**9), ("512", 512)])
def test_memory_is_read_as_bytes(quantity: str, number: int) -> None:
    assert memory_bytes(quantity) == number


def test_memory_that_is_no_number_is_refused() -> None:
    with pytest.raises(Refused, match=r"memory 1\.5 Gi"):
        memory_bytes("1.5 Gi")
