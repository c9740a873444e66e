"""Rows 10 and 11: a person who said stop is not called, a dialer that is told to stop leaves nothing half done."""

import signal
from typing import Any

from tests.support.phones import fresh_phone, fresh_phones
from tests.support.simulated import step
from tests.support.system import System
from tests.support.tcp_proxy import Direction, TcpProxy
from tests.support.waiting import until

MARK = b"/v1/send-marks"
POST = b"POST /v1/calls"


async def _until_stopped(system: System, phone: str) -> None:
    """The one call to a number was ended by our order, and everything is written down."""

    async def stopped() -> Any:
        calls = await system.simulator.calls(phone)
        return calls and calls[0]["stopped_real_at"]

    await until(stopped, f"the call to {phone} is stopped")
    await system.until_state(phone, "ended")
    pending = "SELECT count(*) FROM stop_orders WHERE phone_number = $1 AND confirmed_at IS NULL"
    assert await system.count(pending, phone) == 0
    lead = await system.lead(phone)
    assert (lead.status, lead.status_reason, lead.attempts) == ("completed", "dnc", 1)
    await system.assert_promises()


async def test_row_10_suppression_before_the_lease(system: System) -> None:
    known, unknown, control = fresh_phones(3)
    await system.add_lead(known)
    await system.suppress(known)
    await system.suppress(unknown)
    status, answer = await system.post_lead(unknown)
    assert (status, answer["status"]) == (202, "suppressed")
    async with system.dialer():
        await system.add_lead(control)
        await system.until_state(control, "ended")
    assert await system.leases(known) == await system.leases(unknown) == []
    assert await system.simulator.posts(known) == await system.simulator.posts(unknown) == []


async def test_row_10_suppression_before_the_mark(system: System) -> None:
    phone, control = fresh_phones(2)
    async with TcpProxy(system.stack.queue_ports) as network, system.dialer(queue_url=network.url):
        question = network.hold(MARK, Direction.THERE)
        await system.add_lead(phone)
        await question.caught()
        await system.suppress(phone)
        question.release()
        await system.add_lead(control)
        await system.until_state(control, "ended")
        released = (await system.leases(phone))[-1]
    assert (released["state"], released["marked_at"]) == ("released", None)
    assert await system.simulator.posts(phone) == []
    await system.assert_promises()


async def test_row_10_suppression_after_the_mark(system: System) -> None:
    """The call was decided; while its request has not left, the order still prevents it, afterwards it ends it."""
    phone = fresh_phone()
    await system.simulator.script(phone, step("CONFUSED", seconds=3600))
    async with TcpProxy([system.stack.simulator_port]) as network, system.dialer(bland_url=network.url):
        request = network.hold(POST, Direction.THERE)
        await system.add_lead(phone)
        await request.caught()
        assert await system.states(phone) == ["sending"]
        await system.suppress(phone)
        request.release()
        await _until_stopped(system, phone)


async def test_row_10_suppression_while_ringing(system: System) -> None:
    phone = fresh_phone()
    await system.simulator.script(phone, step("CONFUSED", seconds=3600))
    async with system.dialer():
        await system.add_lead(phone)
        await system.until_state(phone, "placed")
        await system.suppress(phone)
        await _until_stopped(system, phone)


async def test_row_10_suppression_while_ringing_and_no_dialer_lives(system: System) -> None:
    phone = fresh_phone()
    await system.simulator.script(phone, step("CONFUSED", seconds=3600))
    async with system.dialer() as dialer:
        await system.add_lead(phone)
        await system.until_state(phone, "placed")
        await dialer.kill()
    await system.suppress(phone)
    await system.sweep()
    await _until_stopped(system, phone)


async def test_row_11_sigterm(system: System) -> None:
    flying, held, waiting = fresh_phones(3)
    await system.simulator.script(flying, step("CONFUSED", seconds=8))
    await system.simulator.fault("create", "latency", phone_number=flying, seconds=0.8)
    async with TcpProxy(system.stack.queue_ports) as network, system.dialer(queue_url=network.url) as dialer:
        await system.add_lead(flying)
        await system.until_posts(flying)
        question = network.hold(MARK, Direction.THERE)
        await system.add_lead(held)
        await question.caught()
        dialer.send(signal.SIGTERM)
        await until(lambda: _drains(dialer), "the dialer has begun to drain")
        await system.add_lead(waiting)
        assert await dialer.wait() == 0
    (finished,) = await system.attempts(flying)
    assert finished["placed_at"] is not None, "what was in flight is reported before the end"
    await system.until_state(flying, "ended")
    given_back = (await system.leases(held))[-1]
    assert (given_back["state"], given_back["marked_at"]) == ("released", None)
    assert await system.attempts(waiting) == []
    async with system.dialer():
        for phone in (held, waiting):
            await system.until_state(phone, "ended")
    for phone in (flying, held, waiting):
        assert len(await system.simulator.posts(phone)) == 1
    await system.assert_promises()


async def _drains(dialer: Any) -> bool:
    return "drain_started" in dialer.log_text()
