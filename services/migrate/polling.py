"""Waiting for what others do: the lock, a schema."""

import time
from collections.abc import Callable

from leadline.runtime.logging import get_logger
from services.migrate.errors import MigrateError

POLL_SECONDS = 0.5
SAY_SECONDS = 10.0
log = get_logger(__name__)


def poll(look: Callable[[], str | None], *, most_seconds: float, event: str) -> None:
    """Look until `look` answers None; what it answers until then is the reason for waiting.

    The reason is logged as `event` at once and every ten seconds, so that an init container's log is never silent.
    Raises MigrateError with the last reason after `most_seconds`; 0 looks once.
    """
    began = time.monotonic()
    say_at = began
    while (reason := look()) is not None:
        waited_seconds = time.monotonic() - began
        if waited_seconds >= most_seconds:
            msg = f"gave up after {most_seconds:g} s: {reason}"
            raise MigrateError(msg)
        if time.monotonic() >= say_at:
            log.info(event, reason=reason, waited_seconds=round(waited_seconds), most_seconds=most_seconds)
            say_at = time.monotonic() + SAY_SECONDS
        time.sleep(POLL_SECONDS)
