"""The sweep, which lives for one pass at a time and is asked nothing: its runs say what there is to know."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from leadline.store import measures
from leadline.store.connection import Connection, Row
from leadline.store.measures import Moment
from leadline.store.promises import PROMISES
from services.queue_service.counting.labels import OTHER
from services.queue_service.measuring.gauges import Gauge, Sample

RUNS_LOOKED_AT: Final = 10_000
"""A month of them: whoever has had no success for longer sees none."""
MOST_FINDINGS: Final = 200
CHECKED: Final = "promises.checked"
VIOLATED: Final = "promises.violated"
_FINDING: Final = re.compile(r"[a-z_]{1,40}\.[a-z_]{1,60}")

LAST_RUN: Final = Gauge(
    "leadline_sweep_last_run_timestamp_seconds", "When the last sweep that finished did so, well or not."
)
LAST_SUCCESS: Final = Gauge(
    "leadline_sweep_last_success_timestamp_seconds",
    "When the last sweep finished that could do all it had to. Absent if none did, of the last 10000.",
)
FINDINGS: Final = Gauge(
    "leadline_sweep_findings",
    "What the last sweep that finished found and did, `step.reason`; absent where that is nothing.",
    ("finding",),
)
BROKEN: Final = Gauge(
    "leadline_promises_broken",
    "Attempts, leads or events that break the promise (1 to 9), as the last sweep that checked the promises found.",
    ("promise",),
)
GAUGES: Final = (LAST_RUN, LAST_SUCCESS, FINDINGS, BROKEN)


async def read_sweeps(conn: Connection, moment: Moment) -> list[Sample]:
    """The last runs; nothing before the first."""
    last = await measures.find_last_sweeps(conn, RUNS_LOOKED_AT, CHECKED, VIOLATED)
    if last is None:
        return []
    samples = [LAST_RUN.of(moment.unix(last["finished_at"])), *findings(last["counters"])]
    if last["succeeded_at"] is not None:
        samples.append(LAST_SUCCESS.of(moment.unix(last["succeeded_at"])))
    return samples + await _broken(conn, last)


def findings(counters: Mapping[str, int]) -> Iterator[Sample]:
    """Counters of a run. Their names are the sweep's closed vocabulary; what is none of it is shown as other."""
    known = {name: number for name, number in sorted(counters.items()) if _FINDING.fullmatch(name)}
    shown = dict(list(known.items())[:MOST_FINDINGS])
    for name, number in shown.items():
        yield FINDINGS.of(number, name)
    if len(shown) < len(counters):
        yield FINDINGS.of(sum(counters.values()) - sum(shown.values()), OTHER)


async def _broken(conn: Connection, last: Row) -> list[Sample]:
    """A check writes an alarm for each violation, and the run that it was made in counts it."""
    if last["check_started_at"] is None:
        return []
    broken: Mapping[int, int] = {}
    if last["check_violated"]:
        broken = await measures.count_broken(conn, last["check_started_at"], last["check_finished_at"])
    return [BROKEN.of(broken.get(promise.number, 0), str(promise.number)) for promise in PROMISES]
