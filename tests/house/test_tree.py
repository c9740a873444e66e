"""The tree as a whole: no machine's paths, decisions listed, generated files as generated, a wheel that is whole."""

import ast
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from leadline.runtime.settings import Part
from tests.house.generated import differing, process_settings
from tests.house.tree import ROOT, project_files, relative, text_files

_MACHINE_PATH = re.compile(r"(?<![\w.~-])/(wor" + r"k|roo" + r"t|hom" + r"e|Use" + r"rs|far" + r"m)/")
_REVERSE_SOLIDUS_PATH = re.compile(r"[A-Z]:\\\\?Users")
_MAX_FILE_BYTES = 2_000_000


def test_no_path_of_a_machine() -> None:
    found = [
        f"{relative(path)}: {line.strip()[:100]}"
        for path, text in text_files()
        for line in text.splitlines()
        if _MACHINE_PATH.search(line) or _REVERSE_SOLIDUS_PATH.search(line)
    ]
    assert not found


def test_no_large_file() -> None:
    large = [relative(path) for path in project_files() if path.stat().st_size > _MAX_FILE_BYTES]
    assert not large


def test_every_folder_of_code_is_a_package() -> None:
    folders = {path.parent for path in project_files() if path.suffix == ".py"}
    loose = {"migrations/versions", "benchmarks", ".", "docs"}
    missing = [
        relative(folder)
        for folder in folders
        if relative(folder) not in loose | {"src"} and not (folder / "__init__.py").exists()
    ]
    assert not missing


def test_generated_files_are_as_generated() -> None:
    assert not list(differing()), "run `make generated`"


def test_every_setting_is_known_to_every_process() -> None:
    """A part outside of the runtime's registry would be an unknown name to all processes but its own."""
    process_settings()
    elsewhere = [
        part.__name__ for part in Part.parts if not part.__module__.startswith(("leadline.runtime.", "tests."))
    ]
    assert not elsewhere, "define the part in leadline/runtime/settings"


def test_every_setting_says_what_it_means() -> None:
    silent = [
        part.variable(name) for part in Part.parts for name, info in part.model_fields.items() if not info.description
    ]
    assert not silent


def test_every_process_has_settings_and_a_way_in() -> None:
    with_a_way_in = {path.parent.name for path in (ROOT / "services").glob("*/__main__.py")} - {"cli"}
    assert {settings.__module__.split(".")[1] for settings in process_settings()} - {"cli"} == with_a_way_in


def test_decisions_are_numbered_and_titled() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    assert not [path.name for path in decisions if not path.read_text(encoding="utf-8").startswith("# ")]


def test_the_domain_asks_no_clock() -> None:
    clocks = {"now", "utcnow", "today", "monotonic", "perf_counter"}
    asked = [
        f"{relative(path)}:{node.lineno}: {ast.unparse(node)}"
        for path in (ROOT / "src" / "leadline" / "domain").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in clocks
    ]
    assert not asked


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    program = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", program, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return folder / built.stdout.strip().splitlines()[-1]


def test_the_wheel_holds_every_module_and_all_sql(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        relative(path).removeprefix("src/")
        for path in project_files()
        if relative(path).startswith(("src/leadline/", "services/", "migrations/"))
    }
    assert expected <= inside
    assert not [name for name in inside if name.startswith(("tests", "benchmarks", "docs"))]
    assert any(name.endswith(".sql") for name in inside)
    assert any(name.endswith("licenses/LICENSE") for name in inside)


def test_the_wheel_migrates(wheel: Path, empty_database_url: str, tmp_path: Path) -> None:
    """From the wheel alone: the tree is not on the path."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    program = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); import migrations;"
        "from services.migrate.revisions import Revisions;"
        "print(json.dumps([migrations.__file__, Revisions().upgrade(sys.argv[2])]))"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-c", program, str(tmp_path), empty_database_url],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    used, applied = json.loads(run.stdout)
    assert used.startswith(str(tmp_path))
    assert applied


def test_every_dependency_is_decided_on_at_the_version_that_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    locked = {
        package["name"]: package.get("version")
        for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    }
    groups = project["dependency-groups"].values()
    wanted = [*project["project"]["dependencies"], *(requirement for group in groups for requirement in group)]
    names = [re.split(r"[^\w.-]", requirement)[0] for requirement in wanted]
    decided = (ROOT / "docs" / "decisions" / "0003-dependencies.md").read_text(encoding="utf-8")
    assert not [name for name in names if f"| {name} {locked[name]} |" not in decided]
    assert decided.count("\n| ") - decided.count("\n| package |") == len(names)
