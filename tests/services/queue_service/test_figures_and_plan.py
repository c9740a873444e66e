"""Statistics for people, the plan for the sweep, and the record of sweeps."""

from datetime import timedelta

import pytest

from leadline.contracts.leases import ReportKind
from leadline.domain.attempt import AttemptState
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, result
from tests.services.queue_service.scenes import bring_to, call, due_lead, end_lease, end_quiet_time, go, lease_all
from tests.services.queue_service.web import Web
from tests.support.phones import fresh_phones


async def test_the_figures_of_an_empty_system(web: Web) -> None:
    stats = (await web.ask("GET", "/v1/stats")).body
    assert (stats["leads_by_status"], stats["open_attempts"], stats["outcomes_today"]) == ({}, {}, {})
    assert (stats["due_now"], stats["oldest_due_seconds"], stats["next_due_at"], stats["calls_today"]) == (
        0,
        0,
        None,
        0,
    )
    assert (stats["last_sweep_at"], stats["alarms"], stats["suppressions"]) == (None, {}, 0)
    assert [c["campaign"] for c in stats["campaigns"]] == ["awhealth"]


async def test_the_figures_of_a_busy_one(web: Web) -> None:
    desk = web.desk
    phones = fresh_phones(6)
    for phone in phones:
        await desk.post_lead(phone)
    leases = await lease_all(desk, 6)
    for phone, state in zip(phones, ("leased", "sending", "placed", "ended", "unknown", "released"), strict=True):
        await bring_to(desk, leases[phone], AttemptState(state))
    await desk.event(result(None, "x", to=PHONE, status="completed", answered_by="human", disposition_tag="DNC"))
    await desk.set_now(TUESDAY_NOON + timedelta(seconds=30))
    stats = (await web.ask("GET", "/v1/stats")).body
    assert stats["leads_by_status"] == {"pending": 6, "completed": 1}
    assert stats["open_attempts"] == {"leased": 1, "sending": 1, "placed": 1, "unknown": 1}
    assert stats["oldest_open_seconds"].keys() == stats["open_attempts"].keys()
    assert 29 < stats["oldest_open_seconds"]["placed"] < 90
    assert stats["caps"] == [], "the plan has none"
    assert (stats["calls_today"], stats["outcomes_today"]) == (5, {"DO_NOT_CALL": 1, "NO_ANSWER": 1})
    assert (stats["due_now"], stats["suppressions"], stats["unapplied_events"]) == (1, 1, 0)
    assert 0 < stats["oldest_due_seconds"] <= 30
    assert stats["next_due_at"] is not None


async def test_held_leads_are_counted_by_what_they_wait_for(web: Web) -> None:
    met, again = fresh_phones(2)
    for call_id, phone in (("a", met), ("b", again)):
        await web.desk.event(result(None, call_id, to=phone, status="no-answer"))
    assert (await web.ask("GET", "/v1/stats")).body["held_by_reason"] == {"foreign": 2}


async def test_figures_are_counted_once_for_all_who_ask(web: Web) -> None:
    first = (await web.ask("GET", "/v1/stats")).body
    await due_lead(web.desk)
    assert (await web.ask("GET", "/v1/stats")).body == first


async def test_the_plan_of_a_system_in_order_is_empty(web: Web) -> None:
    await due_lead(web.desk)
    await call(web.desk)
    plan = (await web.ask("GET", "/v1/sweep/plan", caller="sweep")).body
    empty = {key: value for key, value in plan.items() if key != "business_now"}
    assert not any(empty.values()), empty


async def test_the_plan_lists_what_is_late_or_stuck(web: Web) -> None:
    desk = web.desk
    phones = fresh_phones(5)
    for phone in phones:
        await desk.post_lead(phone)
    leases = await lease_all(desk, 5)
    leased, sending, unknown, placed, foreign = (leases[phone] for phone in phones)
    await go(desk, sending)
    await bring_to(desk, unknown, AttemptState.UNKNOWN)
    await bring_to(desk, placed, AttemptState.PLACED)
    for late in (leased, sending, placed):
        await end_lease(desk, late)
    await desk.event(result(None, "call-9", to=foreign.phone_number))
    await desk.event(result(None, "call-8", to=placed.phone_number, status="completed", disposition_tag="DNC"))
    plan = (await web.ask("GET", "/v1/sweep/plan", caller="sweep")).body
    assert (plan["expired_leases"], plan["silent_sends"], plan["unapplied_events"]) == (1, 1, 2)
    (doubt,) = plan["doubtful"]
    assert (doubt["attempt_id"], doubt["phone_number"]) == (str(unknown.attempt_id), unknown.phone_number)
    assert 150 < doubt["quiet_seconds_left"] <= 182
    (ringing,) = plan["placed"]
    assert (ringing["attempt_id"], ringing["overdue"]) == (str(placed.attempt_id), True)
    assert sorted(plan["undetermined_calls"]) == ["call-8", "call-9"]
    (order,) = plan["stop_orders"]
    assert (order["attempt_id"], order["call_id"]) == (str(placed.attempt_id), ringing["call_id"])
    step = (await web.ask("POST", "/v1/sweep/expire", caller="sweep")).body
    assert step == {"counters": {"leases_expired": 1, "sends_silent": 1}}
    assert (await web.ask("POST", "/v1/sweep/expire", caller="sweep")).body["counters"]["leases_expired"] == 0


