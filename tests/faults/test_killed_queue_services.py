"""Rows 1 and 15: a queue-service that dies has done all of a thing or nothing, and a repetition is answered alike."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from leadline.clients.queue import QueueError
from leadline.contracts.leases import MarkAnswer, ReportKind
from tests.support.acting import acting_dialer
from tests.support.phones import fresh_phone
from tests.support.stack import TOKENS, Stack
from tests.support.system import System, running
from tests.support.tcp_proxy import Direction, TcpProxy
from tests.support.waiting import until

LONG_LEASE = {"LEADLINE_LEASE_SECONDS": "60"}
"""Nothing here is released by time alone."""


@pytest.fixture(scope="module")
def stack(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two queue-services: the first one is killed."""
    with running(Stack(module_database_url, tmp_path_factory.mktemp("stack"), LONG_LEASE, queues=2)) as made:
        yield made


@pytest.fixture
async def system(system: System) -> AsyncIterator[System]:
    """As usual; the first queue-service runs again afterwards."""
    yield system
    await _start_first(system)


async def _start_first(system: System) -> None:
    first = system.stack.queues[0]
    if not first.running:
        first.start()
        await first.wait_ready()


async def _kill_first(system: System) -> None:
    """Kill it, and wait until PostgreSQL has noticed that its connections are gone."""
    await system.stack.queues[0].kill()

    async def gone() -> bool:
        return (
            await system.count(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'leadline-%'"
                " AND datname = current_database() AND state LIKE '%transaction%'"
            )
            == 0
        )

    await until(gone, "no transaction of the killed queue-service is left")


@asynccontextmanager
async def _locked(system: System, lock: str) -> AsyncIterator[None]:
    """Hold a lock that somebody else runs into; leaving lets go."""
    async with system.db.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        try:
            await conn.execute(lock)
            yield
        finally:
            await transaction.rollback()


async def _until_somebody_waits(system: System) -> None:
    async def waiting() -> int:
        return await system.count(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )

    await until(waiting, "a transaction waits for our lock")


async def test_row_01_killed_before_the_lease_commits(system: System) -> None:
    phone = fresh_phone()
    async with acting_dialer(system.stack) as dialer:
        polling = asyncio.create_task(dialer.lease(1, 20))
        async with _locked(system, "LOCK TABLE attempts IN SHARE MODE"):
            await system.add_lead(phone)
            await _until_somebody_waits(system)
            await system.stack.queues[0].kill()
            with pytest.raises(QueueError):
                await polling
        await _kill_first(system)
    assert await system.leases(phone) == []
    async with acting_dialer(system.stack, system.stack.queue_urls[1]) as dialer:
        lease, _ = await dialer.place(phone)
    ended = await system.until_state(phone, "ended")
    assert (ended["id"], await system.states(phone)) == (lease.attempt_id, ["ended"])
    await system.assert_promises()


async def test_row_01_lease_granted_to_a_connection_that_is_gone(system: System) -> None:
    phone = fresh_phone()
    async with (
        TcpProxy(system.stack.queue_ports[:1]) as network,
        acting_dialer(system.stack, network.url) as dead,
        acting_dialer(system.stack) as living,
    ):
        poll = network.hold(b"/v1/leases", Direction.BACK)
        polling = asyncio.create_task(dead.lease(1, 20))
        await poll.caught()
        # Whatever was sent before these are answered has arrived.
        for _ in range(3):
            await living.lease(1, 0)
        poll.drop()
        with pytest.raises(QueueError):
            await polling
        await system.add_lead(phone)
        lease, _ = await living.place(phone)
    *returned, called = await system.leases(phone)  # one that is gone may be noticed before anything is leased for it
    assert {(row["state"], row["close_reason"], row["marked_at"]) for row in returned} <= {
        ("released", "returned", None)
    }
    assert called["id"] == lease.attempt_id
    assert len(await system.simulator.posts(phone)) == 1
    await system.assert_promises()


async def test_row_15_killed_in_the_transaction_of_a_mark(system: System) -> None:
    phone, operation = fresh_phone(), uuid4()
    first, second = system.stack.queue_urls
    await system.add_lead(phone)
    async with acting_dialer(system.stack, first) as dialer, acting_dialer(system.stack, second) as other:
        lease = await dialer.lease_of(phone)
        async with _locked(system, "SELECT FROM pace FOR UPDATE"):
            marking = asyncio.create_task(dialer.mark(lease.attempt_id, operation_id=operation))
            await _until_somebody_waits(system)
            await system.stack.queues[0].kill()
            with pytest.raises(QueueError):
                await marking
        await _kill_first(system)
        assert await system.states(phone) == ["leased"]
        (answer,) = await other.mark(lease.attempt_id, operation_id=operation)
        assert answer.answer is MarkAnswer.GO
        assert await other.mark(lease.attempt_id, operation_id=operation) == [answer]
        (stranger,) = await other.mark(lease.attempt_id)
        assert (stranger.answer, stranger.reason) == (MarkAnswer.NO, "attempt_sending")
        await other.report(lease.attempt_id, ReportKind.NOT_SENT)


