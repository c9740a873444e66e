"""The tree that house rules are about: every file that belongs to the project."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE_FOLDERS = ("src", "services", "migrations", "tests", "benchmarks", "deploy")
_IGNORED = {".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "__pycache__", ".leadline"}


def project_files() -> list[Path]:
    """Files that git has or would take; where there is no git, all that do not look generated."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        candidates = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        candidates = [path for path in ROOT.rglob("*") if not _IGNORED & set(path.relative_to(ROOT).parts)]
    return sorted(path for path in candidates if path.is_file())


def python_files() -> list[Path]:
    """Every module, tests and benchmarks included."""
    return [path for path in project_files() if path.suffix == ".py" and relative(path).split("/")[0] in CODE_FOLDERS]


def text_files() -> list[tuple[Path, str]]:
    """Every file that is text, with it; without recorded samples, locks and licence, which are others' words."""
    texts = []
    for path in project_files():
        if relative(path).startswith("tests/samples/") or path.name in {"uv.lock", "LICENSE"}:
            continue
        try:
            texts.append((path, path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return texts


def relative(path: Path) -> str:
    """The path as it is spoken of."""
    return path.relative_to(ROOT).as_posix()
