"""Runs of a backfill: begun, kept by one holder at a time, read window by window, ended. All of it can be repeated."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from leadline.contracts.backfill import (
    MOST_WINDOWS,
    BackfillRun,
    BackfillRunList,
    BackfillStart,
    BackfillState,
    BackfillStep,
    BackfillWindow,
    FailedWindow,
    Held,
    NextWindows,
    WindowBatch,
    WindowDone,
)
from leadline.domain.errors import LeadlineError
from leadline.domain.ids import CampaignName
from leadline.runtime.ids import new_uuid7
from leadline.store import backfill
from leadline.store.clock import get_clock
from leadline.store.connection import Connection, Row
from services.queue_service.intake import UnknownCampaign
from services.queue_service.operating import NotFound
from services.queue_service.policy import Policy

LISTING_LAG: Final = timedelta(minutes=10)
"""Business time after which the provider surely lists a call."""
RUNS_SHOWN: Final = 50
FIRST_YEAR, LAST_YEAR = 2000, 2999
"""A range beyond is a slip of the pen."""


class BackfillTaken(LeadlineError):
    """Another process holds the run."""

    code = "backfill_taken"


class ImpossibleRange(LeadlineError):
    """The range or a window of it cannot be read."""

    code = "impossible_range"


class WindowsMissing(LeadlineError):
    """Numbers are decided, and a run is ended, only when every window was dealt with."""

    code = "backfill_windows_missing"


@dataclass(frozen=True, slots=True)
class Run:
    """A run that this transaction holds."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    campaign: CampaignName | None
    state: BackfillState
    counters: Mapping[str, int]

    @classmethod
    def of(cls, row: Row) -> "Run":
        """As its row says."""
        values = dict(row)
        values["state"] = BackfillState(values["state"])
        return cls(**values)


async def keep(conn: Connection, run_id: UUID, held: Held) -> Run:
    """Lock the run until the caller's transaction ends, and hold it longer. Raises NotFound, BackfillTaken."""
    return await _keep(conn, run_id, held.holder, held.lease_seconds)


async def _keep(conn: Connection, run_id: UUID, holder: str, lease_seconds: float) -> Run:
    row = await backfill.keep_run(conn, run_id, holder, lease_seconds)
    if row is not None:
        return Run.of(row)
    other = await backfill.find_holder(conn, run_id)
    if other is None:
        raise NotFound(f"there is no backfill run {run_id}: begin one with POST /v1/backfill/runs")
    raise BackfillTaken(
        f"{other['holder']} holds this backfill run for {math.ceil(other['seconds_left'])} s more:"
        " wait until it is done or its time is over"
    )


async def add_counters(conn: Connection, run: Run, done: Mapping[str, int]) -> None:
    """Add to what a run has done; in the transaction that did it, so that nothing is counted twice."""
    if any(done.values()):
        await backfill.set_counters(conn, run.id, Counter(run.counters) + Counter(done))


# ---------------------------------------------------------------- begin and end


async def start(conn: Connection, policy: Policy, asked: BackfillStart) -> BackfillRun:
    """Begin a run, or go on with the unfinished one of the range as asked.

    Raises UnknownCampaign, ImpossibleRange, BackfillTaken.
    """
    _check(policy, asked)
    known = await backfill.find_unfinished(conn, asked.starts_at, asked.ends_at, asked.campaign)
    if known is not None:
        return await _resume(conn, known, asked)
    now = (await get_clock(conn)).now
    ends_at = _surely_listed(asked, now)
    if asked.dry_run:
        return _described(asked, ends_at)
    run_id = new_uuid7()
    begun = await backfill.insert_run(
        conn,
        run_id,
        starts_at=asked.starts_at,
        ends_at=ends_at,
        asked_ends_at=asked.ends_at,
        campaign=asked.campaign,
        window_seconds=asked.window_seconds,
        now=now,
    )
    if not begun:  # somebody else did, a moment ago
        known = await backfill.find_unfinished(conn, asked.starts_at, asked.ends_at, asked.campaign)
        if known is None:
            raise BackfillTaken("another process has just worked on this range: start again")
        return await _resume(conn, known, asked)
    await _keep(conn, run_id, asked.holder, asked.lease_seconds)
    return await view(conn, run_id)


def _check(policy: Policy, asked: BackfillStart) -> None:
    if asked.campaign is not None and asked.campaign not in policy.campaigns:
        known = ", ".join(sorted(policy.campaigns))
        raise UnknownCampaign(f"there is no campaign {asked.campaign!r}; configured are: {known}")
    _check_times(asked.starts_at, asked.ends_at)
    if (asked.ends_at - asked.starts_at).total_seconds() / asked.window_seconds > MOST_WINDOWS:
        raise ImpossibleRange(f"the range has more than {MOST_WINDOWS} windows: give longer windows or a shorter range")


def _check_times(starts_at: datetime, ends_at: datetime) -> None:
    for name, at in (("starts_at", starts_at), ("ends_at", ends_at)):
        if not FIRST_YEAR <= at.year <= LAST_YEAR:
            raise ImpossibleRange(f"{name} is in the year {at.year}: give one from {FIRST_YEAR} to {LAST_YEAR}")
    if starts_at >= ends_at:
        raise ImpossibleRange("the range ends before it begins: give the earlier instant as starts_at")


