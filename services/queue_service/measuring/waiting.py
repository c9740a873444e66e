"""What waits to be applied, confirmed or told, and the schema."""

from typing import Final

from leadline.store import measures
from leadline.store.connection import Connection
from leadline.store.measures import Moment
from leadline.store.schema import EXPECTED_REVISION, get_schema
from services.queue_service.measuring.gauges import Gauge, Sample

COUNTED: Final = 10_000
"""Further than this nothing is counted: whoever has so much waiting has the same trouble as with more."""

UNAPPLIED: Final = Gauge(
    "leadline_unapplied_events", f"Events that are stored and not applied, counted up to {COUNTED}."
)
UNCONFIRMED: Final = Gauge(
    "leadline_unconfirmed_stop_orders", f"Calls that are to be ended and are not known to be, counted up to {COUNTED}."
)
OUTBOX: Final = Gauge(
    "leadline_crm_outbox",
    f"What the CRM is still to be told (waiting) or refused for good (dead), each counted up to {COUNTED}.",
    ("state",),
)
OUTBOX_OLDEST: Final = Gauge(
    "leadline_crm_outbox_oldest_seconds",
    "How long the oldest of what the CRM is still to be told has been waiting; 0 if nothing is.",
)
REVISION: Final = Gauge("leadline_schema_revision", "Revision of the database's schema. Absent if it has none.")
EXPECTED: Final = Gauge(
    "leadline_schema_revision_expected", "Revision of the schema that this version was written for."
)
GAUGES: Final = (UNAPPLIED, UNCONFIRMED, OUTBOX, OUTBOX_OLDEST, REVISION, EXPECTED)


async def read_waiting(conn: Connection, moment: Moment) -> list[Sample]:
    """Events, stop orders and the outbox."""
    waiting = await measures.count_waiting(conn, COUNTED)
    untold, since = await measures.count_untold(conn, COUNTED)
    return [
        UNAPPLIED.of(waiting["unapplied_events"]),
        UNCONFIRMED.of(waiting["unconfirmed_stop_orders"]),
        OUTBOX.of(untold, "waiting"),
        OUTBOX.of(waiting["crm_dead"], "dead"),
        OUTBOX_OLDEST.of(0.0 if since is None else moment.seconds_since(since)),
    ]


async def read_schema(conn: Connection) -> list[Sample]:
    """The schema's revision beside the one that is expected."""
    revision = (await get_schema(conn)).revision
    samples = [EXPECTED.of(int(EXPECTED_REVISION))]
    if revision is not None and revision.isdecimal():
        samples.append(REVISION.of(int(revision)))
    return samples
