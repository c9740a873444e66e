"""Row 21: history holds calls of our own, and calls that are older than what a lead knows already."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadline.contracts.leases import MarkAnswer
from tests.support.acting import acting_dialer
from tests.support.phones import fresh_phone, fresh_phones
from tests.support.simulated import past_call, step
from tests.support.stack import Stack
from tests.support.system import TUESDAY_NOON, System, system_open
from tests.support.waiting import until

HOUR = timedelta(hours=1)
OPTIONS = (
    *("--from", (TUESDAY_NOON - timedelta(days=3)).isoformat(), "--to", (TUESDAY_NOON + HOUR).isoformat()),
    *("--pace", "none", "--details-pace", "none", "--window", "1d"),
)


@pytest.fixture
async def system(database_url: str, tmp_path: Path) -> AsyncIterator[System]:
    stack = Stack(database_url, tmp_path)
    try:
        await stack.start()
        async with system_open(stack) as opened:
            await opened.set_clock(TUESDAY_NOON)
            yield opened
    finally:
        await stack.stop()


async def _backfill(system: System) -> None:
    process = system.stack.make_backfill(*OPTIONS)
    process.start()
    assert await process.wait() == 0, process.log_tail()


async def _calls(system: System, phone: str) -> list[tuple[str, str, str | None]]:
    rows = await system.db.fetch(
        "SELECT origin, state, outcome FROM attempts WHERE phone_number = $1 ORDER BY leased_at", phone
    )
    return [(row["origin"], row["state"], row["outcome"]) for row in rows]


async def _plan(system: System, phone: str) -> dict[str, Any]:
    row = await system.db.fetchrow(
        "SELECT l.status, l.status_reason, l.updated_at, d.due_at, d.band FROM leads l"
        " LEFT JOIN due_leads d ON d.lead_id = l.id WHERE l.phone_number = $1",
        phone,
    )
    assert row is not None
    return dict(row)


async def test_row_21_our_own_unknown_attempt_is_adopted_and_not_doubled(system: System) -> None:
    phone = fresh_phone()
    await system.simulator.script(phone, step("VOICEMAIL"))
    async with acting_dialer(system.stack, webhooks=False) as dialer:
        await system.add_lead(phone)
        lease = await dialer.lease_of(phone)
        (mark,) = await dialer.mark(lease.attempt_id)
        assert mark.answer is MarkAnswer.GO
        call_id = await dialer.post(lease)  # and then it dies: neither a report nor an event tells of the call
    assert await _calls(system, phone) in ([("leadline", "sending", None)], [("leadline", "unknown", None)])
    assert call_id is not None
    created_at = datetime.fromisoformat((await system.details_at_bland(call_id))["created_at"])
    await until(lambda: system.is_listed(call_id, created_at), "the call is listed")
    await system.jump(2 * HOUR)
    await _backfill(system)
    assert await _calls(system, phone) == [("leadline", "ended", "VOICEMAIL")]
    (attempt,) = await system.attempts(phone)
    assert attempt["call_id"] == call_id
    assert (await system.lead(phone)).attempts == 1
    await _backfill(system)
    assert await _calls(system, phone) == [("leadline", "ended", "VOICEMAIL")]
    await system.assert_promises()


async def test_row_21_older_calls_count_and_change_nothing_newer(system: System) -> None:
    phone, stopped = fresh_phones(2)
    await system.simulator.script(phone, step("VOICEMAIL"))
    async with system.dialer() as dialer:
        await system.add_lead(phone)
        await system.until_state(phone, "ended")
        await dialer.terminate()  # it would be handed a lease as soon as the clock jumps
    await system.add_lead(stopped)
    before = await _plan(system, phone)
    old = TUESDAY_NOON - timedelta(days=2)
    await system.simulator.insert_history(
        past_call(phone, old, "NOT_INTERESTED"),
        past_call(phone, old + HOUR, "CALLBACK"),
        past_call(stopped, old, "DO_NOT_CALL"),
    )
    await system.jump(2 * HOUR)
    await _backfill(system)
    outcomes = [outcome for _, _, outcome in await _calls(system, phone)]
    assert outcomes == ["NOT_INTERESTED", "CALLBACK", "VOICEMAIL"]
    assert (await system.lead(phone)).attempts == 3, "they count for the caps"
    assert await _plan(system, phone) == before
    lead = await system.lead(stopped)
    assert (lead.status, lead.status_reason) == ("completed", "dnc"), "but a stop is a stop, however old"
    await system.assert_promises()


async def test_row_21_a_call_of_history_whose_event_comes_afterwards_is_recorded_once(system: System) -> None:
    phone = fresh_phone()
    (call_id,) = await system.simulator.insert_history(past_call(phone, TUESDAY_NOON - HOUR, "NO_ANSWER"))
    await _backfill(system)
    assert await _calls(system, phone) == [("elsewhere", "ended", "NO_ANSWER")]
    lead = await system.lead(phone)
    assert (lead.status, lead.status_reason) == ("held", "crm_unknown"), "nobody vouches for it"
    assert await system.post_event(await system.details_at_bland(call_id)) == 200
    assert await _calls(system, phone) == [("elsewhere", "ended", "NO_ANSWER")]
    await system.assert_promises()
