"""`helm package` holds the chart and nothing of how it is tested or made."""

import tarfile
from pathlib import Path

import pytest

from tests.deploy.chart import CHART, RELEASE, values_files
from tests.deploy.helm_cli import run
from tests.deploy.tools import HELMS, Binaries

_BESIDE_TEMPLATES = {"Chart.yaml", "README.md", "UPGRADING.md", "values.schema.json", "values.yaml"}


@pytest.mark.parametrize("helm", HELMS, ids=lambda helm: f"helm-{helm.helm}")
def test_package(helm: Binaries, tmp_path: Path) -> None:
    done = run(helm, "package", str(CHART), "--destination", str(tmp_path))
    assert done.returncode == 0, done.stderr
    archive = next(tmp_path.glob("leadline-*.tgz"))
    with tarfile.open(archive) as packed:
        inside = {name.removeprefix("leadline/") for name in packed.getnames()}
    wanted = {
        path.relative_to(CHART).as_posix()
        for folder in ("templates", "files")
        for path in (CHART / folder).rglob("*")
        if path.is_file()
    }
    assert inside == wanted | _BESIDE_TEMPLATES

    rendered = run(helm, "template", RELEASE, str(archive), "--values", str(values_files()["minimal"]))
    assert rendered.returncode == 0, rendered.stderr
