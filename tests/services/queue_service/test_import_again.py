"""Import of leads that are there already: what they learn, what stays, and that a repetition changes nothing."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from leadline.contracts.imports import ImportedLead, ImportResult, NumbersKind
from leadline.domain.ids import LeadId, PhoneNumber
from services.queue_service import operating
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.imported import (
    LAST_CALL,
    bring,
    bring_one,
    call,
    record,
    stop,
    untouched,
    whole_database,
)
from tests.services.queue_service.scenes import campaign, policy_with

OTHER = "+15615550124"


async def the_lead(desk: Desk, phone_number: str = PHONE) -> tuple[str, str | None, int]:
    """Its status and its attempts."""
    (lead,) = await desk.leads_of(phone_number)
    return lead.status, lead.status_reason, lead.attempts


async def reopened(desk: Desk) -> UUID:
    """A lead that was completed, and that an operator has reopened since."""
    lead_id = (await desk.post_lead()).id
    by = ("asked by phone", "operator")
    await desk.service.transaction(lambda conn: operating.complete_by_operator(conn, LeadId(lead_id), *by))
    await desk.service.transaction(lambda conn: operating.reopen_lead(conn, desk.service.policy, LeadId(lead_id), *by))
    return lead_id


MANY: list[ImportedLead] = [
    record(calls=[call("a"), call("b", LAST_CALL - timedelta(days=1), None)], attributes={"email": "m@example.com"}),
    record(OTHER, status="completed", status_reason="dnc"),
    record("+15615550125", status="completed", status_reason="sale", calls=[call("c", outcome="SALE")]),
    record("+15615550126", status="completed", status_reason="bad_number"),
    record("+15615550127", status="completed"),
    record("+15615550128", status="paused", scheduled_callback_at=TUESDAY_NOON + timedelta(days=1)),
    record("+15615550129", status="rescheduled", scheduled_callback_at=TUESDAY_NOON + timedelta(days=2)),
    record("+15615550130", attempts=8, status="rescheduled", scheduled_callback_at=TUESDAY_NOON + timedelta(days=2)),
    record("+15615550131", attempts=45),
    record("+15615550132", attempts=7, attempts_today=5, attempts_today_on=TUESDAY_NOON.date(), calls=[call("d")]),
    record("+15615550133", outcomes=["TRANSFERRED"], last_call_at=TUESDAY_NOON - timedelta(minutes=3)),
    record("+15615550134", last_call_at=None, updated_at=None, created_at=None, lead_id=None, state=" "),
    record(
        "+15615550135", last_call_at=TUESDAY_NOON + timedelta(hours=5), updated_at=TUESDAY_NOON + timedelta(hours=5)
    ),
    record("+15615550136", outcomes=["DNC", "BUSY"]),
    record("+18005550199"),
]


async def test_a_repetition_changes_no_row_of_any_table(desk: Desk) -> None:
    first = await bring(desk, *MANY)
    assert {answer.result for answer in first} == {ImportResult.TAKEN}
    once = await whole_database(desk)
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=90))
    moved = await whole_database(desk)
    again = await bring(desk, *MANY)
    twice = await whole_database(desk)
    assert {answer.result for answer in again} == {ImportResult.UNCHANGED}
    assert twice == moved
    assert {table: rows for table, rows in twice.items() if table != "clock"} == {
        table: rows for table, rows in once.items() if table != "clock"
    }
    assert [(a.lead_id, a.status, a.status_reason) for a in again] == [
        (a.lead_id, a.status, a.status_reason) for a in first
    ]


async def test_many_importers_at_once_make_each_lead_once(desk: Desk) -> None:
    records = [record(f"+156155501{n:02d}", calls=[call(f"call-{n}")]) for n in range(40)]
    orders = [records, records[::-1], records[20:] + records[:20], records]
    answers = await asyncio.gather(*(bring(desk, *order) for order in orders))
    results = [answer.result for group in answers for answer in group]
    assert (results.count(ImportResult.TAKEN), results.count(ImportResult.UNCHANGED)) == (40, 120)
    assert len(await desk.fetch("SELECT FROM attempts")) == 40


async def test_a_repetition_after_calls_of_ours_changes_nothing_either(desk: Desk) -> None:
    said = record(attempts_today=1, attempts_today_on=TUESDAY_NOON.date())
    await bring_one(desk, said)
    lease = await desk.place("ours")
    await desk.event(result(lease.attempt_id, "ours"))
    assert (await the_lead(desk))[2] == 4
    before = await whole_database(desk)
    assert (await bring_one(desk, said)).result is ImportResult.UNCHANGED
    assert await whole_database(desk) == before


async def test_blanks_are_filled_and_nothing_else_is_replaced(desk: Desk) -> None:
    await desk.post_lead(first_name="Ann")
    due_before = (await desk.leads_of(PHONE))[0].next_redial_at
    said = untouched(lead_id="9", first_name="Bea", last_name="Cole", state="ny", attributes={"email": "a@example.com"})
    assert (await bring_one(desk, said)).result is ImportResult.MERGED
    (lead,) = await desk.leads_of(PHONE)
    assert (lead.lead_id, lead.first_name, lead.last_name, lead.state) == ("410233", "Ann", "Cole", "NY")
    assert (lead.status, lead.next_redial_at) == ("pending", due_before)
    assert (await bring_one(desk, said)).result is ImportResult.UNCHANGED


async def test_attempts_of_before_are_added_and_the_status_stays(desk: Desk) -> None:
    await desk.post_lead()
    lease = await desk.place("ours")
    await desk.event(result(lease.attempt_id, "ours"))
    (before,) = await desk.leads_of(PHONE)
    answer = await bring_one(desk, record(status="paused", due_at=TUESDAY_NOON + timedelta(days=3)))
    assert (answer.result, answer.status) == (ImportResult.MERGED, "pending")
    (lead,) = await desk.leads_of(PHONE)
    assert (lead.attempts, lead.next_redial_at) == (4, before.next_redial_at)
    assert lead.outcomes == ["NO_ANSWER", "VOICEMAIL", "VOICEMAIL", "NO_ANSWER"]


async def test_a_call_that_turns_out_to_have_an_id_is_counted_once(desk: Desk) -> None:
    await bring_one(desk, record(attempts=3, attempts_today=1, attempts_today_on=TUESDAY_NOON.date()))
    answer = await bring_one(
        desk, record(attempts=3, attempts_today=1, attempts_today_on=TUESDAY_NOON.date(), calls=[call("a")])
    )
    assert answer.result is ImportResult.MERGED
    (lead,) = await desk.leads_of(PHONE)
    assert (lead.attempts, lead.attempts_today) == (3, 1)
    assert lead.outcomes == ["NO_ANSWER", "VOICEMAIL", "VOICEMAIL"]


async def test_an_older_record_lowers_nothing(desk: Desk) -> None:
    await bring_one(desk, record(attempts=5, outcomes=["BUSY"] * 5))
    older = LAST_CALL - timedelta(days=4)
    before = await whole_database(desk)
    assert (await bring_one(desk, record(attempts=2, last_call_at=older, updated_at=older))).result is (
        ImportResult.UNCHANGED
    )
    assert await whole_database(desk) == before


@pytest.mark.parametrize("why", ["dnc", "sale", "aca", "not_interested", "bad_number", "crm_final", "exhausted"])
async def test_a_final_word_completes_a_lead_that_waits(desk: Desk, why: str) -> None:
    await desk.post_lead()
    answer = await bring_one(desk, untouched(status="completed", status_reason=why))
    assert (answer.result, answer.status, answer.status_reason) == (ImportResult.MERGED, "completed", why)
    assert (await desk.lease(1, 0.3)).leases == []


async def test_a_completed_lead_stays_completed_for_its_own_reason(desk: Desk) -> None:
    await bring_one(desk, untouched(status="completed", status_reason="not_interested"))
    assert (await bring_one(desk, untouched(due_at=TUESDAY_NOON))).result is ImportResult.UNCHANGED
    answer = await bring_one(desk, untouched(status="completed", status_reason="dnc"))
    assert (answer.result, answer.status_reason) == (ImportResult.MERGED, "not_interested")
    assert len(await desk.fetch("SELECT FROM suppressions")) == 1


async def test_the_life_cap_counts_what_was_learned(desk: Desk) -> None:
    await desk.post_lead()
    answer = await bring_one(desk, record(attempts=8))
    assert (answer.status, answer.status_reason) == ("completed", "exhausted")


async def test_a_promise_outlives_the_cap_by_one_attempt(desk: Desk) -> None:
    lead_id = LeadId((await desk.post_lead()).id)
    at = TUESDAY_NOON + timedelta(hours=2)
    policy = desk.service.policy
    await desk.service.transaction(
        lambda conn: operating.reschedule_lead(conn, policy, lead_id, at, "asked by phone", "operator")
    )
    answer = await bring_one(desk, record(attempts=8))
    assert (answer.result, answer.status) == (ImportResult.MERGED, "rescheduled")
    assert (await desk.lead(lead_id)).next_redial_at == at
    assert (await bring_one(desk, record(attempts=8))).result is ImportResult.UNCHANGED


async def test_what_an_operator_reopened_is_not_ended_by_older_words(desk: Desk) -> None:
    await reopened(desk)
    for why in ("sale", "dnc", "exhausted"):
        said = record(attempts=8, status="completed", status_reason=why, calls=[call("a")])
        await bring_one(desk, said)
        assert (await the_lead(desk))[0] == "pending"
    assert await desk.fetch("SELECT FROM suppressions") == []
    (facts,) = await desk.fetch("SELECT attempts_before FROM leads")
    assert facts["attempts_before"] == 0


async def test_newer_words_end_a_reopened_lead(desk: Desk) -> None:
    await reopened(desk)
    said = record(status="completed", status_reason="sale", updated_at=TUESDAY_NOON + timedelta(hours=1))
    assert (await bring_one(desk, said)).status_reason == "sale"


async def test_a_stop_older_than_the_removal_of_its_suppression_suppresses_no_more(desk: Desk) -> None:
    said = untouched(status="completed", status_reason="dnc", updated_at=LAST_CALL)
    await bring_one(desk, said)
    await desk.service.transaction(lambda conn: operating.unsuppress(conn, PhoneNumber(PHONE), "a mistake", "operator"))
    assert (await bring_one(desk, said)).result is ImportResult.UNCHANGED
    assert await desk.fetch("SELECT FROM suppressions") == []
    newer = said.model_copy(update={"updated_at": TUESDAY_NOON + timedelta(hours=1)})
    assert (await bring_one(desk, newer)).result is ImportResult.MERGED
    assert len(await desk.fetch("SELECT FROM suppressions")) == 1


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, ("pending", None)),
        ({"status": "paused"}, ("paused", "import")),
        ({"status": "completed", "status_reason": "sale"}, ("completed", "sale")),
        ({"status": "held", "status_reason": "foreign"}, ("held", "foreign")),
        ({"status": "held", "status_reason": "legacy_unclear"}, ("held", "legacy_unclear")),
    ],
)
@pytest.mark.parametrize("reason", ["foreign", "backfill"])
async def test_a_lead_known_from_calls_alone_is_claimed(
    desk: Desk, said: dict[str, Any], expected: tuple[str, str | None], reason: str
) -> None:
    ended = {"status": "no-answer", "started_at": LAST_CALL.isoformat(), "end_at": LAST_CALL.isoformat()}
    await desk.event(result(None, "theirs", **ended))
    await desk.pool.execute("UPDATE leads SET status_reason = $1", reason)
    answer = await bring_one(desk, record(attempts=3, **said))
    kept = said.get("status_reason") == "foreign"
    assert (answer.status, answer.status_reason) == (("held", reason) if kept else expected)
    assert answer.result is ImportResult.MERGED
    assert (await the_lead(desk))[2] >= 3
    assert (await bring_one(desk, record(attempts=3, **said))).result is ImportResult.UNCHANGED


async def test_a_no_in_a_call_made_elsewhere_is_heard_when_the_lead_is_claimed(desk: Desk) -> None:
    await desk.event(result(None, "theirs"))
    await desk.pool.execute("UPDATE attempts SET outcome = 'NOT_INTERESTED'")
    answer = await bring_one(desk, record(attempts=3))
    assert (answer.status, answer.status_reason) == ("completed", "not_interested")


async def test_what_rings_is_stopped_and_what_is_leased_is_not_sent(desk: Desk) -> None:
    await desk.post_lead()
    await desk.place("ours")
    await bring_one(desk, untouched(status="completed", status_reason="dnc"))
    assert len((await desk.lease(0, 1)).stop_orders) == 1
    await desk.post_lead(OTHER)
    lease = await desk.lease_one()
    await bring_one(desk, untouched(OTHER, status="completed", status_reason="sale"))
    (mark,) = await desk.mark(lease.attempt_id)
    assert mark.answer == "no"


async def test_the_order_of_import_and_suppression_does_not_matter(desk: Desk) -> None:
    await stop(desk, NumbersKind.SUPPRESSED, PHONE)
    await bring(desk, record(), record(OTHER))
    await stop(desk, NumbersKind.SUPPRESSED, OTHER)
    assert await the_lead(desk) == await the_lead(desk, OTHER) == ("completed", "dnc", 3)


async def test_a_paused_lead_waits_for_the_cadence_when_it_is_resumed(desk: Desk) -> None:
    last = TUESDAY_NOON - timedelta(minutes=3)
    async with desk_open(desk.pool, policy_with(campaign()), now=None) as again:
        answer = await bring_one(again, record(status="paused", last_call_at=last))
        assert answer.lead_id is not None
        lead_id, policy = LeadId(answer.lead_id), again.service.policy
        await again.service.transaction(
            lambda conn: operating.resume_lead(conn, policy, lead_id, "asked by phone", "operator")
        )
        assert (await again.lead(lead_id)).next_redial_at == last + timedelta(minutes=10)
