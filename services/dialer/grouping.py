"""Gathers single questions into one request."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Group(Generic[Item, Answer]):
    """Waits a moment for more items, then asks for all of them at once; several requests may be in flight.

    Args:
        ask: answers a list of items in their order; its exception reaches every asker of the group.
        gather_seconds: how long the first item waits for others.
        most: as many items are asked for without waiting longer.
    """

    def __init__(
        self, ask: Callable[[list[Item]], Awaitable[list[Answer]]], *, gather_seconds: float, most: int
    ) -> None:
        self._ask = ask
        self._gather_seconds = gather_seconds
        self._most = most
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._in_flight: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Answer:
        """The answer for one item."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((item, future))
        if len(self._waiting) >= self._most:
            self._send()
        elif self._timer is None:
            self._timer = loop.call_later(self._gather_seconds, self._send)
        return await future

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        group, self._waiting = self._waiting, []
        if group:
            # Asked for many, and so in the trace of none of them.
            task = asyncio.get_running_loop().create_task(self._answer(group), context=contextvars.Context())
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)

    async def _answer(self, group: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._ask([item for item, _ in group])
            pairs = list(zip(group, answers, strict=True))
        except BaseException as error:
            for _, future in group:
                if not future.done():
                    future.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
                    # A question whose asker has gone is nobody's failure.
                    future.exception()
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), answer in pairs:
            if not future.done():
                future.set_result(answer)
