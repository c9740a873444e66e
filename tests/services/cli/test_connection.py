"""Whom the command line asks: settings, else the `leadline up` that runs here."""

import json
from pathlib import Path

import pytest

from services.cli import talking
from tests.services.cli.conftest import Cli
from tests.services.cli.fake_queue import TOKEN, FakeQueue
from tests.support.ports import free_port


def connection_file(folder: Path, **content: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "connection.json"
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    return path


def test_without_settings_the_running_up_is_asked(queue: FakeQueue) -> None:
    connection_file(Path(".leadline"), queue_url=queue.url, operator_token=TOKEN, gateway_url="http://127.0.0.1:8080")
    assert "42 calls" in Cli().done("status")


def test_the_data_folder_may_be_another(queue: FakeQueue, tmp_path: Path) -> None:
    connection_file(tmp_path / "elsewhere", queue_url=queue.url, operator_token=TOKEN)
    assert "42 calls" in Cli().done("status", LEADLINE_DATA_DIR=str(tmp_path / "elsewhere"))


def test_settings_win_over_the_running_up(cli: Cli) -> None:
    connection_file(Path(".leadline"), queue_url="http://127.0.0.1:9", operator_token="old")
    assert "42 calls" in cli.done("status")


def test_the_token_may_stand_in_a_file(queue: FakeQueue, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    environ = {"LEADLINE_QUEUE_URL": queue.url, "LEADLINE_QUEUE_TOKEN_FILE": str(tmp_path / "token")}
    assert "42 calls" in Cli(environ).done("status")


def test_nothing_to_ask_is_one_line_that_says_what_to_do() -> None:
    line = Cli().fails(2, "status")
    assert "no `leadline up` runs in .leadline" in line
    assert "LEADLINE_QUEUE_URL" in line


def test_a_missing_token_is_one_line() -> None:
    line = Cli({"LEADLINE_QUEUE_URL": "http://127.0.0.1:8081"}).fails(2, "status")
    assert line.startswith("LEADLINE_QUEUE_TOKEN: is not set")


def test_a_misspelt_setting_is_one_line(cli: Cli) -> None:
    line = cli.fails(2, "status", LEADLINE_QUEUE_TOCKEN="x")
    assert line == "LEADLINE_QUEUE_TOCKEN: no such setting; did you mean LEADLINE_QUEUE_TOKEN?"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"queue_url": "http://127.0.0.1:1"}', "\x00"])
def test_a_broken_connection_file_is_one_line(content: str) -> None:
    connection_file(Path(".leadline")).write_text(content)
    assert "is no connection of `leadline up`" in Cli().fails(2, "status")


def test_a_connection_file_that_cannot_be_read_is_one_line() -> None:
    Path(".leadline/connection.json").mkdir(parents=True)
    assert "cannot read .leadline/connection.json" in Cli().fails(2, "status")


class TestNobodyAnswers:
    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(talking, "PATIENCE_SECONDS", 0.1)

    def test_a_queue_service_that_is_not_there_is_one_line(self) -> None:
        url = f"http://127.0.0.1:{free_port()}"
        line = Cli({"LEADLINE_QUEUE_URL": url, "LEADLINE_QUEUE_TOKEN": "x"}).fails(1, "status")
        assert url in line
        assert "does the queue-service run?" in line

    def test_an_up_that_is_gone_is_one_line(self) -> None:
        connection_file(Path(".leadline"), queue_url=f"http://127.0.0.1:{free_port()}", operator_token="x")
        assert "does `leadline up` still run?" in Cli().fails(1, "status")

    def test_a_queue_service_without_its_database_is_one_line(self, cli: Cli, queue: FakeQueue) -> None:
        queue.down = True
        assert "the queue-service answered 503" in cli.fails(1, "status")


def test_a_wrong_token_is_one_line_without_the_token(cli: Cli) -> None:
    line = cli.fails(1, "status", LEADLINE_QUEUE_TOKEN="s3cret-and-wrong")
    assert "refuses our token" in line
    assert "s3cret" not in line
