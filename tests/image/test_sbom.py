"""How a bill of materials is put together from uv.lock and what an image says of itself."""

from typing import Any

import pytest

from deploy.image.sbom import DiffersFromLock, merged

_LOCKED: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "metadata": {"component": {"type": "library", "bom-ref": "leadline-1", "name": "leadline", "version": "0.1.0"}},
    "components": [
        {"type": "library", "bom-ref": "typing-extensions-2", "name": "typing-extensions", "version": "4.16.0"},
        {"type": "library", "bom-ref": "colorama-3", "name": "colorama", "version": "0.4.6"},
    ],
    "dependencies": [
        {"ref": "leadline-1", "dependsOn": ["typing-extensions-2", "colorama-3"]},
        {"ref": "typing-extensions-2"},
        {"ref": "colorama-3"},
    ],
}


def found(*packages: tuple[str, str, str | None]) -> dict[str, Any]:
    return {
        "python": "3.13.5",
        "system": {"ID": "debian", "VERSION_ID": "13"},
        "packages": packages,
        "debian": ["libstdc++6 1:14.2.0-19+deb13u1~x amd64"],
    }


def test_only_what_is_in_the_image_is_named() -> None:
    bill = merged(_LOCKED, found(("leadline", "0.1.0", None), ("typing_extensions", "4.16.0", "PSF-2.0")), "it:1")
    assert [component["name"] for component in bill["components"]] == [
        "leadline",
        "typing-extensions",
        "python",
        "debian",
        "libstdc++6",
    ]  # fmt: skip -- one line of names
    assert bill["components"][1]["licenses"] == [{"expression": "PSF-2.0"}]
    assert bill["metadata"]["component"]["name"] == "it:1"
    assert bill["dependencies"] == [
        {"ref": "image", "dependsOn": ["leadline-1"]},
        {"ref": "leadline-1", "dependsOn": ["typing-extensions-2"]},
        {"ref": "typing-extensions-2", "dependsOn": []},
    ]


def test_a_debian_package_is_named_by_its_escaped_url() -> None:
    bill = merged(_LOCKED, found(), "it:1")
    url = "pkg:deb/debian/libstdc%2B%2B6@1%3A14.2.0-19%2Bdeb13u1%7Ex?arch=amd64&distro=debian-13"
    assert bill["components"][-1]["purl"] == url


@pytest.mark.parametrize(("name", "version"), [("typing-extensions", "4.15.0"), ("sneaked-in", "1")])
def test_what_the_lock_does_not_name_is_an_error(name: str, version: str) -> None:
    with pytest.raises(DiffersFromLock, match=name):
        merged(_LOCKED, found((name, version, None)), "it:1")
