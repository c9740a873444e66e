"""CPU time of each process for one lead and for one call end to end, and its memory: `make bench-cpu`.

A call is everything: leased, marked, dialled, reported, its event taken in and applied, the lead planned anew. What is
printed are differences over a steady stretch, idling included; the simulator is not counted.

Sizes: BENCH_RATE (calls a second), BENCH_SECONDS (measured), BENCH_CALL_SECONDS (from a call's acceptance to its end:
times the rate, so many are in progress), BENCH_ANSWER_SECONDS (what the provider takes to answer a POST), BENCH_SLOTS,
BENCH_WAITING (leads due later), BENCH_LEADS, BENCH_LEADS_RATE, BENCH_CRM (1: results are told to a simulated Convoso).
"""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from benchmarks.intake import post_steadily
from benchmarks.stage import GATEWAY_URL, QUEUE_URL, SIMULATOR_URL, Stage, options, show, stage_open
from benchmarks.usage import cpu_seconds, machine_seconds, peak_mib, shared_out_mib

POSTGRES: Final = "postgres"
WARM_UP_SECONDS: Final = 5.0
LEAD_TIME_SECONDS: Final = 10.0
REST_SECONDS: Final = 5.0
STEPS_A_POST: Final = 2000
QUEUED_SECONDS: Final = 0.3
CALLS_IN_A_HUNDRED: Final[Mapping[str, int]] = {
    "VOICEMAIL": 40,
    "NO_ANSWER": 26,
    "CONFUSED": 12,
    "NOT_INTERESTED": 5,
    "BUSY": 4,
    "CALLBACK": 4,
    "TRANSFERRED": 3,
    "FAILED": 2,
    "DO_NOT_CALL": 2,
    "SALE": 1,
    "BAD_NUMBER": 1,
}
"""About what the simulator draws of itself for first calls."""

