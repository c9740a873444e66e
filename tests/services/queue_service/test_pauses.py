"""Campaign and account pauses, and dispatch held after a failover: nothing is dialled, nothing is lost."""

from datetime import timedelta

import pytest

from leadline.contracts.leases import RejectionClass, ReportKind
from leadline.runtime.postgres import Pool
from tests.services.queue_service.desk import TUESDAY_NOON, Desk, desk_open
from tests.services.queue_service.scenes import SECOND, TWO_CAMPAIGNS, due_lead, go
from tests.services.queue_service.web import BECAUSE, Web, web_open

OTHER_SYSTEM = "UPDATE dispatch_gate SET system_identifier = system_identifier - 1"
OTHER_TIMELINE = "UPDATE dispatch_gate SET timeline = timeline + 1"


async def switch(web: Web, path: str, caller: str = "operator") -> None:
    answer = await web.change("POST", path, BECAUSE, caller=caller)
    assert answer.status == 200, answer.body


async def nothing_is_leased(desk: Desk) -> None:
    assert (await desk.lease(5, 0.5)).leases == []


async def test_a_paused_campaign_is_skipped_whole_and_the_others_go_on(pool: Pool) -> None:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk, web_open(desk) as web:
        await desk.post_lead()
        await desk.post_lead("+15615550124", campaign=SECOND)
        await switch(web, "/v1/campaigns/awhealth/pause")
        assert [lease.campaign for lease in (await desk.lease(5, 2)).leases] == ["second"]
        shown = {c["campaign"]: c for c in (await web.ask("GET", "/v1/campaigns")).body["campaigns"]}
        assert (shown["awhealth"]["paused"], shown["awhealth"]["pause_reason"]) == (True, "asked by phone")
        assert (shown["second"]["paused"], shown["second"]["window_open"]) == (False, True)
        await switch(web, "/v1/campaigns/awhealth/resume")
        assert (await desk.lease_one()).campaign == "awhealth"


async def test_an_unknown_campaign_cannot_be_paused(web: Web) -> None:
    answer = await web.change("POST", "/v1/campaigns/awhealht/pause", BECAUSE)
    assert (answer.status, answer.code) == (404, "not_found")
    assert "awhealth" in answer.body["detail"]


@pytest.mark.parametrize(
    ("pause", "resume", "reason"),
    [
        ("/v1/campaigns/awhealth/pause", "/v1/campaigns/awhealth/resume", "campaign_paused"),
        ("/v1/account/pause", "/v1/account/resume", "account_paused"),
    ],
)
async def test_a_pause_after_the_lease_refuses_the_mark_and_keeps_the_lead(
    web: Web, pause: str, resume: str, reason: str
) -> None:
    lead_id = await due_lead(web.desk)
    lease = await web.desk.lease_one()
    await switch(web, pause)
    (answer,) = await web.desk.mark(lease.attempt_id)
    assert (answer.answer, answer.reason) == ("no", reason)
    await nothing_is_leased(web.desk)
    lead = await web.desk.lead(lead_id)
    assert (lead.status, lead.attempts) == ("pending", 0)
    await switch(web, resume)
    assert (await web.desk.lease_one()).lead_id == lead_id


async def test_a_pause_leaves_calls_that_are_out_alone(web: Web) -> None:
    await due_lead(web.desk)
    lease = await web.desk.lease_one()
    await go(web.desk, lease)
    await switch(web, "/v1/account/pause")
    placed = await web.desk.report(lease.attempt_id, ReportKind.PLACED, call_id="call-1")
    assert placed.state == "placed"
    assert (await web.desk.lease(0, 0.3)).stop_orders == []


async def test_the_sweep_lifts_only_what_no_operator_set(web: Web) -> None:
    await due_lead(web.desk)
    lease = await web.desk.lease_one()
    await go(web.desk, lease)
    await web.desk.report(lease.attempt_id, ReportKind.REJECTED, rejection=RejectionClass.ACCOUNT)
    plan = (await web.ask("GET", "/v1/sweep/plan")).body
    assert (plan["account_paused"], plan["account_pause_automatic"]) == (True, True)
    await switch(web, "/v1/account/pause")
    plan = (await web.ask("GET", "/v1/sweep/plan")).body
    assert (plan["account_paused"], plan["account_pause_automatic"]) == (True, False)
    lifted = await web.change("POST", "/v1/account/resume", BECAUSE, caller="sweep")
    assert lifted.body["account_paused"] is True
    await switch(web, "/v1/account/resume")
    await web.desk.pool.execute("UPDATE dispatch_gate SET account_paused_at = now(), account_pause_reason = 'x'")
    await web.desk.pool.execute("UPDATE dispatch_gate SET account_pause_automatic = true")
    lifted = await web.change("POST", "/v1/account/resume", BECAUSE, caller="sweep")
    assert lifted.body["account_paused"] is False


@pytest.mark.parametrize("change", [OTHER_SYSTEM, OTHER_TIMELINE], ids=["system identifier", "timeline"])
async def test_dispatch_is_held_after_a_failover_until_it_is_released(web: Web, change: str) -> None:
    lead_id = await due_lead(web.desk)
    lease = await web.desk.lease_one()
    await web.desk.pool.execute(change)
    (answer,) = await web.desk.mark(lease.attempt_id)
    assert (answer.answer, answer.reason) == ("no", "dispatch_held")
    await nothing_is_leased(web.desk)
    plan = (await web.ask("GET", "/v1/sweep/plan", caller="sweep")).body
    assert plan["dispatch_held"] is True
    assert plan["dispatch_held_since"] is not None
    assert (await web.explain(lead_id))["verdict"].startswith("The lead is not called now: all dispatch is held")
    assert await web.desk.alarms() == ["dispatch_held"]
    await switch(web, "/v1/dispatch/release", caller="sweep")
    assert (await web.desk.lease_one()).lead_id == lead_id
    assert await web.desk.alarms() == ["dispatch_held"]


async def test_a_failover_is_noticed_though_nothing_is_due(web: Web) -> None:
    """Else the sweep could not reconcile before somebody wants to dial."""
    await web.desk.pool.execute(OTHER_TIMELINE)
    await web.ask("POST", "/v1/sweep/expire", caller="sweep")
    plan = (await web.ask("GET", "/v1/sweep/plan", caller="sweep")).body
    assert plan["dispatch_held_since"] is not None
    await switch(web, "/v1/dispatch/release", caller="sweep")
    assert (await web.ask("GET", "/v1/sweep/plan", caller="sweep")).body["dispatch_held"] is False


async def test_a_second_failover_during_the_hold_is_told_from_the_first(web: Web) -> None:
    async def held_since() -> str:
        await web.ask("POST", "/v1/sweep/expire", caller="sweep")
        return str((await web.ask("GET", "/v1/sweep/plan", caller="sweep")).body["dispatch_held_since"])

    await web.desk.pool.execute(OTHER_TIMELINE)
    first = await held_since()
    await web.desk.set_now(TUESDAY_NOON + timedelta(minutes=10))
    assert await held_since() == first
    await web.desk.pool.execute(OTHER_TIMELINE)
    assert await held_since() < first, "all that the first one needed is still to be read"


async def test_without_a_failover_nothing_is_held(web: Web) -> None:
    await web.ask("POST", "/v1/sweep/expire", caller="sweep")
    plan = (await web.ask("GET", "/v1/sweep/plan", caller="sweep")).body
    assert (plan["dispatch_held"], plan["dispatch_held_since"]) == (False, None)
