"""What the queue-service can tell: itself, its database, the clocks, and whether calls go out."""

import time
from collections.abc import Iterator
from typing import Final

from leadline.clients.queue import QueueClient
from leadline.contracts.diagnosis import Diagnosis
from leadline.contracts.operators import Stats
from services.cli.connection import find_connection
from services.cli.doctor.finding import Finding, not_seen, odd, well, wrong
from services.cli.exits import CliError
from services.cli.printing import moment
from services.cli.status_view import status_lines
from services.cli.talking import talk

SLOW_MILLISECONDS: Final = 20.0
"""A question that touches no table takes less where database and queue-service are in one place."""
MOST_SKEW_SECONDS: Final = 2.0
CONNECTIONS_USED: Final = 0.9
_NAMES: Final = frozenset({"dialling", "campaign", "due", "in flight", "plan", "last sweep", "held", "wrong"})
_INFORMATION: Final = frozenset({"held"})


def examine() -> Iterator[Finding]:
    """Findings in the order in which one thing stands on another. Raises SettingsError for wrong settings."""
    began, asked_at = time.perf_counter(), time.time()
    try:
        found = talk(QueueClient.diagnosis)
        took = time.perf_counter() - began
    except CliError as error:
        yield wrong("queue-service", *_split(str(error)))
        return
    where = find_connection()
    yield well("queue-service", f"version {found.version} answers at {where.queue_url} ({took * 1000:.0f} ms)")
    yield from _database(found)
    yield from _clocks(found, asked_at + took / 2)
    try:
        stats = talk(QueueClient.stats)
    except CliError as error:  # a process's own token may ask for the diagnosis alone
        yield not_seen("dialling", *_split(str(error)))
    else:
        yield from _dialling(stats)


def _split(sentence: str) -> tuple[str, str]:
    """An error's words, and what it says to do."""
    words, _, then = sentence.partition("; ")
    return words, then or "look at its log"


def _database(found: Diagnosis) -> Iterator[Finding]:
    says = f"PostgreSQL {found.database_version} answers in {found.database_milliseconds:.1f} ms"
    if found.database_milliseconds > SLOW_MILLISECONDS:
        yield odd("database", says, "bring queue-service and database closer, or look at what else the database does")
    else:
        yield well("database", says)
    says = f"{found.connections} of {found.connections_limit}"
    if found.connections > CONNECTIONS_USED * found.connections_limit:
        then = "raise max_connections, or lower LEADLINE_DATABASE_POOL_SIZE; docs/operations/sizing.md has the sum"
        yield odd("connections", says, then)
    else:
        yield well("connections", says)
    if found.schema_misfit:
        yield wrong("schema", *_colon(found.schema_misfit))
    elif found.schema_revision != found.schema_expected:
        yield odd(
            "schema",
            f"revision {found.schema_revision}, newer than this version's {found.schema_expected}; it still fits",
            "finish the upgrade: docs/operations/upgrade.md",
        )
    else:
        yield well("schema", f"revision {found.schema_revision}")


def _colon(sentence: str) -> tuple[str, str]:
    words, _, then = sentence.rpartition(": ")
    return (words, then) if words else (sentence, "docs/operations/upgrade.md")


def _clocks(found: Diagnosis, here: float) -> Iterator[Finding]:
    skew = (found.queue_at - found.database_at).total_seconds()
    ours = here - found.database_at.timestamp()
    says = f"queue-service {skew:+.3f} s, this machine {ours:+.3f} s against the database"
    if max(abs(skew), abs(ours)) > MOST_SKEW_SECONDS:
        yield odd("clock", says, "let NTP mend it; calls go by the database's clock, logs and traces do not")
    else:
        yield well("clock", says)
    if found.clock_speed != 1:
        yield well("business time", f"{moment(found.business_at)}, {found.clock_speed:g} times as fast as real time")


def _dialling(stats: Stats) -> Iterator[Finding]:
    for line in status_lines(stats):
        if line.name not in _NAMES:
            continue
        if line.name == "last sweep" and stats.last_sweep_at is None:
            yield odd(
                line.name, "none yet", "the first comes within minutes of the start; `leadline sweep` runs one now"
            )
        elif line.then:
            yield wrong(line.name, line.words, line.then)
        elif line.name in _INFORMATION:
            yield odd(line.name, line.words, "docs/operations/alerts.md, LeadlineHeldAgeing, says what each waits for")
        else:
            yield well(line.name, line.words)
    yield well("crm outbox", f"{stats.crm_waiting} messages wait")
