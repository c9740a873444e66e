"""Rows 22, 24 and 25: the same lead a hundred times, a provider that says no for long, and a pool that is exhausted."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from leadline.clients.queue import QueueClient, QueueError
from leadline.contracts.operators import SuppressionRequest
from tests.support.phones import fresh_phone, fresh_phones
from tests.support.stack import GATEWAY_KEY, TOKENS, Stack
from tests.support.system import System, running
from tests.support.waiting import until

UNCOUNTED_WAIT = timedelta(seconds=61)
LEADS = 200
OUTAGE_SECONDS = 6.0
MOST_AMPLIFICATION = 1.1
SLOW_SOCKETS = 300
EVENTS_MEASURED = 60
MOST_TIMES_SLOWER = 15.0
"""Events that wait for the exhausted pool are slower by hundreds: a lock is waited for for seconds."""
SETTINGS = {
    "LEADLINE_DATABASE_POOL_SIZE": "3",
    "LEADLINE_CALLS_PER_SECOND": "50",
    "LEADLINE_DIALER_CONCURRENCY": "4",
}


@pytest.fixture(scope="module")
def stack(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two queue-services with few connections each."""
    with running(Stack(module_database_url, tmp_path_factory.mktemp("stack"), SETTINGS, queues=2)) as made:
        yield made


# ---------------------------------------------------------------- row 22


async def test_row_22_the_same_lead_a_hundred_times_at_once(system: System) -> None:
    phone = fresh_phone()
    answers = await asyncio.gather(*(system.post_lead(phone) for _ in range(100)))
    assert {status for status, _ in answers} == {202}
    assert Counter(answer["status"] for _, answer in answers) == {"queued": 1, "duplicate": 99}
    await _assert_one_lead_called_once(system, phone)


async def test_row_22_at_two_queue_services_at_once(system: System) -> None:
    phone = fresh_phone()
    body = {"campaign": "awhealth", "phone_number": phone, "lead_id": "1", "list_id": "1"}
    headers = {"Authorization": f"Bearer {TOKENS['gateway']}"}

    async def post(url: str) -> tuple[str, str]:
        async with system.http.post(f"{url}/v1/leads", json=body, headers=headers) as response:
            answer = await response.json()
            return answer["id"], answer["status"]

    answers = await asyncio.gather(*(post(url) for _ in range(50) for url in system.stack.queue_urls))
    assert len({lead_id for lead_id, _ in answers}) == 1
    assert Counter(status for _, status in answers) == {"queued": 1, "duplicate": 99}
    await _assert_one_lead_called_once(system, phone)


async def test_row_22_with_one_idempotency_key(system: System) -> None:
    phone = fresh_phone()
    body = {"phone_number": phone, "lead_id": "1", "list_id": "1"}
    headers = {"X-Api-Key": GATEWAY_KEY, "Idempotency-Key": f"row-22-{phone}"}
    url = f"{system.stack.gateway_url}/webhooks/awhealth-outbound"

    async def post() -> tuple[int, str]:
        async with system.http.post(url, json=body, headers=headers) as response:
            return response.status, (await response.json())["status"]

    assert set(await asyncio.gather(*(post() for _ in range(100)))) == {(202, "queued")}, "the same answer"
    await _assert_one_lead_called_once(system, phone)


async def _assert_one_lead_called_once(system: System, phone: str) -> None:
    assert await system.count("SELECT count(*) FROM leads WHERE phone_number = $1", phone) == 1
    async with system.dialer():
        await system.until_state(phone, "ended")
    assert len(await system.simulator.posts(phone)) == 1
    await system.assert_promises()


# ---------------------------------------------------------------- row 24


