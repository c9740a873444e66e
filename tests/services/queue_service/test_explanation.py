"""Promise 9: for any lead, why it is due when it is or why it is not called, rule by rule and in words."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from leadline.domain.reasons import Code, Rule
from leadline.runtime.postgres import Pool
from services.queue_service.policy import PlanCaps
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.scenes import ALWAYS, campaign, due_lead, go, policy_with
from tests.services.queue_service.web import BECAUSE, Web, web_open


async def refusals(web: Web, lead_id: UUID) -> dict[str, str]:
    """The rules that refuse now, with their words."""
    explained = await web.explain(lead_id)
    assert [rule["rule"] for rule in explained["rules"]] == [str(rule) for rule in Rule]
    assert all(rule["words"].endswith(".") for rule in explained["rules"])
    return {rule["code"]: rule["words"] for rule in explained["rules"] if not rule["allowed"]}


async def test_a_lead_that_may_be_called_now(web: Web) -> None:
    lead_id = await due_lead(web.desk)
    explained = await web.explain(lead_id)
    assert explained["verdict"] == "The lead may be called now: every rule allows it."
    assert await refusals(web, lead_id) == {}


async def test_no_lead_has_no_explanation(web: Web) -> None:
    answer = await web.ask("GET", f"/v1/leads/{uuid4()}/explanation")
    assert (answer.status, answer.code) == (404, "not_found")


async def paused(web: Web, lead_id: UUID) -> None:
    await web.verb(lead_id, "pause")


async def completed(web: Web, lead_id: UUID) -> None:
    await web.verb(lead_id, "complete")


async def held(web: Web, _lead_id: UUID) -> None:
    await web.desk.pool.execute("UPDATE leads SET status = 'held', status_reason = 'cannot_dispatch'")
    await web.desk.pool.execute("DELETE FROM due_leads")


async def held_for_crm(web: Web, lead_id: UUID) -> None:
    await web.desk.pool.execute(
        "UPDATE leads SET status = 'held', status_reason = 'crm_unknown' WHERE id = $1", lead_id
    )
    await web.desk.pool.execute("DELETE FROM due_leads WHERE lead_id = $1", lead_id)


async def suppressed(web: Web, _lead_id: UUID) -> None:
    await web.change("PUT", f"/v1/suppressions/{PHONE}", {"reason": "wrote a letter"})


async def bad(web: Web, _lead_id: UUID) -> None:
    lease = await web.desk.place()
    error = "The number you dialed is not found."
    await web.desk.event(result(lease.attempt_id, status="failed", completed=False, error_message=error))


async def sold(web: Web, _lead_id: UUID) -> None:
    await web.desk.pool.execute("UPDATE phones SET sold_outcome = 'ACA'")


async def in_a_call(web: Web, _lead_id: UUID) -> None:
    await web.desk.place()


async def not_due(web: Web, lead_id: UUID) -> None:
    await web.verb(lead_id, "reschedule", due_at="2026-01-06T15:30:00-05:00")


async def resting(web: Web, _lead_id: UUID) -> None:
    await web.desk.pool.execute("UPDATE phones SET rest_until = $1", TUESDAY_NOON + timedelta(minutes=30))


async def too_soon(web: Web, _lead_id: UUID) -> None:
    await web.desk.pool.execute("UPDATE phones SET last_sent_by = $1", TUESDAY_NOON + timedelta(seconds=5))


async def after_hours(web: Web, _lead_id: UUID) -> None:
    await web.desk.set_now(datetime(2026, 1, 7, 1, 30, tzinfo=UTC))


async def campaign_paused(web: Web, _lead_id: UUID) -> None:
    await web.change("POST", "/v1/campaigns/awhealth/pause", {"reason": "new script"})


async def account_paused(web: Web, _lead_id: UUID) -> None:
    await web.change("POST", "/v1/account/pause", {"reason": "bill unpaid"})


async def failed_over(web: Web, _lead_id: UUID) -> None:
    await web.desk.pool.execute("UPDATE dispatch_gate SET timeline = timeline + 1")


async def pace_full(web: Web, _lead_id: UUID) -> None:
    await web.desk.pool.execute("UPDATE pace SET next_slot_at = $1", TUESDAY_NOON + timedelta(minutes=1))


Scene = Callable[[Web, UUID], Awaitable[None]]
SCENES: dict[Code, tuple[Scene, str]] = {
    Code.STATUS_PAUSED: (paused, "The lead is paused (asked by phone) until an operator resumes it."),
    Code.STATUS_COMPLETED: (completed, "The lead is completed (removed); only an operator can reopen it."),
    Code.STATUS_HELD: (held, "The lead is held (cannot dispatch) until an operator decides."),
    Code.STATUS_HELD_FOR_CRM: (held_for_crm, "The lead is held until the CRM's word on the number is learned"),
    Code.SUPPRESSED: (suppressed, "The number is on the suppression list (wrote a letter)."),
    Code.NUMBER_BAD: (bad, "The number does not work (error The number you dialed is not found.)."),
    Code.SOLD: (sold, "The person has bought already (ACA)."),
    Code.LIVE_ATTEMPT: (in_a_call, "Another attempt to the number is still open."),
    Code.NOT_DUE: (not_due, "The lead is not due before Tue 2026-01-06 15:30 EST."),
    Code.NO_DUE_TIME: (paused, "The lead has no due time."),
    Code.NUMBER_RESTS: (resting, "The number rests until Tue 2026-01-06 12:42 EST"),
    Code.TOO_SOON: (too_soon, "The last call to the number was too short a time ago"),
    Code.OUTSIDE_CALLING_HOURS: (after_hours, "next opening: Wed 2026-01-07 11:00 EST."),
    Code.CAMPAIGN_PAUSED: (campaign_paused, "The campaign is paused (new script)."),
    Code.ACCOUNT_PAUSED: (account_paused, "The provider's account is paused (bill unpaid)."),
    Code.DISPATCH_HELD: (failed_over, "All dispatch is held (failover)."),
    Code.PACE_FULL: (pace_full, "The pace leaves no room for a call now"),
}


@pytest.mark.parametrize("code", SCENES)
async def test_a_refusal_is_told_in_words(web: Web, code: Code) -> None:
    scene, words = SCENES[code]
    lead_id = await due_lead(web.desk)
    await scene(web, lead_id)
    found = await refusals(web, lead_id)
    assert code in found, found
    assert words in found[code]
    assert (await web.explain(lead_id))["verdict"].startswith(("The lead is not called", "The lead is called at"))


async def of_policy(pool: Pool, rules: dict[str, Any], now: datetime, calls: int = 0, **changes: Any) -> dict[str, str]:
    """What a lead of such a campaign is refused by, after so many calls."""
    async with desk_open(pool, policy_with(campaign(**rules), **changes), now) as desk, web_open(desk) as web:
        lead_id = await due_lead(desk)
        for _ in range(calls):
            await made_elsewhere(desk)
        return await refusals(web, lead_id)


async def made_elsewhere(desk: Desk) -> None:
    await desk.pool.execute(
        "INSERT INTO attempts (id, lead_id, campaign, phone_number, origin, attempt_no, state, leased_at, closed_at,"
        " outcome) SELECT gen_random_uuid(), id, campaign, phone_number, 'elsewhere', 1, 'ended', business_now(),"
        " business_now(), 'NO_ANSWER' FROM leads"
    )


async def test_a_life_that_is_used_up(pool: Pool) -> None:
    found = await of_policy(pool, {"max_attempts": 2}, TUESDAY_NOON, calls=2)
    assert found[Code.LIFE_CAP_REACHED] == "The lead has had all 2 attempts of its life (2)."


async def test_a_day_that_is_used_up(pool: Pool) -> None:
    found = await of_policy(pool, {"max_daily_attempts": 2}, TUESDAY_NOON, calls=2)
    assert "2 of 2 attempts today; next day with room: Wed 2026-01-07 00:00 EST" in found[Code.DAY_CAP_REACHED]


async def test_the_law_where_the_person_is(pool: Pool) -> None:
    found = await of_policy(pool, {"hours": ALWAYS}, datetime(2026, 1, 6, 12, 0, tzinfo=UTC))
    assert re.search(
        r"it is Tue 2026-01-06 07:00(:\d\d)? EST in America/New_York",  # business time goes on while it is asked
        found[Code.OUTSIDE_LEGAL_HOURS],
    )


async def test_a_plan_that_is_used_up(pool: Pool) -> None:
    async with desk_open(pool, policy_with(caps=PlanCaps(per_hour=1))) as desk, web_open(desk) as web:
        await due_lead(desk)
        await go(desk, await desk.lease_one())
        found = await refusals(web, await due_lead(desk, "+15615550124"))
        assert "the plan's caps are used up" in found[Code.PACE_FULL]


def test_every_refusal_has_a_scene() -> None:
    elsewhere = {Code.LIFE_CAP_REACHED, Code.DAY_CAP_REACHED, Code.OUTSIDE_LEGAL_HOURS}
    allowing = {code for code in Code if code.endswith(("_free", "_running", "_kept", "_good", "_off"))}
    allowing |= {code for code in Code if code.startswith(("not_s", "no_", "inside_"))} - {Code.NO_DUE_TIME}
    allowing |= {Code.STATUS_PLANNED, Code.DUE, Code.ALREADY_LEASED, Code.CRM_NOT_ASKED, Code.CRM_ASKED_FIRST}
    assert set(Code) - allowing == set(SCENES) | elsewhere


async def test_the_history_tells_who_decided_what_and_when(web: Web) -> None:
    lead_id = await due_lead(web.desk)
    lease = await web.desk.place()
    await web.desk.event(result(lease.attempt_id))
    await web.verb(lead_id, "pause")
    await web.change("PUT", f"/v1/suppressions/{PHONE}", BECAUSE)
    history = (await web.ask("GET", f"/v1/leads/{lead_id}")).body["history"]
    told = [(entry["actor"], entry["verb"], entry["reason"]) for entry in reversed(history)]
    assert told == [
        ("gateway", "lead_received", "first_call"),
        ("event", "result", "cadence"),
        ("operator", "lead_pause", "asked by phone"),
        ("operator", "suppressed", "asked by phone"),
        ("operator", "suppressed", "dnc"),
    ]
