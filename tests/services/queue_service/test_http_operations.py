"""Every change carries an operation id: a repetition gets the first answer, another request with it is refused."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from leadline.runtime.postgres import Pool
from tests.services.queue_service.desk import PHONE, Desk, desk_open, make_policy
from tests.services.queue_service.scenes import due_lead
from tests.services.queue_service.web import BECAUSE, KEY, Web, lead_body, web_open

CHANGES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "pause a lead": ("POST", "/v1/leads/{lead}/pause", BECAUSE),
    "complete a lead": ("POST", "/v1/leads/{lead}/complete", BECAUSE),
    "reschedule a lead": ("POST", "/v1/leads/{lead}/reschedule", {**BECAUSE, "due_at": "2026-01-07T15:30:00-05:00"}),
    "suppress a number": ("PUT", "/v1/suppressions/+15615550123", BECAUSE),
    "pause a campaign": ("POST", "/v1/campaigns/awhealth/pause", BECAUSE),
    "resume a campaign": ("POST", "/v1/campaigns/awhealth/resume", BECAUSE),
    "pause the account": ("POST", "/v1/account/pause", BECAUSE),
    "resume the account": ("POST", "/v1/account/resume", BECAUSE),
    "release dispatch": ("POST", "/v1/dispatch/release", BECAUSE),
}


async def asked(web: Web, what: str, lead_id: UUID, *, key: str, caller: str = "operator", **body: Any) -> Any:
    method, path, good = CHANGES[what]
    return await web.change(method, path.format(lead=lead_id), {**good, **body}, key=key, caller=caller)


@pytest.mark.parametrize("what", CHANGES)
async def test_a_repetition_gets_the_first_answer_and_does_nothing(web: Web, what: str) -> None:
    lead_id = await due_lead(web.desk)
    first = await asked(web, what, lead_id, key="k1")
    assert first.status == 200, first.body
    trail = await web.desk.fetch("SELECT id FROM audit_log")
    again = await asyncio.gather(*(asked(web, what, lead_id, key="k1") for _ in range(5)))
    assert {answer.status for answer in again} == {200}
    assert all(answer.body == first.body for answer in again)
    assert await web.desk.fetch("SELECT id FROM audit_log") == trail
    other_body = await asked(web, what, lead_id, key="k1", reason="another")
    assert (other_body.status, other_body.code) == (422, "idempotency_conflict")


async def test_the_same_key_on_another_route_is_another_request(web: Web) -> None:
    lead_id = await due_lead(web.desk)
    assert (await asked(web, "pause a campaign", lead_id, key="k1")).status == 200
    assert (await asked(web, "resume a campaign", lead_id, key="k1")).code == "idempotency_conflict"


async def test_callers_do_not_share_their_keys(web: Web) -> None:
    lead_id = await due_lead(web.desk)
    await asked(web, "pause the account", lead_id, key="k1")
    other = await asked(web, "pause the account", lead_id, key="k1", caller="second-operator", reason="mine")
    assert (other.status, other.body["account_pause_reason"]) == (200, BECAUSE["reason"])
    actors = await web.desk.fetch("SELECT actor FROM audit_log WHERE verb = 'account_paused' ORDER BY id")
    assert [row["actor"] for row in actors] == ["operator", "second-operator"]


async def test_five_requests_with_one_key_at_once_do_it_once(web: Web) -> None:
    lead_id = await due_lead(web.desk)
    answers = await asyncio.gather(*(asked(web, "pause a lead", lead_id, key="k1") for _ in range(5)))
    assert {answer.status for answer in answers} == {200}
    assert len(await web.desk.fetch("SELECT FROM audit_log WHERE verb = 'lead_pause'")) == 1


async def test_a_refusal_is_not_kept(web: Web) -> None:
    lead_id = await due_lead(web.desk)
    refused = await web.change("POST", f"/v1/leads/{lead_id}/reopen", key="k1")
    assert (refused.status, refused.code) == (409, "illegal_transition")
    await web.verb(lead_id, "complete")
    assert (await web.change("POST", f"/v1/leads/{lead_id}/reopen", key="k1")).status == 200


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "x" * 201])
async def test_a_key_is_up_to_two_hundred_printable_characters(web: Web, key: str) -> None:
    lead_id = await due_lead(web.desk)
    answer = await web.change("POST", f"/v1/leads/{lead_id}/pause", key=key or "\t")
    assert (answer.status, answer.code) == (400, "operation_id_needed")
    assert (await web.change("POST", f"/v1/leads/{lead_id}/pause", key="x" * 200)).status == 200


async def test_a_posted_lead_is_answered_alike_and_other_bytes_are_refused(web: Web) -> None:
    first = await web.ask("POST", "/v1/leads", lead_body(), caller="gateway", headers={KEY: "k1"})
    again = await web.ask("POST", "/v1/leads", lead_body(), caller="gateway", headers={KEY: "k1"})
    assert (first.body["status"], again.body) == ("queued", first.body)
    without_key = await web.ask("POST", "/v1/leads", lead_body(), caller="gateway")
    assert without_key.body["status"] == "duplicate"
    other = await web.ask("POST", "/v1/leads", lead_body(lead_id="x"), caller="gateway", headers={KEY: "k1"})
    assert (other.status, other.code) == (422, "idempotency_conflict")


async def test_a_mark_and_its_repetition_are_one(web: Web) -> None:
    await due_lead(web.desk)
    lease = await web.desk.lease_one()
    body = {"operation_id": str(uuid4()), "dialer": "d1", "attempt_ids": [str(lease.attempt_id)]}
    first, *again = await asyncio.gather(*(web.ask("POST", "/v1/send-marks", body, caller="dialer") for _ in range(5)))
    assert all(answer.body == first.body for answer in again)
    assert first.body["answers"][0]["answer"] == "go"


async def test_two_services_keep_one_book_of_operations(pool: Pool, web: Web) -> None:
    lead_id = await due_lead(web.desk)
    async with desk_open(pool, make_policy(), None) as second, web_open(second) as other:
        answers = await asyncio.gather(
            *(asked(where, "complete a lead", lead_id, key="k1") for where in (web, other) * 5)
        )
    assert {answer.status for answer in answers} == {200}
    assert len(await web.desk.fetch("SELECT FROM audit_log WHERE verb = 'lead_complete'")) == 1


async def test_a_database_that_is_away_is_a_503_with_retry_after(desk: Desk) -> None:
    async with web_open(desk) as web:
        await desk.pool.close()
        for method, path, body in (
            ("POST", "/v1/leads", lead_body()),
            ("GET", f"/v1/leads?phone_number={PHONE.removeprefix('+')}", None),
            ("POST", "/v1/account/pause", BECAUSE),
        ):
            answer = await web.ask(method, path, body, headers={KEY: "k1"})
            assert (answer.status, answer.code) == (503, "database_away")
            assert answer.headers["Retry-After"] == "1"
