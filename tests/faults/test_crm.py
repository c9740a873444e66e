"""The CRM's word before a call that follows a transfer, a CRM that is down, and what it is told."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import groupby
from typing import Any

import pytest

from tests.support.phones import fresh_phone, fresh_phones
from tests.support.processes import ServiceProcess
from tests.support.simulated import ANYBODY, crm_lead, step
from tests.support.stack import Stack
from tests.support.system import TUESDAY_NOON, System, running, system_open
from tests.support.tcp_proxy import Direction, TcpProxy
from tests.support.waiting import until

UNTIL_DUE = timedelta(minutes=61)
"""An hour lies between two calls to one number, and half of one between a transfer and the next call."""
SETTINGS = {
    "LEADLINE_SIMULATOR_CONVOSO_SALE_SHARE": "0",
    "LEADLINE_TRANSFER_REST_MINUTES": "30",
    "REDIAL_PROGRESSIVE_INTERVALS": "0,60,60,60",
    "LEADLINE_LEASE_SECONDS": "6",
}
"""Agents sell only where a test says so. A lease outlives a CRM that does not answer."""


SECONDS_BETWEEN_TRIES = 2.0
PATIENT_SECONDS = 240.0
"""crm-sync leaves a CRM that fails alone for up to 30 s at a time, and asks one thing after each such pause."""
pytestmark = pytest.mark.timeout(600)

_weeks = itertools.count(1)
"""Each test has a Tuesday of its own: every one of them moves the clock by hours."""


@pytest.fixture(scope="module")
def stack(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(Stack(module_database_url, tmp_path_factory.mktemp("crm"), SETTINGS, crm=True)) as made:
        yield made


@pytest.fixture
async def system(stack: Stack) -> AsyncIterator[System]:
    async with system_open(stack) as opened:
        await opened.set_clock(TUESDAY_NOON + next(_weeks) * timedelta(weeks=1))
        await opened.simulator.script(ANYBODY, step("NO_ANSWER", times=1_000_000))
        yield opened
        await opened.simulator.clear_faults()
        await opened.simulator.clear_script()
        await opened.retire_leads()


@pytest.fixture
async def crm_sync(stack: Stack) -> AsyncIterator[ServiceProcess]:
    async with stack.make_crm_sync() as process:
        await process.wait_ready()
        yield process


async def _add(system: System, phone: str, **fields: str) -> str:
    """A lead here and in Convoso; its id there."""
    lead_id = phone.removeprefix("+1")
    await system.simulator.put_crm_leads(crm_lead(lead_id, phone))
    await system.add_lead(phone, lead_id=lead_id, **fields)
    return lead_id


async def _transfer(system: System, phone: str) -> None:
    """A lead whose first call was put through to an agent."""
    await system.simulator.script(phone, step("TRANSFERRED"))
    await _add(system, phone)
    attempt = await system.until_state(phone, "ended")
    assert attempt["outcome"] == "TRANSFERRED"


async def _until_status(system: System, phone: str, status: str, *reasons: str) -> None:
    async def look() -> bool:
        lead = await system.lead(phone)
        return lead.status == status and lead.status_reason in reasons

    try:
        await until(look, f"{phone} is {status} ({' or '.join(reasons)})", PATIENT_SECONDS)
    except AssertionError as error:
        raise AssertionError(f"{error}; it is {await system.lead(phone)}") from None


async def _until_calls(system: System, phone: str, count: int) -> list[dict[str, Any]]:
    async def look() -> list[dict[str, Any]]:
        calls = await system.simulator.calls(phone)
        return calls if len(calls) >= count else []

    return await until(look, f"{count} calls to {phone}")


async def _until_told(system: System) -> None:
    """Nothing waits for Convoso any more; the next try, or the end of a killed sender's time, is not waited for."""
    clock = asyncio.get_running_loop()
    again_at = clock.time()

    async def look() -> bool:
        nonlocal again_at
        if clock.time() >= again_at:  # not at every look: what is with a sender is taken once more by this
            await system.db.execute("UPDATE crm_outbox SET next_try_at = clock_timestamp() WHERE state = 'waiting'")
            again_at = clock.time() + SECONDS_BETWEEN_TRIES
        return await system.count("SELECT count(*) FROM crm_outbox WHERE state = 'waiting'") == 0

    await until(look, "the outbox is empty", PATIENT_SECONDS)


