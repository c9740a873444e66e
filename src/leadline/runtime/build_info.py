"""Which build a process runs, as a metric: `leadline_build_info` is 1, and its labels tell."""

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from prometheus_client import Gauge

REVISION_VARIABLE: Final = "IMAGE_REVISION"
"""Set by the Dockerfile. No setting: nothing is decided by it, and a process outside of an image has none."""
UNKNOWN: Final = "unknown"

BUILD_INFO: Final = Gauge(
    "leadline_build_info",
    "Always 1. The labels tell Leadline's version, the revision that its image was built from, and Python's version.",
    ("version", "revision", "python"),
)


def show_build(environ: Mapping[str, str] = os.environ) -> None:
    """Show the build of this process."""
    revision = environ.get(REVISION_VARIABLE) or UNKNOWN
    BUILD_INFO.clear()
    BUILD_INFO.labels(version("leadline"), revision, platform.python_version()).set(1)
