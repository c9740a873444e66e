"""Rows 2, 3, 5 and 13: whatever a dialer dies of, and whenever, there is never a second request for one attempt."""

from datetime import timedelta

from tests.support.phones import fresh_phone, fresh_phones
from tests.support.simulated import step
from tests.support.system import System
from tests.support.tcp_proxy import Direction, TcpProxy
from tests.support.waiting import until

MARK = b"/v1/send-marks"
REPORT = b"/v1/reports"
POST = b"POST /v1/calls"


async def test_row_02_killed_after_the_mark_before_the_post(system: System) -> None:
    phone = fresh_phone()
    async with TcpProxy(system.stack.queue_ports) as network, system.dialer(queue_url=network.url) as dialer:
        answer = network.hold(MARK, Direction.BACK)
        await system.add_lead(phone)
        await answer.caught()
        await system.until_state(phone, "sending")
        await dialer.kill()
    await system.until_state(phone, "unknown")
    await system.sweep_until_state(phone, "not_placed")
    assert await system.simulator.posts(phone) == []
    await system.assert_promises()