async def test_a_doubt_without_a_mark_can_be_looked_up_and_ends(web: Web) -> None:
    """A dialer that sent without a `go` is a bug, but its call is real and somebody must look for it."""
    await due_lead(web.desk)
    lease = await web.desk.lease_one()
    await web.desk.report(lease.attempt_id, ReportKind.DOUBT)
    (doubt,) = (await web.ask("GET", "/v1/sweep/plan", caller="sweep")).body["doubtful"]
    assert doubt["attempt_id"] == str(lease.attempt_id)
    assert doubt["quiet_seconds_left"] > 150
    await end_quiet_time(web.desk, lease)
    assert (await web.desk.report(lease.attempt_id, ReportKind.ABSENT)).state == "not_placed"


@pytest.mark.parametrize("minutes", [14, 16])
async def test_a_callback_is_missed_when_it_is_a_quarter_of_an_hour_late(web: Web, minutes: int) -> None:
    lead_id = await due_lead(web.desk)
    await web.verb(lead_id, "reschedule", due_at="2026-01-06T15:30:00-05:00")
    await web.desk.set_now(TUESDAY_NOON.replace(hour=20, minute=30) + timedelta(minutes=minutes))
    plan = (await web.ask("GET", "/v1/sweep/plan", caller="sweep")).body
    assert plan["missed_callbacks"] == int(minutes > 15)


async def test_lists_of_the_plan_are_bounded(web: Web) -> None:
    phones = fresh_phones(4)
    for phone in phones:
        await web.desk.post_lead(phone)
    for lease in (await lease_all(web.desk, 4)).values():
        await bring_to(web.desk, lease, AttemptState.UNKNOWN)
    assert len((await web.ask("GET", "/v1/sweep/plan?limit=3", caller="sweep")).body["doubtful"]) == 3


async def test_those_not_asked_about_for_longest_come_first(web: Web) -> None:
    phones = fresh_phones(3)
    for phone in phones:
        await web.desk.post_lead(phone)
    leases = await lease_all(web.desk, 3)
    for lease in leases.values():
        await bring_to(web.desk, lease, AttemptState.UNKNOWN)
    first, second, third = (leases[phone].attempt_id for phone in phones)
    await web.desk.report(first, ReportKind.INCONCLUSIVE)
    await web.desk.report(second, ReportKind.INCONCLUSIVE)
    plan = (await web.ask("GET", "/v1/sweep/plan", caller="sweep")).body
    assert [doubt["attempt_id"] for doubt in plan["doubtful"]] == [str(third), str(first), str(second)]


async def test_a_sweep_is_recorded_once(web: Web) -> None:
    run_id = (await web.ask("POST", "/v1/sweep/runs", caller="sweep")).body["run_id"]
    path = f"/v1/sweep/runs/{run_id}/finish"
    done = {"counters": {"found": 3}, "succeeded": True}
    assert (await web.ask("POST", path, done, caller="sweep")).body == {"counters": {"finished": 1}}
    assert (await web.ask("POST", path, done, caller="sweep")).body == {"counters": {"finished": 0}}
    stats = (await web.ask("GET", "/v1/stats")).body
    assert (stats["last_sweep_counters"], stats["last_sweep_at"] is not None) == ({"found": 3}, True)


@pytest.mark.parametrize("run_id", ["7", "01940000-0000-7000-8000-00000000000a"])
async def test_a_run_that_never_began_is_not_finished(web: Web, run_id: str) -> None:
    body = {"counters": {}, "succeeded": True}
    answer = await web.ask("POST", f"/v1/sweep/runs/{run_id}/finish", body, caller="sweep")
    if run_id == "7":
        assert (answer.status, answer.code) == (404, "not_found")
    else:
        assert answer.body == {"counters": {"finished": 0}}