async def _ask_again_now(system: System) -> None:
    """Questions wait up to ten real minutes between two tries; a test does not."""
    await system.db.execute("UPDATE crm_questions SET next_ask_at = clock_timestamp()")


def _told_statuses(lead: dict[str, Any]) -> list[str]:
    """The statuses that our API calls gave a lead, in order; one that was sent twice in a row counts once."""
    return [status for status, _ in groupby(c["status"] for c in lead["changes"] if c["by"] == "api")]


async def test_sold_after_a_transfer_is_not_dialled_again_though_the_webhook_was_lost(system: System) -> None:
    sold, control = fresh_phones(2)
    await system.simulator.fault("convoso_connect", "never")
    async with system.dialer():
        await _transfer(system, sold)
        await _transfer(system, control)
        await system.simulator.agent_sets(sold, "SALE")
        await system.simulator.agent_sets(control, "CB")
        await system.jump(UNTIL_DUE)
        await _until_calls(system, control, 2)
        await _until_status(system, sold, "completed", "crm_final")
    assert len(await system.simulator.posts(sold)) == 1
    assert await system.count("SELECT count(*) FROM phones WHERE phone_number = $1 AND sold_outcome = 'SALE'", sold)
    await system.assert_promises()


async def test_sold_after_a_transfer_is_not_dialled_again_when_the_webhook_comes(system: System) -> None:
    sold, control = fresh_phones(2)
    async with system.dialer():
        await _transfer(system, sold)
        await _transfer(system, control)
        await system.simulator.agent_sets(sold, "SALE")
        await _until_status(system, sold, "completed", "sale")
        await system.simulator.agent_sets(control, "CB")
        asked = len(await system.simulator.crm_requests("leads/search"))
        await system.jump(UNTIL_DUE)
        await _until_calls(system, control, 2)
    assert len(await system.simulator.posts(sold)) == 1
    searched = (await system.simulator.crm_requests("leads/search"))[asked:]
    assert sold.removeprefix("+1") not in str(searched), "who is completed is not asked about"
    await system.assert_promises()


async def test_a_dnc_of_an_agent_stops_the_number_at_once(system: System, crm_sync: ServiceProcess) -> None:
    phone = fresh_phone()
    await system.simulator.script(phone, step("CONFUSED", seconds=3600))
    async with system.dialer():
        await _add(system, phone)
        await _until_calls(system, phone, 1)
        await system.simulator.agent_sets(phone, "DNC")
        await _until_status(system, phone, "completed", "dnc")
        call = await until(lambda: _stopped_call(system, phone), "the live call is ended")
    assert call["stopped_real_at"]
    await _until_told(system)
    assert phone.removeprefix("+1") not in {row["phone_number"] for row in await system.simulator.crm_dnc()}
    await system.assert_promises()


async def _stopped_call(system: System, phone: str) -> dict[str, Any] | None:
    (call,) = await system.simulator.calls(phone)
    return call if call["stopped_real_at"] else None


async def test_a_stop_is_pushed_to_the_crm(system: System, crm_sync: ServiceProcess) -> None:
    said, suppressed = fresh_phones(2)
    await system.simulator.script(said, step("DO_NOT_CALL"))
    async with system.dialer():
        await _add(system, said)
        await _until_status(system, said, "completed", "dnc")
    await system.suppress(suppressed)
    await _until_told(system)
    listed = {row["phone_number"] for row in await system.simulator.crm_dnc()}
    assert {said.removeprefix("+1"), suppressed.removeprefix("+1")} <= listed
    assert await system.count("SELECT count(*) FROM crm_outbox WHERE state = 'dead'") == 0


