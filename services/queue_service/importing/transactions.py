"""One transaction of an import, kept or, in a dry run, rolled back after the same work."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from leadline.store.connection import Connection
from leadline.store.imports import judge_now
from services.queue_service.service import QueueService

Result = TypeVar("Result")


class _DryRun(Exception, Generic[Result]):
    """Ends a transaction that is not to be kept; carries what it came to."""

    def __init__(self, result: Result) -> None:
        super().__init__("rolled back: a dry run")
        self.result = result


async def run(service: QueueService, work: Callable[[Connection], Awaitable[Result]], *, dry_run: bool) -> Result:
    """Do the work in one transaction. Raises what the work and the database raise, in a dry run alike."""

    async def undone(conn: Connection) -> Result:
        result = await work(conn)
        await judge_now(conn)
        raise _DryRun(result)

    if dry_run:
        try:
            return await service.transaction(undone)
        except _DryRun as rolled_back:
            result: Result = rolled_back.result
            return result
    result = await service.transaction(work)
    service.claimer.poke()
    return result