@pytest.mark.parametrize("refusal", [{"error": "error_429_rate"}, {"status": 503}])
async def test_row_24_bland_refuses_for_long(system: System, refusal: dict[str, Any]) -> None:
    """An outage as long as many calls: afterwards the queue is intact, no attempt is burnt, few requests wasted."""
    phones = fresh_phones(LEADS)
    await system.add_leads(phones)
    await system.simulator.fault("create", "refuse", **refusal)
    async with system.dialer():
        await until(lambda: _posts(system, phones), "Bland refuses")
        await asyncio.sleep(OUTAGE_SECONDS)
        await system.simulator.clear_faults()
        await until(lambda: _all_called(system, phones), "every lead is called")
    await asyncio.gather(*(system.until_state(phone, "ended") for phone in phones))
    assert len(await _posts(system, phones)) <= MOST_AMPLIFICATION * LEADS
    for phone in phones:
        lead = await system.lead(phone)
        assert (lead.status, lead.attempts) == ("pending", 1)
    await system.assert_promises()


async def _posts(system: System, phones: list[str]) -> list[dict[str, Any]]:
    wanted = set(phones)
    return [row for row in await system.simulator.rows() if row["phone_number"] in wanted]


async def _all_called(system: System, phones: list[str]) -> bool:
    """As time goes on: doubts are resolved by sweeps, and who was refused is due again a minute later."""
    if {row["phone_number"] for row in await _posts(system, phones) if row["call_id"]} >= set(phones):
        return True
    await system.sweep()
    await system.jump(UNCOUNTED_WAIT)
    return False


# ---------------------------------------------------------------- row 25


async def _event_seconds(system: System) -> float:
    """The usual time of one event through gateway and queue-service: the median, in real seconds."""
    taken = []
    for phone in fresh_phones(EVENTS_MEASURED):
        body = {"call_id": f"timed-{phone}", "to": phone, "completed": True, "status": "no-answer"}
        began = time.perf_counter()
        assert await system.post_event(body) == 200
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


@asynccontextmanager
async def _slow_queries(system: System) -> AsyncIterator[None]:
    """Operators' changes wait for a table that a slow query holds, and take every connection of the main pool."""
    async with system.db.acquire() as conn, QueueClient(system.stack.queue_urls[-1], TOKENS["operator"]) as queue:
        transaction = conn.transaction()
        await transaction.start()
        await conn.execute("SET LOCAL statement_timeout = 0")
        await conn.execute("LOCK TABLE operations IN ACCESS EXCLUSIVE MODE")
        slow = asyncio.create_task(conn.execute("SELECT pg_sleep(600)", timeout=900))

        async def change(phone: str) -> None:
            while True:
                try:
                    await queue.put_suppression(phone, SuppressionRequest(reason="waits"))
                except QueueError:
                    continue

        changes = [asyncio.create_task(change(phone)) for phone in fresh_phones(12)]
        try:
            await until(lambda: _blocked(system), "the main pool is exhausted")
            yield
        finally:
            for task in (*changes, slow):
                task.cancel()
            await asyncio.gather(*changes, slow, return_exceptions=True)
            await transaction.rollback()


async def _blocked(system: System) -> bool:
    query = """SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
        AND application_name = 'leadline-queue'"""
    return await system.count(query) >= int(SETTINGS["LEADLINE_DATABASE_POOL_SIZE"])


@asynccontextmanager
async def _slow_loris(system: System) -> AsyncIterator[None]:
    """Sockets that begin an event and never end it, a byte now and then."""
    head = (
        b"POST /webhooks/bland-callback HTTP/1.1\r\nHost: x\r\nX-Webhook-Signature: ab\r\nContent-Length: 9999\r\n\r\n"
    )
    sockets = [await asyncio.open_connection("127.0.0.1", system.stack.gateway_port) for _ in range(SLOW_SOCKETS)]

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.5)

    drips = [asyncio.create_task(drip(writer)) for _, writer in sockets]
    try:
        yield
    finally:
        for task in drips:
            task.cancel()
        await asyncio.gather(*drips, return_exceptions=True)
        for _, writer in sockets:
            writer.close()


async def test_row_25_events_stay_fast(system: System) -> None:
    idle = await _event_seconds(system)
    async with _slow_queries(system), _slow_loris(system):
        assert await _blocked(system)
        pressed = await _event_seconds(system)
        assert await _blocked(system)
    assert pressed < MOST_TIMES_SLOWER * idle, f"{pressed / idle:.1f} times slower"
