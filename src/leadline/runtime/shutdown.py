"""Start and stop of a process: one stop event for SIGTERM and SIGINT; a second signal cancels, a third kills."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import uvloop

from leadline.runtime.logging import get_logger

log = get_logger(__name__)
_EXIT_CANCELLED = 130


def run_service(main: Callable[[asyncio.Event], Awaitable[int]]) -> int:
    """Run `main` under uvloop and return its exit code.

    The first SIGTERM or SIGINT sets the event that `main` was given: finish what was begun and return. The second
    cancels `main` (its `finally` blocks run; the code is 130), the third ends the process at once.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_watched(main))


async def _watched(main: Callable[[asyncio.Event], Awaitable[int]]) -> int:
    stop = asyncio.Event()
    task = asyncio.ensure_future(main(stop))
    signals = 0

    def on_signal(number: signal.Signals) -> None:
        nonlocal signals
        signals += 1
        log.info("signal_received", signal=number.name, count=signals)
        if signals == 1:
            stop.set()
        elif signals == 2:
            task.cancel()
        else:
            os._exit(_EXIT_CANCELLED)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    try:
        return await task
    except asyncio.CancelledError:
        if signals < 2:
            raise
        return _EXIT_CANCELLED
