"""Signals stop a process in order; more signals in less order."""

import asyncio
import signal
import subprocess
import sys

import pytest

from leadline.runtime.shutdown import run_service

PROGRAM = """
import asyncio, sys
from leadline.runtime.shutdown import run_service

async def main(stop):
    print("ready", flush=True)
    try:
        {wait}
        return 7
    finally:
        print("cleaned up", flush=True)
        {after}

sys.exit(run_service(main))
"""
STUBBORN = "await asyncio.Event().wait()"


def start(wait: str, after: str = "pass") -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(wait=wait, after=after)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks(number: signal.Signals) -> None:
    process = start("await stop.wait()")
    process.send_signal(number)
    assert process.communicate(timeout=30)[0] == "cleaned up\n"
    assert process.returncode == 7


def signal_until_heard(process: subprocess.Popen[str], count: int) -> None:
    """Send, and wait until the process logged it: two pending signals of one kind are one."""
    assert process.stderr is not None
    process.send_signal(signal.SIGTERM)
    if count < 3:
        assert f"count={count}" in process.stderr.readline().replace('"count": ', "count=")


LOGGED = "import leadline.runtime.logging as l; l.configure_logging('t', log_format='json'); "


def test_the_second_cancels_and_cleans_up() -> None:
    process = start(LOGGED + STUBBORN)
    signal_until_heard(process, 1)
    signal_until_heard(process, 2)
    assert process.communicate(timeout=30)[0] == "cleaned up\n"
    assert process.returncode == 130


def test_the_third_ends_at_once() -> None:
    process = start(LOGGED + STUBBORN, after=STUBBORN)
    for count in (1, 2, 3):
        signal_until_heard(process, count)
    process.communicate(timeout=30)
    assert process.returncode == 130


def test_the_code_and_the_error_of_main_are_those_of_the_process() -> None:
    async def main(_stop: asyncio.Event) -> int:
        return 3

    async def broken(_stop: asyncio.Event) -> int:
        raise ValueError("boom")

    assert run_service(main) == 3
    with pytest.raises(ValueError, match="boom"):
        run_service(broken)
