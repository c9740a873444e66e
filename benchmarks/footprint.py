"""How many bytes a lead and an attempt take in the database, and how much WAL a call writes: `make bench-footprint`.

Some leads are posted to and dialled by the real processes; many more by the same code without the processes
(`benchmarks.history`), which must come to the same rows; then the processes dial random leads of the large database
while its WAL is read. Bodies of events are the simulator's.

Sizes: BENCH_LEADS, BENCH_ATTEMPTS (of a lead, on average), BENCH_SAMPLE (leads that the real processes dial),
BENCH_WAL_CALLS.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

import asyncpg

from benchmarks.history import DIALER, DRAWN_AT, History, posted_lead
from benchmarks.stage import (
    ALWAYS,
    API_KEY,
    GATEWAY_URL,
    QUEUE_URL,
    SIMULATOR_URL,
    TOKENS,
    Stage,
    migrate,
    options,
    show,
    stage_open,
)
from leadline.runtime.postgres import INDEXES_ONLY, create_pool
from leadline.runtime.settings import load
from leadline.store.clock import set_clock
from services.queue_service.settings import QueueSettings, make_policy

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

SAMPLE_SPEED: Final = 60.0
LONGEST_SECONDS: Final = 180.0
POLL_SECONDS: Final = 0.2
FIRST_CALLS: Final = 300
PROGRESS_SECONDS: Final = 10.0
OF_A_LEAD: Final = ("phones", "leads", "due_leads")
OF_AN_ATTEMPT: Final = ("attempts", "calls", "events", "audit_log", "suppressions")

SIZES: Final = """
SELECT c.relname AS name, pg_table_size(c.oid) AS bytes, pg_indexes_size(c.oid) AS index_bytes,
       (SELECT n_dead_tup FROM pg_stat_user_tables s WHERE s.relid = c.oid) AS dead
FROM pg_class c WHERE c.relname = ANY($1::text[]) AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""
INDEXES: Final = """
SELECT i.relname AS name, pg_relation_size(i.oid) AS bytes, t.relname AS of_table FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
WHERE t.relname = ANY($1::text[]) ORDER BY t.relname, i.relname
"""
MAKE_DUE: Final = """
UPDATE due_leads SET band = 0, due_at = business_now() - interval '1 minute'
WHERE lead_id IN (SELECT lead_id FROM due_leads WHERE NOT calling ORDER BY random() LIMIT $1)
"""
POSTPONE: Final = "UPDATE due_leads SET due_at = business_now() + interval '20 days'"
WAL: Final = """
SELECT coalesce(sum(record_size), 0)::float8 AS records, coalesce(sum(fpi_size), 0)::float8 AS page_images
FROM pg_get_wal_stats($1, $2)
"""


@dataclass(frozen=True, slots=True)
class Table:
    """What one table takes."""

    rows: int
    row_bytes: float
    """Of a row as it is stored, on average."""
    table_bytes: int
    index_bytes: int
    dead: int

    @property
    def all_bytes(self) -> int:
        """With its indexes."""
        return self.table_bytes + self.index_bytes


Tables = Mapping[str, Table]


async def measure(connection: Database) -> Tables:
    """Every table that grows with leads and calls."""
    names = [*OF_A_LEAD, *OF_AN_ATTEMPT]
    found = {}
    for size in await connection.fetch(SIZES, names):
        row = await connection.fetchrow(
            f"SELECT count(*) AS n, coalesce(avg(pg_column_size(t.*)), 0) AS bytes FROM {size['name']} t"
        )
        assert row is not None
        found[size["name"]] = Table(row["n"], float(row["bytes"]), size["bytes"], size["index_bytes"], size["dead"])
    return {name: found[name] for name in names}


# ---------------------------------------------------------------- the real processes


@asynccontextmanager
async def processes(stage: Stage, database_url: str) -> AsyncIterator[None]:
    """Queue-service and gateway on a database, beside the simulator; no dialer."""
    queue = stage.start_queue_service(LEADLINE_DATABASE_URL=database_url)
    gateway = stage.start_gateway()
    for url in (QUEUE_URL, GATEWAY_URL):
        await stage.wait_for(f"{url}/openapi.json")
    try:
        yield
    finally:
        for process in (gateway, queue):
            process.terminate()
            await asyncio.to_thread(process.wait, 30)


