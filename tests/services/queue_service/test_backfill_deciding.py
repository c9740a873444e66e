"""Numbers that are known from history alone: the latest call decides, then the CRM; silence is no permission."""

from datetime import timedelta
from typing import Any

import pytest

from leadline.contracts.backfill import Decision
from leadline.contracts.crm import Learned
from leadline.domain.crm import CrmStanding
from leadline.runtime.postgres import Pool
from services.queue_service.backfilling import deciding
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.histories import MONDAY, OPEN, Backfill, listed, of_each, said, what_is_known
from tests.services.queue_service.scenes import ALWAYS, campaign, policy_with

HOUR = timedelta(hours=1)
BAD: dict[str, Any] = {
    "status": "failed",
    "error_message": "The number you dialed is not in service.",
    "answered_by": None,
}


@pytest.fixture
async def run(desk: Desk) -> Backfill:
    """A run over the hours around Monday noon."""
    begun = Backfill(desk)
    await begun.start()
    return begun


async def lead_of(desk: Desk, phone_number: str = PHONE) -> Any:
    (lead,) = await desk.leads_of(phone_number)
    return lead


async def test_an_open_number_is_added_with_its_cadence(desk: Desk, run: Backfill) -> None:
    await run.record(listed("a", MONDAY - HOUR), listed("b"))
    await run.end_all()
    (candidate,) = await run.candidates()
    assert (candidate.phone_number, candidate.ask_crm) == (PHONE, True)
    assert await run.decide_all(OPEN) == {"added": 1}
    lead = await lead_of(desk)
    assert (lead.status, lead.attempts, lead.lead_id, lead.list_id) == ("pending", 2, "410233", "1029")
    assert lead.next_redial_at - TUESDAY_NOON < timedelta(minutes=1)


@pytest.mark.parametrize("latest", ["second", "first"])
async def test_the_latest_call_by_the_providers_time_decides(desk: Desk, run: Backfill, latest: str) -> None:
    no_at = MONDAY + HOUR if latest == "first" else MONDAY - HOUR
    await run.record(said("a", "NOT_INTERESTED", no_at), details=True)
    await run.record(listed("b"))
    await run.end_all()
    await run.decide_all()
    lead = await lead_of(desk)
    expected = ("completed", "not_interested") if latest == "first" else ("pending", None)
    assert (lead.status, lead.status_reason) == expected


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (said("a", "NOT_INTERESTED"), "not_interested"),
        (said("a", "SALE"), "sale"),
        (listed("a", **BAD), "bad_number"),
    ],
    ids=["no", "sale", "bad number"],
)
async def test_a_final_number_is_decided_without_the_crm(
    desk: Desk, run: Backfill, call: dict[str, Any], reason: str
) -> None:
    await run.record(call, details=True)
    await run.end_all()
    assert [c.ask_crm for c in await run.candidates()] == [False]
    assert await run.decide_all(OPEN) == {f"completed_{reason}": 1}
    lead = await lead_of(desk)
    assert (lead.status, lead.status_reason) == ("completed", reason)
    assert await run.candidates() == []


async def test_a_number_that_said_stop_is_no_candidate(desk: Desk, run: Backfill) -> None:
    await run.record(said("a", "DNC", MONDAY - HOUR), listed("b"), details=True)
    await run.end_all()
    assert await run.candidates() == []
    assert (await lead_of(desk)).status_reason == "dnc"


async def test_a_bad_call_before_a_good_one_does_not_make_the_number_bad(desk: Desk, run: Backfill) -> None:
    await run.record(listed("a", MONDAY - HOUR, **BAD), listed("b"), details=True)
    await run.end_all()
    await run.decide_all()
    assert (await lead_of(desk)).status == "pending"
    assert await desk.fetch("SELECT FROM phones WHERE bad_number_reason IS NOT NULL") == []


@pytest.mark.parametrize(
    ("standing", "decided"),
    [
        (CrmStanding.DNC, ("completed", "dnc")),
        (CrmStanding.SALE, ("completed", "crm_final")),
        (CrmStanding.ACA, ("completed", "crm_final")),
        (CrmStanding.FINAL, ("completed", "crm_final")),
        (CrmStanding.UNKNOWN, ("held", "crm_unknown")),
        (CrmStanding.OPEN, ("pending", None)),
    ],
)
async def test_the_crm_has_the_last_word(
    desk: Desk, run: Backfill, standing: CrmStanding, decided: tuple[str, str | None]
) -> None:
    await run.record(listed("a"))
    await run.end_all()
    await run.decide_all(Learned(standing=standing, status="X"))
    lead = await lead_of(desk)
    assert (lead.status, lead.status_reason) == decided


async def test_without_a_crm_nobody_is_callable(desk: Desk, run: Backfill) -> None:
    await run.record(listed("a"))
    await run.end_all()
    assert await run.decide_all(None) == {"held_crm_unknown": 1}
    assert (await desk.lease()).leases == []


