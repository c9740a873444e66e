"""The newest backfill: whether it is under way, and how far it is."""

from typing import Final

from leadline.contracts.backfill import BackfillState
from leadline.store import measures
from leadline.store.connection import Connection
from services.queue_service.backfilling.recording import Met
from services.queue_service.measuring.gauges import Gauge, Sample

RUNNING: Final = Gauge(
    "leadline_backfill_running",
    "1 while the newest backfill is neither finished nor given up as incomplete, whether a process works on it or not.",
)
WINDOWS: Final = Gauge(
    "leadline_backfill_windows", "Windows of the newest backfill's range: waiting, done or failed.", ("state",)
)
CALLS: Final = Gauge(
    "leadline_backfill_calls",
    "Calls that the newest backfill met and nobody knew, by what became of them.",
    ("result",),
)
GAUGES: Final = (RUNNING, WINDOWS, CALLS)

_RESULTS: Final = tuple(met for met in Met if met not in {Met.KNOWN, Met.UNDETERMINED})
"""A run does not count what is known by then; what is undetermined is looked up, and counted as what it is then."""


async def read_backfill(conn: Connection) -> list[Sample]:
    """The newest run."""
    run = await measures.find_newest_backfill(conn)
    if run is None:
        return [RUNNING.of(0)]
    windows = await measures.count_windows(conn, run["id"])
    return [
        RUNNING.of(run["state"] in {BackfillState.LISTING, BackfillState.DECIDING}),
        *(WINDOWS.of(windows.get(state, 0), state) for state in ("waiting", "done", "failed")),
        *(CALLS.of(run["counters"].get(met, 0), met) for met in _RESULTS),
    ]
