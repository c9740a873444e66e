"""A network between two processes that a test can break: cut, stall, hold one request or one answer.

It reads nothing ahead: while a direction is stalled, bytes stay with the kernels, as they do in a real partition.
"""

import asyncio
import contextlib
import fcntl
import socket
import struct
import sys
import termios
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Self

_READ_BYTES = 65_536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_BACKLOG = 512


class Direction(Enum):
    """Which way bytes go."""

    THERE = "there"
    """From whoever connects to the server."""
    BACK = "back"


@dataclass(eq=False)
class Hold:
    """One connection to be held as soon as `needle` passes on its way there; strikes once.

    THERE: the bytes with the needle stay here. BACK: they pass, and no answer does.
    """

    needle: bytes
    direction: Direction
    connection: "_Connection | None" = None
    _caught: asyncio.Event = field(default_factory=asyncio.Event)

    async def caught(self, seconds: float = 60.0) -> None:
        """Until it has struck."""
        async with asyncio.timeout(seconds):
            await self._caught.wait()

    def strike(self, connection: "_Connection") -> None:
        """Hold this connection."""
        self.connection = connection
        connection.gates[self.direction].clear()
        self._caught.set()

    def release(self) -> None:
        """Let everything pass that was held, late."""
        if self.connection is not None:
            self.connection.gates[self.direction].set()

    def drop(self) -> None:
        """Lose what was held, and the connection with it."""
        if self.connection is not None:
            self.connection.reset()


@dataclass(eq=False)
class _Connection:
    client: socket.socket
    server: socket.socket
    gates: dict[Direction, asyncio.Event] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def reset(self) -> None:
        """Let go of both ends. They are closed once nobody waits for them: their descriptors may be given away then."""
        for task in self.tasks:
            task.cancel()

    def close(self) -> None:
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            end.close()


class TcpProxy:
    """`async with TcpProxy([port]) as proxy: proxy.url`. Several targets take turns, but for those that refuse."""

    def __init__(self, targets: Sequence[int], *, receive_buffer_bytes: int | None = None) -> None:
        """Args:
        targets: ports on this machine; may be changed at any time, for connections to come.
        receive_buffer_bytes: how much a client may send that is not read here yet (the kernel takes twice that).
        """
        self.targets = list(targets)
        self._receive_buffer_bytes = receive_buffer_bytes
        first = self._listen(0)
        self.port = int(first.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._first = first
        self._accepting: asyncio.Task[None] | None = None
        self._turn = 0
        self._connections: set[_Connection] = set()
        self._holds: list[Hold] = []
        self._gates = {direction: asyncio.Event() for direction in Direction}
        self._tasks: set[asyncio.Task[None]] = set()
        for gate in self._gates.values():
            gate.set()

    async def __aenter__(self) -> Self:
        self._accepting = self._start(self._accept(self._first))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.reset_all()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------ what a test does

    def cut(self) -> None:
        """Lose every connection, and refuse new ones."""
        if self._accepting is not None:
            self._accepting.cancel()
        self.reset_all()

    def heal(self) -> None:
        """Everything passes again."""
        for direction in Direction:
            self.flow(direction)
        if self._accepting is not None and (self._accepting.cancelling() or self._accepting.done()):
            self._accepting = self._start(self._accept_again(self._accepting))

    def stall(self, direction: Direction) -> None:
        """Nothing passes in this direction, on any connection; nothing is lost."""
        self._gates[direction].clear()

    def flow(self, direction: Direction) -> None:
        """Bytes pass again in this direction, those that waited first."""
        self._gates[direction].set()

    def hold(self, needle: bytes, direction: Direction) -> Hold:
        """Hold the next connection on which these bytes pass on their way there."""
        hold = Hold(needle, direction)
        self._holds.append(hold)
        return hold

    @property
    def unread_bytes(self) -> int:
        """What clients have sent and nothing here has read yet: it lies with the kernels."""
        counts = [fcntl.ioctl(c.client, termios.FIONREAD, b"\0" * 4) for c in self._connections]
        return sum(int.from_bytes(count, sys.byteorder) for count in counts)

    def reset_all(self) -> None:
        """Lose every connection there is."""
        for connection in list(self._connections):
            connection.reset()

    # ------------------------------------------------------------ how it works

    def _start(self, work: Coroutine[object, object, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _listen(self, port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self._receive_buffer_bytes is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer_bytes)
        listener.bind(("127.0.0.1", port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        return listener

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.closing(listener):
            while True:
                client, _ = await loop.sock_accept(listener)
                client.setblocking(False)
                _ = self._start(self._serve(client))

    async def _accept_again(self, before: "asyncio.Task[None]") -> None:
        await asyncio.wait([before])
        await self._accept(self._listen(self.port))

    async def _serve(self, client: socket.socket) -> None:
        server = await self._connect()
        if server is None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            client.close()
            return
        # What follows does not wait, so that a connection is known to `reset_all` as soon as it is there.
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(client, server)
        for direction in Direction:
            connection.gates[direction] = asyncio.Event()
            connection.gates[direction].set()
        self._connections.add(connection)
        connection.tasks = [
            self._start(self._pump(connection, Direction.THERE, client, server)),
            self._start(self._pump(connection, Direction.BACK, server, client)),
        ]
        try:
            await asyncio.wait(connection.tasks)
        finally:
            self._connections.discard(connection)
            connection.reset()
            await asyncio.gather(*connection.tasks, return_exceptions=True)
            connection.close()

    async def _connect(self) -> socket.socket | None:
        loop = asyncio.get_running_loop()
        for _ in range(len(self.targets)):
            self._turn += 1
            server = socket.socket()
            server.setblocking(False)
            try:
                await loop.sock_connect(server, ("127.0.0.1", self.targets[self._turn % len(self.targets)]))
            except OSError:
                server.close()
                continue
            return server
        return None

    async def _pump(
        self, connection: _Connection, direction: Direction, source: socket.socket, sink: socket.socket
    ) -> None:
        loop = asyncio.get_running_loop()
        gates = (self._gates[direction], connection.gates[direction])
        try:
            while True:
                await _all_open(gates)
                data = await loop.sock_recv(source, _READ_BYTES)
                if direction is Direction.THERE:
                    self._look(connection, data)
                await _all_open(gates)
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                await loop.sock_sendall(sink, data)
        except OSError:
            # Whoever is left learns of the other's end as a real network would tell: by a reset.
            connection.reset()

    def _look(self, connection: _Connection, data: bytes) -> None:
        for hold in list(self._holds):
            if hold.needle in data:
                self._holds.remove(hold)
                hold.strike(connection)


async def _all_open(gates: Sequence[asyncio.Event]) -> None:
    while not all(gate.is_set() for gate in gates):
        for gate in gates:
            await gate.wait()
