"""Launchers start a service's own `main`, with its own arguments and exit code."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services.cli.commands import processes
from tests.services.cli.conftest import Cli
from tests.support.environment import clean_environ


class Launched:
    """Stands where a service's `__main__` would be."""

    def __init__(self) -> None:
        self.module = ""
        self.arguments: tuple[str, ...] | None = None
        """None: its `main` was called without any, and would look for them in `sys.argv`."""

    def load(self, module: str) -> Any:
        self.module = module
        return SimpleNamespace(main=self.main)

    def main(self, arguments: tuple[str, ...] | None = None) -> int:
        self.arguments = arguments
        return 7


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Launched:
    launched = Launched()
    monkeypatch.setattr(processes, "importlib", SimpleNamespace(import_module=launched.load))
    return launched


@pytest.mark.parametrize(
    ("arguments", "package", "passed"),
    [
        (("gateway",), "webhook_gateway", None),
        (("queue",), "queue_service", None),
        (("dialer",), "dialer", None),
        (("crm-sync",), "crm_sync", None),
        (("simulator",), "simulator", None),
        (("sweep",), "sweep", ()),
        (("sweep", "--json", "--dry-run", "--show-pii"), "sweep", ("--dry-run", "--json", "--show-pii")),
        (("migrate",), "migrate", ("upgrade",)),
        (("migrate", "status"), "migrate", ("status",)),
        (("migrate", "wait", "--timeout", "5"), "migrate", ("wait", "--timeout", "5.0")),
    ],
)
def test_a_launcher_runs_the_services_own_main(
    launched: Launched, arguments: tuple[str, ...], package: str, passed: tuple[str, ...] | None
) -> None:
    assert Cli()(*arguments).exit_code == 7
    assert launched.module == f"services.{package}.__main__"
    assert launched.arguments == passed


BACKFILL = ("backfill", "--from", "2026-01-05", "--to", "2026-01-06")
PASSED = BACKFILL[1:]


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a launcher adds to the environment is seen here and does not outlive the test."""
    environ: dict[str, str] = {}
    monkeypatch.setattr(processes, "os", SimpleNamespace(environ=environ))
    return environ


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        (("backfill",), ()),
        (BACKFILL, PASSED),
        ((*BACKFILL, "--no-dry-run"), (*PASSED, "--no-dry-run")),
        (
            (*BACKFILL, "--no-wait", "--dry-run", "--json", "-c", "winback", "--window", "30m"),
            (*PASSED, "--campaign", "winback", "--window", "30m", "--dry-run", "--json", "--no-wait"),
        ),
    ],
)
def test_a_backfill_gets_its_options_and_the_settings_it_was_started_with(
    launched: Launched, environ: dict[str, str], arguments: tuple[str, ...], passed: tuple[str, ...]
) -> None:
    assert Cli({"LEADLINE_QUEUE_TOKEN": "t"})(*arguments).exit_code == 7
    assert launched.module == "services.backfill.__main__"
    assert launched.arguments == passed
    assert environ == {}


def test_a_backfill_of_the_running_up_finds_everything_in_its_folder(
    launched: Launched, environ: dict[str, str]
) -> None:
    written = {
        "queue_url": "http://127.0.0.1:1",
        "operator_token": "operator",
        "backfill_token": "backfill",
        "bland_base_url": "http://127.0.0.1:2",
        "bland_api_key": "key",
        "convoso_base_url": "http://127.0.0.1:3/v1",
        "convoso_auth_token": "token",
        "convoso_requests_per_second": "0",
    }
    Path(".leadline").mkdir()
    Path(".leadline/connection.json").write_text(json.dumps(written))
    assert Cli()(*BACKFILL, LEADLINE_BLAND_API_KEY="mine").exit_code == 7
    assert environ == {
        "LEADLINE_QUEUE_URL": "http://127.0.0.1:1",
        "LEADLINE_QUEUE_TOKEN": "backfill",
        "LEADLINE_BLAND_BASE_URL": "http://127.0.0.1:2",
        "LEADLINE_CONVOSO_BASE_URL": "http://127.0.0.1:3/v1",
        "LEADLINE_CONVOSO_AUTH_TOKEN": "token",
        "LEADLINE_CONVOSO_REQUESTS_PER_SECOND": "0",
    }
    assert launched.arguments == PASSED


def test_a_backfill_with_nobody_to_ask_is_one_line(launched: Launched) -> None:
    assert "no `leadline up` runs in .leadline" in Cli().fails(2, *BACKFILL)
    assert launched.arguments is None


def leadline(*arguments: str, folder: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "services.cli.main", *arguments]
    return subprocess.run(
        command, env=clean_environ(settings), cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


class TestProcess:
    """The same in a process of its own."""

    def test_a_dry_run_of_the_sweep_says_what_is_missing(self, tmp_path: Path) -> None:
        done = leadline("sweep", "--dry-run", folder=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith("sweep: LEADLINE_QUEUE_TOKEN: is not set")

    def test_a_job_without_options_takes_none_of_ours_for_its_own(self, tmp_path: Path) -> None:
        done = leadline("sweep", folder=tmp_path)
        assert (done.returncode, done.stderr.split(":")[1]) == (2, " LEADLINE_QUEUE_TOKEN")
        done = leadline("backfill", folder=tmp_path, LEADLINE_QUEUE_TOKEN="t", LEADLINE_BLAND_API_KEY="k")
        assert done.returncode == 2
        assert done.stderr.startswith("backfill: which days? Say --from DATE and --to DATE, or set LEADLINE_")

    def test_migrate_says_what_is_missing(self, tmp_path: Path) -> None:
        done = leadline("migrate", folder=tmp_path)
        assert done.returncode == 2
        assert "LEADLINE_DATABASE_URL" in done.stderr

    def test_an_operators_command_works(self, cli: Cli, tmp_path: Path) -> None:
        done = leadline("status", "--json", folder=tmp_path, **cli.environ)
        assert done.returncode == 0
        assert json.loads(done.stdout)["calls_today"] == 42

    def test_a_closed_pipe_is_no_traceback(self, cli: Cli, tmp_path: Path) -> None:
        command = f"{sys.executable} -m services.cli.main leads show +15615550123 --json | true"
        environ = clean_environ(cli.environ)
        done = subprocess.run(["bash", "-c", command], env=environ, cwd=tmp_path, capture_output=True, check=False)
        assert done.stderr == b""
