"""Leads leased, marked and reported placed per second, through HTTP, by one queue-service: `make bench-leases`.

Sizes: BENCH_DUE (leads due now), BENCH_WAITING (leads due later), BENCH_DIALERS, BENCH_GROUP (leads a request).
"""

import asyncio
import os
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

from benchmarks.stage import QUEUE_URL, options, show, stage_open
from leadline.clients.queue import QueueClient
from leadline.contracts.leases import AttemptReport, LeaseRequest, ReportKind, ReportRequest, SendMarkRequest
from leadline.runtime.ids import new_uuid7


async def main() -> None:
    """Fill, lease everything that is due, print."""
    sizes = options(os.environ)
    due, waiting = int(sizes.get("due", 20_000)), int(sizes.get("waiting", 100_000))
    dialers, group = int(sizes.get("dialers", 8)), int(sizes.get("group", 50))
    async with stage_open() as stage:
        now = datetime.now(UTC)
        await stage.fill(waiting, now + timedelta(days=20), 0.001)
        await stage.fill(due, now - timedelta(hours=1), 0.0001)
        stage.start_queue_service(LEADLINE_LEASE_SECONDS="120")
        await stage.wait_for(f"{QUEUE_URL}/openapi.json")
        began = time.perf_counter()
        placed = Counter[str]()
        await asyncio.gather(*(dial(f"bench-{n}", group, due, placed) for n in range(dialers)))
        seconds = time.perf_counter() - began
        show("leads leased, marked and placed", per_second=due / seconds, leads=due, waiting=waiting, group=group)


async def dial(name: str, group: int, due: int, placed: Counter[str]) -> None:
    """A dialer that places every call at once; ends when everything that was due is placed."""
    async with QueueClient(QUEUE_URL, "bench-dialer") as queue:
        while placed.total() < due:
            batch = await queue.lease(LeaseRequest(dialer=name, slots=group, wait_seconds=1))
            if not batch.leases:
                continue
            ids: list[UUID] = [lease.attempt_id for lease in batch.leases]
            request = SendMarkRequest(operation_id=new_uuid7(), dialer=name, attempt_ids=ids)
            marks = await queue.mark(request, deadline_seconds=10)
            reports = [
                AttemptReport(attempt_id=mark.attempt_id, kind=ReportKind.PLACED, call_id=str(mark.attempt_id))
                for mark in marks.answers
                if mark.answer == "go"
            ]
            if reports:
                await queue.report(ReportRequest(reporter=name, reports=reports))
            placed[name] += len(reports)


if __name__ == "__main__":
    asyncio.run(main())
