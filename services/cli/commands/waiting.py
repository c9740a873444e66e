"""`leadline wait-for-queue`: what an init container runs. Loads little and needs no token."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from leadline.runtime.logging import configure_logging, get_logger
from leadline.runtime.settings import load
from services.cli.exits import CliError
from services.cli.settings import WaitSettings

POLL_SECONDS: Final = 1.0
TELL_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 5.0
_EXIT_TERMINATED: Final = 128 + signal.SIGTERM
log = get_logger(__name__)


def wait_for_queue(
    *,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=0, help="How long to wait.")] = 300,
) -> None:
    """Wait until the queue-service of LEADLINE_QUEUE_URL takes requests; exit code 1 if it never does.

    It takes none before the database's schema fits. For init containers: nothing else is asked, and no token is needed.
    """
    settings = load(WaitSettings, os.environ)
    observability = settings.observability
    configure_logging("wait-for-queue", level=observability.log_level, log_format=observability.log_format)
    with _ended_by_sigterm():
        wait(settings.queue.queue_url, timeout)


def wait(url: str, timeout_seconds: float) -> None:
    """Return as soon as there is an answer; CliError after `timeout_seconds`. What it waits for is logged."""
    began_at = told_at = time.monotonic()
    log.info("queue_service_waited_for", url=url, timeout_seconds=timeout_seconds)
    while True:
        left = began_at + timeout_seconds - time.monotonic()
        problem = _problem(url, min(max(left, POLL_SECONDS), ANSWER_SECONDS))
        now = time.monotonic()
        if problem is None:
            log.info("queue_service_answered", url=url, waited_seconds=round(now - began_at, 1))
            return
        if now - began_at >= timeout_seconds:
            raise CliError(
                f"no queue-service at {url} within {timeout_seconds:g} s: {problem}; look at the queue-service's pods"
                " and log, and at LEADLINE_QUEUE_URL"
            )
        if now - told_at >= TELL_SECONDS:
            told_at = now
            log.info("queue_service_waited_for", url=url, problem=problem, waited_seconds=round(now - began_at, 1))
        time.sleep(min(POLL_SECONDS, began_at + timeout_seconds - now))


def _problem(url: str, seconds: float) -> str | None:
    """Why it does not take requests; None if it does. Redirects are no answer."""
    parts = urlsplit(f"{url}/openapi.json")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=seconds)
        try:
            connection.request("GET", parts.path)
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError) as error:
        return getattr(error, "strerror", None) or str(error) or type(error).__name__
    return None if status == 200 else f"it answers {status}"


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """The first process of a container ignores SIGTERM unless it asks for it: a pod would take its whole grace time."""

    def end(*_: object) -> None:
        sys.exit(_EXIT_TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
