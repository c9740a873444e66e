"""The chart with the values of these tests, as Helm renders it."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.deploy.tools import HELM_4, install_binaries
from tests.house.tree import ROOT
from tests.image.rendered import Rendered

CHART = ROOT / "deploy" / "helm" / "leadline"
DEV_VALUES = CHART / "ci" / "dev-values.yaml"
RELEASE = "leadline"
_SECONDS = 60


def image_values(image: str) -> dict[str, Any]:
    """The image under test, which no registry has."""
    repository, _, tag = image.rpartition(":")
    return {"registry": "", "repository": repository, "tag": tag, "pullPolicy": "Never"}


def rendered(values: Mapping[str, Any], *files: Path) -> Rendered:
    """All objects of the release, hooks and tests included. `values` win over files, later files over earlier ones."""
    if not HELM_4.folder.exists():
        install_binaries(HELM_4)
    named = [word for file in (*files, Path("-")) for word in ("--values", str(file))]
    done = subprocess.run(
        [str(HELM_4.folder / "helm"), "template", RELEASE, str(CHART), *named],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return Rendered.parse(done.stdout)
