"""The helper that starts and kills processes under test does so itself."""

from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.processes import ProcessDied, ServiceProcess


def a_server(folder: Path, port: int) -> ServiceProcess:
    return ServiceProcess("http.server", {}, folder, arguments=[str(port), "--bind", "127.0.0.1"], label="web")


async def test_a_process_is_started_paused_killed_and_read(tmp_path: Path) -> None:
    port = free_port()
    async with a_server(tmp_path, port) as server:
        await server.wait_ready(f"http://127.0.0.1:{port}/")
        server.pause()
        assert Path(f"/proc/{server.process.pid}/stat").read_text().split()[2] == "T"
        server.resume()
        await server.kill()
        assert not server.running
        server.start()
        await server.wait_ready(f"http://127.0.0.1:{port}/")
        assert await server.terminate() == -15
    assert "GET / HTTP/1.1" in server.log_text()


async def test_a_process_that_dies_tells_its_last_words(tmp_path: Path) -> None:
    async with ServiceProcess("services.migrate", {"LEADLINE_NOPE": "1"}, tmp_path) as process:
        with pytest.raises(ProcessDied, match="LEADLINE_NOPE: no such setting"):
            await process.wait_ready()
        assert await process.wait() == 2
