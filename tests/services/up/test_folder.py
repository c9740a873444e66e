"""The data folder: one owner at a time, secrets for the owner's eyes alone, a memory that is not guessed at."""

import json
import os
import stat
from pathlib import Path

import pytest

from services.cli.up.errors import UpRefused
from services.cli.up.folder import DataFolder, State


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    with folder.locked():
        pass
    return folder


def test_a_secret_is_made_once_and_kept(folder: DataFolder) -> None:
    value, is_new = folder.key("gateway-api-key")
    assert is_new
    assert len(value) >= 24
    assert folder.key("gateway-api-key") == (value, False)
    assert mode(folder.key_path("gateway-api-key")) == 0o600
    assert mode(folder.key_path("gateway-api-key").parent) == 0o700


def test_two_runs_never_share_a_folder(folder: DataFolder) -> None:
    refused = pytest.raises(UpRefused, match=rf"process {os.getpid()}.*--data-dir")
    with folder.locked(), refused, DataFolder(folder.path).locked():
        pass
    with folder.locked():
        pass


def test_the_state_outlives_a_run(folder: DataFolder) -> None:
    assert folder.read_state() == State()
    folder.write_state(State(simulated=True, speed=120.0, demo_leads=500))
    assert DataFolder(folder.path).read_state() == State(simulated=True, speed=120.0, demo_leads=500)
    (folder.path / "state.json").write_text("{", encoding="utf-8")
    with pytest.raises(UpRefused, match=r"state\.json cannot be read"):
        folder.read_state()


def test_the_connection_is_there_only_while_it_runs(folder: DataFolder) -> None:
    path = folder.path / "connection.json"
    path.write_text("left by a run that was killed", encoding="utf-8")
    with folder.locked():
        assert not path.exists()
        folder.write_connection({"queue_url": "http://127.0.0.1:1"})
        assert json.loads(path.read_text(encoding="utf-8")) == {"queue_url": "http://127.0.0.1:1"}
        assert mode(path) == 0o600
    assert not path.exists()


def test_prometheus_finds_what_runs_while_it_runs(folder: DataFolder) -> None:
    with folder.locked():
        folder.write_targets({"queue": "127.0.0.1:9090"})
        (group,) = json.loads(folder.targets.read_text(encoding="utf-8"))
        assert group["targets"] == ["127.0.0.1:9090"]
        assert group["labels"] == {"namespace": "leadline", "pod": "queue", "app_kubernetes_io_component": "queue"}
        assert mode(folder.targets) == 0o644
    assert not folder.targets.exists()


def test_a_folder_that_cannot_be_had_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UpRefused, match="cannot use the data folder"), DataFolder(tmp_path / "file" / "data").locked():
        pass


def test_a_long_log_is_moved_aside(folder: DataFolder) -> None:
    path = folder.log_path("dialer")
    with path.open("wb") as log:
        log.truncate(21 * 1024 * 1024)
    assert folder.log_path("dialer") == path
    assert not path.exists()
    assert path.with_suffix(".log.1").exists()
