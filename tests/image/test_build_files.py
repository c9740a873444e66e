"""The files that the image is built from, as far as they can be judged without building."""

import re
import sys
import tomllib
from pathlib import Path

from deploy.image.sbom import locked
from tests.house.tree import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_build_uses_the_uv_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    pinned = re.search(r"^UV_VERSION := (\S+)$", makefile, re.MULTILINE)
    assert pinned is not None
    assert f"\nARG UV_VERSION={pinned[1]}\n" in DOCKERFILE


def test_every_stage_stands_on_the_base_that_was_asked_for() -> None:
    froms = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert froms == ["${BASE_IMAGE}", "dependencies", "${BASE_IMAGE}"]


def test_a_build_is_given_nothing_but_what_it_copies() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*", "everything is kept out, but for what follows"
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert let_in == copied
    assert all((ROOT / name).exists() for name in let_in)


def test_the_image_runs_as_a_number_and_has_no_command() -> None:
    last_stage = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    assert "\nUSER 10001:10001\n" in last_stage
    assert '\nENTRYPOINT ["leadline"]\n' in last_stage
    assert not re.search(r"^(CMD|EXPOSE|VOLUME|HEALTHCHECK|ADD)\b", DOCKERFILE, re.MULTILINE)


def test_nothing_that_only_developers_need_is_in_the_image() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    developers = {re.split(r"[<>=\[]", requirement)[0] for group in groups.values() for requirement in group}
    components = locked(str(Path(sys.executable).parent / "uv"))["components"]
    assert not developers & {component["name"] for component in components}
    assert "\n    && uv export --quiet --frozen --no-default-groups --no-emit-project --prune embedded" in DOCKERFILE
