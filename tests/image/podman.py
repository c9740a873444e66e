"""Podman's command line, and what it is told of a container."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.image.pods import Container, Pod

RUN_LABEL = "leadline.image-test"
PIDS_LIMIT = 256
"""What a careful kubelet allows (`podPidsLimit`); a process of ours has some ten threads."""


class PodmanError(Exception):
    """Podman did not do what it was told."""


def podman(*arguments: str, seconds: float = 60) -> str:
    """Standard output of one command. Raises PodmanError with what podman says."""
    done = subprocess.run(
        ["podman", *arguments], capture_output=True, text=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        raise PodmanError(f"podman {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def inspected(container: str) -> dict[str, Any]:
    """Everything podman knows of a container."""
    found = json.loads(podman("inspect", "--type", "container", container))
    return dict(found[0])


def published_port(container: str, port: int) -> int:
    """The port on this machine's loopback that leads to a container's."""
    return int(podman("port", container, str(port)).splitlines()[0].rsplit(":", 1)[1])


def log_of(container: str, lines: int = 200) -> str:
    """The end of what it wrote, both streams together."""
    done = subprocess.run(
        ["podman", "logs", "--tail", str(lines), container],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout


def exit_code_of(container: str, seconds: float) -> int:
    """Its exit code as soon as it has ended. Raises PodmanError if it does not in time."""
    try:
        return int(podman("wait", container, seconds=seconds))
    except subprocess.TimeoutExpired:
        raise PodmanError(f"{container} still runs after {seconds:g} s:\n{log_of(container)}") from None


def create_arguments(pod: Pod, container: Container, volumes: Mapping[str, Path], network: str) -> list[str]:
    """Arguments of `podman create` for one container of a pod, image and its arguments included.

    The environment's values are not among them, only its names: they are given in podman's own environment, as command
    lines are for all to read.
    """
    security = container.security
    said = [
        *("--network", network, "--hostname", pod.name, "--log-driver", "k8s-file"),
        *(word for name in pod.service_names for word in ("--network-alias", name)),
        *(word for port in container.ports.values() for word in ("--publish", f"127.0.0.1::{port}")),
        *(word for name in container.environment for word in ("--env", name)),
        *("--user", f"{security.user}:{security.group}"),
        *(("--group-add", str(pod.fs_group)) if pod.fs_group is not None else ()),
        *(("--read-only", "--read-only-tmpfs=false") if security.read_only_root else ()),
        *(("--cap-drop", "all") if security.drops_all else ()),
        *(() if security.may_escalate else ("--security-opt", "no-new-privileges")),
        *("--pids-limit", str(PIDS_LIMIT)),
    ]
    if container.memory_bytes is not None:
        said += ["--memory", str(container.memory_bytes), "--memory-swap", str(container.memory_bytes)]
    for mount in container.mounts:
        how = ":ro" if mount.read_only else ""
        said += ["--volume", f"{volumes[mount.volume]}:{mount.path}{how}"]
    command = list(container.command)
    if command:
        said += ["--entrypoint", json.dumps(command)]
    return [*said, container.image, *container.args]


def create(name: str, run: str, arguments: list[str], environment: Mapping[str, str]) -> str:
    """Create a container of this run; its name."""
    done = subprocess.run(
        ["podman", "create", "--name", name, "--label", f"{RUN_LABEL}={run}", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise PodmanError(f"podman create {name}: {done.stderr.strip()}")
    return name
