"""`python -m services.simulator`: the simulated provider on LEADLINE_SIMULATOR_PORT, until SIGTERM or SIGINT."""

import asyncio
import os
import sys
from typing import Final

from leadline.runtime.http.server import PortTaken, serving
from leadline.runtime.logging import configure_logging, get_logger
from leadline.runtime.metrics_server import metrics_serving
from leadline.runtime.settings import SettingsError, load
from leadline.runtime.shutdown import run_service
from services.simulator.app import create_app
from services.simulator.settings import SimulatorSettings

_DRAIN_SECONDS: Final = 1.0
log = get_logger(__name__)


def main() -> int:
    """Serve until told to stop; 1 if the port is taken, 2 if a setting is wrong."""
    try:
        settings = load(SimulatorSettings, os.environ)
    except SettingsError as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    configure_logging("simulator", level=settings.observability.log_level, log_format=settings.observability.log_format)
    try:
        return run_service(lambda stop: serve(settings, stop))
    except PortTaken as error:
        log.error("simulator_failed", reason=str(error))
        return 1


async def serve(settings: SimulatorSettings, stop: asyncio.Event) -> int:
    """Serve until `stop` is set."""
    host, app = settings.listen.host, create_app(settings.world)
    async with (
        serving(app, host=host, port=settings.simulator.simulator_port, drain_seconds=_DRAIN_SECONDS, name="simulator"),
        metrics_serving(settings.observability.metrics_port, host=host),
    ):
        await stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
