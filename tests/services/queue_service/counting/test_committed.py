"""Only what is committed counts: not what is rolled back, rehearsed or done again, and nothing twice."""

import asyncio
import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import services.queue_service
from leadline.contracts.imports import NumbersKind
from leadline.domain.ids import LeadId, PhoneNumber
from leadline.runtime.ids import new_uuid7
from leadline.store.changes import Changes
from leadline.store.clock import get_clock
from leadline.store.connection import Connection
from leadline.store.records import Alarm
from services.queue_service import inbox, marking, operating
from services.queue_service.applying import apply_event
from services.queue_service.counting import noting
from tests.services.queue_service.counting.tally import Tally
from tests.services.queue_service.desk import CAMPAIGN, PHONE, TUESDAY_NOON, Desk, result
from tests.services.queue_service.histories import Backfill, listed
from tests.services.queue_service.imported import bring, record, stop
from tests.services.queue_service.scenes import call_of, due_lead, go, lease_all
from tests.support.phones import fresh_phones

ALARMS, SUPPRESSIONS = "leadline_alarms_total", "leadline_suppressions_added_total"
OUTCOMES, LAG = "leadline_outcomes_total", "leadline_event_lag_seconds_count"
END = {"end_at": TUESDAY_NOON.isoformat()}
WITHOUT_ITS_NUMBER = """
INSERT INTO attempts (id, lead_id, campaign, phone_number, attempt_no, state, leased_at)
SELECT $1, id, campaign, phone_number, 1, 'leased', business_now() FROM leads
"""
"""An open attempt that holds no number: refused, but only at the commit."""


class Bug(Exception):
    """What nobody thought of."""


async def suppress(desk: Desk, conn: Connection) -> None:
    policy = desk.service.policy
    await operating.suppress(conn, policy, PhoneNumber(PHONE), "said so", "operator", "operator")


async def test_a_transaction_that_fails_counts_nothing(desk: Desk) -> None:
    await due_lead(desk)
    tally = Tally()

    async def work(conn: Connection) -> None:
        await suppress(desk, conn)
        raise Bug

    with pytest.raises(Bug):
        await desk.service.transaction(work)
    assert tally.everything() == {}
    await desk.service.transaction(lambda conn: suppress(desk, conn))
    assert tally.everything() == {
        (SUPPRESSIONS, ("operator",)): 1,
        ("leadline_leads_completed_total", (CAMPAIGN, "dnc")): 1,
    }


async def test_a_commit_that_is_refused_counts_nothing(desk: Desk) -> None:
    await due_lead(desk)
    tally = Tally()

    async def work(conn: Connection) -> None:
        await suppress(desk, conn)
        await conn.execute(WITHOUT_ITS_NUMBER, new_uuid7())

    with pytest.raises(asyncpg.PostgresError):
        await desk.service.transaction(work)
    assert tally.everything() == {}


@pytest.mark.parametrize("error", [asyncpg.DeadlockDetectedError, asyncpg.SerializationError])
async def test_what_is_done_again_counts_once(desk: Desk, error: type[Exception]) -> None:
    await due_lead(desk)
    tally, tries = Tally(), 0

    async def work(conn: Connection) -> None:
        nonlocal tries
        tries += 1
        await suppress(desk, conn)
        if tries < 3:
            raise error

    await desk.service.transaction(work)
    assert tally.of(SUPPRESSIONS) == {("operator",): 1}


async def test_a_lease_that_is_done_again_counts_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await due_lead(desk)
    await desk.pool.execute("UPDATE phones SET rest_until = business_now() + interval '1 hour'")
    tally, flush, tries = Tally(), Changes.flush, 0

    async def unlucky(changes: Changes, conn: Connection) -> None:
        nonlocal tries
        await flush(changes, conn)
        tries += 1
        if tries == 1:
            raise asyncpg.DeadlockDetectedError

    monkeypatch.setattr(Changes, "flush", unlucky)
    assert (await desk.lease(1, 2)).leases == []
    assert tries > 1
    assert tally.of("leadline_refusals_total") == {("lease", "number_rests"): 1}


async def test_a_rehearsal_counts_nothing(desk: Desk) -> None:
    await due_lead(desk)
    tally = Tally()
    await desk.service.rehearse(lambda conn: suppress(desk, conn))
    await stop(desk, NumbersKind.SUPPRESSED, PHONE, dry_run=True)
    await bring(desk, record(fresh_phones(1)[0], outcomes=["DNC"]), dry_run=True)
    assert tally.everything() == {}
    await stop(desk, NumbersKind.SUPPRESSED, PHONE)
    assert tally.of(SUPPRESSIONS) == {("other",): 1}, "by a list whose name nobody knows"


