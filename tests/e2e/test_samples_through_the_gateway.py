"""Every sample, posted to the running gateway as Bland and Zapier would, comes to what the table says."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import asyncpg
import pytest

from tests.samples.expected import (
    ATTEMPT_ID,
    BUSINESS_NOW,
    DISPATCHED_AT,
    EVENTS,
    LEADS,
    PHONE,
    SENDER_LEAD_ID,
    ExpectedEvent,
    ExpectedLead,
)
from tests.samples.placing import insert_placed_attempt
from tests.support.stack import GATEWAY_KEY, Stack
from tests.support.system import System, running, system_open

EMPTY = """
SET session_replication_role = replica;
DELETE FROM open_attempts; DELETE FROM calls; DELETE FROM attempts; DELETE FROM due_leads; DELETE FROM leads;
DELETE FROM events; DELETE FROM suppressions; DELETE FROM phones; DELETE FROM alarms; DELETE FROM audit_log;
DELETE FROM clock;
"""
"""A fresh database for the price of none: with the triggers off, which keep rows from being deleted."""


@pytest.fixture(scope="module")
def stack(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Gateway and queue-service, and nobody who dials."""
    cadence = {"REDIAL_PROGRESSIVE_INTERVALS": "0,1,5,10,30,60,120"}
    with running(Stack(module_database_url, tmp_path_factory.mktemp("samples"), cadence), BUSINESS_NOW) as made:
        yield made


@pytest.fixture
async def system(stack: Stack) -> AsyncIterator[System]:
    """The running system on an empty database, at the business time of the samples."""
    connection = await asyncpg.connect(stack.database_url)
    await connection.execute(EMPTY)
    await connection.close()
    async with system_open(stack) as opened:
        await opened.set_clock(BUSINESS_NOW)
        yield opened


@pytest.mark.parametrize("expected", EVENTS, ids=lambda e: e.file)
async def test_an_event_comes_to(system: System, expected: ExpectedEvent) -> None:
    await system.add_lead(PHONE, state="FL")
    if expected.holds is not None:
        async with system.db.acquire() as conn:
            await insert_placed_attempt(conn, ATTEMPT_ID, PHONE, expected.holds, DISPATCHED_AT)
    assert await system.post_event(expected.body) == 200
    (event,) = await system.db.fetch("SELECT body, disposition, kind, outcome FROM events")
    assert bytes(event["body"]) == expected.body
    assert (event["disposition"], event["kind"], event["outcome"]) == (
        expected.disposition,
        expected.kind,
        expected.outcome,
    )
    lead = await system.lead(expected.phone)
    assert (lead.status, lead.status_reason, lead.attempts) == (expected.status, expected.reason, expected.attempts)
    if expected.due_at is not None:
        assert lead.next_redial_at is not None
        assert abs(lead.next_redial_at - max(expected.due_at, BUSINESS_NOW)) < timedelta(minutes=2)
    assert (await system.queue.get_suppression(expected.phone) is not None) is expected.suppressed


@pytest.mark.parametrize("expected", EVENTS, ids=lambda e: e.file)
async def test_an_event_with_a_wrong_signature_leaves_no_trace(system: System, expected: ExpectedEvent) -> None:
    assert await system.post_event(expected.body, secret="not the secret") == 401
    assert await system.count("SELECT count(*) FROM events") == 0


@pytest.mark.parametrize("expected", LEADS, ids=lambda e: e.file)
async def test_a_posted_lead_comes_to(system: System, expected: ExpectedLead) -> None:
    url = f"{system.stack.gateway_url}/webhooks/awhealth-outbound"
    headers = {"X-Api-Key": GATEWAY_KEY, "Content-Type": expected.media_type}
    async with system.http.post(url, data=expected.body, headers=headers) as answer:
        body = await answer.json(content_type=None)
    if expected.problem_status is not None:
        assert (answer.status, body["status"]) == (expected.problem_status, expected.problem_status)
        assert await system.count("SELECT count(*) FROM leads") == 0
        return
    assert (answer.status, body["success"], body["lead_id"], body["status"]) == (202, True, SENDER_LEAD_ID, "queued")
    lead = await system.lead(PHONE)
    assert (lead.first_name, lead.state, lead.list_id) == (expected.first_name, expected.state, "1029")