async def test_row_15_killed_in_the_response_to_a_mark_and_to_a_report(system: System) -> None:
    phone, operation = fresh_phone(), uuid4()
    await system.add_lead(phone)
    async with (
        TcpProxy(system.stack.queue_ports[:1]) as network,
        acting_dialer(system.stack, network.url) as dialer,
        acting_dialer(system.stack, system.stack.queue_urls[1]) as other,
    ):
        lease = await dialer.lease_of(phone)
        held = network.hold(b"/v1/send-marks", Direction.BACK)
        marking = asyncio.create_task(dialer.mark(lease.attempt_id, operation_id=operation))
        sending = await system.until_state(phone, "sending")
        held.drop()
        with pytest.raises(QueueError):
            await marking
        (answer,) = await other.mark(lease.attempt_id, operation_id=operation)
        assert (answer.answer, answer.send_within_ms) == (MarkAnswer.GO, sending["send_within_ms"])
        call_id = await other.post(lease)
        held = network.hold(b"/v1/reports", Direction.BACK)
        reporting = asyncio.create_task(dialer.report(lease.attempt_id, ReportKind.PLACED, call_id=call_id))
        await system.until_state(phone, "placed", "ended")
        await _kill_first(system)
        held.drop()
        with pytest.raises(QueueError):
            await reporting
        again = await other.report(lease.attempt_id, ReportKind.PLACED, call_id=call_id)
        assert (again.changed, again.alarm) == (False, None)
    assert await system.count("SELECT count(*) FROM calls WHERE attempt_id = $1", lease.attempt_id) == 1
    await system.until_state(phone, "ended")
    assert len(await system.simulator.posts(phone)) == 1
    await system.assert_promises()


@dataclass(frozen=True)
class Change:
    """A request that carries an operation id and can be repeated word for word."""

    method: str
    path: str
    body: dict[str, Any]
    operation_id: str = field(default_factory=lambda: str(uuid4()))

    async def send(self, system: System, url: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {TOKENS['operator']}", "Idempotency-Key": self.operation_id}
        async with system.http.request(self.method, url + self.path, json=self.body, headers=headers) as response:
            return response.status, await response.json()


async def test_row_15_killed_in_the_response_to_a_change(system: System) -> None:
    phone, second = fresh_phone(), system.stack.queue_urls[1]
    path, listed = f"/v1/suppressions/{phone}", "SELECT count(*) FROM suppressions WHERE phone_number = $1"
    put = Change("PUT", path, {"reason": "asked us to stop"})
    delete = Change("DELETE", path, {"reason": "a mistake"})
    async with TcpProxy(system.stack.queue_ports[:1]) as network:
        for change, after in ((put, 1), (delete, 0)):
            held = network.hold(path.encode(), Direction.BACK)
            sending = asyncio.create_task(change.send(system, network.url))
            await until(partial(_counts, system, after, listed, phone), f"{change.method} has committed")
            await _kill_first(system)
            held.drop()
            with pytest.raises(aiohttp.ClientError):
                await sending
            await _start_first(system)
    assert (await put.send(system, second))[0] == 200
    assert await system.count(listed, phone) == 0, "the repetition of a change is no second change"
    assert (await Change("PUT", path, {"reason": "asked us again"}).send(system, second))[0] == 200
    assert (await delete.send(system, second))[0] == 200
    assert await system.count(listed, phone) == 1, "the repetition of a removal removes nothing"


async def _counts(system: System, wanted: int, query: str, phone: str) -> bool:
    return await system.count(query, phone) == wanted


async def test_row_15_killed_in_the_response_to_a_lead(system: System) -> None:
    phone, second = fresh_phone(), system.stack.queue_urls[1]
    body = {"campaign": "awhealth", "phone_number": phone, "lead_id": "1", "list_id": "1"}
    post = Change("POST", "/v1/leads", body)
    async with TcpProxy(system.stack.queue_ports[:1]) as network:
        held = network.hold(b"/v1/leads", Direction.BACK)
        sending = asyncio.create_task(post.send(system, network.url))
        query = "SELECT count(*) FROM leads WHERE phone_number = $1"
        await until(partial(_counts, system, 1, query, phone), "the lead is stored")
        await _kill_first(system)
        held.drop()
        with pytest.raises(aiohttp.ClientError):
            await sending
    status, answer = await post.send(system, second)
    assert (status, answer["status"]) == (200, "queued"), "the first answer, not that of a second lead"
    assert answer["id"] == str((await system.lead(phone)).id)
    status, other = await Change("POST", "/v1/leads", body).send(system, second)
    assert (status, other["status"]) == (200, "duplicate")
    status, problem = await replace(post, body={**body, "list_id": "2"}).send(system, second)
    assert (status, problem["code"]) == (422, "idempotency_conflict")
