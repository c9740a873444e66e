"""`python -m services.webhook_gateway`: takes leads and events until SIGTERM or SIGINT."""

import asyncio
import os
import sys

from leadline.clients.queue import QueueClient
from leadline.clients.token_source import token_source
from leadline.runtime.http.server import PortTaken, serving
from leadline.runtime.logging import configure_logging, get_logger
from leadline.runtime.metrics_server import metrics_serving
from leadline.runtime.settings import SettingsError, load
from leadline.runtime.shutdown import run_service
from leadline.runtime.trace_export import traces_exported
from services.webhook_gateway.app import create_app
from services.webhook_gateway.settings import GatewaySettings
from services.webhook_gateway.storing import STORE_WITHIN_SECONDS

log = get_logger(__name__)


def main() -> int:
    """Serve until told to stop; 1 if a port is taken, 2 if a setting is wrong."""
    try:
        settings = load(GatewaySettings, os.environ)
    except SettingsError as error:
        sys.stderr.write(f"gateway: {error}\n")
        return 2
    configure_logging("gateway", level=settings.observability.log_level, log_format=settings.observability.log_format)
    try:
        with traces_exported("gateway", settings.tracing):
            return run_service(lambda stop: serve(settings, stop))
    except PortTaken as error:
        log.error("gateway_failed", reason=str(error))
        return 1


async def serve(settings: GatewaySettings, stop: asyncio.Event) -> int:
    """Serve until `stop` is set; requests in flight are finished."""
    token = token_source(settings.queue)
    async with QueueClient(settings.queue.queue_url, token, deadline_seconds=STORE_WITHIN_SECONDS) as queue:
        app = create_app(
            queue,
            api_keys=settings.gateway.gateway_api_keys,
            webhook_secrets=[s.get_secret_value().encode() for s in settings.gateway.bland_webhook_secrets],
        )
        host = settings.listen.host
        async with (
            serving(
                app,
                host=host,
                port=settings.gateway.gateway_port,
                drain_seconds=settings.drain.drain_seconds,
                name="gateway",
            ),
            metrics_serving(settings.observability.metrics_port, host=host),
        ):
            await stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
