"""Files for imports: the samples, and rows of a test's own."""

import json
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[2] / "samples" / "legacy"
QUEUES = sorted(SAMPLES.glob("redial-queue_*.json"))
LISTS = ("--blocklist", str(SAMPLES / "blocklist-config.json"), "--bad-numbers", str(SAMPLES / "bad-numbers.json"))
SEEN = 12
"""Different numbers in the samples, one of them none."""


def command(*more: str) -> list[str]:
    """The import of all samples."""
    return ["import-queue", *map(str, QUEUES), *LISTS, *more]


def file_of(path: Path, content: Any) -> str:
    """A file with this JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return str(path)


def quarantined_in(folder: Path) -> list[dict[str, Any]]:
    """The rows of the only quarantine file of a folder."""
    (path,) = folder.glob("quarantine-*.jsonl")
    assert path.stat().st_mode & 0o077 == 0
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
