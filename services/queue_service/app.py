"""Wires the queue-service: middlewares, error table, pools."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from leadline.domain.errors import IllegalTransition, InvalidPhoneNumber, RefusedPhoneNumber
from leadline.runtime.http.bearer import bearer_middleware
from leadline.runtime.http.figures import figures_middleware
from leadline.runtime.http.problems import ProblemKind, ProblemTable, problem_middleware
from leadline.runtime.http.server import serving
from leadline.runtime.http.token_reviews import TokenReviews, reviewing
from leadline.runtime.http.traced import tracing_middleware
from leadline.runtime.metrics_server import metrics_serving
from leadline.runtime.postgres import INDEXES_ONLY, create_pool, is_unavailable
from leadline.runtime.settings.types import SecretPair
from leadline.store.operations import OperationConflict
from leadline.store.schema import require_compatible_schema
from services.queue_service.backfilling.runs import BackfillTaken, ImpossibleRange, WindowsMissing
from services.queue_service.handling import SERVICE
from services.queue_service.intake import UnknownCampaign
from services.queue_service.operating import NotFound, NumberSuppressed
from services.queue_service.permissions import permissions
from services.queue_service.routes import add_routes
from services.queue_service.service import QueueService
from services.queue_service.settings import QueueSettings, make_policy

MAX_BODY_BYTES: Final = 8 * 1024 * 1024 + 64 * 1024
EVENTS_POOL_SIZE: Final = 4
COUNTING_POOL_SIZE: Final = 4
"""Three may count whole tables at once (promises, board, slow gauges); the fourth is for what takes milliseconds."""
READY_SECONDS: Final = 1.0
LONG_POLLS: Final = frozenset({"/v1/leases"})
"""Each lease begins a trace; the wait for it belongs to none."""

PROBLEMS: Final[ProblemTable] = {
    InvalidPhoneNumber: ProblemKind(400, "No telephone number"),
    RefusedPhoneNumber: ProblemKind(400, "A number that is not called"),
    UnknownCampaign: ProblemKind(404, "No such campaign"),
    NotFound: ProblemKind(404, "Not found"),
    IllegalTransition: ProblemKind(409, "Not in its present status"),
    NumberSuppressed: ProblemKind(409, "The number is suppressed"),
    BackfillTaken: ProblemKind(409, "Another process holds the run"),
    WindowsMissing: ProblemKind(409, "Windows of the run are missing"),
    ImpossibleRange: ProblemKind(400, "No range that can be read"),
    OperationConflict: ProblemKind(422, "The operation id was used before"),
}
AWAY: Final = ProblemKind(503, "The database does not answer now", "database_away", retry_after_seconds=1)


def create_app(
    service: QueueService, tokens: Collection[SecretPair], reviews: TokenReviews | None = None
) -> web.Application:
    """The application around a service that is running. `reviews` knows callers that no shared token tells."""
    app = web.Application(
        client_max_size=MAX_BODY_BYTES,
        middlewares=[
            tracing_middleware(untraced=LONG_POLLS),
            figures_middleware(),
            problem_middleware(PROBLEMS, lambda error: AWAY if is_unavailable(error) else None),
            bearer_middleware(tokens, reviews),
            permissions,
        ],
    )
    app[SERVICE] = service
    app.on_shutdown.append(_answer_waiting_dialers)
    add_routes(app)
    return app


async def _answer_waiting_dialers(app: web.Application) -> None:
    """A long poll is a request in flight: without an answer it would hold up the stop until its wait is over."""
    app[SERVICE].claimer.close()


@asynccontextmanager
async def queue_service_running(settings: QueueSettings) -> AsyncIterator[int]:
    """Run the whole service inside the block; yields its port.

    Raises UnknownSchema, PortTaken, CampaignsError, or what the network says if the database cannot be reached.
    """
    policy = make_policy(settings)
    database = settings.database
    pool = await create_pool(database, application_name="queue", session=INDEXES_ONLY, figures="main")
    events_pool = await create_pool(
        database, application_name="queue-events", max_size=EVENTS_POOL_SIZE, session=INDEXES_ONLY, figures="events"
    )
    counting_pool = await create_pool(
        database, application_name="queue-counting", max_size=COUNTING_POOL_SIZE, figures="counting"
    )
    try:
        async with pool.acquire() as conn:
            await require_compatible_schema(conn)
        service = QueueService(pool, events_pool, counting_pool, policy)

        async def ready() -> list[str]:
            try:
                async with asyncio.timeout(READY_SECONDS), pool.acquire() as conn:
                    await require_compatible_schema(conn)
            except Exception as error:  # noqa: BLE001 -- whatever it is, it is the reason
                return [f"database: {str(error) or type(error).__name__}"]
            return []

        observability, listen = settings.observability, settings.listen
        async with (
            reviewing(settings.accounts) as reviews,
            metrics_serving(observability.metrics_port, ready, host=listen.host),
            service.running(),
            serving(
                create_app(service, settings.server.queue_tokens, reviews),
                host=listen.host,
                port=settings.server.queue_port,
                drain_seconds=settings.drain.drain_seconds,
                name="queue-service",
            ) as port,
        ):
            yield port
    finally:
        await asyncio.gather(pool.close(), events_pool.close(), counting_pool.close())
