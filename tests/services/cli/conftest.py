"""Fixtures of the command line's tests."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.root import app
from tests.services.cli.fake_queue import TOKEN, FakeQueue, running


@dataclass
class Cli:
    """`leadline ...` in this process."""

    environ: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, typed: str | None = None, **environ: str) -> Result:
        return CliRunner().invoke(app, arguments, input=typed, env={**self.environ, **environ}, prog_name="leadline")

    def fails(self, code: int, *arguments: str, typed: str | None = None, **environ: str) -> str:
        """Run what cannot be done; its one line on stderr."""
        result = self(*arguments, typed=typed, **environ)
        assert result.exit_code == code, result.output
        assert result.stdout == ""
        lines = result.stderr.splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("leadline: ")
        return lines[0].removeprefix("leadline: ")

    def done(self, *arguments: str, typed: str | None = None, **environ: str) -> str:
        """Run what can be done; what it printed on stdout."""
        result = self(*arguments, typed=typed, **environ)
        assert result.exit_code == 0, result.output
        return result.stdout


@pytest.fixture(autouse=True)
def clean_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the developer's settings, folder or zone leaks in."""
    for name in [name for name in os.environ if name.startswith(("LEADLINE_", "REDIAL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def queue() -> Iterator[FakeQueue]:
    with running(FakeQueue()) as queue:
        yield queue


@pytest.fixture
def cli(queue: FakeQueue) -> Cli:
    return Cli({"LEADLINE_QUEUE_URL": queue.url, "LEADLINE_QUEUE_TOKEN": TOKEN})
