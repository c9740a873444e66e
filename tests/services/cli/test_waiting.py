"""`leadline wait-for-queue`: says what it waits for, ends as soon as it can, and loads little."""

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from services.cli.commands import waiting
from tests.services.cli.conftest import Cli
from tests.services.cli.fake_queue import FakeQueue
from tests.support.environment import clean_environ
from tests.support.ports import free_port

LEADLINE = (sys.executable, "-m", "services.cli.main")


@contextmanager
def answering(*statuses: int) -> Iterator[tuple[str, list[str]]]:
    """A server that answers so, the last status for ever; its URL and the paths it was asked for."""
    left, asked = list(statuses), list[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(left.pop(0) if len(left) > 1 else left[0])
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(waiting, "TELL_SECONDS", 0.0)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_it_waits_until_the_queue_service_takes_requests() -> None:
    with answering(503, 302, 404, 200) as (url, asked):
        result = Cli()("wait-for-queue", "--timeout", "30", LEADLINE_QUEUE_URL=f"{url}/")
    assert result.exit_code == 0
    assert asked == ["/openapi.json"] * 4
    told = events(result.stderr)
    assert [line["event"] for line in told] == ["queue_service_waited_for"] * 4 + ["queue_service_answered"]
    assert [line.get("problem") for line in told] == [
        None,
        "it answers 503",
        "it answers 302",
        "it answers 404",
        None,
    ]
    assert {line["url"] for line in told} == {url}


def test_a_queue_service_that_is_there_is_not_waited_for() -> None:
    with answering(200) as (url, asked):
        assert Cli()("wait-for-queue", "--timeout", "0", LEADLINE_QUEUE_URL=url).exit_code == 0
    assert len(asked) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "no-such-host.invalid"])
def test_it_gives_up_with_one_line(host: str) -> None:
    url = f"http://{host}:{free_port()}"
    result = Cli()("wait-for-queue", "--timeout", "0.05", LEADLINE_QUEUE_URL=url)
    assert result.exit_code == 1
    (line,) = [line for line in result.stderr.splitlines() if not line.startswith("{")]
    assert line.startswith(f"leadline: no queue-service at {url} within 0.05 s: ")
    assert line.endswith("look at the queue-service's pods and log, and at LEADLINE_QUEUE_URL")
    assert events(result.stderr)[0]["event"] == "queue_service_waited_for"


def test_something_that_speaks_no_http_is_waited_for() -> None:
    with answering(200) as (url, _):
        result = Cli()("wait-for-queue", "--timeout", "0", LEADLINE_QUEUE_URL=url.replace("http://", "https://"))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("leadline: no queue-service at https://")


def test_a_timeout_that_cannot_be_is_one_line() -> None:
    assert "greater than or equal to 0" in Cli().fails(2, "wait-for-queue", "--timeout=-1")


def test_it_needs_no_token_and_refuses_settings_that_it_does_not_know(queue: FakeQueue) -> None:
    assert "LEADLINE_QUEUE_ULR" in Cli().fails(2, "wait-for-queue", LEADLINE_QUEUE_ULR=queue.url)


def test_a_pod_that_is_deleted_does_not_wait_to_the_end(tmp_path: Path) -> None:
    settings = {"LEADLINE_QUEUE_URL": f"http://127.0.0.1:{free_port()}"}
    command = [*LEADLINE, "wait-for-queue"]
    with subprocess.Popen(command, env=clean_environ(settings), cwd=tmp_path, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert b"queue_service_waited_for" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM


def test_it_loads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    program = (
        "import sys; sys.argv = ['leadline', 'wait-for-queue', '--timeout', '0']\n"
        "from services.cli.main import main\n"
        "try: main()\n"
        "finally: print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    with answering(200) as (url, _):
        environ = clean_environ({"LEADLINE_QUEUE_URL": url})
        done = subprocess.run(
            [sys.executable, "-c", program], env=environ, cwd=tmp_path, capture_output=True, text=True, check=True
        )
    assert not set(done.stdout.split()) & {"aiohttp", "asyncpg", "alembic", "sqlalchemy", "phonenumbers", "yaml"}
