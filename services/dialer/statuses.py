"""Keeps what the CRM's status codes mean current: an old meaning could clear a number that an agent has closed."""

import asyncio
import random
from typing import Final

from leadline.crm.port import Crm, CrmError, CrmRefused
from leadline.runtime.logging import get_logger

READ_AGAIN_SECONDS: Final = 900.0
RETRY_SECONDS: Final = 30.0
log = get_logger(__name__)


async def keep_statuses(crm: Crm) -> None:
    """Read the account's statuses now and every so often, until cancelled. What was read last stays in force."""
    while True:
        seconds = READ_AGAIN_SECONDS
        try:
            await crm.statuses()
        except CrmRefused:
            # No token, or one that is refused: every clearance says so, and without a CRM there is nothing to say.
            log.debug("statuses_refused")
        except CrmError as error:
            seconds = RETRY_SECONDS
            log.warning("statuses_not_read", code=error.code, problem=str(error))
        await asyncio.sleep(seconds * random.uniform(0.8, 1.2))  # noqa: S311 -- jitter, no secret
