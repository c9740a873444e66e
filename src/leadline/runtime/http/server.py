"""Starts and stops an aiohttp application on one port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from leadline.runtime.logging import get_logger

log = get_logger(__name__)
BACKLOG = 1024
KEEPALIVE_SECONDS = 75
MAX_LINE_BYTES = 8190
MAX_HEADER_BYTES = 16 * 1024
"""Bound of one header's size; aiohttp also bounds their number by the buffer it reads."""


class PortTaken(Exception):
    """The address cannot be listened on; `str(error)` is one line that names it."""


@asynccontextmanager
async def serving(
    app: web.Application, *, host: str, port: int, drain_seconds: float = 20, name: str = "http"
) -> AsyncIterator[int]:
    """Serve `app` inside the block and yield the port (the chosen one if `port` is 0).

    On leaving, the port closes at once; requests in flight have `drain_seconds` to end. Raises PortTaken.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=KEEPALIVE_SECONDS,
        max_line_size=MAX_LINE_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        shutdown_timeout=max(drain_seconds, 0.01),  # aiohttp takes 0 for no limit
    )
    await runner.setup()
    try:
        bound = await _listen(runner, host, port)
        log.info("listening_started", server=name, host=host, port=bound)
        yield bound
    finally:
        await asyncio.shield(runner.cleanup())
        log.info("listening_stopped", server=name)


async def _listen(runner: web.AppRunner, host: str, port: int) -> int:
    try:
        await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
    except OSError as error:
        msg = f"cannot listen on {host}:{port}: {error.strerror or error}"
        raise PortTaken(msg) from error
    return int(runner.addresses[0][1])
