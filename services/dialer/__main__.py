"""`python -m services.dialer`: dials until SIGTERM or SIGINT, then finishes what it has begun."""

import asyncio
import os
import sys

from leadline.clients.queue import QueueClient
from leadline.clients.token_source import token_source
from leadline.contracts.campaigns import CampaignConfig, CampaignsError, load_campaigns
from leadline.crm.convoso import convoso_from
from leadline.crm.convoso_data import codes_with
from leadline.domain.ids import CampaignName
from leadline.runtime.http.server import PortTaken
from leadline.runtime.logging import configure_logging, get_logger
from leadline.runtime.metrics_server import metrics_serving
from leadline.runtime.settings import SettingsError, load
from leadline.runtime.shutdown import run_service
from leadline.runtime.trace_export import traces_exported
from leadline.telephony.bland import BlandClient
from services.dialer.dialer import Dialer
from services.dialer.settings import DialerSettings

QUEUE_DEADLINE_SECONDS = 2.0
"""Requests are repeated by the loops that make them, which then send what has gathered meanwhile."""
log = get_logger(__name__)


def main() -> int:
    """Dial until told to stop; 1 if a port is taken, 2 if a setting is wrong."""
    try:
        settings = load(DialerSettings, os.environ)
        codes_with(settings.convoso.convoso_statuses)  # wrong names are told now, not once the CRM is needed
        campaigns = load_campaigns(settings.cadence, settings.calling, settings.call, settings.campaigns.campaigns_file)
    except (SettingsError, CampaignsError) as error:
        sys.stderr.write(f"dialer: {error}\n")
        return 2
    configure_logging("dialer", level=settings.observability.log_level, log_format=settings.observability.log_format)
    try:
        with traces_exported("dialer", settings.tracing):
            return run_service(lambda stop: dial(settings, campaigns, stop))
    except PortTaken as error:
        log.error("dialer_failed", reason=str(error))
        return 1


async def dial(settings: DialerSettings, campaigns: dict[CampaignName, CampaignConfig], stop: asyncio.Event) -> int:
    """Dial until `stop` is set."""
    queue = QueueClient(
        settings.queue.queue_url,
        token_source(settings.queue),
        deadline_seconds=QUEUE_DEADLINE_SECONDS,
    )
    telephony = BlandClient(
        base_url=settings.bland.bland_base_url,
        api_key=settings.bland.bland_api_key.get_secret_value(),
        timeout_seconds=settings.bland.bland_timeout_seconds,
        public_url=settings.public.public_url,
    )
    async with queue, telephony, convoso_from(settings.convoso) as crm:
        dialer = Dialer(
            queue=queue,
            telephony=telephony,
            crm=crm,
            campaigns={name: config.dialling for name, config in campaigns.items()},
            name=settings.dialer.dialer_name,
            concurrency=settings.dialer.dialer_concurrency,
            drain_seconds=settings.drain.drain_seconds,
        )
        async with metrics_serving(
            settings.observability.metrics_port, dialer.not_ready_because, host=settings.listen.host
        ):
            log.info(
                "dialer_started", dialer=settings.dialer.dialer_name, concurrency=settings.dialer.dialer_concurrency
            )
            await dialer.run(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