async def test_results_arrive_in_order_although_every_second_try_fails(
    system: System, crm_sync: ServiceProcess
) -> None:
    phones = fresh_phones(4)
    await system.simulator.fault("convoso_update", "refuse", status=500, probability=0.3)
    await system.simulator.fault("convoso_update", "refuse", status=429, probability=0.1)
    await system.simulator.fault("convoso_update", "accept_then_500", probability=0.2)
    async with system.dialer():
        for phone in phones:
            await system.simulator.script(phone, step("VOICEMAIL"), step("NO_ANSWER"), step("BUSY"))
            await _add(system, phone)
        for calls in (1, 2, 3):
            for phone in phones:
                await _until_calls(system, phone, calls)
                await system.until_no_longer(phone, "leased", "sending", "placed", "unknown")
            await system.jump(UNTIL_DUE)
    await _until_told(system)
    for phone in phones:
        (lead,) = await system.simulator.crm_leads(phone)
        assert _told_statuses(lead) == ["A", "NA", "B"], phone
    assert await system.count("SELECT count(*) FROM crm_outbox WHERE state = 'dead'") == 0


@asynccontextmanager
async def _through(network: TcpProxy, system: System) -> AsyncIterator[None]:
    """A dialer and a crm-sync that reach Convoso through this network alone."""
    url = f"{network.url}/convoso/v1"
    async with system.dialer(convoso_url=url), system.stack.make_crm_sync(convoso_url=url) as sync:
        await sync.wait_ready()
        yield


@pytest.mark.slow
@pytest.mark.parametrize("how", ["refused", "silent"])
async def test_a_crm_that_is_down_holds_what_it_must_and_nothing_else(system: System, how: str) -> None:
    sold, open_again, *fresh = fresh_phones(6)
    await system.simulator.fault("convoso_connect", "never")
    async with TcpProxy([system.stack.simulator_port]) as network, _through(network, system):
        await _transfer(system, sold)
        await _transfer(system, open_again)
        await _until_told(system)
        network.cut() if how == "refused" else network.stall(Direction.BACK)
        await system.simulator.agent_sets(sold, "SALE")
        await system.simulator.agent_sets(open_again, "CB")
        await system.jump(UNTIL_DUE)
        for phone in fresh:
            await _add(system, phone)
        for phone in fresh:
            await system.until_state(phone, "ended")
        for phone in (sold, open_again):
            await _until_status(system, phone, "held", "crm_unknown")
        await _ask_again_now(system)
        await asyncio.gather(*(_stays_held(system, phone) for phone in (sold, open_again)))
        await system.jump(timedelta(minutes=10))
        waiting = await system.count("SELECT count(*) FROM crm_outbox WHERE state = 'waiting'")
        assert waiting >= len(fresh), "nothing is lost, and nothing is given up"
        assert [len(await system.simulator.posts(phone)) for phone in (sold, open_again)] == [1, 1]

        network.heal()
        await _until_told(system)
        await _ask_again_now(system)
        await _until_status(system, sold, "completed", "crm_final")
        await _until_calls(system, open_again, 2)
    assert len(await system.simulator.posts(sold)) == 1
    for phone in fresh:
        (lead,) = await system.simulator.crm_leads(phone)
        assert _told_statuses(lead) == ["NA"]
    assert await system.count("SELECT count(*) FROM crm_outbox WHERE state = 'dead'") == 0
    await system.assert_promises()


async def _stays_held(system: System, phone: str) -> None:
    """It is asked about in vain, and is still held."""
    lead_id = (await system.lead(phone)).id
    asked = "SELECT count(*) FROM crm_questions WHERE lead_id = $1 AND asked > 0"
    await until(lambda: system.count(asked, lead_id), f"{phone} is asked about", PATIENT_SECONDS)
    assert (await system.lead(phone)).status == "held"


async def test_without_a_token_nobody_is_cleared(stack: Stack, system: System) -> None:
    phone, control = fresh_phones(2)
    async with system.dialer():
        await _transfer(system, phone)
    async with system.dialer(LEADLINE_CONVOSO_AUTH_TOKEN=""):
        await system.jump(UNTIL_DUE)
        await _add(system, control)
        await system.until_state(control, "ended")
        await _until_status(system, phone, "held", "crm_unknown")
    assert len(await system.simulator.posts(phone)) == 1
