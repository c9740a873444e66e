"""Group commit: requests that arrive together share one transaction, and each gets its own answer.

A group holds at most one item per key, so that its items cannot step on each other. If a group fails, its items are
tried one by one, so that one bad item spoils nothing for the others.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class GroupCommit(Generic[Item, Answer]):
    """Gathers items for a moment, hands them to `commit` as one group, and gives each waiter its answer.

    `commit` gets 1 to `max_items` items and returns as many answers, in order, only after its transaction committed.
    At most `max_groups` groups run at once. Items are taken in order of arrival; an item whose key is already in a
    running or gathering group waits for a later one. If `is_hopeless` says of an error that no item is to blame (the
    database is away), the whole group fails with it.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        key: Callable[[Item], Hashable],
        *,
        gather_seconds: float = 0.002,
        max_items: int = 100,
        max_groups: int = 2,
        is_hopeless: Callable[[Exception], bool] = lambda _: False,
    ) -> None:
        self._commit = commit
        self._key = key
        self._gather_seconds = gather_seconds
        self._max_items = max_items
        self._is_hopeless = is_hopeless
        self._slots = asyncio.Semaphore(max_groups)
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._busy: set[Hashable] = set()
        self._gatherer: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Answer:
        """Wait for the item's group to commit. Raises what `commit` raised for this item alone."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._start()
        return await future

    async def close(self) -> None:
        """Wait until everything that was submitted is answered."""
        while self._gatherer or self._running:
            tasks = {*self._running, *([self._gatherer] if self._gatherer else [])}
            await asyncio.wait(tasks)

    def _start(self) -> None:
        if self._gatherer is None and self._waiting:
            # What a group does is not part of the request that happened to begin it, nor of its trace.
            self._gatherer = asyncio.create_task(self._gather(), context=contextvars.Context())

    async def _gather(self) -> None:
        try:
            await asyncio.sleep(self._gather_seconds)
            await self._slots.acquire()
        finally:
            self._gatherer = None
        group = self._take()
        if not group:
            self._slots.release()
            return
        task = asyncio.create_task(self._run(group))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        if any(self._key(item) not in self._busy for item, _ in self._waiting):
            self._start()

    def _take(self) -> list[tuple[Item, asyncio.Future[Answer]]]:
        group: list[tuple[Item, asyncio.Future[Answer]]] = []
        left: list[tuple[Item, asyncio.Future[Answer]]] = []
        for item, future in self._waiting:
            key = self._key(item)
            if len(group) < self._max_items and key not in self._busy:
                self._busy.add(key)
                group.append((item, future))
            else:
                left.append((item, future))
        self._waiting = left
        return group

    async def _run(self, group: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            await self._answer(group)
        finally:
            self._busy.difference_update(self._key(item) for item, _ in group)
            self._slots.release()
            self._start()

    async def _answer(self, group: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._commit([item for item, _ in group])
        except Exception as error:  # noqa: BLE001 -- every waiter must be answered, whatever went wrong
            if len(group) == 1 or self._is_hopeless(error):
                for _, future in group:
                    _fail(future, error)
                return
            for one in group:
                await self._answer([one])
            return
        for (_, future), answer in zip(group, answers, strict=True):
            if not future.done():
                future.set_result(answer)


def _fail(future: "asyncio.Future[Answer]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
