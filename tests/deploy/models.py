"""The models of npm: enumerations, required fields and unknown fields of every object, custom ones too."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable

import pytest

from tests.deploy.documents import Document
from tests.deploy.tools import models_folder

_SECONDS = 100


def problems(documents: Iterable[tuple[str, Document]]) -> list[str]:
    """A line for each problem of labelled objects. Skips the test where Node.js is not; CI has it."""
    if shutil.which("node") is None or not models_folder().exists():
        assert not os.environ.get("CI"), "Node.js or the models are not there: run `python -m tests.deploy.tools`"
        pytest.skip("Node.js or its models are not there: objects are not compared with them")
    done = subprocess.run(
        ["node", str(models_folder() / "check.js")],
        input=json.dumps([{"label": name, "object": document} for name, document in documents]),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if line]
