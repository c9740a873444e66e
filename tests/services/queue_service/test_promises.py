"""The nine promises as queries: nothing to say of a system that keeps them, and each one found when it is broken.

The database's own rules have to be switched off to break most of them.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from leadline.contracts.leases import ReportKind
from leadline.domain.attempt import AttemptState
from leadline.store.promises import PROMISES
from tests.services.queue_service.desk import PHONE, Desk, result
from tests.services.queue_service.scenes import bring_to, call, due_lead, lease_all
from tests.services.queue_service.web import Web
from tests.support.phones import fresh_phones

OTHER_PHONE = "+15615550124"
COPY = """
INSERT INTO attempts (id, lead_id, campaign, phone_number, origin, attempt_no, state, leased_at, marked_at, closed_at,
                      outcome, call_id)
SELECT gen_random_uuid(), lead_id, campaign, phone_number, origin, attempt_no, {state}, leased_at, {marked_at},
       {closed_at}, {outcome}, {call_id} FROM attempts LIMIT 1
"""


def copy(
    state: str = "state",
    marked_at: str = "marked_at",
    closed_at: str = "closed_at",
    outcome: str = "outcome",
    call_id: str = "NULL",
) -> str:
    """Another attempt like the one that there is."""
    return COPY.format(state=state, marked_at=marked_at, closed_at=closed_at, outcome=outcome, call_id=call_id)


async def by_force(desk: Desk, *statements: str) -> None:
    """Write what the database would refuse."""
    async with desk.pool.acquire() as conn, conn.transaction():
        await conn.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            await conn.execute(statement)


async def two_live_calls(desk: Desk) -> str:
    await desk.place()
    await by_force(desk, copy())
    return "+1******0123"


async def a_live_call_without_its_number(desk: Desk) -> str:
    await desk.place()
    await by_force(desk, "DELETE FROM open_attempts")
    return "+1******0123"


async def two_calls_of_one_attempt(desk: Desk) -> str:
    lease = await desk.place("call-1")
    await desk.report(lease.attempt_id, ReportKind.PLACED, call_id="call-2")
    return str(lease.attempt_id)


async def a_mark_after_a_stop(desk: Desk) -> str:
    lease = await desk.place()
    await by_force(desk, f"INSERT INTO suppressions VALUES ('{PHONE}', 'x', 'x', business_now() - interval '1 hour')")
    return str(lease.attempt_id)


async def a_planned_lead_without_a_due_time(desk: Desk) -> str:
    await by_force(desk, "DELETE FROM due_leads")
    return await only_lead(desk)


async def a_completed_lead_that_is_due(desk: Desk) -> str:
    await by_force(desk, "UPDATE leads SET status = 'completed', status_reason = 'sale'")
    return await only_lead(desk)


async def a_lead_called_by_nobody(desk: Desk) -> str:
    await by_force(desk, "UPDATE due_leads SET calling = true")
    return await only_lead(desk)


async def a_call_counted_twice(desk: Desk) -> str:
    await call(desk, "call-1")
    await by_force(desk, copy(call_id="'call-1'"))
    (row,) = await desk.fetch("SELECT id FROM attempts a WHERE id NOT IN (SELECT attempt_id FROM calls)")
    return str(row["id"])


async def more_calls_than_a_life_has(desk: Desk) -> str:
    await call(desk, "call-1")
    await by_force(desk, *[copy()] * 8)
    return await only_lead(desk)


async def a_call_in_the_night(desk: Desk) -> str:
    lease = await call(desk, "call-1")
    await by_force(desk, "UPDATE attempts SET marked_at = marked_at - interval '12 hours'")
    return str(lease.attempt_id)


async def a_call_too_soon(desk: Desk) -> str:
    await call(desk, "call-1")
    await by_force(desk, copy(marked_at="marked_at + interval '9 seconds'"))
    (row,) = await desk.fetch("SELECT id FROM attempts ORDER BY marked_at DESC LIMIT 1")
    return str(row["id"])


async def a_ninth_call_in_a_day(desk: Desk) -> str:
    await call(desk, "call-1")
    await desk.pool.execute("UPDATE leads SET life_started_at = business_now() + interval '1 day'")
    for minute in range(1, 9):
        await by_force(desk, copy(marked_at=f"marked_at + interval '{minute} minutes'"))
    (row,) = await desk.fetch("SELECT id FROM attempts ORDER BY marked_at DESC LIMIT 1")
    return str(row["id"])


async def a_call_after_the_end(desk: Desk) -> str:
    await call(desk, "call-1", status="completed", answered_by="human", disposition_tag="SALE")
    await by_force(desk, copy(marked_at="business_now() + interval '1 second'"))
    (row,) = await desk.fetch("SELECT id FROM attempts a ORDER BY marked_at DESC LIMIT 1")
    return str(row["id"])


async def a_lease_that_nobody_ends(desk: Desk) -> str:
    lease = await desk.place()
    await desk.pool.execute("UPDATE open_attempts SET deadline_at = clock_timestamp() - interval '2 hours'")
    return str(lease.attempt_id)


async def a_stop_that_nobody_takes(desk: Desk) -> str:
    lease = await desk.place()
    await desk.event(result(lease.attempt_id, "call-2", status="completed", disposition_tag="DNC"))
    await desk.pool.execute("UPDATE stop_orders SET next_try_at = clock_timestamp() - interval '2 hours'")
    return str(lease.attempt_id)


async def an_event_that_nobody_can_apply(desk: Desk) -> str:
    stored = await desk.event(result(None, "call-1", to=OTHER_PHONE))
    await by_force(desk, "UPDATE events SET disposition = 'unapplied', kind = NULL, tries = 13")
    return str(stored.event_id)


async def an_end_that_nobody_explained(desk: Desk) -> str:
    await call(desk, "call-1", status="completed", answered_by="human", disposition_tag="SALE")
    await by_force(desk, "DELETE FROM audit_log")
    return await only_lead(desk)


async def only_lead(desk: Desk) -> str:
    (row,) = await desk.fetch("SELECT id FROM leads")
    return str(UUID(str(row["id"])))


Breaking = Callable[[Desk], Awaitable[str]]
BROKEN: list[tuple[int, Breaking]] = [
    (1, two_live_calls),
    (1, a_live_call_without_its_number),
    (2, two_calls_of_one_attempt),
    (3, a_mark_after_a_stop),
    (4, a_planned_lead_without_a_due_time),
    (4, a_completed_lead_that_is_due),
    (4, a_lead_called_by_nobody),
    (5, a_call_counted_twice),
    (6, more_calls_than_a_life_has),
    (6, a_call_in_the_night),
    (6, a_call_too_soon),
    (6, a_ninth_call_in_a_day),
    (7, a_call_after_the_end),
    (8, a_lease_that_nobody_ends),
    (8, a_stop_that_nobody_takes),
    (8, an_event_that_nobody_can_apply),
    (9, an_end_that_nobody_explained),
]


@pytest.mark.parametrize(("promise", "breaking"), BROKEN, ids=[f"{n} {scene.__name__}" for n, scene in BROKEN])
async def test_a_broken_promise_is_found_and_told(web: Web, promise: int, breaking: Breaking) -> None:
    await due_lead(web.desk)
    before = (await web.ask("POST", "/v1/sweep/check-promises", caller="sweep")).body
    assert before == {"checked": list(range(1, 10)), "violations": []}
    subject = await breaking(web.desk)
    check = (await web.ask("POST", "/v1/sweep/check-promises", caller="sweep")).body
    assert (promise, subject) in {(broken["promise"], broken["subject"]) for broken in check["violations"]}
    details = await web.desk.fetch("SELECT details FROM alarms WHERE kind = 'promise_broken'")
    assert {"promise": promise, "subject": subject} in [row["details"] for row in details]


def test_each_of_the_nine_is_broken_somewhere() -> None:
    assert [p.number for p in PROMISES] == list(range(1, 10))
    assert {number for number, _ in BROKEN} == set(range(1, 10))


async def test_a_busy_system_breaks_none(desk: Desk) -> None:
    phones = fresh_phones(len(AttemptState))
    for phone in phones:
        await desk.post_lead(phone)
    leases = await lease_all(desk, len(phones))
    for phone, state in zip(phones, AttemptState, strict=True):
        await bring_to(desk, leases[phone], state)
    assert (await desk.service.check_promises(100)).violations == []


async def test_no_more_is_told_than_asked_for(desk: Desk) -> None:
    for phone in fresh_phones(5):
        await desk.post_lead(phone)
    await by_force(desk, "DELETE FROM due_leads")
    assert len((await desk.service.check_promises(3)).violations) == 3
