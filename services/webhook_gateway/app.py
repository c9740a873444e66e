"""The gateway's application."""

from collections.abc import Sequence

from aiohttp import web

from leadline.clients.queue import QueueClient
from leadline.runtime.http.figures import figures_middleware
from leadline.runtime.http.problems import problem_middleware
from leadline.runtime.http.traced import tracing_middleware
from leadline.runtime.settings import SecretDigest
from services.webhook_gateway.handlers import GATEWAY, Gateway
from services.webhook_gateway.routes import add_routes
from services.webhook_gateway.storing import STORE_WITHIN_SECONDS, Storing


def create_app(
    queue: QueueClient,
    *,
    api_keys: Sequence[SecretDigest],
    webhook_secrets: Sequence[bytes],
    store_within_seconds: float = STORE_WITHIN_SECONDS,
) -> web.Application:
    """Make the application; the caller owns `queue`.

    Args:
        api_keys: who may post leads.
        webhook_secrets: the current secret of Bland's signatures and perhaps the one before; at least one.
    """
    if not any(webhook_secrets):
        raise ValueError("without a webhook secret nobody can be told from Bland")
    app = web.Application(middlewares=[tracing_middleware(), figures_middleware(), problem_middleware({})])
    app[GATEWAY] = Gateway(Storing(queue, within_seconds=store_within_seconds), api_keys, webhook_secrets)
    add_routes(app)
    return app
