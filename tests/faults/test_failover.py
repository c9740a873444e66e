"""Row 17: on another system or timeline than before, nothing is dialled until the provider's history is reconciled."""

from collections.abc import Iterator

import pytest

from leadline.contracts.leases import MarkAnswer
from tests.support.acting import acting_dialer
from tests.support.phones import fresh_phones
from tests.support.simulated import step
from tests.support.stack import Stack
from tests.support.system import System, running
from tests.support.waiting import until

ANOTHER = {
    "system_identifier": "UPDATE dispatch_gate SET system_identifier = system_identifier + 1",
    "timeline": "UPDATE dispatch_gate SET timeline = timeline + 1",
}
"""What a row that came with the data says, seen from a standby that took over."""


@pytest.fixture(scope="module")
def stack(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A system of its own: its database is another one now and then."""
    settings = {"LEADLINE_LEASE_SECONDS": "60"}
    with running(Stack(module_database_url, tmp_path_factory.mktemp("stack"), settings)) as made:
        yield made


@pytest.mark.parametrize("changed", list(ANOTHER))
async def test_row_17_dispatch_is_held_until_the_sweep_has_reconciled(system: System, changed: str) -> None:
    leased, ringing, stopped, waiting = fresh_phones(4)
    await system.simulator.script(ringing, step("CONFUSED", seconds=3600))
    async with acting_dialer(system.stack) as dialer:
        await system.add_lead(ringing)
        unreported = await dialer.lease_of(ringing)
        (mark,) = await dialer.mark(unreported.attempt_id)
        assert mark.answer is MarkAnswer.GO
        call_id = await dialer.post(unreported)
        await system.add_lead(leased)
        lease = await dialer.lease_of(leased)
        await system.db.execute(ANOTHER[changed])
        (refused,) = await dialer.mark(lease.attempt_id)
        assert (refused.answer, refused.reason) == (MarkAnswer.NO, "dispatch_held")
    await system.simulator.call_elsewhere(stopped, step=step("DO_NOT_CALL"))
    await system.add_leads([stopped, waiting])
    async with system.dialer():
        await until(lambda: _is_held(system), "dispatch is held")
        await system.simulator.fault("list", "refuse", status=500)
        await system.sweep()
        assert await _is_held(system), "a history that cannot be read releases nothing"
        await system.simulator.clear_faults()
        for phone in (leased, stopped, waiting):
            assert await system.simulator.posts(phone) == []
        await system.sweep()
        assert not await _is_held(system)
        for phone in (leased, waiting):
            await system.until_posts(phone)
            await system.until_state(phone, "ended")
        assert await system.queue.get_suppression(stopped) is not None
        assert await system.simulator.posts(stopped) == []
        (found,) = await system.attempts(ringing)
        assert (found["state"], found["call_id"]) == ("placed", call_id)
        await system.suppress(ringing)
        await system.until_state(ringing, "ended")
    await system.assert_promises()


async def _is_held(system: System) -> bool:
    held: bool = await system.db.fetchval("SELECT held_since IS NOT NULL FROM dispatch_gate")
    return held
