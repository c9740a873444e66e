"""Import of leads that are not there yet: their past, their status, and what does not fit."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from leadline.contracts.imports import ImportResult
from leadline.domain.lead import CompletionReason, HeldReason
from leadline.runtime.postgres import Pool
from tests.services.queue_service.desk import NEW_YORK, PHONE, TUESDAY_NOON, Desk, desk_open
from tests.services.queue_service.imported import (
    LAST_CALL,
    bring,
    bring_one,
    call,
    record,
    untouched,
    whole_database,
)
from tests.services.queue_service.scenes import SECOND, TWO_CAMPAIGNS, campaign, policy_with

OTHER = "+15615550124"
TOMORROW_AT_OPENING = datetime(2026, 1, 7, 11, tzinfo=NEW_YORK)


async def broken_promises(desk: Desk) -> list[str]:
    """Promises that a check finds broken."""
    checked = await desk.service.check_promises(10)
    return [f"{v}" for v in checked.violations]


async def test_a_pending_lead_goes_on_where_it_was(desk: Desk) -> None:
    due_at = TUESDAY_NOON + timedelta(minutes=20)
    answer = await bring_one(desk, record(due_at=due_at, attributes={"email": "m@example.com", "source": "tv"}))
    assert (answer.result, answer.status) == (ImportResult.TAKEN, "pending")
    assert answer.lead_id is not None
    lead = await desk.lead(answer.lead_id)
    assert (lead.attempts, lead.attempts_today, lead.next_redial_at) == (3, 0, due_at)
    assert (lead.outcomes, lead.last_outcome) == (["NO_ANSWER", "VOICEMAIL", "VOICEMAIL"], "VOICEMAIL")
    assert (lead.last_call_at, lead.created_at) == (LAST_CALL, TUESDAY_NOON - timedelta(days=9))
    assert (lead.lead_id, lead.list_id, lead.first_name, lead.state) == ("410233", "1029", "Maria", "FL")
    (row,) = await desk.fetch("SELECT sender_fields, attributes, life_started_at = 'epoch' AS first_life FROM leads")
    assert tuple(row) == ({"email": "m@example.com"}, {"source": "tv"}, True)
    assert await broken_promises(desk) == []


async def test_it_is_leased_when_it_is_due_as_the_next_attempt(desk: Desk) -> None:
    await bring_one(desk, record(calls=[call("old-1")]))
    lease = await desk.lease_one()
    assert lease.attempt_no == 4


@pytest.mark.parametrize(
    ("last_call", "due_at", "expected"),
    [
        pytest.param(timedelta(minutes=-1), timedelta(0), timedelta(minutes=9), id="the cadence is not over"),
        pytest.param(timedelta(hours=-1), timedelta(hours=-1), timedelta(0), id="overdue"),
        pytest.param(timedelta(hours=-1), timedelta(minutes=7), timedelta(minutes=7), id="later than the cadence"),
        pytest.param(timedelta(hours=5), None, timedelta(minutes=10), id="a last call in the future was one of now"),
        pytest.param(timedelta(minutes=-4), None, timedelta(minutes=6), id="no due time"),
    ],
)
async def test_the_cadence_counts_from_the_last_call(
    desk: Desk, last_call: timedelta, due_at: timedelta | None, expected: timedelta
) -> None:
    last = TUESDAY_NOON + last_call
    said = record(last_call_at=last, due_at=None if due_at is None else TUESDAY_NOON + due_at)
    answer = await bring_one(desk, said)
    assert answer.lead_id is not None
    due = (await desk.lead(answer.lead_id)).next_redial_at
    assert due is not None
    assert abs(due - (TUESDAY_NOON + expected)) < timedelta(seconds=30)


async def test_a_due_time_outside_calling_hours_moves_to_the_opening(desk: Desk) -> None:
    evening = datetime(2026, 1, 6, 21, tzinfo=NEW_YORK)
    await bring_one(desk, record(due_at=evening))
    assert (await desk.leads_of(PHONE))[0].next_redial_at == TOMORROW_AT_OPENING


async def test_calls_with_an_id_enter_the_ledger_and_the_rest_is_counted(desk: Desk) -> None:
    first, last = LAST_CALL - timedelta(days=1), LAST_CALL
    said = record(attempts=5, outcomes=["BUSY", "NO_ANSWER", "VOICEMAIL"], calls=[call("b", last), call("a", first)])
    await bring_one(desk, said)
    rows = await desk.fetch("SELECT call_id, origin, state, outcome, attempt_no, leased_at FROM attempts ORDER BY 1")
    assert [tuple(row) for row in rows] == [
        ("a", "elsewhere", "ended", "VOICEMAIL", 4, first),
        ("b", "elsewhere", "ended", "VOICEMAIL", 5, last),
    ]
    (before,) = await desk.fetch(
        "SELECT attempts_before, attempts_before_until, outcomes_before, last_call_before FROM leads"
    )
    assert tuple(before) == (3, LAST_CALL, ["BUSY", "NO_ANSWER"], None)
    (lead,) = await desk.leads_of(PHONE)
    assert (lead.attempts, lead.outcomes) == (5, ["BUSY", "NO_ANSWER", "VOICEMAIL", "VOICEMAIL"])
    assert await broken_promises(desk) == []


async def test_a_call_that_is_known_is_not_doubled(desk: Desk) -> None:
    await desk.post_lead(OTHER)
    await desk.place("ours")
    said = record(attempts=2, outcomes=[], calls=[call("ours"), call("theirs"), call("theirs")])
    again = record("+15615550125", attempts=1, outcomes=[], calls=[call("theirs")])
    await bring(desk, said, again)
    rows = await desk.fetch("SELECT call_id, phone_number FROM attempts ORDER BY call_id")
    assert [tuple(row) for row in rows] == [("ours", OTHER), ("theirs", PHONE)]
    assert {lead.attempts for lead in await desk.leads_of(PHONE)} == {2}
    assert {lead.attempts for lead in await desk.leads_of("+15615550125")} == {1}


async def test_the_day_cap_holds_for_calls_made_before(desk: Desk) -> None:
    said = record(attempts=7, attempts_today=7, attempts_today_on=TUESDAY_NOON.date(), calls=[call("a")])
    async with desk_open(desk.pool, policy_with(campaign(max_attempts=20)), now=None) as roomy:
        await bring_one(roomy, said)
        await bring_one(roomy, said.model_copy(update={"phone_number": OTHER, "attempts_today": 8, "calls": []}))
        (seven,), (eight,) = await roomy.leads_of(PHONE), await roomy.leads_of(OTHER)
    assert (seven.attempts_today, eight.attempts_today) == (7, 8)
    (before,) = await desk.fetch("SELECT attempts_before_that_day AS n FROM leads WHERE phone_number = $1", PHONE)
    assert before["n"] == 6
    assert seven.next_redial_at is not None
    assert seven.next_redial_at < TOMORROW_AT_OPENING
    assert eight.next_redial_at == TOMORROW_AT_OPENING


@pytest.mark.parametrize(
    ("promised", "expected"),
    [
        pytest.param(datetime(2026, 1, 8, 15, 30, tzinfo=NEW_YORK), None, id="to come"),
        pytest.param(
            datetime(2026, 1, 6, 9, 0, tzinfo=NEW_YORK), TUESDAY_NOON + timedelta(minutes=8), id="since called"
        ),
        pytest.param(datetime(2026, 1, 6, 11, 30, tzinfo=NEW_YORK), TUESDAY_NOON, id="past"),
        pytest.param(
            datetime(2026, 1, 10, 15, 0, tzinfo=NEW_YORK), datetime(2026, 1, 12, 11, tzinfo=NEW_YORK), id="closed"
        ),
    ],
)
async def test_a_promise_is_kept(desk: Desk, promised: datetime, expected: datetime | None) -> None:
    last = TUESDAY_NOON - timedelta(minutes=2) if promised.hour == 9 else LAST_CALL
    said = record(status="rescheduled", scheduled_callback_at=promised, last_call_at=last)
    await bring_one(desk, said)
    (lead,) = await desk.leads_of(PHONE)
    assert (lead.status, lead.scheduled_callback_at) == ("rescheduled", promised)
    assert lead.next_redial_at is not None
    assert abs(lead.next_redial_at - (expected or promised)) < timedelta(seconds=30)


async def test_a_promise_on_the_last_attempt_gets_one_more_and_no_two(desk: Desk) -> None:
    promised: dict[str, Any] = {"status": "rescheduled", "scheduled_callback_at": TUESDAY_NOON + timedelta(hours=1)}
    last, beyond = await bring(desk, record(attempts=8, **promised), record(OTHER, attempts=9, **promised))
    assert (last.status, beyond.status, beyond.status_reason) == ("rescheduled", "completed", "exhausted")
    assert [row["extra_attempts"] for row in await desk.fetch("SELECT extra_attempts FROM leads ORDER BY 1")] == [0, 1]


async def test_a_life_that_is_used_up_is_over(desk: Desk) -> None:
    answer = await bring_one(desk, record(attempts=8))
    assert (answer.status, answer.status_reason) == ("completed", "exhausted")


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        *[
            pytest.param({"status": "completed", "status_reason": why}, "completed", why, id=f"completed {why}")
            for why in CompletionReason
        ],
        *[
            pytest.param({"status": "held", "status_reason": why}, "held", why, id=f"held {why}")
            for why in HeldReason
            if why is not HeldReason.BACKFILL
        ],
        pytest.param({"status": "held", "status_reason": "backfill"}, "held", "foreign", id="nobody's backfill"),
        pytest.param({"status": "completed"}, "held", "legacy_unclear", id="completed, nobody knows why"),
        pytest.param(
            {"status": "completed", "status_reason": "done"}, "held", "legacy_unclear", id="no reason of ours"
        ),
        pytest.param({"status": "held", "status_reason": "done"}, "held", "legacy_unclear", id="held for no reason"),
        pytest.param({"status": "paused"}, "paused", "import", id="paused"),
        pytest.param(
            {"status": "paused", "status_reason": "in court"}, "paused", "in court", id="paused with a reason"
        ),
        pytest.param({"outcomes": ["DNC", "NO_ANSWER"]}, "completed", "dnc", id="a stop is a stop"),
        pytest.param({"outcomes": ["sale", "no answer"]}, "completed", "sale", id="a buyer put back in the queue"),
        pytest.param({"status": "paused", "outcomes": ["NOT_INTERESTED"]}, "completed", "not_interested", id="a no"),
        pytest.param({"outcomes": ["NO_ANSWER", "BAD_NUMBER"]}, "completed", "bad_number", id="bad in the end"),
        pytest.param({"outcomes": ["BAD_NUMBER", "BUSY"]}, "pending", None, id="bad once"),
        pytest.param({"status": "completed", "outcomes": ["ACA"]}, "completed", "aca", id="the outcome says why"),
        pytest.param({"outcomes": ["Gone fishing"]}, "pending", None, id="a word that nobody knows"),
    ],
)
async def test_a_status_is_taken_as_far_as_the_rules_allow(
    desk: Desk, said: dict[str, Any], status: str, reason: str | None
) -> None:
    answer = await bring_one(desk, record(**{"outcomes": [], **said}))
    assert (answer.result, answer.status, answer.status_reason) == (ImportResult.TAKEN, status, reason)
    (lead,) = await desk.leads_of(PHONE)
    assert (lead.status, lead.status_reason, lead.updated_at) == (status, reason, LAST_CALL + timedelta(minutes=2))
    assert await broken_promises(desk) == []


async def test_what_a_record_says_of_the_number_holds_for_every_campaign(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        for n, why in enumerate(("dnc", "sale", "aca", "bad_number", "not_interested")):
            number = f"+1561555013{n}"
            await desk.post_lead(number, SECOND)
            await bring_one(desk, untouched(number, status="completed", status_reason=why))
            posted = next(lead for lead in await desk.leads_of(number) if lead.campaign == SECOND)
            expected = ("pending", None) if why == "not_interested" else ("completed", why)
            assert (posted.status, posted.status_reason) == expected
        rows = await desk.fetch("SELECT source FROM suppressions")
        assert [row["source"] for row in rows] == ["import"]


async def test_the_number_wins_over_the_record(desk: Desk) -> None:
    await bring_one(desk, untouched(status="completed", status_reason="dnc"))
    async with desk_open(desk.pool, TWO_CAMPAIGNS, now=None) as wider:
        answer = await bring_one(wider, record(campaign=SECOND))
    assert (answer.status, answer.status_reason) == ("completed", "dnc")


async def test_a_number_that_is_not_called_is_stored_as_such(desk: Desk) -> None:
    answer = await bring_one(desk, record("+18005550199"))
    assert (answer.result, answer.status, answer.status_reason) == (ImportResult.TAKEN, "completed", "refused_number")


async def test_a_number_rests_after_a_transfer_a_moment_ago(desk: Desk) -> None:
    at = TUESDAY_NOON - timedelta(minutes=5)
    await bring_one(desk, record(attempts=1, outcomes=["TRANSFERRED"], last_call_at=at))
    (lead,) = await desk.leads_of(PHONE)
    assert lead.next_redial_at == at + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"phone_number": "12345"}, "no telephone number"),
        ({"campaign": "nobody"}, "no campaign 'nobody'"),
        ({"due_at": "2026-01-06T12:00:00"}, "due_at needs an offset"),
        ({"last_call_at": "0001-01-01T00:00:00Z"}, "last_call_at lies outside"),
        ({"calls": [{"call_id": "a", "at": "2026-01-06T12:00:00"}]}, "the time of a call needs an offset"),
    ],
)
async def test_a_record_that_does_not_fit_is_quarantined_and_the_others_go_in(
    desk: Desk, said: dict[str, Any], problem: str
) -> None:
    bad, good = await bring(desk, record(**{"phone_number": OTHER, **said}), record())
    assert (bad.result, good.result) == (ImportResult.QUARANTINED, ImportResult.TAKEN)
    assert bad.problem is not None
    assert problem in bad.problem
    assert bad.lead_id is None


async def test_one_record_that_the_database_refuses_keeps_no_other_out(desk: Desk) -> None:
    await desk.pool.execute("ALTER TABLE leads ADD CONSTRAINT no_mallory CHECK (first_name <> 'Mallory')")
    try:
        answers = await bring(desk, record(), record(OTHER, first_name="Mallory"), record("+15615550125"))
    finally:
        await desk.pool.execute("ALTER TABLE leads DROP CONSTRAINT no_mallory")
    assert [answer.result for answer in answers] == [
        ImportResult.TAKEN,
        ImportResult.QUARANTINED,
        ImportResult.TAKEN,
    ]
    assert answers[1].problem is not None
    assert "could not be stored (CheckViolationError)" in answers[1].problem
    assert await desk.leads_of(OTHER) == []


async def test_a_number_twice_in_one_request_is_one_lead(desk: Desk) -> None:
    first, second = await bring(desk, record(first_name=None), record(attempts=5))
    assert (first.result, second.result) == (ImportResult.TAKEN, ImportResult.MERGED)
    (lead,) = await desk.leads_of(PHONE)
    assert (lead.attempts, lead.first_name) == (5, "Maria")


async def test_a_dry_run_answers_alike_and_changes_no_row(desk: Desk) -> None:
    await desk.post_lead(OTHER)
    records = [
        record(calls=[call("a")]),
        record(OTHER, status="completed", status_reason="dnc"),
        record("12345"),
        record("+15615550125", status="completed"),
    ]
    before = await whole_database(desk)
    rehearsed = await bring(desk, *records, dry_run=True)
    assert await whole_database(desk) == before
    real = await bring(desk, *records)
    assert [(a.result, a.status, a.status_reason) for a in rehearsed] == [
        (a.result, a.status, a.status_reason) for a in real
    ]
    assert rehearsed[0].lead_id is None
    assert rehearsed[1].lead_id == real[1].lead_id


async def test_a_full_group_is_one_request(desk: Desk) -> None:
    records = [record(f"+156155501{n % 100:02d}", attempts=n % 8) for n in range(500)]
    answers = await bring(desk, *records)
    assert {answer.result for answer in answers[:100]} == {ImportResult.TAKEN}
    assert {answer.result for answer in answers[100:]} == {ImportResult.MERGED, ImportResult.UNCHANGED}
    assert len(await desk.fetch("SELECT FROM leads")) == 100
    assert await broken_promises(desk) == []
