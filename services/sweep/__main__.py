"""`python -m services.sweep [--dry-run] [--json] [--show-pii]`: one pass, then exit.

Exit codes: 0 done; 1 a promise is broken, or the queue-service could not be asked; 2 wrong settings or arguments;
4 part of the pass could not be done; 130 told to stop before the end.
"""

import argparse
import asyncio
import os
import socket
import sys
from collections.abc import Sequence
from functools import partial

from leadline.clients.queue import QueueClient, QueueError
from leadline.clients.token_source import token_source
from leadline.contracts.sweep import SweepPlan
from leadline.runtime.logging import configure_logging, get_logger
from leadline.runtime.settings import SettingsError, load
from leadline.runtime.settings.access_parts import QueueClientPart
from leadline.runtime.settings.parts import ObservabilityPart
from leadline.runtime.shutdown import run_service
from leadline.runtime.trace_export import traces_exported
from leadline.runtime.tracing import set_up_tracing, span
from leadline.telephony.bland import BlandClient
from services.sweep.one_pass import PassResult, Sweeper
from services.sweep.printing import print_plan, print_result
from services.sweep.settings import DryRunSettings, SweepSettings

log = get_logger(__name__)

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_PARTIAL = 4
EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one pass, or print what it would do; errors are one line."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.dry_run:
            return _dry_run(as_json=asked.json, show_pii=asked.show_pii)
        settings = load(SweepSettings, os.environ)
        _configure(settings.observability)
        with traces_exported("sweep", settings.tracing):
            return run_service(partial(_sweep, settings, as_json=asked.json))
    except SettingsError as error:
        sys.stderr.write(f"sweep: {error}\n")
        return EXIT_USAGE
    except QueueError as error:
        sys.stderr.write(f"sweep: {error} Check LEADLINE_QUEUE_URL and LEADLINE_QUEUE_TOKEN.\n")
        return EXIT_FAILED


def _dry_run(*, as_json: bool, show_pii: bool) -> int:
    settings = load(DryRunSettings, os.environ)
    _configure(settings.observability)
    set_up_tracing("sweep")
    plan = asyncio.run(_read_plan(settings))
    print_plan(plan, as_json=as_json, show_pii=show_pii)
    return EXIT_DONE


def _configure(observability: ObservabilityPart) -> None:
    configure_logging("sweep", level=observability.log_level, log_format=observability.log_format)


async def _read_plan(settings: DryRunSettings) -> SweepPlan:
    async with _queue_client(settings.queue) as queue:
        return await queue.sweep_plan(limit=settings.sweep.sweep_plan_limit)


async def _sweep(settings: SweepSettings, stop: asyncio.Event, *, as_json: bool) -> int:
    bland = BlandClient(
        base_url=settings.bland.bland_base_url,
        api_key=settings.bland.bland_api_key.get_secret_value(),
        timeout_seconds=settings.bland.bland_timeout_seconds,
    )
    async with _queue_client(settings.queue) as queue, bland:
        with span("sweep"):
            reporter = f"sweep-{socket.gethostname()}-{os.getpid()}"
            result = await Sweeper(queue, bland, settings.sweep, reporter=reporter, stop=stop).run()
            log.info("sweep_finished", partial=result.partial, violations=len(result.violations), **result.counters)
    print_result(result, as_json=as_json)
    return exit_code(result, interrupted=stop.is_set())


def exit_code(result: PassResult, *, interrupted: bool) -> int:
    """A broken promise outweighs everything else."""
    if result.violations:
        return EXIT_FAILED
    if interrupted:
        return EXIT_INTERRUPTED
    return EXIT_PARTIAL if result.partial else EXIT_DONE


def _queue_client(part: QueueClientPart) -> QueueClient:
    return QueueClient(part.queue_url, token_source(part))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sweep",
        description="One bounded pass that brings everything late or stuck back to a legal state. It never dials.",
        epilog="Exit codes: 0 done, 1 a promise is broken or the queue-service does not answer, 2 usage, 4 partial, "
        "130 interrupted. Any number of sweeps may run at once.",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what a pass would take up and change nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--show-pii", action="store_true", help="with --dry-run: print telephone numbers in full")
    return parser


if __name__ == "__main__":
    sys.exit(main())