async def sample(stage: Stage, connection: Database, database_url: str, leads: int, attempts: float) -> Tables:
    """Leads posted and dialled by the real processes, until each has had so many attempts."""
    started_at = DRAWN_AT
    real_at = await set_clock(connection, started_at, SAMPLE_SPEED)
    clock = {"real_at": real_at.isoformat(), "business_at": started_at.isoformat(), "speed": SAMPLE_SPEED}
    async with stage.http.put(f"{SIMULATOR_URL}/simulator/clock", json=clock) as answer:
        answer.raise_for_status()
    async with processes(stage, database_url):
        dialer = stage.start_dialer(LEADLINE_DIALER_NAME=DIALER)
        for n in range(leads):
            await post(stage, n)
        await reach(connection, "SELECT count(*) FROM attempts", int(leads * attempts))
        dialer.terminate()
        await asyncio.to_thread(dialer.wait, 60)
        await reach(connection, "SELECT 1 - least(count(*), 1) FROM open_attempts", 1)
    return await measure(connection)


async def post(stage: Stage, n: int) -> None:
    """One lead at the gateway. Raises RuntimeError if it is not accepted."""
    url, headers = f"{GATEWAY_URL}/webhooks/awhealth-outbound", {"X-Api-Key": API_KEY}
    async with stage.http.post(url, json=posted_lead(n), headers=headers) as answer:
        if answer.status != 202:
            raise RuntimeError(f"{answer.status}: {await answer.text()}")


async def reach(connection: Database, question: str, wanted: int) -> None:
    """Wait until a count is reached. Raises TimeoutError if it takes too long."""
    for _ in range(int(LONGEST_SECONDS / POLL_SECONDS)):
        if await connection.fetchval(question) >= wanted:
            return
        await asyncio.sleep(POLL_SECONDS)
    raise TimeoutError(f"not reached in {LONGEST_SECONDS:g} s: {question}")


# ---------------------------------------------------------------- many leads


async def make_history(database_url: str, leads: int, attempts: float) -> None:
    """Leads with so many attempts on average; a line of progress every few seconds."""
    environment = {"LEADLINE_DATABASE_URL": database_url, "LEADLINE_QUEUE_TOKENS": TOKENS, **ALWAYS}
    settings = load(QueueSettings, environment | {"LEADLINE_CALLS_PER_SECOND": "10000"})
    pool = await create_pool(settings.database, application_name="bench", session=INDEXES_ONLY)
    try:
        async with pool.acquire() as conn:
            await set_clock(conn, DRAWN_AT, 1.0)
        history = History(pool, make_policy(settings))
        await history.receive(0, leads)
        done, wanted, began = 0, int(leads * attempts), time.perf_counter()
        told = began
        while done < wanted:
            done += await history.dial(min(2000, wanted - done))
            if time.perf_counter() - told > PROGRESS_SECONDS:
                told = time.perf_counter()
                sys.stderr.write(f"{done:,} of {wanted:,} calls after {told - began:.0f} s\n")
    finally:
        await pool.close()


# ---------------------------------------------------------------- WAL


async def measure_wal(stage: Stage, connection: Database, calls: int) -> None:
    """Dial random leads right after a checkpoint, when every page that is touched is logged whole."""
    await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
    await connection.execute(POSTPONE)
    await connection.execute(MAKE_DUE, calls)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    async with processes(stage, stage.database_url):
        before = await connection.fetchrow("SELECT count(*) AS calls, pg_current_wal_insert_lsn() AS at FROM attempts")
        assert before is not None
        dialer = stage.start_dialer()
        for goal in (FIRST_CALLS, int(calls * 0.9)):
            await reach(connection, ENDED_SINCE.format(before["calls"]), goal)
            await show_wal(connection, before)
        dialer.terminate()
        await asyncio.to_thread(dialer.wait, 60)


