"""The database of a run: an embedded PostgreSQL that is kept running, or the one that was given."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from pydantic import SecretStr

from leadline.runtime.logging import get_logger
from services.cli.embedded_location import EmbeddedPostgresError
from services.cli.embedded_postgres import EmbeddedPostgres
from services.cli.up.errors import UpError
from services.cli.up.folder import DataFolder
from services.cli.up.processes import Watchdog
from services.cli.up.supervisor import ChildState, Say

DATABASE = "leadline"
log = get_logger(__name__)
_LOOK_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 30.0

OnNewUrl = Callable[[SecretStr], Awaitable[None]]
"""Told where the database is after it was started again: its port is another one then."""


class KeptPostgres:
    """An embedded server, started again when it ends by itself. Nothing is done for one that was `given`."""

    def __init__(self, folder: DataFolder, given: SecretStr | None, watchdog: Watchdog, say: Say) -> None:
        self._given = given
        self._server = EmbeddedPostgres(folder.path, progress=say)
        self._watchdog = watchdog
        self._say = say
        self._url = given
        self.state = ChildState.STOPPED

    @property
    def is_embedded(self) -> bool:
        """Whether it is ours."""
        return self._given is None

    @property
    def url(self) -> SecretStr:
        """Where the database is now."""
        if self._url is None:
            msg = "PostgreSQL is not running"
            raise UpError(msg)
        return self._url

    async def start(self, stack: AsyncExitStack) -> None:
        """Start it, and stop it with the stack. Raises UpError."""
        if self._given is not None:
            self.state = ChildState.RUNNING
            return
        stack.push_async_callback(self._stop_server)
        await self._start_server()

    def keep(self, stack: AsyncExitStack, on_new_url: OnNewUrl) -> None:
        """From now on, start it again when it ends; with the stack, stop looking."""
        if self._given is not None:
            return
        keeper = asyncio.create_task(self._keep(on_new_url), name="keep-postgres")

        async def stop() -> None:
            keeper.cancel()
            await asyncio.wait([keeper])

        stack.push_async_callback(stop)

    async def _stop_server(self) -> None:
        await self._server.stop()
        self.state = ChildState.STOPPED
        log.info("postgres_stopped")

    async def _start_server(self) -> None:
        self.state = ChildState.STARTING
        try:
            await self._server.start()
            self._url = SecretStr(await self._server.ensure_database(DATABASE))
        except EmbeddedPostgresError as error:
            raise UpError(str(error)) from None
        self._watchdog.guard(self._server.pid, signal.SIGINT)
        self.state = ChildState.RUNNING
        log.info("postgres_ready", pid=self._server.pid)

    async def _keep(self, on_new_url: OnNewUrl) -> None:
        wait_seconds = _LOOK_SECONDS
        while True:
            await asyncio.sleep(wait_seconds)
            if self.state is ChildState.RUNNING and not _has_ended(self._server.pid):
                wait_seconds = _LOOK_SECONDS
                continue
            try:
                await self._begin_again(on_new_url)
            except (UpError, OSError) as error:
                self.state = ChildState.WAITING
                wait_seconds = min(wait_seconds * 2, _LONGEST_WAIT_SECONDS)
                self._say(f"PostgreSQL cannot be started again: {error}")

    async def _begin_again(self, on_new_url: OnNewUrl) -> None:
        if self.state is ChildState.RUNNING:
            self._say("PostgreSQL ended by itself; starting it again")
            self._watchdog.release(self._server.pid)
        await self._server.stop()
        await self._start_server()
        await on_new_url(self.url)
        self._say("PostgreSQL is back")


def _has_ended(pid: int) -> bool:
    """Whether our child has ended, without taking its exit code from whoever waits for it."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True