async def test_a_group_that_is_split_counts_each_item_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    phones = fresh_phones(5)
    for phone in phones:
        await desk.post_lead(phone)
    leases = await lease_all(desk, len(phones))
    tally, real = Tally(), noting.note_dispatch

    def picky(changes: Any, clock: Any, number: Any, *more: Any) -> None:
        real(changes, clock, number, *more)
        if number.phone_number == phones[2]:
            raise Bug

    monkeypatch.setattr(marking, "note_dispatch", picky)
    asked = [desk.mark(leases[phone].attempt_id) for phone in phones]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(answer, Bug) for answer in answers] == [False, False, True, False, False]
    assert tally.of("leadline_dispatch_lateness_seconds_count") == {(CAMPAIGN, "fresh"): 4}


async def test_an_event_that_is_not_applied_counts_as_stored_and_later_as_applied(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    phones = fresh_phones(4)
    for phone in phones:
        await desk.post_lead(phone)
    leases = await lease_all(desk, len(phones))
    for lease in leases.values():
        await go(desk, lease)
    tally, real = Tally(), apply_event

    def picky(applying: Any, incoming: Any, number: Any) -> Any:
        done = real(applying, incoming, number)
        if number is not None and number.phone_number == phones[1]:
            raise Bug
        return done

    bodies = [result(leases[p].attempt_id, call_of(leases[p]), to=p, **END) for p in phones]
    with monkeypatch.context() as patched:
        patched.setattr(inbox, "apply_event", picky)
        await asyncio.gather(*(desk.event(body) for body in bodies))
        assert await desk.service.apply_events() == {"events_applied": 0, "events_still_unapplied": 1}
    assert (tally.of(LAG), tally.sum_of(OUTCOMES)) == ({("bland",): 4}, 3)
    assert tally.of(ALARMS) == {("event_not_applied",): 1}
    assert await desk.service.apply_events() == {"events_applied": 1, "events_still_unapplied": 0}
    assert (tally.of(LAG), tally.sum_of(OUTCOMES)) == ({("bland",): 4}, 4)


async def test_an_operation_that_is_asked_for_again_counts_once(desk: Desk) -> None:
    tally = Tally()
    await due_lead(desk)
    (lead,) = await desk.leads_of(PHONE)

    async def work(conn: Connection) -> dict[str, Any]:
        await operating.complete_by_operator(conn, LeadId(lead.id), "moved away", "operator")
        return {"done": True}

    for _ in range(3):
        await desk.service.once("operator", "operation-1", b"x" * 32, work)
    assert tally.of("leadline_leads_completed_total") == {(CAMPAIGN, "removed"): 1}


async def test_history_and_imports_are_no_attempts_of_ours(desk: Desk) -> None:
    tally, (one, other) = Tally(), fresh_phones(2)
    await bring(desk, record(one, outcomes=["NO_ANSWER", "SALE"]))
    backfill = Backfill(desk)
    await backfill.start()
    await backfill.record(listed("old-1", to=other), listed("old-2", to=other), details=True)
    assert await desk.fetch("SELECT FROM attempts WHERE origin = 'elsewhere'")
    for name in ("leadline_attempts_total", OUTCOMES, "leadline_calls_met_total", LAG, "leadline_cost_dollars_total"):
        assert tally.of(name) == {}
    assert tally.of("leadline_leads_completed_total") == {}, "it came completed"


async def test_a_figure_that_cannot_be_counted_fails_nothing(desk: Desk) -> None:
    tally = Tally()

    async def work(conn: Connection) -> str:
        changes = Changes(now=(await get_clock(conn)).now, actor="test", alarms=[Alarm("something")])
        changes.happened.append("nonsense")  # type: ignore[arg-type]  # the bug that the test is about
        await changes.flush(conn)
        return "committed"

    assert await desk.service.transaction(work) == "committed"
    assert tally.of(ALARMS) == {("something",): 1}


def test_every_transaction_of_the_service_is_a_counted_one() -> None:
    """Whoever opens one by hand loses what happens in it."""
    folder = Path(services.queue_service.__file__).parent
    by_hand = re.compile(r"conn\.transaction\((?!.*readonly=True)")
    found = [path.name for path in folder.rglob("*.py") if by_hand.search(path.read_text(encoding="utf-8"))]
    assert found == []
