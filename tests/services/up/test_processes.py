"""Children come back when they die, are stopped in time, and never outlive their owner."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from services.cli.up.errors import UpError
from services.cli.up.processes import Program, Watchdog, how_it_ended, log_tail, run_once
from services.cli.up.supervisor import Child, ChildState
from tests.support.ports import free_port

HERE = "tests.services.up"


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
async def watchdog() -> AsyncIterator[Watchdog]:
    watchdog = Watchdog()
    await watchdog.start()
    yield watchdog
    await watchdog.stop()


def program(folder: Path, port: int, how: str = "") -> Program:
    return Program("stand-in", f"{HERE}.stand_in", dict(os.environ), folder / "stand-in.log", (str(port), how))


@pytest.fixture
async def child(tmp_path: Path, watchdog: Watchdog) -> AsyncIterator[Child]:
    port = free_port()
    child = Child(program(tmp_path, port), watchdog, lambda _: None, probe=f"http://127.0.0.1:{port}/")
    yield child
    await child.stop()


async def test_it_is_ready_when_it_has_started_and_gone_when_it_was_stopped(child: Child) -> None:
    await child.start()
    assert child.state == ChildState.RUNNING
    pid = child.pid
    assert pid is not None
    assert Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")[1:3] == ["-m", f"{HERE}.stand_in"]
    await child.stop()
    assert child.state.value == "stopped"
    assert not is_running(pid)


async def test_ctrl_c_on_the_terminal_does_not_reach_it(child: Child) -> None:
    await child.start()
    assert child.pid is not None
    assert os.getpgid(child.pid) != os.getpgid(0)


async def test_a_killed_one_comes_back_and_it_is_told(tmp_path: Path, watchdog: Watchdog) -> None:
    port, said, greeted = free_port(), list[str](), list[bool]()

    async def greet() -> None:
        greeted.append(True)

    probe = f"http://127.0.0.1:{port}/"
    child = Child(program(tmp_path, port), watchdog, said.append, probe=probe, on_ready=greet)
    await child.start()
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: child.restarts == 1 and child.state is ChildState.RUNNING)
    assert child.pid not in {None, first}
    assert said == ["stand-in was killed by SIGKILL; starting it again in 0.5 s", "stand-in is back"]
    assert len(greeted) == 2
    await child.stop()


async def test_one_that_cannot_start_says_why(tmp_path: Path, watchdog: Watchdog) -> None:
    child = Child(program(tmp_path, 1, "fail"), watchdog, lambda _: None, probe="http://127.0.0.1:1/")
    with pytest.raises(UpError, match=r"stand-in did not start \(ended with code 2\): stand-in: the setting is wrong"):
        await child.start()
    await child.stop()


async def test_one_that_does_not_listen_to_sigterm_is_killed(tmp_path: Path, watchdog: Watchdog) -> None:
    port = free_port()
    child = Child(
        program(tmp_path, port, "stubborn"),
        watchdog,
        lambda _: None,
        probe=f"http://127.0.0.1:{port}/",
        grace_seconds=0.1,
    )  # fmt: skip -- pairs read best in pairs
    await child.start()
    pid = child.pid
    assert pid is not None
    await child.stop()
    assert not is_running(pid)


async def test_a_cancelled_stop_leaves_nothing_behind(tmp_path: Path, watchdog: Watchdog) -> None:
    port = free_port()
    child = Child(program(tmp_path, port, "stubborn"), watchdog, lambda _: None, probe=f"http://127.0.0.1:{port}/")
    await child.start()
    pid = child.pid
    assert pid is not None
    stopping = asyncio.create_task(child.stop())
    await asyncio.sleep(0.1)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert not is_running(pid)


async def test_a_pass_runs_to_its_end(tmp_path: Path, watchdog: Watchdog) -> None:
    assert await run_once(program(tmp_path, 1, "fail"), watchdog) == 2


async def test_a_cancelled_pass_is_stopped(tmp_path: Path, watchdog: Watchdog) -> None:
    running = asyncio.create_task(run_once(program(tmp_path, free_port()), watchdog))
    await until((tmp_path / "stand-in.log").exists)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_no_child_outlives_a_killed_owner(tmp_path: Path) -> None:
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"{HERE}.owner", str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout is not None
    leashed, loose = (int(word) for word in (await owner.stdout.readline()).split())
    assert is_running(leashed)
    assert is_running(loose)
    owner.kill()
    await owner.wait()
    await until(lambda: not is_running(leashed) and not is_running(loose))


def test_endings_in_words() -> None:
    assert how_it_ended(0) == "ended with code 0"
    assert how_it_ended(-9) == "was killed by SIGKILL"
    assert how_it_ended(-99) == "was killed by signal 99"


def test_the_tail_of_a_log_is_one_line(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert log_tail(log) == "it left no log"
    log.write_text("".join(f"line {n}\n\n" for n in range(5000)), encoding="utf-8")
    assert log_tail(log).startswith("line 4994 | line 4995 |")
    assert str(log) in log_tail(log)
