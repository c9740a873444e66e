"""Helm as people run it, one binary for each version."""

import subprocess
from pathlib import Path

from tests.deploy.chart import CHART, NAMESPACE
from tests.deploy.tools import Binaries

_SECONDS = 60


def run(helm: Binaries, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """One command of Helm, whatever its exit code."""
    return subprocess.run(
        [helm.folder / "helm", *arguments], cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
    )


def template(
    helm: Binaries, release: str, values: Path, kubernetes: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """`helm template` of the chart for one version of Kubernetes."""
    return run(
        helm,
        *("template", release, str(CHART), "--namespace", NAMESPACE, "--values", str(values)),
        *("--kube-version", kubernetes, *arguments),
    )


def lint(helm: Binaries, values: Path, kubernetes: str) -> subprocess.CompletedProcess[str]:
    """`helm lint --strict`: warnings fail too."""
    return run(helm, "lint", str(CHART), "--strict", "--values", str(values), "--kube-version", kubernetes)