CONVOSO: Final[Mapping[bool, Mapping[str, str]]] = {
    False: {},
    True: {
        "LEADLINE_CONVOSO_BASE_URL": f"{SIMULATOR_URL}/convoso/v1",
        "LEADLINE_CONVOSO_AUTH_TOKEN": "bench",
        "LEADLINE_CONVOSO_REQUESTS_PER_SECOND": "0",
    },
}
COUNTS: Final = """
SELECT count(*) FILTER (WHERE state IN ('placed', 'ended')) AS placed, count(*) FILTER (WHERE state = 'ended') AS ended,
       pg_current_wal_insert_lsn() - '0/0' AS wal_bytes,
       (SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal') AS wal_syncs
FROM attempts
"""
IN_HAND: Final = """
SELECT avg(extract(epoch FROM placed_at - leased_at)) AS seconds, max(open) AS open
FROM (SELECT placed_at, leased_at FROM attempts WHERE placed_at > now() - make_interval(secs => $1)) a,
     (SELECT count(*) AS open FROM open_attempts) o
"""
POSTPONE: Final = "UPDATE due_leads SET due_at = due_at + interval '20 days' WHERE due_at < now() + interval '1 day'"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was used by an instant."""

    at: float
    others: float
    """CPU seconds of everything on this machine that is not ours."""
    cpu: Mapping[str, float]
    placed: int
    ended: int
    wal_bytes: float
    wal_syncs: float


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    rate: float
    seconds: float
    call_seconds: float
    answer_seconds: float
    slots: str
    waiting: int
    leads: int
    leads_rate: float
    crm: bool

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Sizes":
        """As the environment says."""
        return cls(
            rate=float(given.get("rate", 100)),
            seconds=float(given.get("seconds", 60)),
            call_seconds=float(given.get("call_seconds", 3)),
            answer_seconds=float(given.get("answer_seconds", 0)),
            slots=given.get("slots", "50"),
            waiting=int(given.get("waiting", 100_000)),
            leads=int(given.get("leads", 4000)),
            leads_rate=float(given.get("leads_rate", 200)),
            crm=given.get("crm", "0") == "1",
        )


class Bench:
    """One running system, and what its processes have used."""

    def __init__(self, stage: Stage, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Nothing runs yet but the database."""
        self._stage = stage
        self._connection = connection
        self._pids = {POSTGRES: stage.postgres_pid}
        self._only_memory: dict[str, int] = {}
        self._rest_mib: dict[str, float] = {}

    def watch(self, **processes: subprocess.Popen[bytes]) -> None:
        """Count these."""
        self._pids.update({name.replace("_", "-"): process.pid for name, process in processes.items()})

    def watch_memory(self, **processes: subprocess.Popen[bytes]) -> None:
        """Their CPU time is nobody's in production."""
        self._only_memory.update({name: process.pid for name, process in processes.items()})

    async def read(self) -> Reading:
        """All of it now. Counting costs the database a little, at both ends of a stretch alone."""
        row = await self._connection.fetchrow(COUNTS)
        assert row is not None
        cpu = {name: cpu_seconds(pid) for name, pid in self._pids.items()}
        others = machine_seconds() - cpu_seconds(os.getpid())
        written = float(row["wal_bytes"]), float(row["wal_syncs"])
        return Reading(time.perf_counter(), others, cpu, row["placed"], row["ended"], *written)

    async def rest(self) -> None:
        """Print what idling costs, and remember the memory of it."""
        before = await self.read()
        await asyncio.sleep(REST_SECONDS)
        after = await self.read()
        seconds = after.at - before.at
        show(
            "at rest, CPU ms per second",
            **{name: spent * 1000 / seconds for name, spent in used(before, after).items()},
        )
        self._rest_mib = self._memory()

    async def leads(self, count: int, rate: float) -> None:
        """Post leads at a rate and print what each cost."""
        before = await self.read()
        await post_steadily(self._stage.http, iter(range(1_000_000, 1_000_000 + count)), rate, count)
        after = await self.read()
        print_costs(f"leads at {count / (after.at - before.at):.0f}/s", before, after, count)

    async def calls(self, sizes: Sizes) -> None:
        """Dial at a rate and print what each call cost."""
        warm_up = sizes.call_seconds + WARM_UP_SECONDS
        first_due = datetime.now(UTC) + timedelta(seconds=LEAD_TIME_SECONDS)
        count = int(sizes.rate * (warm_up + sizes.seconds + WARM_UP_SECONDS))
        await script(self._stage, count, sizes.call_seconds)
        await self._stage.fill(count, first_due, 1 / sizes.rate)
        await asyncio.sleep((first_due - datetime.now(UTC)).total_seconds() - REST_SECONDS - 0.5)
        await self.rest()
        await asyncio.sleep((first_due - datetime.now(UTC)).total_seconds() + warm_up)
        await self._connection.execute("ANALYZE")  # as autovacuum does within a minute
        before = await self.read()
        await asyncio.sleep(sizes.seconds)
        after = await self.read()
        placed, ended = after.placed - before.placed, after.ended - before.ended
        held = await self._connection.fetchrow(IN_HAND, sizes.seconds)
        assert held is not None
        print_costs(
            f"calls at {placed / (after.at - before.at):.0f}/s, {held['open']} in progress", before, after, ended
        )
        show(
            "of these calls",
            placed=placed,
            ended=ended,
            seconds_in_hand=f"{held['seconds']:.3f}",
            wal_bytes_per_call=(after.wal_bytes - before.wal_bytes) / max(ended, 1),
            wal_syncs_per_call=f"{(after.wal_syncs - before.wal_syncs) / max(ended, 1):.2f}",
            cores_busy_with_other_things=f"{(after.others - before.others) / (after.at - before.at):.2f}",
        )

    def memory(self) -> None:
        """Print memory at rest and at most; PostgreSQL's is what it has now."""
        for name, most in self._memory().items():
            rest = self._rest_mib.get(name, 0.0)
            show(f"memory of {name}, MiB", at_rest=rest, at_most=most)

    def _memory(self) -> dict[str, float]:
        watched = self._pids | self._only_memory
        return {name: shared_out_mib(pid) if name == POSTGRES else peak_mib(pid) for name, pid in watched.items()}


def used(before: Reading, after: Reading) -> dict[str, float]:
    """CPU seconds by process."""
    return {name: after.cpu[name] - seconds for name, seconds in before.cpu.items()}


def print_costs(what: str, before: Reading, after: Reading, count: int) -> None:
    """CPU milliseconds for each, and how many a core would carry."""
    ms = {name: seconds * 1000 / max(count, 1) for name, seconds in used(before, after).items()}
    show(f"{what}, CPU ms each", **{name: f"{each:.2f}" for name, each in ms.items()})
    show(f"{what}, per second and core", **{name: f"{1000 / each:,.0f}" for name, each in ms.items() if each})


