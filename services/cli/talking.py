"""One conversation with the queue-service for one command; its errors become sentences with a next step."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from leadline.clients.queue import QueueClient, QueueError, QueueRefused, QueueUnavailable
from leadline.clients.queue_session import QueueSession
from leadline.contracts.problems import Problem
from services.cli.connection import Connection, find_connection
from services.cli.exits import CliError, ExitCode

PATIENCE_SECONDS: Final = 5.0
"""How long a person waits for a queue-service that does not answer."""

Answer = TypeVar("Answer")
Session = TypeVar("Session", bound=QueueSession)
_USAGE_STATUSES: Final = frozenset({400, 413, 422})


def talk(question: Callable[[QueueClient], Awaitable[Answer]]) -> Answer:
    """Ask the queue-service that settings or a running `leadline up` name. Raises CliError and SettingsError."""
    return talk_by(QueueClient, question)


def talk_by(client: type[Session], question: Callable[[Session], Awaitable[Answer]]) -> Answer:
    """The same by the client of another set of routes."""
    return talk_to(find_connection(), client, question)


def talk_to(
    connection: Connection,
    client: type[Session],
    question: Callable[[Session], Awaitable[Answer]],
    *,
    patience_seconds: float | None = None,
) -> Answer:
    """The same with a queue-service that was found before. Raises CliError."""
    patience_seconds = PATIENCE_SECONDS if patience_seconds is None else patience_seconds
    try:
        return asyncio.run(_talk(connection, client, question, patience_seconds))
    except QueueRefused as error:
        raise _refused(error.problem, connection) from None
    except QueueUnavailable as error:
        raise CliError(
            f"{_plain(error)} at {connection.queue_url} ({connection.origin}); {_is_it_up(connection)}"
        ) from None
    except QueueError as error:
        raise CliError(f"{_plain(error)} ({connection.queue_url}); check {connection.origin}") from None


async def _talk(
    connection: Connection,
    client: type[Session],
    question: Callable[[Session], Awaitable[Answer]],
    patience_seconds: float,
) -> Answer:
    async with client(connection.queue_url, connection.token, deadline_seconds=patience_seconds) as session:
        return await question(session)


def _refused(problem: Problem, connection: Connection) -> CliError:
    words = "; ".join([problem.detail.rstrip("."), *problem.errors])
    if problem.status in {401, 403}:
        return CliError(
            f"the queue-service refuses our token ({connection.origin}); set LEADLINE_QUEUE_TOKEN to the operator's"
        )
    if problem.status == 404:
        return CliError(words, ExitCode.NOT_FOUND)
    return CliError(words, ExitCode.USAGE if problem.status in _USAGE_STATUSES else ExitCode.FAILED)


def _is_it_up(connection: Connection) -> str:
    if connection.origin == "LEADLINE_QUEUE_URL":
        return "is that the right address, and does the queue-service run?"
    return "does `leadline up` still run?"


def _plain(error: QueueError) -> str:
    return str(error).rstrip(".").replace("The queue-service", "the queue-service")
