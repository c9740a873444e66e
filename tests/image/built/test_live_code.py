"""What `skaffold dev` does when a file was changed, with the commands it gives to kubectl: `tar` in, then SIGHUP."""

import io
import subprocess
import tarfile
import time
from typing import Any

import pytest
import yaml

from tests.house.tree import ROOT
from tests.image.chart import DEV_VALUES, image_values, rendered
from tests.image.kubelet import kubelets
from tests.image.podman import inspected, log_of, podman
from tests.image.pods import pod_of, pod_template

pytestmark = pytest.mark.timeout(300)
_CHANGED = "services/simulator/__main__.py"
_SIGN = "this is the changed code"


def test_a_changed_file_is_seen_by_the_process_in_the_same_container(image: str) -> None:
    objects = rendered(_values(image), DEV_VALUES, ROOT / "deploy" / "skaffold" / "values.yaml")
    with kubelets() as kubelet:
        deployment = objects.by_component("Deployment", "simulator")
        running = kubelet.start(pod_of("simulator", pod_template(deployment), objects))
        container = running.container
        assert _SIGN not in log_of(container)
        before = inspected(container)["State"]

        _copy_in(container, _CHANGED, f"print({_SIGN!r})\n" + (ROOT / _CHANGED).read_text(encoding="utf-8"))
        podman("exec", container, *_reload_command())

        ends_at = time.monotonic() + 60
        while log_of(container).count("listening_started") < 4:
            assert time.monotonic() < ends_at, log_of(container)
            time.sleep(0.2)
        assert _SIGN in log_of(container)
        after = inspected(container)["State"]
        assert (after["Status"], after["Pid"], after["StartedAt"]) == ("running", before["Pid"], before["StartedAt"])
        assert kubelet.stop(running) < running.pod.grace_seconds


def _reload_command() -> Any:
    skaffold = yaml.safe_load((ROOT / "skaffold.yaml").read_text(encoding="utf-8"))
    return skaffold["build"]["artifacts"][0]["sync"]["hooks"]["after"][0]["container"]["command"]


def _values(image: str) -> dict[str, object]:
    """As skaffold.yaml's templates fill them in, with a database that nobody asks."""
    live = yaml.safe_load((ROOT / "deploy" / "skaffold" / "values.yaml").read_text(encoding="utf-8"))
    inits = [init | {"image": image} for init in live["defaults"]["initContainers"]]
    return {
        "image": image_values(image),
        "defaults": {"initContainers": inits},
        "database": {"mode": "external", "url": "postgresql://nobody@nowhere/nothing"},
    }


def _copy_in(container: str, path: str, text: str) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(f"/live/{path}")
        entry.size = len(text.encode())
        tar.addfile(entry, io.BytesIO(text.encode()))
    command = ["podman", "exec", "-i", container, "tar", "xmf", "-", "-C", "/", "--no-same-owner"]
    subprocess.run(command, input=archive.getvalue(), check=True, capture_output=True, timeout=60)
