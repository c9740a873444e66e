"""`python -m services.crm_sync`: tells the CRM and asks it until SIGTERM or SIGINT, then finishes what it has begun."""

import asyncio
import os
import sys

from leadline.clients.queue_crm import CrmQueue
from leadline.clients.token_source import token_source
from leadline.crm.convoso import convoso_from
from leadline.crm.convoso_data import codes_with
from leadline.runtime.http.server import PortTaken
from leadline.runtime.logging import configure_logging, get_logger
from leadline.runtime.metrics_server import metrics_serving
from leadline.runtime.settings import SettingsError, load
from leadline.runtime.shutdown import run_service
from leadline.runtime.trace_export import traces_exported
from services.crm_sync.settings import CrmSyncSettings
from services.crm_sync.sync import CrmSync

QUEUE_DEADLINE_SECONDS = 2.0
"""Requests are repeated by the loops that make them."""
log = get_logger(__name__)


def main() -> int:
    """Work until told to stop; 1 if a port is taken, 2 if a setting is wrong."""
    try:
        settings = load(CrmSyncSettings, os.environ)
        codes_with(settings.convoso.convoso_statuses)  # wrong names are told now, not once the CRM is needed
        if settings.convoso.convoso_auth_token is None:
            variable = "LEADLINE_CONVOSO_AUTH_TOKEN"
            raise SettingsError.about(variable, f"is not set (nor {variable}_FILE); without it there is no CRM to tell")
    except SettingsError as error:
        sys.stderr.write(f"crm-sync: {error}\n")
        return 2
    configure_logging("crm-sync", level=settings.observability.log_level, log_format=settings.observability.log_format)
    try:
        with traces_exported("crm-sync", settings.tracing):
            return run_service(lambda stop: sync(settings, stop))
    except PortTaken as error:
        log.error("crm_sync_failed", reason=str(error))
        return 1


async def sync(settings: CrmSyncSettings, stop: asyncio.Event) -> int:
    """Work until `stop` is set."""
    token = token_source(settings.queue)
    queue = CrmQueue(settings.queue.queue_url, token, deadline_seconds=QUEUE_DEADLINE_SECONDS)
    async with queue, convoso_from(settings.convoso) as crm:
        worker = CrmSync(crm, queue, settings.sync, drain_seconds=settings.drain.drain_seconds)
        observability = settings.observability
        async with metrics_serving(observability.metrics_port, worker.not_ready_because, host=settings.listen.host):
            log.info("crm_sync_started", batch=settings.sync.crm_sync_batch)
            await worker.run(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
