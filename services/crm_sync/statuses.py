"""Reads the account's statuses, at start and every so often, and keeps the queue-service's copy of them current."""

import asyncio
import random
from contextlib import suppress
from typing import Final

from leadline.clients.queue_crm import CrmQueue
from leadline.clients.queue_http import QueueError
from leadline.contracts.crm import CrmStatusTable
from leadline.crm.port import Crm, CrmError, CrmRefused
from leadline.runtime.logging import get_logger
from services.crm_sync import figures

FIRST_WAIT_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 60.0
REFUSED_WAIT_SECONDS: Final = 60.0
"""People must mend a token; asking quickly would only look like an attack."""
log = get_logger(__name__)


class Statuses:
    """The one reader of the account's statuses in this process."""

    def __init__(self, crm: Crm, queue: CrmQueue, *, minutes: float) -> None:
        """`minutes` pass between two readings that went well."""
        self._crm = crm
        self._queue = queue
        self._seconds = minutes * 60
        self.tried = asyncio.Event()
        """Set once the first reading has ended, however it ended."""
        self.problem: str | None = "the account's statuses have not been read yet"
        """Why they are not known or not current; for `/readyz`."""

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop` is set."""
        failures = 0
        while not stop.is_set():
            wait_seconds = await self._read()
            failures = 0 if wait_seconds is None else failures + 1
            self.tried.set()
            if wait_seconds is None:
                pause = self._seconds
            else:
                pause = max(wait_seconds, min(FIRST_WAIT_SECONDS * 2 ** min(failures, 10), LONGEST_WAIT_SECONDS))
                pause *= random.uniform(0.5, 1.0)  # noqa: S311 -- jitter, no secret
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stop.wait()

    async def _read(self) -> float | None:
        """Read once; None if it went well, else the least wait before it is worth trying again."""
        try:
            statuses = await self._crm.statuses()
            await self._queue.put_statuses(CrmStatusTable.of(statuses))
        except CrmRefused as error:
            log.error("crm_refuses_token", problem=str(error), then="set LEADLINE_CONVOSO_AUTH_TOKEN to a valid token")
            return self._failed("refused", f"the CRM refuses our token: {error}", REFUSED_WAIT_SECONDS)
        except CrmError as error:
            log.warning("statuses_not_read", code=error.code, problem=str(error))
            return self._failed("failed", f"the account's statuses could not be read: {error}", 0.0)
        except QueueError as error:
            log.warning("statuses_not_stored", code=error.code, problem=str(error))
            return self._failed("not_stored", f"the account's statuses could not be stored: {error}", 0.0)
        self.problem = None
        figures.STATUS_READS.labels("read").inc()
        figures.STATUSES.set(len(statuses))
        log.info("statuses_read", count=len(statuses), final=sum(s.final or s.success or s.dnc for s in statuses))
        return None

    def _failed(self, result: str, problem: str, wait_seconds: float) -> float:
        figures.STATUS_READS.labels(result).inc()
        self.problem = problem
        return wait_seconds
