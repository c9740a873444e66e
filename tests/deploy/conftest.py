"""`make chart` installs what these tests need; a plain run of pytest leaves this folder out (norecursedirs)."""

from importlib.util import find_spec

import pytest

from tests.deploy.tools import HELMS, checkov_folder

if any(find_spec(name) is None for name in ("helm_python", "jsonschema_rs", "kubernetes_validate")):
    raise pytest.UsageError("the dependency group `deploy` is not installed: run `make chart`")
if not all(folder.exists() for folder in (*(helm.folder for helm in HELMS), checkov_folder())):
    raise pytest.UsageError("tools are missing from .tools: run `make chart`, or `python -m tests.deploy.tools`")
