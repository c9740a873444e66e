"""`python -m services.queue_service`: serve until told to stop."""

import asyncio
import os
import sys
from functools import partial

from leadline.contracts.campaigns import CampaignsError
from leadline.runtime.http.server import PortTaken
from leadline.runtime.logging import configure_logging
from leadline.runtime.postgres import is_unavailable
from leadline.runtime.settings import SettingsError, load
from leadline.runtime.shutdown import run_service
from leadline.runtime.trace_export import traces_exported
from leadline.store.schema import UnknownSchema
from services.queue_service.app import queue_service_running
from services.queue_service.settings import QueueSettings

EXIT_FAILED = 1
EXIT_USAGE = 2


def main() -> int:
    """Run the queue-service; errors at start are one line that says what to do."""
    try:
        settings = load(QueueSettings, os.environ)
    except SettingsError as error:
        return _fail(str(error), EXIT_USAGE)
    observability = settings.observability
    configure_logging("queue", level=observability.log_level, log_format=observability.log_format)
    try:
        with traces_exported("queue", settings.tracing):
            return run_service(partial(_serve, settings))
    except CampaignsError as error:
        return _fail(str(error), EXIT_USAGE)
    except (UnknownSchema, PortTaken) as error:
        return _fail(str(error), EXIT_FAILED)
    except Exception as error:
        if not is_unavailable(error):
            raise
        return _fail(f"the database cannot be reached ({error}): check LEADLINE_DATABASE_URL", EXIT_FAILED)


async def _serve(settings: QueueSettings, stop: asyncio.Event) -> int:
    async with queue_service_running(settings):
        await stop.wait()
    return 0


def _fail(line: str, code: int) -> int:
    sys.stderr.write(f"queue: {line}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
