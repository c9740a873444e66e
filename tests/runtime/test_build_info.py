"""Which build a process runs."""

import platform
import re
from importlib.metadata import version

import pytest
from prometheus_client import REGISTRY

from leadline.runtime.build_info import REVISION_VARIABLE, show_build
from tests.house.tree import ROOT


@pytest.mark.parametrize(
    ("environ", "revision"),
    [({}, "unknown"), ({REVISION_VARIABLE: ""}, "unknown"), ({REVISION_VARIABLE: "4d8"}, "4d8")],
)
def test_the_labels_tell_the_build(environ: dict[str, str], revision: str) -> None:
    show_build(environ)
    (family,) = (family for family in REGISTRY.collect() if family.name == "leadline_build_info")
    (sample,) = family.samples
    assert sample.value == 1
    assert sample.labels == {
        "version": version("leadline"),
        "revision": revision,
        "python": platform.python_version(),
    }


def test_the_image_tells_its_revision() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    last_stage = dockerfile[dockerfile.rindex("\nFROM ") :]
    assert re.search(rf"^ENV {REVISION_VARIABLE}=\$\{{REVISION\}}$", last_stage, re.MULTILINE)
