"""Rows 2, 3, 5 and 13: whatever a dialer dies of, and whenever, there is never a second request for one attempt."""

import asyncio
from datetime import timedelta

from tests.support.phones import fresh_phone, fresh_phones
from tests.support.simulated import step
from tests.support.system import System
from tests.support.tcp_proxy import Direction, TcpProxy
from tests.support.waiting import until_true

MARK = b"/v1/send-marks"
REPORT = b"/v1/reports"
POST = b"POST /v1/calls"
UNCOUNTED_WAIT = timedelta(seconds=61)
LONG_PROMPT = "Be kind. " * 10_000
"""More than a small receive buffer takes: the rest of the request stays with the dialer's kernel."""


async def _assert_freed_after_the_quiet_time(system: System, phone: str) -> None:
    """The doubt ends by proof of absence, not before its time, and the lead is then called by another attempt."""
    doubtful = await system.until_state(phone, "unknown")
    quiet_until = await system.db.fetchval("SELECT quiet_until FROM open_attempts WHERE phone_number = $1", phone)
    await system.sweep()
    await system.sweep_until_state(phone, "not_placed")
    assert await system.db.fetchval("SELECT clock_timestamp() > $1", quiet_until)
    assert await system.simulator.posts(phone) == []
    async with system.dialer():
        await system.jump(UNCOUNTED_WAIT)
        (post,) = await system.until_posts(phone)
        await system.until_state(phone, "ended")
    assert post["attempt_id"] != str(doubtful["id"])
    assert (await system.lead(phone)).attempts == 1
    await system.assert_promises()


async def test_row_02_killed_after_the_mark_before_the_post(system: System) -> None:
    phone = fresh_phone()
    async with TcpProxy(system.stack.queue_ports) as network, system.dialer(queue_url=network.url) as dialer:
        answer = network.hold(MARK, Direction.BACK)
        await system.add_lead(phone)
        await answer.caught()
        await system.until_state(phone, "sending")
        await dialer.kill()
    await _assert_freed_after_the_quiet_time(system, phone)


async def test_row_03_killed_during_the_post_whose_bytes_arrive_late(system: System) -> None:
    phone = fresh_phone()
    await system.simulator.fault("webhook", "never", phone_number=phone)
    async with TcpProxy([system.stack.simulator_port]) as network, system.dialer(bland_url=network.url) as dialer:
        request = network.hold(POST, Direction.THERE)
        await system.add_lead(phone)
        await request.caught()
        await dialer.kill()
        doubtful = await system.until_state(phone, "unknown")
        assert await system.simulator.posts(phone) == []
        request.release()
        (post,) = await system.until_posts(phone)
    assert post["attempt_id"] == str(doubtful["id"])
    ended = await system.sweep_until_state(phone, "ended")
    assert (ended["id"], ended["call_id"], ended["outcome"]) == (doubtful["id"], post["call_id"], "NO_ANSWER")
    assert len(await system.simulator.posts(phone)) == 1
    await system.assert_promises()


async def test_row_03_killed_during_the_post_whose_bytes_lie_in_its_kernel(system: System) -> None:
    phone = fresh_phone()
    async with (
        TcpProxy([system.stack.simulator_port], receive_buffer_bytes=2048) as network,
        system.dialer(bland_url=network.url, LEADLINE_BLAND_TASK=LONG_PROMPT) as dialer,
    ):
        network.stall(Direction.THERE)
        await system.add_lead(phone)
        await until_true(lambda: network.unread_bytes, "the request is on its way")
        await dialer.kill()
        network.flow(Direction.THERE)
        await _assert_freed_after_the_quiet_time(system, phone)


async def test_row_05_killed_between_the_2xx_and_the_report(system: System) -> None:
    told, untold = fresh_phones(2)
    await system.simulator.fault("webhook", "never", phone_number=untold)
    async with TcpProxy(system.stack.queue_ports) as network, system.dialer(queue_url=network.url) as dialer:
        network.hold(REPORT, Direction.THERE)
        await system.add_leads([told, untold])
        await asyncio.gather(system.until_posts(told), system.until_posts(untold))
        await dialer.kill()
    by_event = await system.until_state(told, "ended")
    await system.until_state(untold, "unknown")
    by_sweep = await system.sweep_until_state(untold, "ended")
    for phone, attempt in ((told, by_event), (untold, by_sweep)):
        (call,) = await system.simulator.posts(phone)
        assert (attempt["outcome"], attempt["call_id"]) == ("NO_ANSWER", call["call_id"])
        assert (await system.lead(phone)).attempts == 1
    await system.assert_promises()


async def test_row_13_all_dialers_killed_with_50_calls_ringing(system: System) -> None:
    phones = fresh_phones(50)
    for phone in phones:
        await system.simulator.script(phone, step("CONFUSED", seconds=8))
    async with system.dialer() as one, system.dialer() as other:
        await system.add_leads(phones)
        await asyncio.gather(*(system.until_state(phone, "placed", "ended") for phone in phones))
        await asyncio.gather(one.kill(), other.kill())
    ringing = await system.count("SELECT count(*) FROM attempts WHERE state = 'placed'")
    assert ringing > 0
    await asyncio.gather(*(system.until_state(phone, "ended") for phone in phones))
    for phone in phones:
        assert len(await system.simulator.posts(phone)) == 1
        assert [a["outcome"] for a in await system.attempts(phone)] == ["CONFUSED"]
    await system.assert_promises()
