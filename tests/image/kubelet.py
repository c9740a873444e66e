"""A small kubelet: pods of a rendered chart, run by podman on a network of their own."""

import os
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.image.podman import (
    RUN_LABEL,
    PodmanError,
    create,
    create_arguments,
    exit_code_of,
    inspected,
    log_of,
    podman,
    published_port,
)
from tests.image.pods import Container, Pod, Probe, Volume

READY_SECONDS = 120.0
_OWN_EXIT_SECONDS = 5.0
"""What podman itself may need to say that a container has ended."""


class PodFailed(AssertionError):
    """A container ended, or a probe failed; the message holds its last words."""


@dataclass(frozen=True)
class RunningPod:
    """A pod whose probes have passed."""

    pod: Pod
    container: str
    """Podman's name of the main container."""

    def port(self, name: str) -> int:
        """The port on this machine that leads to one of its ports."""
        return published_port(self.container, self.pod.container.ports[name])


class Kubelet:
    """Runs pods. Use `kubelets()`, which clears away."""

    def __init__(self, run: str, network: str, folder: Path) -> None:
        """`run` marks all containers of this run; files of volumes lie in `folder`."""
        self.run = run
        self.network = network
        self._folder = folder

    def start(self, pod: Pod) -> RunningPod:
        """Init containers in order, then the container, until its probes pass. Raises PodFailed, PodmanError."""
        running = RunningPod(pod, self._begin(pod))
        self._await_probes(running)
        return running

    def run_to_end(self, pod: Pod, seconds: float = 120) -> str:
        """A Job's pod: what it wrote, once it has ended with exit code 0. Raises PodFailed, PodmanError."""
        container = self._begin(pod)
        return self._ended_well(container, seconds)

    def stop(self, running: RunningPod) -> float:
        """As a pod is deleted: preStop, SIGTERM, and SIGKILL after the grace period. Seconds until it had ended.

        Raises PodFailed unless it ended by itself with exit code 0.
        """
        main = running.pod.container
        began_at = time.monotonic()
        time.sleep(main.pre_stop_seconds)
        grace_seconds = running.pod.grace_seconds - main.pre_stop_seconds
        podman("stop", "--time", str(grace_seconds), running.container, seconds=grace_seconds + 30)
        took_seconds = time.monotonic() - began_at
        code = inspected(running.container)["State"]["ExitCode"]
        if code != 0:
            raise PodFailed(f"{running.pod.name}: exit code {code} after SIGTERM:\n{log_of(running.container)}")
        return took_seconds

    def probe(self, running: RunningPod, probe: Probe) -> str | None:
        """What is wrong; None if the probe passes."""
        url = f"http://127.0.0.1:{published_port(running.container, probe.port)}{probe.path}"
        try:
            with urllib.request.urlopen(url, timeout=probe.timeout_seconds) as response:
                return None if 200 <= response.status < 400 else f"{probe.path} answers {response.status}"
        except urllib.error.HTTPError as error:
            return f"{probe.path} answers {error.code}: {error.read(500).decode(errors='replace')}"
        except OSError as error:
            return f"{probe.path}: {error}"

    def _begin(self, pod: Pod) -> str:
        volumes = {name: self._make_volume(pod, name, volume) for name, volume in pod.volumes.items()}
        for container in pod.init_containers:
            name = self._create(pod, container, volumes)
            podman("start", name)
            self._ended_well(name, READY_SECONDS)
        name = self._create(pod, pod.container, volumes)
        podman("start", name)
        return name

    def _create(self, pod: Pod, container: Container, volumes: dict[str, Path]) -> str:
        arguments = create_arguments(pod, container, volumes, self.network)
        return create(f"{pod.name}-{container.name}-{self.run}", self.run, arguments, container.environment)

    def _make_volume(self, pod: Pod, name: str, volume: Volume) -> Path:
        """As a kubelet makes it: an empty folder that everybody may write to, files for the group alone to read."""
        folder = self._folder / pod.name / name
        folder.mkdir(parents=True)
        for file, text in (volume.files or {}).items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            path.chmod(volume.mode)
        folder.chmod(0o2777 if volume.files is None else 0o2755)
        if pod.fs_group is not None and os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, -1, pod.fs_group)
        return folder

    def _ended_well(self, container: str, seconds: float) -> str:
        code = exit_code_of(container, seconds + _OWN_EXIT_SECONDS)
        if code != 0:
            raise PodFailed(f"{container}: exit code {code}:\n{log_of(container)}")
        return log_of(container)

    def _await_probes(self, running: RunningPod) -> None:
        main = running.pod.container
        if main.startup is not None:
            self._await(running, main.startup, main.startup.period_seconds * main.startup.failures, "startup")
        if main.readiness is not None:
            self._await(running, main.readiness, READY_SECONDS, "readiness")
        if main.liveness is not None and (problem := self.probe(running, main.liveness)):
            raise PodFailed(f"{running.pod.name}: liveness: {problem}")

    def _await(self, running: RunningPod, probe: Probe, seconds: float, what: str) -> None:
        ends_at = time.monotonic() + seconds
        while problem := self.probe(running, probe):
            state = inspected(running.container)["State"]
            if state["Status"] != "running" or time.monotonic() >= ends_at:
                raise PodFailed(
                    f"{running.pod.name}: {state['Status']}, {what}: {problem}\n{log_of(running.container)}"
                )
            time.sleep(min(0.3, probe.period_seconds))


@contextmanager
def kubelets() -> Iterator[Kubelet]:
    """A kubelet with a network of its own; takes away what a killed run left behind, and its own at the end."""
    _clear_dead_runs()
    run = str(os.getpid())
    network = f"leadline-test-{run}"
    folder = Path(tempfile.mkdtemp(prefix="leadline-image-test-"))
    folder.chmod(0o755)
    podman("network", "create", "--label", f"{RUN_LABEL}={run}", network)
    try:
        yield Kubelet(run, network, folder)
    finally:
        _clear(run)
        shutil.rmtree(folder, ignore_errors=True)


def _clear_dead_runs() -> None:
    listed = podman("network", "ls", "--filter", f"label={RUN_LABEL}", "--format", "{{.Name}}")
    for network in listed.splitlines():
        owner = network.rsplit("-", 1)[1]
        if not Path(f"/proc/{owner}").exists():
            _clear(owner)


def _clear(run: str) -> None:
    containers = podman("ps", "--all", "--quiet", "--filter", f"label={RUN_LABEL}={run}").split()
    if containers:
        podman("rm", "--force", "--time", "0", "--volumes", *containers)
    try:
        podman("network", "rm", "--force", f"leadline-test-{run}")
    except PodmanError as error:
        if "not found" not in str(error):
            raise
