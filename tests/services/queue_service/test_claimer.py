"""Leases: what is due goes to who waits, in order, fairly, at once, and never to somebody who is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from leadline.contracts.leases import LeaseBatch, LeaseRequest
from leadline.runtime.http.server import serving
from leadline.runtime.postgres import Pool
from leadline.runtime.settings.types import SecretPair
from services.queue_service import claimer as claimer_module
from services.queue_service.app import create_app
from services.queue_service.leasing import claim
from tests.services.queue_service.desk import TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.scenes import SECOND, TWO_CAMPAIGNS, call, due_lead, lease_all, policy_with
from tests.support.phones import fresh_phones
from tests.support.waiting import until, until_true


async def post_many(desk: Desk, count: int, campaign: str = "awhealth") -> list[str]:
    phones = fresh_phones(count)
    for phone in phones:
        await desk.post_lead(phone, campaign=campaign)
    return phones


@asynccontextmanager
async def locked(desk: Desk, *phone_numbers: str) -> AsyncIterator[None]:
    """Somebody else is busy with these numbers."""
    async with desk.pool.acquire() as conn, conn.transaction():
        await conn.execute("SELECT FROM phones WHERE phone_number = ANY($1) FOR UPDATE", list(phone_numbers))
        yield


async def test_who_was_due_first_is_leased_first(desk: Desk) -> None:
    phones = await post_many(desk, 5)
    for n, phone in enumerate(reversed(phones)):
        at = TUESDAY_NOON - timedelta(minutes=n)
        await desk.pool.execute("UPDATE due_leads SET due_at = $1 WHERE phone_number = $2", at, phone)
    leased = [lease.phone_number for _ in range(5) for lease in (await desk.lease(1, 2)).leases]
    assert leased == phones


async def test_fresh_leads_and_callbacks_come_before_the_rest(desk: Desk) -> None:
    phones = await post_many(desk, 3)
    cold, warm, fresh = phones
    await desk.pool.execute(
        "UPDATE due_leads SET band = 2, due_at = due_at - interval '1 hour' WHERE phone_number = $1", cold
    )
    await desk.pool.execute(
        "UPDATE due_leads SET band = 1, due_at = due_at - interval '1 min' WHERE phone_number = $1", warm
    )
    leased = [lease.phone_number for _ in range(3) for lease in (await desk.lease(1, 2)).leases]
    assert leased == [fresh, warm, cold]


async def test_dialers_take_turns(desk: Desk) -> None:
    """Ten leads for two dialers that both have room for ten: five each."""
    await desk.fetch("UPDATE dispatch_gate SET account_paused_at = now(), account_pause_reason = 'ten at once'")
    waiting = [asyncio.create_task(desk.lease(10, 20, dialer=name)) for name in ("d1", "d2")]
    await until_true(lambda: len(desk.service.claimer._waiters) == 2, "both wait")
    await post_many(desk, 10)
    await desk.fetch("UPDATE dispatch_gate SET account_paused_at = NULL, account_pause_reason = NULL")
    desk.service.claimer.poke()
    batches = await asyncio.gather(*waiting)
    assert [len(batch.leases) for batch in batches] == [5, 5]
    rows = await desk.fetch("SELECT dialer, count(*) AS n FROM attempts GROUP BY dialer ORDER BY dialer")
    assert [tuple(row) for row in rows] == [("d1", 5), ("d2", 5)]


async def test_a_dialer_gets_no_more_than_it_has_room_for(desk: Desk) -> None:
    await post_many(desk, 10)
    one, other = await asyncio.gather(desk.lease(2, 5, dialer="d1"), desk.lease(3, 5, dialer="d2"))
    assert (len(one.leases), len(other.leases)) == (2, 3)
    assert (await desk.lease(0, 0.3)).leases == []


async def test_two_services_never_lease_one_lead_twice(pool: Pool) -> None:
    async with desk_open(pool, policy_with()) as one, desk_open(pool, policy_with(), None) as other:
        phones = await post_many(one, 60)
        batches: list[LeaseBatch] = []
        while sum(len(batch.leases) for batch in batches) < 60:
            batches += await asyncio.gather(*(desk.lease(7, 2) for desk in (one, other) * 2))
        leased = [lease.phone_number for batch in batches for lease in batch.leases]
        assert sorted(leased) == sorted(phones)


async def test_what_falls_due_behind_the_cursor_is_not_passed_over(desk: Desk) -> None:
    phones = await post_many(desk, 20)
    await lease_all(desk, 10)
    assert desk.service.claimer._cursors.at, "the cursor stands behind the first ten"
    earlier = await due_lead(desk, "+15615550999")
    await desk.pool.execute(
        "UPDATE due_leads SET due_at = $1 WHERE lead_id = $2", TUESDAY_NOON - timedelta(hours=1), earlier
    )
    leased: list[str] = []
    while len(leased) < 11:
        leased += [lease.phone_number for lease in (await desk.lease(1, 5)).leases]
    assert sorted(leased) == sorted([*phones[10:], "+15615550999"])


async def test_all_campaigns_are_served(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        first = await post_many(desk, 3)
        second = await post_many(desk, 3, campaign=SECOND)
        leases = await lease_all(desk, 6)
        assert {phone: lease.campaign for phone, lease in leases.items()} == {
            **dict.fromkeys(first, "awhealth"),
            **dict.fromkeys(second, "second"),
        }


async def test_a_campaign_that_is_configured_no_more_is_not_dialled(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await post_many(desk, 2, campaign=SECOND)
        (phone,) = await post_many(desk, 1)
    async with desk_open(pool, policy_with(), None) as desk:
        assert [lease.phone_number for lease in (await desk.lease(5, 2)).leases] == [phone]
        assert (await desk.lease(5, 0.3)).leases == []


async def test_a_wall_of_leads_that_may_not_be_called_hides_none_that_may(desk: Desk) -> None:
    wall = await post_many(desk, 30)
    (good,) = await post_many(desk, 1)
    await desk.pool.execute(
        "UPDATE phones SET rest_until = $1 WHERE phone_number = ANY($2)", TUESDAY_NOON + timedelta(hours=1), wall
    )
    assert (await desk.lease_one()).phone_number == good
    rows = await desk.fetch("SELECT due_at FROM due_leads WHERE phone_number = ANY($1)", wall)
    assert {row["due_at"] for row in rows} == {TUESDAY_NOON + timedelta(hours=1)}, "and is not met again before"


async def test_numbers_that_somebody_works_on_are_passed_by_and_come_later(desk: Desk) -> None:
    busy = await post_many(desk, 30)
    (good,) = await post_many(desk, 1)
    async with locked(desk, *busy):
        assert (await desk.lease_one()).phone_number == good
        assert (await desk.lease(1, 0.5)).leases == []
    assert len(await lease_all(desk, 30)) == 30


async def test_several_leads_of_one_number_are_called_one_after_the_other(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await desk.post_lead()
        await desk.post_lead(campaign=SECOND)
        (good,) = await post_many(desk, 1)
        leases = (await desk.lease(3, 2)).leases
        assert good in {lease.phone_number for lease in leases}
        assert len(leases) == 2
        assert (await desk.lease(3, 0.5)).leases == []


async def test_what_is_leased_for_a_dialer_that_left_is_given_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    lead_id = await due_lead(desk)
    monkeypatch.setattr(claimer_module, "claim", slow(claim))
    assert (await desk.lease(1, 0.05)).leases == [], "its time ran out while its lead was being leased"
    await until(lambda: given_back(desk), "the lease is given back")
    assert (await desk.lease_one()).lead_id == lead_id


def slow(real: object) -> object:
    """The same, after the dialer's time has run out."""

    async def late(*arguments: object) -> object:
        await asyncio.sleep(0.2)
        return await real(*arguments)  # type: ignore[operator]  # a stand-in of any shape

    return late


