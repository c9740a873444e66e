"""Rows 12 and 14: a dialer that slept through its time, and networks that lose one direction or both."""

import asyncio
from typing import Any

import pytest

from tests.support.phones import fresh_phone, fresh_phones
from tests.support.stack import LEASE_SECONDS
from tests.support.system import System
from tests.support.tcp_proxy import Direction, TcpProxy

MARK = b"/v1/send-marks"
POST = b"POST /v1/calls"
NEXT_POLL = b'"slots":4'
"""A dialer with 50 slots that has some leads in hand asks for forty-odd more."""


@pytest.mark.parametrize("leases", [2, 10])
async def test_row_12_stopped_for_many_leases_and_continued(system: System, leases: int) -> None:
    """Frozen with a lease in its socket, with a `go` in its socket, and with a call that Bland accepts meanwhile."""
    leased, allowed, sent = fresh_phones(3)
    async with (
        TcpProxy(system.stack.queue_ports) as to_queue,
        TcpProxy([system.stack.simulator_port]) as to_bland,
        system.dialer(queue_url=to_queue.url, bland_url=to_bland.url) as frozen,
    ):
        answer = to_bland.hold(POST, Direction.BACK)
        await system.add_lead(sent)
        await answer.caught()
        question, poll = to_queue.hold(MARK, Direction.THERE), to_queue.hold(NEXT_POLL, Direction.THERE)
        await system.add_lead(allowed)
        await asyncio.gather(question.caught(), poll.caught())
        frozen.pause()
        for hold in (question, poll, answer):
            hold.release()
        late = await system.until_state(allowed, "sending", "unknown")
        await system.add_lead(leased)
        (lost,) = await system.until_leases(leased)
        async with system.dialer():
            await asyncio.sleep(leases * LEASE_SECONDS)
            (called,) = await system.until_posts(leased)
            frozen.resume()
            assert await frozen.terminate() == 0
    assert called["attempt_id"] != str(lost["id"])
    await system.until_state(leased, "ended")
    await system.until_state(sent, "ended")
    await system.sweep_until_state(allowed, "released", "not_placed", attempt=late["id"])
    assert str(late["id"]) not in {post["attempt_id"] for post in await system.simulator.posts(allowed)}
    assert len(await system.simulator.posts(sent)) == len(await system.simulator.posts(leased)) == 1
    await system.assert_promises()


async def _until_called_once(system: System, phone: str) -> None:
    """Once the network is whole again the lead is called, once."""
    async with system.dialer():
        await system.until_posts(phone)
        await system.until_state(phone, "ended")
    assert len(await system.simulator.posts(phone)) == 1
    await system.assert_promises()


@pytest.mark.parametrize("lost", list(Direction))
async def test_row_14_parted_from_the_queue_service(system: System, lost: Direction) -> None:
    """Without the answer to `go?` nothing is sent, whether the question arrived or not."""
    phone = fresh_phone()
    async with TcpProxy(system.stack.queue_ports) as network, system.dialer(queue_url=network.url) as dialer:
        held = network.hold(MARK, lost)
        await system.add_lead(phone)
        await held.caught()
        await system.until_state(phone, "sending" if lost is Direction.BACK else "leased")
        network.cut()
        await system.until_no_longer(phone, "leased", "sending")
        assert await system.simulator.posts(phone) == []
        network.heal()
        assert await dialer.terminate() == 0
    if lost is Direction.BACK:
        released = (await system.leases(phone))[-1]
        assert (released["state"], released["close_reason"]) == ("released", "mark_unanswered")
    await _until_called_once(system, phone)


async def test_row_14_parted_from_bland_requests_lost(system: System) -> None:
    phone = fresh_phone()
    async with TcpProxy([system.stack.simulator_port]) as network, system.dialer(bland_url=network.url):
        network.stall(Direction.THERE)
        await system.add_lead(phone)
        await system.until_state(phone, "unknown")
        network.cut()
        await system.sweep_until_state(phone, "not_placed")
        assert await system.simulator.posts(phone) == []
    await system.assert_promises()


async def test_row_14_parted_from_bland_answers_lost(system: System) -> None:
    phone = fresh_phone()
    await system.simulator.fault("webhook", "never", phone_number=phone)
    async with TcpProxy([system.stack.simulator_port]) as network, system.dialer(bland_url=network.url):
        network.stall(Direction.BACK)
        await system.add_lead(phone)
        doubtful = await system.until_state(phone, "unknown")
        network.cut()
        found = await system.sweep_until_state(phone, "ended")
    (post,) = await system.simulator.posts(phone)
    assert (found["id"], found["call_id"]) == (doubtful["id"], post["call_id"])
    await system.assert_promises()


async def test_row_14_parted_from_bland_altogether(system: System) -> None:
    """Nothing was sent, which is certain: the lead is called as soon as Bland can be reached."""
    phone = fresh_phone()
    async with TcpProxy([system.stack.simulator_port]) as network, system.dialer(bland_url=network.url):
        network.cut()
        await system.add_lead(phone)
        attempt: dict[str, Any] = await system.until_state(phone, "released")
        assert attempt["marked_at"] is not None
        network.heal()
        await system.until_state(phone, "ended")
    assert len(await system.simulator.posts(phone)) == 1
    assert "unknown" not in await system.states(phone)
    await system.assert_promises()
