"""Prometheus and promtool for tests: those on PATH, else Debian's package, unpacked into `.tools`.

`python -m tests.observability.tools` fetches the package if neither is there: `apt-get download` and `dpkg-deb -x`, so
without root, and nothing of it is installed or started. Where that cannot be done it says so in one line and goes on:
the tests that need them are then skipped.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.deploy.tools import TOOLS, appear

PROGRAMS = ("prometheus", "promtool")
ABSENT = "neither PATH nor .tools has prometheus and promtool: run `python -m tests.observability.tools`"
_SECONDS = 180
_VERSION = re.compile(r"prometheus_(?:\d+%3a)?(?P<version>[0-9.]+)")


class ToolsError(Exception):
    """The package could not be had; the sentence says why."""


def find(program: str) -> Path | None:
    """Where one of PROGRAMS is; both are of one version."""
    installed = {name: shutil.which(name) for name in PROGRAMS}
    if all(installed.values()):
        return Path(str(installed[program]))
    unpacked = sorted(TOOLS.glob("prometheus-*/usr/bin"))
    return unpacked[-1] / program if unpacked else None


def install() -> None:
    """Download Debian's package and unpack it. Raises ToolsError."""
    missing = [command for command in ("apt-get", "dpkg-deb") if shutil.which(command) is None]
    if missing:
        msg = f"{missing[0]} is not there"
        raise ToolsError(msg)
    with tempfile.TemporaryDirectory() as downloads:
        package = _download(Path(downloads))
        named = _VERSION.match(package.name)
        version = named["version"] if named else "of-debian"
        appear(TOOLS / f"prometheus-{version}", lambda folder: _run(["dpkg-deb", "-x", str(package), str(folder)]))


def _download(folder: Path) -> Path:
    """With the machine's package lists; if they are not there, with lists of our own."""
    # apt downloads as its own user where it may; the folder is ours alone.
    options = ["-o", "APT::Sandbox::User="]
    try:
        _run(["apt-get", *options, "download", "prometheus"], folder)
    except ToolsError:
        lists, cache = folder / "lists", folder / "cache"
        for made in (lists / "partial", cache / "archives" / "partial"):
            made.mkdir(parents=True)
        options += ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}"]
        _run(["apt-get", *options, "update"], folder)
        _run(["apt-get", *options, "download", "prometheus"], folder)
    return next(folder.glob("prometheus_*.deb"))


def _run(command: list[str], folder: Path | None = None) -> None:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        msg = f"`{command[0]}` took more than {_SECONDS} s"
        raise ToolsError(msg) from None
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it says nothing"]
        msg = f"`{command[0]}` failed: {last[0]}"
        raise ToolsError(msg)


def main() -> int:
    """Install if nothing is there. Always 0: tests that need it are skipped without it."""
    if find("prometheus") is not None:
        return 0
    begun = time.monotonic()
    try:
        install()
    except ToolsError as error:
        sys.stderr.write(
            f"Prometheus: tests that need it will be skipped, Debian's package could not be had: {error}\n"
        )
    else:
        sys.stderr.write(f"Prometheus: fetched and unpacked in {time.monotonic() - begun:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
