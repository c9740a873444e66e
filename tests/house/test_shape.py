"""Modules and functions stay short; what is switched off says why."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import python_files, relative, text_files

LONGEST_MODULE = 400
LONGEST_FUNCTION = 70
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

_SWITCHED_OFF = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:|fmt:\s*(off|skip)|ruff:)", re.IGNORECASE)
_WITH_REASON = re.compile(
    r"#\s*(noqa: [A-Z]+\d+(, [A-Z]+\d+)*|type: ignore\[[a-z-]+(, [a-z-]+)*\]|fmt: (off|skip))(  | -- |  # )\w+"
)
_UNFINISHED = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "NotImplemented" + "Error")))


def test_modules_are_short() -> None:
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert not {name: length for name, length in lengths.items() if length > LONGEST_MODULE}


def test_functions_are_short() -> None:
    assert not [
        f"{relative(path)}: {name} has {length} lines"
        for path in python_files()
        for name, length in functions(path.read_text(encoding="utf-8"))
        if length > LONGEST_FUNCTION
    ]


def functions(text: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _FUNCTIONS):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_every_switched_off_check_has_its_reason() -> None:
    bare = [
        f"{relative(path)}:{number}: {line.strip()}"
        for path, number, line in code_lines()
        if _SWITCHED_OFF.search(line) and not _WITH_REASON.search(line)
    ]
    assert not bare, "say why: `# noqa: S603 -- why`, `# type: ignore[misc]  # why`, `# fmt: skip -- why`"


def test_every_skip_has_its_reason() -> None:
    bare = [
        f"{relative(path)}:{node.lineno}"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _skips_silently(node, node.func.attr)
    ]
    assert not bare, "pytest.skip and its kin say why"


def _skips_silently(call: ast.Call, name: str) -> bool:
    if name not in {"skip", "skipif", "xfail", "importorskip"}:
        return False
    return not (any(keyword.arg == "reason" for keyword in call.keywords) or (name == "skip" and call.args))


def test_nothing_is_left_unfinished() -> None:
    found = [
        f"{relative(path)}:{number}: {line.strip()}" for path, number, line in code_lines() if _UNFINISHED.search(line)
    ]
    assert not found


def test_every_ignore_of_a_tool_has_its_reason() -> None:
    """In pyproject.toml each ignored rule stands on a line of its own, with a comment."""
    text = next(text for path, text in text_files() if relative(path) == "pyproject.toml")
    ruff = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.isort]")]
    ignores = ruff[ruff.index("\nignore = [") :]
    bare = [line for line in ignores.splitlines() if re.match(r'\s+"[A-Z]+\d*",', line) and "#" not in line]
    assert not bare
    assert len(re.findall(r'^\s+"[A-Z]+\d*",\s+# \S+', ignores, re.MULTILINE)) > 10


def code_lines() -> Iterator[tuple[Path, int, str]]:
    for path in python_files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            yield path, number, line
