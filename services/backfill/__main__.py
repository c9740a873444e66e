"""`python -m services.backfill --from DATE --to DATE`: reads the provider's history into the queue, then exits.

Exit codes: 0 done; 1 failed; 2 wrong settings or options; 4 windows are missing; 5 another copy holds the run; 130 told
to stop before the end. Whatever the code: the same command goes on from there.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import Final, TextIO, cast

from leadline.clients.queue_backfill import BackfillQueue
from leadline.clients.queue_http import QueueError, QueueRefused
from leadline.clients.token_source import token_source
from leadline.crm.convoso import convoso_from
from leadline.crm.no_crm import NoCrm
from leadline.domain.errors import LeadlineError
from leadline.runtime.logging import configure_logging
from leadline.runtime.settings import SettingsError, load
from leadline.runtime.settings.parts import ObservabilityPart
from leadline.runtime.shutdown import run_service
from leadline.runtime.trace_export import traces_exported
from leadline.runtime.tracing import span
from leadline.telephony.bland import BlandClient
from leadline.telephony.port import ProviderRefused
from services.backfill.arguments import EXIT_USAGE, command_again, make_parser, read_asked
from services.backfill.errors import CrmTokenRefused, RunBusy, RunLost, ToldToStop, WrongOption
from services.backfill.figures import Outcome
from services.backfill.run import Asked, Backfill
from services.backfill.settings import BackfillSettings
from services.backfill.showing import AboveTheBar, Showing
from services.backfill.summing_up import print_summary

EXIT_DONE: Final = 0
EXIT_FAILED: Final = 1
EXIT_MISSING: Final = 4
EXIT_BUSY: Final = 5
EXIT_INTERRUPTED: Final = 130
QUEUE_TIMEOUT_SECONDS: Final = 60.0
QUEUE_DEADLINE_SECONDS: Final = 120.0
"""Longer than a rolling update of the queue-service takes."""
_USAGE_STATUSES: Final = frozenset({400, 404, 422})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one backfill; errors are one line."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = make_parser().parse_args(words)
    try:
        settings = load(BackfillSettings, os.environ)
        asked = read_asked(options, settings.options, settings.calling.calling_timezone)
        showing = Showing()
        _configure(settings.observability, showing)
        ended: list[Outcome] = []
        with traces_exported("backfill", settings.tracing):
            code = run_service(partial(_backfill, settings, asked, showing, ended))
    except (SettingsError, WrongOption) as error:
        sys.stderr.write(f"backfill: {error}\n")
        return EXIT_USAGE
    again = command_again(words, options, settings.options)
    for outcome in ended:
        print_summary(outcome, dry_run=asked.dry_run, as_json=options.json, again=again)
    return code


def _configure(observability: ObservabilityPart, showing: Showing) -> None:
    stream = cast(TextIO, AboveTheBar(showing.console)) if showing.is_live else None
    configure_logging("backfill", level=observability.log_level, log_format=observability.log_format, stream=stream)


async def _backfill(
    settings: BackfillSettings, asked: Asked, showing: Showing, ended: list[Outcome], stop: asyncio.Event
) -> int:
    bland = BlandClient(
        base_url=settings.bland.bland_base_url,
        api_key=settings.bland.bland_api_key.get_secret_value(),
        timeout_seconds=settings.bland.bland_timeout_seconds,
    )
    queue = BackfillQueue(
        settings.queue.queue_url,
        token_source(settings.queue),
        timeout_seconds=QUEUE_TIMEOUT_SECONDS,
        deadline_seconds=QUEUE_DEADLINE_SECONDS,
    )
    async with bland, queue, convoso_from(settings.convoso) as crm:
        has_crm = not isinstance(crm, NoCrm)
        backfill = Backfill(queue, bland, crm, asked, settings.backfill, has_crm=has_crm, showing=showing, stop=stop)
        try:
            with span("backfill"):
                outcome = await backfill.run()
        except LeadlineError as error:
            sys.stderr.write(f"backfill: {_words(error)}\n")
            return _code(error)
    ended.append(outcome)
    return EXIT_MISSING if outcome.failed or outcome.windows_waiting else EXIT_DONE


def _code(error: LeadlineError) -> int:
    match error:
        case RunBusy() | RunLost():
            return EXIT_BUSY
        case ToldToStop():
            return EXIT_INTERRUPTED
        case QueueRefused() if error.problem.status in _USAGE_STATUSES:
            return EXIT_USAGE
        case _:
            return EXIT_FAILED


def _words(error: LeadlineError) -> str:
    said = " ".join(str(error).split()).rstrip(".")
    match error:
        case RunBusy():
            return f"another copy is at work: {said}; leave out --no-wait to wait for it"
        case ProviderRefused():
            return f"{said}; mend LEADLINE_BLAND_API_KEY or the account, then the same command goes on"
        case CrmTokenRefused():
            return f"{said}; history is read and held; mend LEADLINE_CONVOSO_AUTH_TOKEN, then the same command goes on"
        case QueueRefused():
            details = "; ".join([said, *error.problem.errors])
            hint = " Check LEADLINE_QUEUE_TOKEN." if error.problem.status in {401, 403} else ""
            return f"{details}.{hint}"
        case QueueError():
            return f"{said}. Check LEADLINE_QUEUE_URL; what was read is kept, and the same command goes on."
        case _:
            return said


if __name__ == "__main__":
    sys.exit(main())
