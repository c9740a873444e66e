"""The transactions of the queue-service: what was decided in one is counted and told when it is committed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from leadline.store.connection import Connection
from leadline.store.decisions import Decided
from leadline.store.transactions import transaction
from services.queue_service.counting.publishing import publish
from services.queue_service.policy import Policy
from services.queue_service.told import tell


@asynccontextmanager
async def counted(conn: Connection, policy: Policy) -> AsyncIterator[None]:
    """One transaction; what is rolled back counts nothing and is not told, for whatever reason.

    A commit whose answer was lost counts nothing either, though it may have happened: the figures are then behind the
    database, never ahead of it.
    """
    async with transaction(conn) as happened:
        yield
    publish((one for one in happened if not isinstance(one, Decided)), policy)
    tell(one for one in happened if isinstance(one, Decided))
