"""Row 20: a backfill that is killed, met by faults, or run twice at once ends as one that nobody disturbed."""

import asyncio
import contextlib
import json
import os
import random
import secrets
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from tests.support.fixtures import _fresh_database
from tests.support.past import OPTIONS, Past
from tests.support.processes import ServiceProcess
from tests.support.run import Server
from tests.support.stack import Stack
from tests.support.system import System, system_open
from tests.support.waiting import until
from tests.support.whole_tables import Tables, difference, read_raw_tables, read_whole_tables

CALLS: Final = int(os.environ.get("LEADLINE_BACKFILL_CALLS", "2000"))
SEED: Final = int(os.environ.get("LEADLINE_BACKFILL_SEED", "0")) or secrets.randbelow(2**31) + 1
KILLS: Final = 20
DONE, MISSING, BUSY = 0, 4, 5
LONGEST_SECONDS: Final = 120.0 + CALLS / 100
SETTINGS: Final = {"LEADLINE_BLAND_FROM": "+15615550900"}
"""A number of ours: whoever dials it is no person to be called."""
FAULTS: Final = (
    ("list", "refuse", {"status": 429, "probability": 0.1}),
    ("list", "refuse", {"status": 500, "probability": 0.1}),
    ("list", "accept_then_reset", {"probability": 0.03}),
    ("list", "bare_array", {"probability": 0.03}),
    ("details", "refuse", {"status": 429, "probability": 0.05}),
    ("details", "refuse", {"status": 500, "probability": 0.05}),
    ("details", "hang_before_accept", {"seconds": 5, "probability": 0.002}),
)
_READ: Final = """
SELECT (SELECT count(*) FROM calls) + (SELECT count(*) FROM leads WHERE status_reason IS DISTINCT FROM 'backfill')
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3 * LONGEST_SECONDS)]


@dataclass(frozen=True)
class Wanted:
    """What an undisturbed backfill leaves."""

    before: int
    """How far `_READ` was before it."""
    after: int
    tables: Tables
    summary: dict[str, Any]


@contextmanager
def _database(postgres: Server, admin: psycopg.Connection) -> Iterator[str]:
    fresh = _fresh_database(postgres, admin, postgres.template)
    yield next(fresh)
    with contextlib.suppress(StopIteration):
        next(fresh)


@asynccontextmanager
async def _world(database_url: str, folder: Path) -> AsyncIterator[System]:
    """Nobody dials here: what changes, the backfill has changed."""
    stack = Stack(database_url, folder, SETTINGS, crm=True)
    try:
        await stack.start(gateway=False)
        async with system_open(stack) as system:
            yield system
    finally:
        await stack.stop()


@pytest.fixture(scope="module")
def wanted(postgres: Server, _postgres_admin: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory) -> Wanted:
    """The end state of a backfill that nothing happens to, late calls being there from the start."""
    with _database(postgres, _postgres_admin) as url:
        return asyncio.run(_undisturbed(url, tmp_path_factory.mktemp("undisturbed")))


async def _undisturbed(database_url: str, folder: Path) -> Wanted:
    async with _world(database_url, folder) as system:
        await Past(CALLS).make(system, with_late_calls=True)
        before = await system.count(_READ)
        summary = await _run(system)
        async with system.db.acquire() as conn:
            return Wanted(before, await system.count(_READ), await read_whole_tables(conn), summary)


@pytest.fixture
async def system(database_url: str, tmp_path: Path) -> AsyncIterator[System]:
    async with _world(database_url, tmp_path) as system:
        yield system


async def _run(system: System, *options: str) -> dict[str, Any]:
    """A backfill that is left alone; its summary."""
    process = system.stack.make_backfill(*OPTIONS, *options)
    process.start()
    code = await process.wait(LONGEST_SECONDS)
    assert code == DONE, process.log_tail()
    return _summary(process)


def _summary(process: ServiceProcess) -> dict[str, Any]:
    """The summary stands behind all that was logged."""
    text = process.log_text()
    found: dict[str, Any] = json.loads(text[text.rindex("\n{\n") :] if "\n{\n" in text else text)
    return found


async def _assert_is(system: System, wanted: Wanted) -> None:
    async with system.db.acquire() as conn:
        found = await read_whole_tables(conn)
    assert not (differs := difference(found, wanted.tables)), f"LEADLINE_BACKFILL_SEED={SEED}\n{differs}"
    check = await system.queue.check_promises()
    assert not check.violations, check.violations


def test_there_is_something_to_compare(wanted: Wanted) -> None:
    """The undisturbed run records, adds, ends, holds and skips: no table is equal because it is empty."""
    leads = Counter((row["status"], row["status_reason"]) for row in map(json.loads, wanted.tables["leads"]))
    assert {status for status, _ in leads} == {"rescheduled", "completed", "held", "pending", "paused"}, leads
    assert leads["held", "backfill"] == 0
    reasons = ("crm_final", "dnc", "sale", "aca", "not_interested", "bad_number", "refused_number", "exhausted")
    assert [reason for reason in reasons if not leads["completed", reason]] == []
    assert leads["held", "crm_unknown"] > CALLS / 50, "Convoso has no lead of some people"
    origins = Counter(row["origin"] for row in map(json.loads, wanted.tables["attempts"]))
    assert origins["elsewhere"] > CALLS * 0.9
    assert len(wanted.tables["suppressions"]) > CALLS / 50
    assert wanted.summary["windows"] == {"done": 120, "failed": 0, "waiting": 0}


async def test_row_20_killed_at_random_moments(system: System, wanted: Wanted) -> None:
    dice = random.Random(SEED)
    sys.stdout.write(f"LEADLINE_BACKFILL_SEED={SEED} LEADLINE_BACKFILL_CALLS={CALLS}\n")
    past = Past(CALLS)
    await past.make(system, with_late_calls=False)
    for on, kind, rule in FAULTS:
        await system.simulator.fault(on, kind, **rule)
    codes: Counter[int] = Counter()
    moments = sorted(dice.sample(range(wanted.before + 1, wanted.after), KILLS))
    for n, moment in enumerate(moments):
        if n == KILLS // 4:
            await _insert_late_calls(system, past)
        await system.simulator.insert_history(*past.unfinished_calls(dice, 5))
        async with system.stack.make_backfill(*OPTIONS) as process:
            codes[await _until_read(system, process, moment)] += 1
            await asyncio.sleep(dice.uniform(0, 0.02))
    killed = codes.pop(-1, 0)
    assert killed > KILLS / 2, codes
    assert codes.keys() <= {DONE, MISSING}, codes
    code = None
    while code != DONE:
        async with system.stack.make_backfill(*OPTIONS) as process:
            code = await process.wait(LONGEST_SECONDS)
            assert code in {DONE, MISSING}, process.log_tail()
    await _assert_is(system, wanted)


async def _insert_late_calls(system: System, past: Past) -> None:
    """While nobody reads, into windows that nobody has read; and only when they are listed, reading goes on."""
    late = past.late_calls()
    await system.simulator.insert_history(*({**call, "lag_seconds": 0.3} for call in late))
    await until(
        lambda: system.is_listed(late[-1]["call_id"], datetime.fromisoformat(late[-1]["created_at"])),
        "the late calls are listed",
    )


async def _until_read(system: System, process: ServiceProcess, moment: int) -> int:
    """Let a backfill run until so much is done; its exit code if it ended by itself before, else -1."""

    async def look() -> bool:
        return not process.running or await system.count(_READ) >= moment

    await until(look, f"{moment} calls and numbers are done: {process.log_tail()}", LONGEST_SECONDS)
    return -1 if process.running else process.process.returncode


async def test_row_20_two_at_once(system: System, wanted: Wanted) -> None:
    await Past(CALLS).make(system, with_late_calls=True)
    async with system.stack.make_backfill(*OPTIONS) as first, system.stack.make_backfill(*OPTIONS) as second:
        async with system.stack.make_backfill(*OPTIONS, "--no-wait") as third:
            await until(lambda: _is_begun(system), "one of them has begun")
        codes = [await process.wait(LONGEST_SECONDS) for process in (first, second)]
        assert codes == [DONE, DONE], [first.log_tail(), second.log_tail()]
    assert third.process.returncode in {BUSY, -9}
    await _assert_is(system, wanted)
    again = await _run(system)
    assert again["calls"]["listed"] == wanted.summary["calls"]["listed"]
    await _assert_is(system, wanted)


async def _is_begun(system: System) -> bool:
    return await system.count("SELECT count(*) FROM calls") > 0


async def test_a_copy_that_is_not_to_wait_says_who_is_at_work(system: System) -> None:
    await Past(300).make(system, with_late_calls=False)
    await system.simulator.fault("list", "latency", seconds=0.2)
    async with system.stack.make_backfill(*OPTIONS) as first:
        await until(lambda: _is_begun(system), "the first one has begun")
        async with system.stack.make_backfill(*OPTIONS, "--no-wait") as second:
            assert await second.wait() == BUSY
        assert "another copy is at work" in second.log_text()
        assert first.running


async def test_a_dry_run_changes_no_row_of_any_table(system: System, wanted: Wanted) -> None:
    await Past(CALLS).make(system, with_late_calls=True)
    await _run(system, "--dry-run", "--window", "7h")  # what only the first run of all writes, is written
    async with system.db.acquire() as conn:
        before = await read_raw_tables(conn)
    summary = await _run(system, "--dry-run")
    async with system.db.acquire() as conn:
        after = await read_raw_tables(conn)
    assert not difference(after, before)
    assert not before["backfill_runs"]
    assert summary["dry_run"] is True
    assert summary["calls"] == wanted.summary["calls"]


async def test_windows_that_cannot_be_read_are_named_and_read_by_the_next_run(system: System, wanted: Wanted) -> None:
    await Past(CALLS).make(system, with_late_calls=True)
    await system.simulator.fault("list", "refuse", status=500, count=6)
    async with system.stack.make_backfill(*OPTIONS) as process:
        assert await process.wait(LONGEST_SECONDS) == MISSING, process.log_tail()
    missing = _summary(process)["missing"]
    assert len(missing) == 1
    assert "500" in missing[0]["problem"]
    held = "SELECT count(*) FROM leads WHERE status = 'held' AND status_reason = 'backfill'"
    assert await system.count(held) > 0, "nobody is added while history is missing"
    listed = (await _run(system))["calls"]["listed"]
    assert 0 < listed < CALLS / 20, "only what was missing is read"
    await _assert_is(system, wanted)
