"""Leads accepted by the gateway per second, and how long one takes at half that load: `make bench-intake`.

Sizes: BENCH_LEADS, BENCH_CONNECTIONS.
"""

import asyncio
import os
import time
from collections.abc import Iterator

import aiohttp

from benchmarks.stage import API_KEY, GATEWAY_URL, QUEUE_URL, options, percentile, show, stage_open


async def main() -> None:
    """Post as fast as the gateway takes leads, then at half the rate; print."""
    sizes = options(os.environ)
    leads, connections = int(sizes.get("leads", 10_000)), int(sizes.get("connections", 64))
    async with stage_open() as stage:
        stage.start_queue_service()
        await stage.wait_for(f"{QUEUE_URL}/openapi.json")
        stage.start_gateway()
        await stage.wait_for(f"{GATEWAY_URL}/openapi.json")
        numbers = iter(range(leads * 2))
        began = time.perf_counter()
        await asyncio.gather(*(post_many(stage.http, numbers, leads // connections) for _ in range(connections)))
        rate = leads / (time.perf_counter() - began)
        took = await post_steadily(stage.http, numbers, rate / 2, leads // 4)
        show(
            "leads accepted by the gateway",
            per_second=rate,
            half_load_p50_ms=percentile(took, 0.5),
            half_load_p99_ms=percentile(took, 0.99),
            connections=connections,
        )


async def post_many(http: aiohttp.ClientSession, numbers: Iterator[int], count: int) -> None:
    """One connection's share, one lead after the other."""
    for _ in range(count):
        await post(http, next(numbers))


async def post_steadily(
    http: aiohttp.ClientSession, numbers: Iterator[int], per_second: float, count: int
) -> list[float]:
    """Leads at a rate, whatever each takes; returns milliseconds."""

    async def timed(number: int) -> float:
        began = time.perf_counter()
        await post(http, number)
        return (time.perf_counter() - began) * 1000

    tasks = []
    for _ in range(count):
        tasks.append(asyncio.create_task(timed(next(numbers))))
        await asyncio.sleep(1 / per_second)
    return list(await asyncio.gather(*tasks))


async def post(http: aiohttp.ClientSession, number: int) -> None:
    """One lead as Zapier posts it."""
    body = {
        "phone_number": str(2125550000 + number),
        "lead_id": str(number),
        "list_id": "1",
        "first_name": "Ann",
        "last_name": "B",
        "state": "NY",
    }
    url = f"{GATEWAY_URL}/webhooks/awhealth-outbound"
    async with http.post(url, json=body, headers={"X-Api-Key": API_KEY}) as answer:
        if answer.status != 202:
            raise RuntimeError(f"{answer.status}: {await answer.text()}")


if __name__ == "__main__":
    asyncio.run(main())
