"""Podman's own reading of the chart: the objects as Kubernetes YAML, nothing translated by our harness."""

import base64
import copy
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.image.chart import image_values, rendered
from tests.image.podman import PodmanError, inspected, podman
from tests.image.rendered import Manifest, Rendered
from tests.support.ports import free_port

pytestmark = pytest.mark.timeout(300)
_SECRETS_SINCE = (4, 4)
"""Before, podman keeps a Secret of its YAML in a form that it cannot read again."""


def test_the_security_context_holds_as_kubernetes_yaml(image: str, tmp_path: Path) -> None:
    name = f"played-{os.getpid()}"
    objects = rendered(
        {
            "image": image_values(podman("image", "inspect", "--format", "{{index .RepoTags 0}}", image)),
            "fullnameOverride": name,
            "database": {"url": "postgresql://nobody@nowhere/nothing"},
        }
    )
    with played(objects, name, tmp_path) as container:
        status = podman("exec", container, "cat", "/proc/1/status")
        assert re.search(r"^Uid:(\s+10001){4}$", status, re.MULTILINE)
        assert re.search(r"^CapEff:\s+0{16}$", status, re.MULTILINE)
        assert re.search(r"^CapBnd:\s+0{16}$", status, re.MULTILINE)
        assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
        assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)
        with pytest.raises(PodmanError, match="Read-only file system"):
            podman("exec", container, "touch", "/opt/leadline/written")
        podman("exec", container, "touch", "/tmp/written")
        assert inspected(container)["HostConfig"]["Memory"] == 256 * 2**20
        environment = podman("exec", container, "cat", "/proc/1/environ").split("\0")
        assert f"LEADLINE_SIMULATOR_API_KEY={objects.secret(f'{name}-simulated')['api-key']}" in environment


@contextmanager
def played(objects: Rendered, name: str, folder: Path) -> Iterator[str]:
    """The simulator's Deployment with what it refers to; podman's name of its container."""
    secret = objects.get("Secret", f"{name}-simulated")
    documents = [
        objects.get("ConfigMap", f"{name}-settings"),
        _on_loopback(objects.get("Deployment", f"{name}-simulator")),
    ]
    version = tuple(int(part) for part in podman("version", "--format", "{{.Client.Version}}").split(".")[:2])
    if version >= _SECRETS_SINCE:
        documents.insert(0, secret)
    else:
        _keep_secret(secret)
    file = folder / "played.yaml"
    file.write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    try:
        podman("play", "kube", str(file), seconds=120)
        yield podman("ps", "--noheading", "--filter", f"name=^{name}-simulator", "--format", "{{.Names}}")
    finally:
        podman("play", "kube", "--down", str(file), seconds=120)
        subprocess.run(["podman", "secret", "rm", f"{name}-simulated"], capture_output=True, timeout=60, check=False)


def _on_loopback(deployment: Manifest) -> Manifest:
    """Podman opens every port of a container on all addresses of the machine, unless it is told where."""
    changed = copy.deepcopy(deployment)
    for port in changed["spec"]["template"]["spec"]["containers"][0]["ports"]:
        port |= {"hostIP": "127.0.0.1", "hostPort": free_port()}
    return changed


def _keep_secret(secret: Manifest) -> None:
    data = {key: base64.b64encode(text.encode()).decode() for key, text in secret["stringData"].items()}
    subprocess.run(
        ["podman", "secret", "create", secret["metadata"]["name"], "-"],
        input=json.dumps(data).encode(),
        check=True,
        capture_output=True,
        timeout=60,
    )
