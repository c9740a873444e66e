"""`python -m services.simulator` as a process of its own."""

from pathlib import Path

import aiohttp

from tests.support.ports import free_port
from tests.support.processes import ServiceProcess


async def test_it_serves_on_its_port_and_ends_when_told_to(tmp_path: Path) -> None:
    port = free_port()
    settings = {"LEADLINE_SIMULATOR_PORT": str(port), "LEADLINE_SIMULATOR_API_KEY": "k", "LEADLINE_SIMULATOR_SEED": "3"}
    async with ServiceProcess("services.simulator", settings, tmp_path) as process:
        await process.wait_ready()
        async with aiohttp.ClientSession(headers={"Authorization": "k"}) as session:
            async with session.get(f"http://127.0.0.1:{port}/v1/me") as response:
                assert response.status == 200
            async with session.get(f"http://127.0.0.1:{port}/simulator/rates") as response:
                assert (await response.json())["seed"] == 3
            hang = {"on": "me", "kind": "accept_then_hang", "seconds": 600}
            async with session.post(f"http://127.0.0.1:{port}/simulator/faults", json=hang) as response:
                assert response.status == 200
        assert await process.terminate() == 0


async def test_a_wrong_setting_is_one_clear_line(tmp_path: Path) -> None:
    async with ServiceProcess("services.simulator", {"LEADLINE_SIMULATOR_PLAN": "free"}, tmp_path) as process:
        assert await process.wait() == 2
        (line,) = process.log_path.read_text().splitlines()
        assert line.startswith("simulator: LEADLINE_SIMULATOR_PLAN='free': ")


async def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    port = free_port()
    settings = {"LEADLINE_SIMULATOR_PORT": str(port)}
    async with ServiceProcess("services.simulator", settings, tmp_path, label="first") as first:
        await first.wait_ready()
        async with ServiceProcess("services.simulator", settings, tmp_path, label="second") as second:
            assert await second.wait() == 1
            assert f"cannot listen on 127.0.0.1:{port}" in second.log_path.read_text()
