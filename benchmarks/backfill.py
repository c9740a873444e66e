"""How fast a year of history is read, recorded and decided, and in how much memory: `make bench-backfill`.

Sizes: BENCH_CALLS, BENCH_NUMBERS, BENCH_WINDOW.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Final

import asyncpg

from benchmarks.stage import ALWAYS, QUEUE_URL, SIMULATOR_URL, Stage, options, show, stage_open

STARTS_AT: Final = "2025-01-01T00:00:00+00:00"
ENDS_AT: Final = "2026-01-01T00:00:00+00:00"
CONVOSO_URL: Final = f"{SIMULATOR_URL}/convoso/v1"


async def main() -> None:
    """Make a year of calls, read it without pacing, print."""
    sizes = options(os.environ)
    calls = int(sizes.get("calls", 100_000))
    async with stage_open() as stage:
        stage.start("simulator", LEADLINE_SIMULATOR_PORT="18090")
        stage.start_queue_service(LEADLINE_CRM="convoso")
        await stage.wait_for(f"{SIMULATOR_URL}/simulator/clock")
        await stage.wait_for(f"{QUEUE_URL}/openapi.json")
        order = {"calls": calls, "numbers": int(sizes.get("numbers", calls // 3)), "seed": 1}
        span = {"starts_at": STARTS_AT, "ends_at": ENDS_AT}
        async with stage.http.post(f"{SIMULATOR_URL}/simulator/history", json=order | span) as answer:
            answer.raise_for_status()
        seconds, peak_mib = await asyncio.to_thread(backfill, sizes)
        show(
            "history read, recorded and decided",
            calls_per_second=calls / seconds,
            seconds=seconds,
            peak_mib=peak_mib,
            **await recorded(stage),
        )


def backfill(sizes: Mapping[str, str]) -> tuple[float, float]:
    """One backfill from beginning to end: seconds, and the most memory (RSS, MiB) that its process ever had.

    Raises:
        RuntimeError: it did not end well.
    """
    command = [sys.executable, "-m", "services.backfill", "--from", STARTS_AT, "--to", ENDS_AT]
    command += ["--pace", "none", "--details-pace", "none", "--window", sizes.get("window", "1d")]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LEADLINE_", "REDIAL_"))}
    own = {
        "LEADLINE_QUEUE_URL": QUEUE_URL,
        "LEADLINE_QUEUE_TOKEN": "bench-backfill",
        "LEADLINE_BLAND_BASE_URL": SIMULATOR_URL,
        "LEADLINE_BLAND_API_KEY": "bench",
        "LEADLINE_CONVOSO_BASE_URL": CONVOSO_URL,
        "LEADLINE_CONVOSO_AUTH_TOKEN": "bench",
        "LEADLINE_CONVOSO_REQUESTS_PER_SECOND": "0",
        "LEADLINE_CONVOSO_UNLISTED": "call",
        "LEADLINE_METRICS_PORT": "0",
        "LEADLINE_LOG_LEVEL": "warning",
    }
    began = time.perf_counter()
    process = subprocess.Popen(command, env={**inherited, **ALWAYS, **own}, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the backfill ended with code {process.returncode}")
    return seconds, used.ru_maxrss / 1024


async def recorded(stage: Stage) -> dict[str, str]:
    """What the database holds afterwards."""
    connection = await asyncpg.connect(stage.database_url)
    try:
        attempts = await connection.fetchval("SELECT count(*) FROM attempts")
        leads = await connection.fetchval("SELECT count(*) FROM leads")
    finally:
        await connection.close()
    return {"recorded": f"{attempts:,}", "leads": f"{leads:,}"}


if __name__ == "__main__":
    asyncio.run(main())