def _surely_listed(asked: BackfillStart, now: datetime) -> datetime:
    """The end, moved back: what the provider has not listed yet would look as if it did not exist."""
    ends_at = min(asked.ends_at, now - LISTING_LAG)
    if ends_at <= asked.starts_at:
        raise ImpossibleRange(
            f"nothing of this range is surely listed yet: calls are read up to {LISTING_LAG.seconds // 60} minutes"
            f" before now, that is {(now - LISTING_LAG).astimezone(UTC).isoformat(timespec='seconds')}"
        )
    return ends_at


async def _resume(conn: Connection, run_id: UUID, asked: BackfillStart) -> BackfillRun:
    if asked.dry_run:
        return await view(conn, run_id, resumed=True)
    run = await _keep(conn, run_id, asked.holder, asked.lease_seconds)
    if run.state is BackfillState.INCOMPLETE:
        await backfill.wait_again(conn, run_id)
        await backfill.set_state(conn, run_id, BackfillState.LISTING)
    return await view(conn, run_id, resumed=True)


def _described(asked: BackfillStart, ends_at: datetime) -> BackfillRun:
    return BackfillRun(
        id=new_uuid7(),
        starts_at=asked.starts_at,
        ends_at=ends_at,
        campaign=asked.campaign,
        state=BackfillState.LISTING,
        resumed=False,
        windows_done=0,
        windows_waiting=math.ceil((ends_at - asked.starts_at).total_seconds() / asked.window_seconds),
        failed=[],
        counters={},
    )


async def finish(conn: Connection, run_id: UUID, held: Held) -> BackfillRun:
    """End a run: finished, or incomplete if windows failed. Raises NotFound, BackfillTaken, WindowsMissing."""
    run = await keep(conn, run_id, held)
    missing = await backfill.count_missing(conn, run_id)
    if missing["waiting"]:
        raise WindowsMissing(f"{missing['waiting']} windows of this run are not read yet: read them first")
    if run.state is not BackfillState.FINISHED:
        state = BackfillState.INCOMPLETE if missing["failed"] else BackfillState.FINISHED
        await backfill.end_run(conn, run_id, state, (await get_clock(conn)).now)
    return await view(conn, run_id)


async def view(conn: Connection, run_id: UUID, *, resumed: bool = False) -> BackfillRun:
    """A run as it stands. `listed` is among the counters: how many calls the windows that were read held."""
    row, failed = await backfill.get_run(conn, run_id)
    return BackfillRun(
        id=row["id"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        campaign=row["campaign"],
        state=BackfillState(row["state"]),
        resumed=resumed,
        windows_done=row["windows_done"],
        windows_waiting=row["windows_waiting"],
        failed=[FailedWindow(**dict(window)) for window in failed],
        counters={"listed": row["listed"], **row["counters"]},
    )


async def list_runs(conn: Connection) -> BackfillRunList:
    """The last runs, the newest first."""
    return BackfillRunList(runs=[await view(conn, run_id) for run_id in await backfill.list_runs(conn, RUNS_SHOWN)])


# ---------------------------------------------------------------- windows


async def next_windows(conn: Connection, run_id: UUID, asked: NextWindows) -> WindowBatch:
    """The next windows to read. When none is left and none failed, numbers may be decided."""
    run = await keep(conn, run_id, asked)
    rows = await backfill.next_windows(conn, run_id, asked.limit)
    if not rows and run.state is BackfillState.LISTING and not (await backfill.count_missing(conn, run_id))["failed"]:
        await backfill.set_state(conn, run_id, BackfillState.DECIDING)
    return WindowBatch(windows=[BackfillWindow(**dict(row)) for row in rows])


async def finish_window(conn: Connection, run_id: UUID, done: WindowDone) -> BackfillStep:
    """A window was read, could not be, or is halved. Raises NotFound, BackfillTaken, ImpossibleRange."""
    await keep(conn, run_id, done)
    window = done.window.starts_at, done.window.ends_at
    _check_times(*window)
    if done.halve:
        changed = await backfill.halve_window(conn, run_id, window, _middle(*window))
        return BackfillStep(counters={"windows_halved": int(changed)})
    changed = await backfill.end_window(conn, run_id, window, listed=done.listed, problem=done.problem)
    return BackfillStep(counters={"windows_done" if done.problem is None else "windows_failed": int(changed)})


def _middle(starts_at: datetime, ends_at: datetime) -> datetime:
    """Whole seconds: the provider's ranges know no smaller ones."""
    half = (ends_at - starts_at).total_seconds() // 2
    if half < 1:
        raise ImpossibleRange("a window of less than two seconds cannot be halved")
    return starts_at + timedelta(seconds=half)


async def keep_complete(conn: Connection, run_id: UUID, held: Held) -> Run:
    """Keep a run of which every window was read. Raises NotFound, BackfillTaken, WindowsMissing."""
    run = await keep(conn, run_id, held)
    missing = await backfill.count_missing(conn, run_id)
    if missing["waiting"] or missing["failed"]:
        raise WindowsMissing(
            f"{missing['waiting'] + missing['failed']} windows of this run are missing:"
            " nobody is added while the latest call of a number may be in one of them"
        )
    return run
