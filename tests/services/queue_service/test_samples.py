"""Every sample comes to what the table says."""

import pytest

from leadline.contracts.events import EventSource
from leadline.domain.errors import InvalidPhoneNumber
from leadline.runtime.http.problems import HttpProblem
from services.webhook_gateway.lead_bodies import read_lead
from tests.samples.expected import (
    ATTEMPT_ID,
    BUSINESS_NOW,
    CALL_ID,
    DISPATCHED_AT,
    EVENTS,
    FOLDER,
    LEADS,
    PHONE,
    SENDER_LEAD_ID,
    ExpectedEvent,
    ExpectedLead,
)
from tests.samples.placing import insert_placed_attempt
from tests.services.queue_service.desk import CAMPAIGN, Desk


async def prepare(desk: Desk, call_id: str | None) -> None:
    """The lead of the samples, and the attempt that they name if they name one."""
    await desk.post_lead(PHONE, state="FL")
    if call_id is not None:
        async with desk.pool.acquire() as conn:
            await insert_placed_attempt(conn, ATTEMPT_ID, PHONE, call_id, DISPATCHED_AT)


@pytest.mark.parametrize("expected", EVENTS, ids=lambda e: e.file)
async def test_an_event_comes_to(desk: Desk, expected: ExpectedEvent) -> None:
    await prepare(desk, expected.holds)
    stored = await desk.event(expected.body)
    assert (stored.disposition, stored.kind, stored.outcome) == (expected.disposition, expected.kind, expected.outcome)
    (kept,) = await desk.fetch("SELECT body FROM events")
    assert bytes(kept["body"]) == expected.body
    (found,) = await desk.leads_of(expected.phone)
    assert (found.status, found.status_reason, found.attempts) == (expected.status, expected.reason, expected.attempts)
    if expected.due_at is not None:
        assert found.next_redial_at is not None
        assert abs((found.next_redial_at - max(expected.due_at, BUSINESS_NOW)).total_seconds()) < 60
    suppressed = await desk.fetch("SELECT FROM suppressions WHERE phone_number = $1", expected.phone)
    assert bool(suppressed) is expected.suppressed
    assert await desk.alarms() == []


def test_the_table_names_every_file() -> None:
    assert {e.file for e in EVENTS} == {path.name for path in (FOLDER / "bland").iterdir()}
    assert {e.file for e in LEADS} == {path.name for path in (FOLDER / "leads").iterdir()}


async def test_blands_own_retry_is_a_second_call_when_the_first_is_there(desk: Desk) -> None:
    await prepare(desk, CALL_ID.format(1))
    await desk.event(EVENTS[0].body)
    stored = await desk.event(EVENTS[15].body)
    assert (stored.disposition, stored.kind, stored.outcome) == ("applied", "second_call", "VOICEMAIL")
    rows = await desk.fetch("SELECT origin, counted, outcome, parent_id FROM attempts ORDER BY origin")
    assert [tuple(row) for row in rows] == [
        ("leadline", True, "VOICEMAIL", None),
        ("provider_retry", True, "VOICEMAIL", ATTEMPT_ID),
    ]
    assert await desk.alarms() == ["second_call_of_one_attempt"]


@pytest.mark.parametrize("number", [19, 22])
async def test_a_call_without_our_metadata_waits_while_an_attempt_to_its_number_is_open(
    desk: Desk, number: int
) -> None:
    await prepare(desk, "another-call")
    expected = EVENTS[number - 1]
    stored = await desk.event(expected.body)
    assert (stored.disposition, stored.kind, stored.outcome) == ("unapplied", "undetermined", expected.outcome)
    decided = await desk.event(expected.body, EventSource.LOOKUP)
    assert (decided.disposition, decided.kind) == ("applied", "foreign")
    assert await desk.service.apply_events() == {"events_applied": 1, "events_still_unapplied": 0}
    assert len(await desk.fetch("SELECT FROM attempts")) == 2


async def test_citations_after_the_result_change_nothing(desk: Desk) -> None:
    await prepare(desk, CALL_ID.format(4))
    await desk.event(EVENTS[3].body)
    before = await desk.fetch("SELECT * FROM attempts")
    assert (await desk.event(EVENTS[19].body)).kind == "enrichment"
    assert await desk.fetch("SELECT * FROM attempts") == before


@pytest.mark.parametrize("expected", LEADS, ids=lambda e: e.file)
async def test_a_posted_lead_comes_to(desk: Desk, expected: ExpectedLead) -> None:
    if expected.problem_status is not None:
        with pytest.raises((HttpProblem, InvalidPhoneNumber)):
            await submit(desk, expected)
        assert await desk.fetch("SELECT FROM leads") == []
        return
    await submit(desk, expected)
    (lead,) = await desk.fetch("SELECT * FROM leads")
    assert (lead["phone_number"], lead["sender_lead_id"], lead["list_id"]) == (PHONE, SENDER_LEAD_ID, "1029")
    assert (lead["first_name"], lead["state"]) == (expected.first_name, expected.state)
    assert (lead["attributes"], lead["sender_fields"]) == (expected.attributes, expected.sender_fields)


async def submit(desk: Desk, expected: ExpectedLead) -> None:
    posted = read_lead(CAMPAIGN, expected.body, expected.media_type, None)
    accepted = await desk.service.submit_lead(posted, "gateway", None, b"")
    assert (accepted.status, accepted.lead_id) == ("queued", SENDER_LEAD_ID)
