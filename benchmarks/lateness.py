"""How late a call is: from the instant its lead falls due to the provider's receipt: `make bench-lateness`.

Sizes: BENCH_RATE (calls a second), BENCH_SECONDS, BENCH_WAITING (leads due later). Everything runs on this machine: two
cores carry the queue-service, the dialer, the simulator and PostgreSQL.
"""

import asyncio
import os
from datetime import UTC, datetime, timedelta

from benchmarks.stage import QUEUE_URL, SIMULATOR_URL, Stage, options, percentile, show, stage_open

LEAD_TIME_SECONDS = 5.0


async def main() -> None:
    """Fill, let the leads fall due one after the other, compare with the simulator's ledger, print."""
    sizes = options(os.environ)
    rate, seconds = float(sizes.get("rate", 100)), float(sizes.get("seconds", 20))
    waiting = int(sizes.get("waiting", 100_000))
    async with stage_open() as stage:
        await stage.fill(waiting, datetime.now(UTC) + timedelta(days=20), 0.001)
        stage.start_queue_service(LEADLINE_CALLS_PER_SECOND="10000")
        stage.start_simulator(LEADLINE_SIMULATOR_WEBHOOK_ATTEMPTS="1")
        await stage.wait_for(f"{QUEUE_URL}/openapi.json")
        await stage.wait_for(f"{SIMULATOR_URL}/v1/me")
        stage.start_dialer()
        first_due = datetime.now(UTC) + timedelta(seconds=LEAD_TIME_SECONDS)
        count = int(rate * seconds)
        numbers = await stage.fill(count, first_due, 1 / rate)
        due = {number: first_due + timedelta(seconds=n / rate) for n, number in enumerate(numbers)}
        await asyncio.sleep((first_due - datetime.now(UTC)).total_seconds() + seconds + 3)
        late = [(at - due[number]).total_seconds() * 1000 for number, at in (await received(stage)).items()]
        show(
            "due to the provider's receipt",
            p50_ms=percentile(late, 0.5),
            p99_ms=percentile(late, 0.99),
            max_ms=max(late),
            calls=len(late),
            missing=count - len(late),
            per_second=rate,
            waiting=waiting,
        )


async def received(stage: Stage) -> dict[str, datetime]:
    """Number -> when the simulator got the request."""
    async with stage.http.get(f"{SIMULATOR_URL}/simulator/ledger") as answer:
        rows = (await answer.json())["rows"]
    return {row["phone_number"]: datetime.fromisoformat(row["received_real_at"]) for row in rows}


if __name__ == "__main__":
    asyncio.run(main())