async def test_a_number_that_used_up_its_life_is_still_asked_about(desk: Desk, run: Backfill) -> None:
    await run.record(*(listed(f"c{n}", MONDAY - timedelta(minutes=n)) for n in range(8)))
    await run.end_all()
    assert [c.ask_crm for c in await run.candidates()] == [True]
    assert await run.decide_all(OPEN) == {"completed_exhausted": 1}


async def test_a_promise_that_is_still_to_come_is_kept(desk: Desk, run: Backfill) -> None:
    wants = {"callback_requested": True, "callback_requested_at": "2026-01-07T15:30:00-05:00"}
    await run.record(said("a", "", MONDAY - HOUR, variables=wants), listed("b"), details=True)
    await run.end_all()
    await run.decide_all()
    lead = await lead_of(desk)
    assert (lead.status, lead.scheduled_callback_at.isoformat()) == ("rescheduled", "2026-01-07T20:30:00+00:00")


async def test_deciding_twice_changes_nothing(desk: Desk, run: Backfill) -> None:
    await run.record(*of_each(range(3)))
    await run.end_all()
    found = await run.candidates()
    decisions = [Decision(lead_id=c.lead_id, learned=OPEN) for c in found]
    assert await run.decide(*decisions) == {"added": 3}
    before = await what_is_known(desk)
    assert await run.decide(*decisions) == {"decided_before": 3}
    assert await what_is_known(desk) == before


async def test_candidates_come_by_id_and_no_lead_twice(desk: Desk, run: Backfill) -> None:
    await run.record(*of_each(range(7)))
    await run.end_all()
    first = await run.candidates(limit=4)
    second = await run.candidates(after=first[-1].lead_id, limit=4)
    ids = [c.lead_id for c in [*first, *second]]
    assert (len(ids), ids) == (7, sorted(set(ids)))


async def test_a_foreign_lead_of_the_range_is_a_candidate_and_one_outside_is_not(desk: Desk, run: Backfill) -> None:
    inside, outside = "+15615550124", "+15615550125"
    await desk.event(result(None, "a", to=inside, started_at=MONDAY.isoformat(), end_at=MONDAY.isoformat()))
    await desk.event(result(None, "b", to=outside, started_at="2025-12-01T12:00:00Z", end_at="2025-12-01T12:01:00Z"))
    await run.end_all()
    assert [c.phone_number for c in await run.candidates()] == [inside]
    assert await run.decide_all() == {"added": 1}
    assert (await lead_of(desk, outside)).status_reason == "foreign"


async def test_a_lead_that_its_sender_claims_is_left(desk: Desk, run: Backfill) -> None:
    await run.record(listed("a"))
    assert (await desk.post_lead()).status == "queued"
    claimed = await lead_of(desk)
    assert (claimed.status, claimed.attempts) == ("pending", 1)
    await run.end_all()
    assert await run.candidates() == []
    assert await run.decide(Decision(lead_id=claimed.id, learned=None)) == {"decided_before": 1}


async def test_a_claim_does_not_undo_what_the_last_call_said(desk: Desk, run: Backfill) -> None:
    await run.record(said("a", "NOT_INTERESTED"), details=True)
    accepted = await desk.post_lead()
    assert (accepted.status, accepted.reason) == ("completed", "not_interested")


async def test_one_lead_that_cannot_be_decided_holds_up_no_other(
    desk: Desk, run: Backfill, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run.record(*of_each(range(3)))
    await run.end_all()
    found = await run.candidates()
    real = deciding.decide_group

    async def failing(conn: Any, policy: Any, held: Any, decisions: Any) -> Any:
        if found[1].lead_id in [d.lead_id for d in decisions]:
            raise ZeroDivisionError
        return await real(conn, policy, held, decisions)

    monkeypatch.setattr("services.queue_service.backfilling.grouping.decide_group", failing)
    assert await run.decide_all() == {"added": 2, "undecided": 1}
    assert await desk.alarms() == ["backfill_not_decided"]
    (held,) = await desk.leads_of(found[1].phone_number)
    assert held.status_reason == "backfill"
    await run.finish()
    assert [v.promise for v in (await desk.service.check_promises(10)).violations] == [8]


async def test_an_added_number_is_leased_when_its_cadence_allows(pool: Pool) -> None:
    async with desk_open(pool, policy_with(campaign(hours=ALWAYS))) as desk:
        run = Backfill(desk)
        assert (await run.run([listed("a")])).counters["added"] == 1
        lease = await desk.lease_one()
        assert (lease.phone_number, lease.attempt_no) == (PHONE, 2)


async def test_a_lead_without_a_row_of_its_own_is_counted_and_no_error(desk: Desk, run: Backfill) -> None:
    await run.end_all()
    assert await run.decide(Decision(lead_id=run.run_id, learned=None)) == {"no_such_lead": 1}