async def script(stage: Stage, count: int, call_seconds: float) -> None:
    """Calls of one length and a realistic mix of ends, to whomever they go."""
    outcomes = random.Random(1).choices(list(CALLS_IN_A_HUNDRED), list(CALLS_IN_A_HUNDRED.values()), k=count)
    half = max(0.0, call_seconds - QUEUED_SECONDS) / 2
    length = {"queue_seconds": QUEUED_SECONDS, "talk_seconds": half}
    silent = {"NO_ANSWER", "BUSY", "FAILED", "BAD_NUMBER"}
    steps = [{"outcome": o, "ring_seconds": half * 2 if o in silent else half, **length} for o in outcomes]
    for start in range(0, count, STEPS_A_POST):
        await tell(stage, "script", {"*": steps[start : start + STEPS_A_POST]})


async def tell(stage: Stage, what: str, body: object) -> None:
    """Steer the simulator."""
    async with stage.http.post(f"{SIMULATOR_URL}/simulator/{what}", json=body) as answer:
        answer.raise_for_status()


def once(stage: Stage, module: str, **environment: str) -> None:
    """Run a process that ends by itself; print its CPU time and most memory."""
    command = [sys.executable, "-m", f"services.{module}"]
    process = subprocess.Popen(command, env=stage.environ(**environment), stdout=subprocess.DEVNULL)
    _, status, spent = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    show(
        f"one {module}",
        cpu_seconds=f"{spent.ru_utime + spent.ru_stime:.2f}",
        peak_mib=spent.ru_maxrss / 1024,
        exit_code=process.returncode,
    )


async def main() -> None:
    """Fill, take leads in, dial, print."""
    sizes = Sizes.of(options(os.environ))
    async with stage_open() as stage:
        connection = await asyncpg.connect(stage.database_url)
        try:
            bench = Bench(stage, connection)
            await stage.fill(sizes.waiting, datetime.now(UTC) + timedelta(days=20), 0.001)
            await start(bench, stage, sizes)
            await bench.leads(sizes.leads, sizes.leads_rate)
            await connection.execute(POSTPONE)
            bench.watch(dialer=stage.start_dialer(LEADLINE_DIALER_CONCURRENCY=sizes.slots, **CONVOSO[sizes.crm]))
            await bench.calls(sizes)
            bench.memory()
            await run_others(stage)
        finally:
            await connection.close()


async def start(bench: Bench, stage: Stage, sizes: Sizes) -> None:
    """Everything but the dialer."""
    bench.watch_memory(simulator=stage.start_simulator())
    # A day between two calls to a number: what is measured are first calls alone.
    crm = {"LEADLINE_CRM": "convoso"} if sizes.crm else {}
    queue = stage.start_queue_service(REDIAL_PROGRESSIVE_INTERVALS="0,1440", **crm)
    for url in (f"{QUEUE_URL}/openapi.json", f"{SIMULATOR_URL}/v1/me"):
        await stage.wait_for(url)
    bench.watch(gateway=stage.start_gateway(), queue_service=queue)
    if sizes.crm:
        token = {"LEADLINE_QUEUE_URL": QUEUE_URL, "LEADLINE_QUEUE_TOKEN": "bench-crm-sync"}
        bench.watch(crm_sync=stage.start("crm_sync", **token, **CONVOSO[True]))
    await stage.wait_for(f"{GATEWAY_URL}/openapi.json")
    if sizes.answer_seconds:
        await tell(stage, "faults", [{"on": "create", "kind": "latency", "seconds": sizes.answer_seconds}])


async def run_others(stage: Stage) -> None:
    """What runs now and then."""
    at_bland = {"LEADLINE_BLAND_BASE_URL": SIMULATOR_URL, "LEADLINE_BLAND_API_KEY": "bench"}
    to_queue = {"LEADLINE_QUEUE_URL": QUEUE_URL, "LEADLINE_QUEUE_TOKEN": "bench-sweep"}
    await asyncio.to_thread(once, stage, "sweep", **to_queue, **at_bland)
    await asyncio.to_thread(once, stage, "migrate", LEADLINE_DATABASE_URL=await stage.create_database("another"))


if __name__ == "__main__":
    asyncio.run(main())