async def given_back(desk: Desk) -> bool:
    rows = await desk.fetch("SELECT state, close_reason FROM attempts")
    return [tuple(row) for row in rows] == [("released", "returned")]


async def test_a_request_that_is_cancelled_loses_no_lease(desk: Desk) -> None:
    await due_lead(desk)
    answer = await desk.lease(1, 5)
    request = asyncio.create_task(desk.lease(1, 20))
    await asyncio.sleep(0.05)
    (waiter,) = desk.service.claimer._waiters
    waiter.future.set_result(answer)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await until(lambda: given_back(desk), "the lease is given back")


@asynccontextmanager
async def dialer_that_leaves(desk: Desk) -> AsyncIterator[asyncio.StreamWriter]:
    """A dialer's connection to a real queue-service, on which it waits for one lead."""
    app = create_app(desk.service, [SecretPair("dialer", SecretStr("token"))])
    async with serving(app, host="127.0.0.1", port=0) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        body = b'{"dialer": "gone", "slots": 1, "wait_seconds": 30}'
        head = "POST /v1/leases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await until_true(lambda: desk.service.claimer._waiters, "the dialer waits")
        yield writer
        writer.close()


async def leave(desk: Desk, writer: asyncio.StreamWriter) -> None:
    (waiter,) = desk.service.claimer._waiters
    writer.close()
    await writer.wait_closed()
    await until_true(waiter.is_gone, "the queue-service sees that it left")


