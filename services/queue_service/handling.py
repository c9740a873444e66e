"""What the handlers of every route group stand on: the service behind a request, and changes made once."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from leadline.runtime.http.bearer import CALLER
from leadline.runtime.http.problems import HttpProblem
from leadline.store.connection import Connection
from services.queue_service.service import QueueService

SERVICE: Final = web.AppKey("service", QueueService)
IDEMPOTENCY_KEY: Final = "Idempotency-Key"
_OPERATION_ID: Final = re.compile(r"[!-~]{1,200}")


def service_of(request: web.Request) -> QueueService:
    """The service that the application serves."""
    return request.app[SERVICE]


def operation_id_of(request: web.Request, *, needed: bool) -> str | None:
    """The caller's operation id. HttpProblem 400 if it is needed and missing, or no token of printable characters."""
    given = request.headers.get(IDEMPOTENCY_KEY)
    if given is None and not needed:
        return None
    if given is None or not _OPERATION_ID.fullmatch(given):
        raise HttpProblem(
            400,
            "operation_id_needed",
            f"Send {IDEMPOTENCY_KEY}: up to 200 printable characters, new for each change, the same for a repetition.",
        )
    return given


async def once(request: web.Request, work: Callable[[Connection], Awaitable[dict[str, Any]]]) -> web.Response:
    """Make a change once per operation id and answer with what it gave. Raises what `work` raises."""
    operation_id = operation_id_of(request, needed=True)
    asked = f"{request.method} {request.path}\n".encode() + await request.read()
    answer = await service_of(request).once(request[CALLER], operation_id, hashlib.sha256(asked).digest(), work)
    return web.json_response(answer)
