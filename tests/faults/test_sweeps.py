"""Row 19: no sweep for two hours, one, two at once, five at once: the same end state."""

import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from leadline.contracts.events import EventSource
from leadline.contracts.leads import LeadSubmission
from leadline.contracts.leases import MarkAnswer, RejectionClass, ReportKind
from tests.support.acting import ActingDialer, acting_dialer
from tests.support.end_state import Row, read_end_state
from tests.support.fixtures import _fresh_database
from tests.support.phones import fresh_phones
from tests.support.run import Server
from tests.support.simulated import ANYBODY, step
from tests.support.stack import Stack
from tests.support.system import TUESDAY_NOON, System, system_open

OLD_ENOUGH = timedelta(seconds=15)
TWO_HOURS = timedelta(hours=2)
RINGING = step("CONFUSED", seconds=3600)
MOST_PASSES = 5

Leave = Callable[[System, ActingDialer, str], Awaitable[object]]


async def _marked(system: System, dialer: ActingDialer, phone: str) -> Any:
    lease = await dialer.lease_of(phone)
    (mark,) = await dialer.mark(lease.attempt_id)
    assert mark.answer is MarkAnswer.GO
    return lease


async def _expired(system: System, dialer: ActingDialer, phone: str) -> None:
    await dialer.lease_of(phone)


async def _report_lost(system: System, dialer: ActingDialer, phone: str) -> None:
    await dialer.post(await _marked(system, dialer, phone))


async def _doubted_and_ringing(system: System, dialer: ActingDialer, phone: str) -> None:
    await system.simulator.script(phone, RINGING)
    lease = await _marked(system, dialer, phone)
    await dialer.post(lease)
    await dialer.report(lease.attempt_id, ReportKind.DOUBT, message="timeout")


async def _sold_without_an_event(system: System, dialer: ActingDialer, phone: str) -> None:
    await system.simulator.script(phone, step("SALE"))
    await dialer.place(phone)


async def _suppressed_while_ringing(system: System, dialer: ActingDialer, phone: str) -> None:
    await system.simulator.script(phone, RINGING)
    await dialer.place(phone)
    await system.suppress(phone)


async def _kept_unapplied(system: System, dialer: ActingDialer, phone: str) -> None:
    await system.simulator.script(phone, step("NOT_INTERESTED"))
    _, call_id = await dialer.place(phone)
    await system.queue.post_event(await _event(system, call_id), EventSource.WEBHOOK)
    # As a bug in applying would have left it.
    await system.db.execute("UPDATE events SET disposition = 'unapplied' WHERE call_id = $1", call_id)


async def _called_by_somebody_else_meanwhile(system: System, dialer: ActingDialer, phone: str) -> None:
    await system.simulator.script(phone, RINGING)
    await dialer.place(phone)
    call_id = await system.simulator.call_elsewhere(phone, step=step("NO_ANSWER"))
    stored = await system.queue.post_event(await _event(system, call_id), EventSource.WEBHOOK)
    assert stored.kind == "undetermined"


async def _refused_for_the_account(system: System, dialer: ActingDialer, phone: str) -> None:
    lease = await _marked(system, dialer, phone)
    rejection = {"rejection": RejectionClass.ACCOUNT, "http_status": 402, "message": "Insufficient balance."}
    await dialer.report(lease.attempt_id, ReportKind.REJECTED, **rejection)


async def _placed_and_unknown_to_bland(system: System, dialer: ActingDialer, phone: str) -> None:
    lease = await _marked(system, dialer, phone)
    await dialer.report(lease.attempt_id, ReportKind.PLACED, call_id="nobody-knows-this-call")


MESS: tuple[Leave, ...] = (
    _expired,
    _marked,
    _report_lost,
    _doubted_and_ringing,
    _sold_without_an_event,
    _suppressed_while_ringing,
    _kept_unapplied,
    _called_by_somebody_else_meanwhile,
    _placed_and_unknown_to_bland,
    _refused_for_the_account,
)


async def _event(system: System, call_id: str) -> bytes:
    return json.dumps(await system.details_at_bland(call_id)).encode()


async def _leave_a_mess(system: System, phones: list[str]) -> None:
    """What dialers that died, webhooks that were lost and a bug leave behind; nobody leases after this."""
    async with acting_dialer(system.stack, webhooks=False) as dialer:
        for leave, phone in zip(MESS, phones, strict=True):
            lead = LeadSubmission(campaign="awhealth", phone_number=phone, lead_id="1", list_id="1")
            await system.queue.submit_lead(lead)
            await leave(system, dialer, phone)
    await system.db.execute("UPDATE open_attempts SET deadline_at = clock_timestamp(), quiet_until = clock_timestamp()")
    await system.jump(OLD_ENOUGH)


async def _is_quiet(system: System) -> bool:
    plan = await system.queue.sweep_plan(limit=100)
    late = (plan.expired_leases, plan.silent_sends, plan.unapplied_events, plan.account_paused)
    return not (any(late) or plan.doubtful or plan.placed or plan.stop_orders or plan.undetermined_calls)


async def _end_state(stack: Stack, phones: list[str], at_once: int) -> dict[str, list[Row]]:
    async with system_open(stack) as system:
        await system.set_clock(TUESDAY_NOON)
        await system.simulator.script(ANYBODY, step("NO_ANSWER", times=1_000_000))
        await _leave_a_mess(system, phones)
        if at_once:
            await system.sweep(at_once)
        await system.jump(TWO_HOURS)
        for _ in range(MOST_PASSES):
            if await _is_quiet(system):
                break
            await system.sweep(max(1, at_once))
        assert await _is_quiet(system)
        await system.assert_promises()
        async with system.db.acquire() as conn:
            return await read_end_state(conn)


@pytest.fixture
def databases(postgres: Server, _postgres_admin: psycopg.Connection) -> Callable[[], AbstractContextManager[str]]:
    """Makes fresh databases."""
    return lambda: contextmanager(_fresh_database)(postgres, _postgres_admin, postgres.template)


async def test_row_19_any_number_of_sweeps(
    databases: Callable[[], AbstractContextManager[str]], tmp_path: Path
) -> None:
    phones = fresh_phones(len(MESS))
    ends: dict[int, dict[str, list[Row]]] = {}
    for at_once in (0, 1, 2, 5):
        folder = tmp_path / str(at_once)
        folder.mkdir()
        with databases() as database_url:
            stack = Stack(database_url, folder, {"LEADLINE_SIMULATOR_LISTING_LAG_SECONDS": "0"})
            try:
                await stack.start(gateway=False)
                ends[at_once] = await _end_state(stack, phones, at_once)
            finally:
                await stack.stop()
    for at_once, end in ends.items():
        for table, rows in end.items():
            assert rows == ends[1][table], f"{table} after {at_once} sweeps at once"
    assert not ends[1]["open_attempts"]