async def test_nothing_is_leased_for_a_dialer_whose_connection_broke(desk: Desk) -> None:
    async with dialer_that_leaves(desk) as writer:
        await leave(desk, writer)
        await due_lead(desk)
        assert len((await desk.lease(1, 20, dialer="there")).leases) == 1
    assert [row["dialer"] for row in await desk.fetch("SELECT dialer FROM attempts")] == ["there"]


async def test_a_lease_whose_dialer_left_meanwhile_is_given_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, left = asyncio.Event(), asyncio.Event()

    async def claim_slowly(*arguments: Any) -> Any:
        begun.set()
        await left.wait()
        return await claim(*arguments)

    monkeypatch.setattr(claimer_module, "claim", claim_slowly)
    async with dialer_that_leaves(desk) as writer:
        await due_lead(desk)
        await begun.wait()
        await leave(desk, writer)
        left.set()
        await until(lambda: given_back(desk), "the lease is given back")


async def test_a_stop_order_whose_dialer_left_goes_to_another(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.place()
    async with dialer_that_leaves(desk) as writer:
        await leave(desk, writer)
        await desk.event(result(lease.attempt_id, "call-2", status="completed", disposition_tag="DNC"))
        (order,) = (await desk.lease(0, 8)).stop_orders
        assert order.attempt_id == lease.attempt_id


async def test_closing_answers_everybody_who_waits(pool: Pool) -> None:
    async with desk_open(pool, policy_with()) as desk:
        waiting = [asyncio.create_task(desk.lease(1, 60)) for _ in range(3)]
        await asyncio.sleep(0.05)
    assert [(batch.leases, batch.stop_orders) for batch in await asyncio.gather(*waiting)] == [([], [])] * 3


async def test_a_lead_that_falls_due_is_leased_without_being_asked_again(desk: Desk) -> None:
    await due_lead(desk)
    await call(desk)
    waiting = asyncio.create_task(desk.lease(1, 30))
    await asyncio.sleep(0.05)
    await desk.set_now(TUESDAY_NOON + timedelta(seconds=58))
    assert len((await waiting).leases) == 1


@pytest.mark.parametrize("slots", [0, 1])
async def test_a_dialer_without_room_waits_for_stop_orders_alone(desk: Desk, slots: int) -> None:
    await due_lead(desk)
    request = LeaseRequest(dialer="d1", slots=slots, wait_seconds=0.3)
    assert len((await desk.service.lease(request, lambda: False)).leases) == slots