ENDED_SINCE: Final = "SELECT count(*) FILTER (WHERE state = 'ended') - {} FROM attempts"


async def show_wal(connection: Database, before: asyncpg.Record) -> None:
    """What was written since."""
    now = await connection.fetchrow("SELECT count(*) AS calls, pg_current_wal_flush_lsn() AS at FROM attempts")
    assert now is not None
    wal, calls = await connection.fetchrow(WAL, before["at"], now["at"]), now["calls"] - before["calls"]
    assert wal is not None
    show(
        f"WAL of the first {calls:,} calls after a checkpoint",
        record_bytes_per_call=wal["records"] / calls,
        page_image_bytes_per_call=wal["page_images"] / calls,
    )


# ---------------------------------------------------------------- figures


def compare(real: Tables, made: Tables) -> None:
    """What the processes wrote beside what their code alone wrote: rows per attempt and bytes per row."""
    for name, table in made.items():
        other = real[name]
        base, other_base = ("leads", "leads") if name in OF_A_LEAD else ("attempts", "attempts")
        show(
            f"check {name}",
            rows_each_real=f"{other.rows / real[other_base].rows:.3f}",
            rows_each_made=f"{table.rows / made[base].rows:.3f}",
            row_bytes_real=other.row_bytes,
            row_bytes_made=table.row_bytes,
        )


def show_sizes(tables: Tables, body_bytes: float) -> None:
    """Bytes per row, per lead and per attempt, and what a million leads take."""
    leads, attempts = tables["leads"].rows, tables["attempts"].rows
    for name, table in tables.items():
        rows = max(table.rows, 1)
        show(
            f"table {name}",
            rows=f"{table.rows:,}",
            table_bytes_per_row=table.table_bytes / rows,
            index_bytes_per_row=table.index_bytes / rows,
            dead_rows=f"{table.dead:,}",
        )
    received = tables["audit_log"].all_bytes / max(tables["audit_log"].rows, 1)
    of_lead = sum(tables[name].all_bytes for name in OF_A_LEAD) / leads + received
    of_attempt = (sum(tables[name].all_bytes for name in OF_AN_ATTEMPT) - received * leads) / attempts
    show("bytes", of_a_lead=of_lead, of_an_attempt=of_attempt, of_which_event_body=body_bytes)
    for each in (0, 1, 3.5, 8):
        whole = of_lead + each * of_attempt
        without = whole - each * body_bytes
        show(
            f"GB per million leads of {each:g} attempts",
            all=f"{whole / 1000:.2f}",
            without_bodies=f"{without / 1000:.2f}",
        )


async def main() -> None:
    """Sample, make, measure, dial, print."""
    sizes = options(os.environ)
    leads, attempts = int(sizes.get("leads", 30_000)), float(sizes.get("attempts", 3.5))
    async with stage_open() as stage:
        stage.start_simulator()
        await stage.wait_for(f"{SIMULATOR_URL}/v1/me")
        real_url = await stage.create_database("real")
        await migrate(real_url)
        real_database, database = await asyncpg.connect(real_url), await asyncpg.connect(stage.database_url)
        try:
            for connection in (real_database, database):
                await connection.execute("SET statement_timeout = 0")
            # Minutes stand for hours: so often does autovacuum look.
            await database.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
            await database.execute("SELECT pg_reload_conf()")
            real = await sample(stage, real_database, real_url, int(sizes.get("sample", 500)), attempts)
            await make_history(stage.database_url, leads, attempts)
            made = await measure(database)
            compare(real, made)
            body_bytes = await database.fetchval("SELECT avg(length(body)) FROM events")
            show_sizes(made, float(body_bytes))
            for index in await database.fetch(INDEXES, [*OF_A_LEAD, *OF_AN_ATTEMPT]):
                show(f"index {index['name']}", bytes_per_row=index["bytes"] / max(made[index["of_table"]].rows, 1))
            await measure_wal(stage, database, int(sizes.get("wal_calls", 3000)))
        finally:
            await asyncio.gather(real_database.close(), database.close())


if __name__ == "__main__":
    asyncio.run(main())
