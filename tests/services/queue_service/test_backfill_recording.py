"""Calls of history: recorded once, counted once, adopted if they are ours, and never the master of newer facts."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from leadline.domain.attempt import AttemptState
from leadline.runtime.postgres import Pool
from services.queue_service.backfilling import history
from tests.services.queue_service.conftest import Emptied
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.histories import (
    MONDAY,
    STANDING_STILL,
    Backfill,
    everything,
    listed,
    of_each,
    said,
    what_is_known,
)
from tests.services.queue_service.scenes import (
    SECOND,
    TWO_CAMPAIGNS,
    bring_to,
    call,
    campaign,
    due_lead,
    go,
    policy_with,
    state_of,
)

OURS = "+15615550900"
TUESDAY = TUESDAY_NOON - timedelta(minutes=30)
YESTERDAY_NOON = "2026-01-05T17:12:00+00:00"


@pytest.fixture
async def run(desk: Desk) -> Backfill:
    """A run over the hours around Monday noon."""
    begun = Backfill(desk)
    await begun.start()
    return begun


@pytest.fixture
def emptied(_emptied: Emptied) -> Emptied:
    """The database of the test, to be emptied once more."""
    return _emptied


async def ledger(desk: Desk) -> list[tuple[Any, ...]]:
    rows = await desk.fetch(
        "SELECT call_id, origin, state, outcome, attempt_no, leased_at FROM attempts ORDER BY leased_at, call_id"
    )
    return [tuple(row) for row in rows]


# ---------------------------------------------------------------- once


async def test_a_call_becomes_a_row_an_event_and_a_held_lead(desk: Desk, run: Backfill) -> None:
    step = await run.record(listed("a", started_at=(MONDAY + timedelta(seconds=3)).isoformat()))
    assert step.counters == {"recorded": 1, "new_numbers": 1}
    (lead,) = await desk.leads_of(PHONE)
    assert (lead.status, lead.status_reason, lead.attempts, lead.outcomes) == ("held", "backfill", 1, ["VOICEMAIL"])
    assert await ledger(desk) == [("a", "elsewhere", "ended", "VOICEMAIL", 1, MONDAY + timedelta(seconds=3))]
    (event,) = await desk.fetch("SELECT source, call_id, disposition, kind, lead_id FROM events")
    assert tuple(event) == ("bland_history", "a", "applied", "foreign", lead.id)
    (row,) = await desk.fetch("SELECT closed_at, provider_ended_at, talk_seconds FROM attempts")
    assert (row["closed_at"], row["talk_seconds"]) == (MONDAY + timedelta(seconds=33), 30)


async def test_recording_twice_changes_nothing(desk: Desk, run: Backfill) -> None:
    calls = [*of_each(range(5)), *of_each(range(3), 1)]
    assert (await run.record(*calls)).counters == {"recorded": 8, "new_numbers": 5}
    before = await what_is_known(desk)
    assert (await run.record(*calls)).counters == {"known": 8}
    assert (await run.record(*calls, details=True)).counters == {"known": 8}
    changed = [{**body, "summary": "came later"} for body in calls]
    assert (await run.record(*changed)).counters == {"known": 8}
    assert await what_is_known(desk) == before


async def test_a_call_named_twice_in_one_request_is_recorded_once(desk: Desk, run: Backfill) -> None:
    assert (await run.record(listed("a"), listed("a"))).counters == {"recorded": 1, "new_numbers": 1, "known": 1}
    assert len(await ledger(desk)) == 1


@pytest.mark.parametrize("live_first", [True, False], ids=["live first", "history first"])
async def test_live_event_and_history_are_one_call(desk: Desk, run: Backfill, live_first: bool) -> None:
    body = result(None, "a", status="completed", answered_by="voicemail", end_at=MONDAY.isoformat())
    if live_first:
        assert (await desk.event(body)).kind == "foreign"
        assert (await run.record(listed("a"))).counters == {"known": 1}
    else:
        assert (await run.record(listed("a"))).counters == {"recorded": 1, "new_numbers": 1}
        assert (await desk.event(body)).kind == "repeated"
    assert [(row[0], row[3]) for row in await ledger(desk)] == [("a", "VOICEMAIL")]
    assert [lead.attempts for lead in await desk.leads_of(PHONE)] == [1]


async def test_a_live_event_that_knows_more_adds_to_the_row(desk: Desk, run: Backfill) -> None:
    await run.record(listed("a", answered_by="human"))
    stored = await desk.event(result(None, "a", status="completed", answered_by="human", disposition_tag="DNC"))
    assert stored.kind == "amended"
    assert [(row[0], row[3]) for row in await ledger(desk)] == [("a", "DO_NOT_CALL")]
    assert [lead.status_reason for lead in await desk.leads_of(PHONE)] == ["dnc"]


async def test_live_events_and_two_backfills_at_once_record_each_call_once(desk: Desk, run: Backfill) -> None:
    other = Backfill(desk, "b2")
    await other.start(MONDAY - timedelta(hours=3), MONDAY + timedelta(hours=2))
    calls = [*of_each(range(40)), *of_each(range(40), 1)]
    live = [desk.event(result(None, c["call_id"], to=c["to"], started_at=c["created_at"])) for c in calls[::2]]
    await asyncio.gather(
        *live,
        *(run.record(*calls[n : n + 20]) for n in range(0, 80, 20)),
        *(other.record(*reversed(calls[n : n + 16])) for n in range(0, 80, 16)),
    )
    assert sorted(row[0] for row in await ledger(desk)) == sorted(c["call_id"] for c in calls)
    (leads,) = await desk.fetch("SELECT count(*) AS n FROM leads")
    assert leads["n"] == 40
    assert await desk.fetch("SELECT FROM events WHERE disposition = 'unapplied'") == []


# ---------------------------------------------------------------- what is no call of a lead


async def test_what_is_skipped_is_counted_by_reason(pool: Pool) -> None:
    policy = policy_with(campaign(), callers={OURS: campaign().name})
    async with desk_open(pool, policy) as desk:
        run = Backfill(desk)
        await run.start()
        bodies: list[Any] = [
            listed("in", inbound=True, to=OURS, caller=PHONE),
            listed("going", completed=False, queue_status="started"),
            listed("own", to=OURS),
            listed("nobody", to="not a number"),
            "][",
        ]
        skipped = {"inbound": 1, "not_ended": 1, "own_number": 1, "no_number": 1, "poison": 1}
        assert (await run.record(*bodies)).counters == skipped
        assert (await run.record(*bodies)).counters == {"known": 4, "not_ended": 1}
        assert (await ledger(desk), await desk.leads_of(PHONE)) == ([], [])
        events = await desk.fetch("SELECT kind, disposition FROM events ORDER BY kind")
        assert [tuple(event) for event in events] == [
            ("inbound", "applied"),
            ("no_number", "quarantined"),
            ("own_number", "applied"),
            ("poison", "quarantined"),
        ]


async def test_a_refused_number_is_recorded_and_never_called(desk: Desk, run: Backfill) -> None:
    step = await run.record(listed("a", to="+18005550123"))
    assert step.counters == {"recorded": 1, "new_numbers": 1, "refused_number": 1}
    (lead,) = await desk.leads_of("+18005550123")
    assert (lead.status, lead.status_reason) == ("completed", "refused_number")


async def test_an_inbound_stop_of_long_ago_still_counts(desk: Desk, run: Backfill) -> None:
    body = said("in", "DNC", inbound=True, to=OURS, caller=PHONE)
    assert (await run.record(body, details=True)).counters == {"inbound": 1, "suppressed": 1}
    assert (await desk.post_lead()).status == "suppressed"


async def test_one_poison_row_spoils_no_other(desk: Desk, run: Backfill, monkeypatch: pytest.MonkeyPatch) -> None:
    real = history.foreign_call

    def failing(rec: Any, incoming: Any, number: Any) -> Any:
        if incoming.event.call_id == "call-2-0":
            raise ZeroDivisionError
        return real(rec, incoming, number)

    monkeypatch.setattr("services.queue_service.backfilling.recording.foreign_call", failing)
    assert (await run.record(*of_each(range(5)))).counters == {"recorded": 4, "new_numbers": 4, "poison": 1}
    (event,) = await desk.fetch("SELECT call_id, kind, problem FROM events WHERE disposition = 'quarantined'")
    assert tuple(event) == ("call-2-0", "poison", "ZeroDivisionError: ")
    assert await desk.alarms() == ["history_not_recorded"]
    assert (await run.record(*of_each(range(5)))).counters == {"known": 5}
    assert (await run.start()).counters == {"listed": 0, "recorded": 4, "new_numbers": 4, "poison": 1}


async def test_a_call_of_which_no_time_is_known_lies_in_the_range(desk: Desk, run: Backfill) -> None:
    await run.record(listed("a", created_at=None))
    assert [row[5] for row in await ledger(desk)] == [MONDAY - timedelta(hours=2)]


async def test_a_call_becomes_the_lead_of_the_campaign_that_dials_from_its_number(pool: Pool) -> None:
    policy = policy_with(campaign(), campaign(SECOND), callers={OURS: campaign().name})
    async with desk_open(pool, policy) as desk:
        run = Backfill(desk)
        await run.start(campaign="second")
        await run.record(listed("a", caller=OURS), listed("b", MONDAY + timedelta(minutes=1)))
        assert sorted(lead.campaign for lead in await desk.leads_of(PHONE)) == ["awhealth", "second"]


# ---------------------------------------------------------------- ours


@pytest.mark.parametrize(
    "state",
    [AttemptState.SENDING, AttemptState.UNKNOWN, AttemptState.NOT_PLACED, AttemptState.ABANDONED],
)
async def test_a_call_of_our_own_attempt_is_adopted(desk: Desk, state: AttemptState) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.lease_one()
    await bring_to(desk, lease, state)
    await desk.set_now(TUESDAY_NOON + timedelta(hours=1))
    run = Backfill(desk)
    await run.start(TUESDAY_NOON - timedelta(hours=1), TUESDAY_NOON + timedelta(minutes=30))
    row = listed("a", TUESDAY_NOON + timedelta(seconds=2))
    assert (await run.sift(row)).needs_details == ["a"]
    step = await run.record(row)
    assert (step.counters, step.needs_details) == ({"undetermined": 1}, ["a"])
    details = {**row, "metadata": {"attempt_id": str(lease.attempt_id)}}
    assert (await run.record(details, details=True)).counters == {"adopted": 1}
    assert await state_of(desk, lease.attempt_id) is AttemptState.ENDED
    assert [(r[0], r[1]) for r in await ledger(desk)] == [("a", "leadline")]
    assert (await desk.lead(lead_id)).attempts == 1
    assert (await run.record(details, details=True)).counters == {"known": 1}


async def test_details_without_our_metadata_are_somebody_elses_call(desk: Desk, run: Backfill) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await go(desk, lease)
    row = listed("a", TUESDAY_NOON)
    assert (await run.record({**row, "metadata": {}}, details=True)).counters == {"recorded": 1}
    assert await state_of(desk, lease.attempt_id) is AttemptState.SENDING


async def test_a_call_far_from_the_mark_of_a_closed_attempt_is_not_it(desk: Desk, run: Backfill) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await bring_to(desk, lease, AttemptState.NOT_PLACED)
    near, far = listed("near", TUESDAY_NOON - timedelta(minutes=9)), listed("far", TUESDAY_NOON - timedelta(minutes=11))
    sifted = await run.sift(near, far)
    assert (sifted.new, sifted.needs_details) == (["far"], ["near"])


async def test_a_call_that_is_known_is_in_neither_list(desk: Desk, run: Backfill) -> None:
    await due_lead(desk)
    lease = await call(desk)
    assert lease.phone_number == PHONE
    await run.record(listed("a"))
    sifted = await run.sift(listed("a"), listed("call-1"), listed("b"), listed("c", to="nobody"))
    assert (sifted.new, sifted.needs_details) == (["b", "c"], [])


async def test_an_undetermined_live_event_is_settled_by_the_details_of_history(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await go(desk, lease)
    body = result(None, "a", end_at=TUESDAY_NOON.isoformat())
    assert (await desk.event(body)).kind == "undetermined"
    await desk.set_now(TUESDAY_NOON + timedelta(hours=1))
    run = Backfill(desk)
    await run.start(TUESDAY_NOON - timedelta(hours=1), TUESDAY_NOON + timedelta(minutes=30))
    assert (await run.sift(listed("a", TUESDAY_NOON))).needs_details == ["a"]
    assert (await run.record({**listed("a", TUESDAY_NOON), "metadata": {}}, details=True)).counters == {"recorded": 1}
    assert await desk.service.apply_events() == {"events_applied": 1, "events_still_unapplied": 0}
    assert len(await ledger(desk)) == 2


async def test_a_call_that_is_ours_by_its_call_id_is_known(desk: Desk, run: Backfill) -> None:
    await due_lead(desk)
    lease = await desk.place()
    assert (await run.record(listed("call-1"))).counters == {"known": 1}
    await desk.event(result(lease.attempt_id, "call-1"))
    assert len(await ledger(desk)) == 1


# ---------------------------------------------------------------- order


async def recorded_in(pool: Pool, groups: list[list[dict[str, Any]]]) -> dict[str, list[Any]]:
    async with desk_open(pool, TWO_CAMPAIGNS) as desk:
        await desk.set_now(TUESDAY_NOON + timedelta(hours=1), STANDING_STILL)
        await due_lead(desk, "+15615550001")
        await desk.pool.execute("UPDATE leads SET created_at = $1, updated_at = $1", MONDAY - timedelta(hours=1))
        run = Backfill(desk)
        await run.run(*groups)
        return await what_is_known(desk)


def three_windows() -> list[list[dict[str, Any]]]:
    wants = {"callback_requested": True, "callback_requested_at": "2026-01-07T15:30:00-05:00"}
    first, second, third = ([*of_each(range(1, 12), hour)] for hour in (-1, 0, 1))
    existing = "+15615550001"
    at = [MONDAY + timedelta(minutes=5 + 60 * hour) for hour in (-1, 0, 1)]
    return [
        [*first, said("e0", "", at[0], to=existing, variables=wants), said("d0", "DNC", at[0], to="+15615558001")],
        [*second, listed("e1", at[1], to=existing), said("s0", "SALE", at[1], to="+15615558002")],
        [*third, listed("e2", at[2], to=existing), listed("d1", at[2], to="+15615558001")],
    ]


async def test_the_order_of_windows_leaves_no_trace(pool: Pool, emptied: Emptied) -> None:
    windows = three_windows()
    undisturbed = await recorded_in(pool, windows)
    assert len(undisturbed["attempts"]) == 39
    for order in ((2, 1, 0), (1, 2, 0), (2, 0, 1)):
        emptied.empty()
        assert await recorded_in(pool, [windows[n] for n in order]) == undisturbed


async def test_the_size_of_groups_leaves_no_trace(pool: Pool, emptied: Emptied) -> None:
    windows = three_windows()
    undisturbed = await recorded_in(pool, windows)
    emptied.empty()
    assert await recorded_in(pool, [[call] for window in windows for call in window]) == undisturbed


async def test_a_dry_run_changes_no_row_of_any_table(desk: Desk) -> None:
    await due_lead(desk)
    await call(desk)
    await desk.set_now(TUESDAY_NOON + timedelta(hours=1), STANDING_STILL)
    before = await everything(desk)
    run = Backfill(desk)
    described = await run.start(dry_run=True)
    assert (described.windows_waiting, described.resumed) == (4, False)
    windows = [body for window in three_windows() for body in window]
    step = await run.record(*windows, "][", details=True, dry_run=True)
    assert step.counters == {
        "recorded": 39, "new_numbers": 13, "suppressed": 1, "sold": 1, "poison": 1,
    }  # fmt: skip  # one line to compare
    assert len(set(step.new_numbers)) == 13
    assert await everything(desk) == before


async def test_a_dry_run_beside_a_run_that_somebody_holds(desk: Desk, run: Backfill) -> None:
    before = await everything(desk)
    dry = Backfill(desk, "b2")
    described = await dry.start(dry_run=True)
    assert (described.resumed, described.id) == (True, run.run_id)
    assert (await dry.record(listed("a"), dry_run=True)).counters == {"recorded": 1, "new_numbers": 1}
    assert await everything(desk) == before
