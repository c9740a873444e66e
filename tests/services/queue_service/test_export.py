"""Export: page by page, and each record makes the same lead again in an empty database."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from leadline.contracts.imports import ExportedLead, ImportedLead, ImportResult
from leadline.contracts.leases import RejectionClass, ReportKind
from leadline.contracts.operators import LeadView
from leadline.domain.ids import LeadId
from leadline.domain.lead import CompletionReason, HeldReason
from leadline.runtime.postgres import Pool
from services.queue_service import operating
from services.queue_service.importing.exporting import export_page
from tests.services.queue_service.conftest import Emptied
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, desk_open, make_policy, result
from tests.services.queue_service.imported import LAST_CALL, bring, bring_one, call, record, untouched, whole_database
from tests.services.queue_service.web import Web

LATER = TUESDAY_NOON + timedelta(seconds=5)
"""When the last call of a scene ended."""


async def exported(desk: Desk, limit: int = 500) -> list[ExportedLead]:
    """Every lead, page by page."""
    found: list[ExportedLead] = []
    after: UUID | None = None
    while True:
        page = await export_page(desk.service, after, limit)
        assert len(page.leads) <= limit
        found += page.leads
        if page.next_after is None:
            return found
        after = page.next_after


async def views(desk: Desk) -> dict[tuple[str, str], dict[str, Any]]:
    """All leads as operators see them, without the ids that are ours."""
    leads: list[LeadView] = [await desk.lead(row["id"]) for row in await desk.fetch("SELECT id FROM leads")]
    return {(lead.phone_number, lead.campaign): lead.model_dump(exclude={"id"}) for lead in leads}


async def called(desk: Desk, *outcomes: dict[str, Any]) -> UUID:
    """A lead of ours that was called, each time with such a result."""
    lead_id = (await desk.post_lead(first_name="Ann", state="FL", email="a@example.com", postal_code="33101")).id
    for n, said in enumerate(outcomes):
        await desk.pool.execute("UPDATE due_leads SET due_at = business_now()")
        await desk.pool.execute("UPDATE phones SET last_sent_by = NULL, rest_until = NULL")
        lease = await desk.place(f"ours-{n}")
        await desk.event(result(lease.attempt_id, f"ours-{n}", **said))
    return lead_id


NOBODY: dict[str, Any] = {}
BUSY: dict[str, Any] = {"status": "busy", "answered_by": None}


async def in_cadence(desk: Desk) -> None:
    await called(desk, NOBODY, BUSY)


async def never_called(desk: Desk) -> None:
    await desk.set_now(TUESDAY_NOON + timedelta(hours=9))
    await called(desk)


async def promised(desk: Desk) -> None:
    said = {"variables": {"callback_requested": True, "callback_requested_at": "2026-01-08T15:30:00-05:00"}}
    await called(desk, {"status": "completed", "answered_by": "human", **said})


async def paused_with_a_promise(desk: Desk) -> None:
    await promised(desk)
    ((lead_id,),) = await desk.fetch("SELECT id FROM leads")
    await desk.service.transaction(lambda conn: operating.pause_lead(conn, LeadId(lead_id), "on holiday", "operator"))


async def said_stop(desk: Desk) -> None:
    await called(desk, NOBODY, {"status": "completed", "disposition_tag": "DO_NOT_CALL"})


async def sold(desk: Desk) -> None:
    await called(desk, {"status": "completed", "disposition_tag": "SALE"})


async def bad(desk: Desk) -> None:
    await called(desk)
    lease = await desk.lease_one()
    await desk.mark(lease.attempt_id)
    await desk.report(lease.attempt_id, ReportKind.REJECTED, rejection=RejectionClass.BAD_NUMBER)


async def exhausted(desk: Desk) -> None:
    await called(desk, *[NOBODY] * 8)


async def foreign(desk: Desk) -> None:
    await desk.event(result(None, "theirs", end_at=LAST_CALL.isoformat()))


async def refused(desk: Desk) -> None:
    await desk.post_lead("+18005550199")


async def imported_before(desk: Desk) -> None:
    calls = [call("a", LAST_CALL - timedelta(days=1)), call("b")]
    today: dict[str, Any] = {"attempts_today": 2, "attempts_today_on": TUESDAY_NOON.date()}
    await bring_one(desk, record(attempts=5, calls=calls, due_at=TUESDAY_NOON + timedelta(hours=3), **today))


async def imported_and_called(desk: Desk) -> None:
    await bring_one(desk, record())
    lease = await desk.place("ours")
    await desk.event(result(lease.attempt_id, "ours"))


async def approximate(desk: Desk) -> None:
    await bring_one(desk, record(times_approximate=True, due_at=TUESDAY_NOON + timedelta(hours=1)))


def as_said(**said: Any) -> Callable[[Desk], Awaitable[object]]:
    async def scene(desk: Desk) -> None:
        await bring_one(desk, untouched(**said))

    return scene


SCENES: dict[str, Callable[[Desk], Awaitable[object]]] = {
    scene.__name__: scene
    for scene in (
        in_cadence,
        never_called,
        promised,
        paused_with_a_promise,
        said_stop,
        sold,
        bad,
        exhausted,
        foreign,
        refused,
        imported_before,
        imported_and_called,
        approximate,
    )
}
SCENES |= {f"completed {why}": as_said(status="completed", status_reason=why) for why in CompletionReason}
SCENES |= {f"held {why}": as_said(status="held", status_reason=why) for why in HeldReason if why != "backfill"}


@pytest.mark.parametrize("scene", SCENES)
async def test_what_is_exported_makes_the_same_lead_again(
    pool: Pool,
    _emptied: Emptied,  # noqa: PT019 -- it is no side effect alone: the test empties it in between
    scene: str,
) -> None:
    async with desk_open(pool, make_policy()) as desk:
        await SCENES[scene](desk)
        before, records, figures = await views(desk), await exported(desk), await facts(desk)
        rows = await whole_database(desk)
        assert {a.result for a in await bring(desk, *(lead.record for lead in records))} == {ImportResult.UNCHANGED}
        assert await whole_database(desk) == rows
        ((now,),) = await desk.fetch("SELECT business_now()")
    _emptied.empty()
    async with desk_open(pool, make_policy(), now) as fresh:
        answers = await bring(fresh, *(lead.record for lead in records))
        assert {answer.result for answer in answers} == {ImportResult.TAKEN}
        assert await views(fresh) == before
        assert await facts(fresh) == figures
        again = await exported(fresh)
        assert [lead.record for lead in again] == [lead.record for lead in records]
        assert (await bring(fresh, *(lead.record for lead in again)))[0].result is ImportResult.UNCHANGED


async def facts(desk: Desk) -> list[tuple[Any, ...]]:
    """What a view does not show and the next decision needs."""
    rows = await desk.fetch(
        """SELECT l.phone_number, l.postal_code, l.sender_fields::text, l.attributes::text, l.times_approximate,
                  s.phone_number IS NOT NULL AS suppressed, p.sold_outcome, p.bad_number_reason IS NOT NULL AS bad,
                  d.band
           FROM leads l JOIN phones p USING (phone_number) LEFT JOIN suppressions s USING (phone_number)
               LEFT JOIN due_leads d ON d.lead_id = l.id"""
    )
    return [tuple(row) for row in rows]


async def test_a_call_that_goes_on_is_counted_and_not_named(desk: Desk) -> None:
    await called(desk, NOBODY)
    await desk.pool.execute("UPDATE due_leads SET due_at = business_now()")
    await desk.pool.execute("UPDATE phones SET last_sent_by = NULL")
    await desk.place("going-on")
    (lead,) = await exported(desk)
    assert (lead.record.attempts, lead.record.attempts_today, lead.record.status) == (2, 2, "pending")
    assert [named.call_id for named in lead.record.calls] == ["ours-0"]
    assert lead.record.outcomes == ["NO_ANSWER"]


async def test_of_a_reopened_lead_the_present_life_is_exported_and_that_it_was_transferred(desk: Desk) -> None:
    merged = {"warm_transfer_call": {"state": "MERGED"}, "status": "completed", "answered_by": "human"}
    lead_id = LeadId(await called(desk, merged, NOBODY, {"status": "completed", "disposition_tag": "NOT_INTERESTED"}))
    policy = desk.service.policy
    await desk.service.transaction(lambda conn: operating.reopen_lead(conn, policy, lead_id, "asked", "operator"))
    (lead,) = await exported(desk)
    assert (lead.record.status, lead.record.attempts, lead.record.calls) == ("pending", 0, [])
    assert lead.record.outcomes == ["TRANSFERRED"]


async def test_what_is_too_much_for_a_record_is_cut(desk: Desk) -> None:
    lead_id = (await desk.post_lead(first_name="A" * 300, state="F" * 100)).id
    await desk.pool.execute(
        """UPDATE leads SET attributes = (SELECT jsonb_object_agg('k' || n, 'v') FROM generate_series(1, 300) n),
                            status = 'paused', status_reason = repeat('x', 500)"""
    )
    await desk.pool.execute("DELETE FROM due_leads")
    await desk.pool.execute(
        """INSERT INTO attempts (id, lead_id, campaign, phone_number, attempt_no, state, leased_at, origin, call_id,
                                 closed_at, outcome)
           SELECT gen_random_uuid(), $1, 'awhealth', $2, n, 'ended', business_now() - n * interval '1 h', 'elsewhere',
                  'c' || n, business_now(), 'BUSY' FROM generate_series(1, 300) n""",
        lead_id,
        PHONE,
    )
    (lead,) = await exported(desk)
    said = lead.record
    assert (len(said.first_name or ""), len(said.state or ""), len(said.status_reason or "")) == (200, 64, 64)
    assert (said.attempts, len(said.calls), len(said.outcomes), len(said.attributes)) == (300, 200, 200, 200)
    assert said.calls[-1].call_id == "c1"


async def test_pages_hold_every_lead_once(desk: Desk) -> None:
    await bring(desk, *(record(f"+156155501{n:02d}") for n in range(25)))
    for limit in (1, 5, 24, 25, 26, 500):
        leads = await exported(desk, limit)
        assert [lead.id for lead in leads] == sorted(lead.id for lead in leads)
        assert len({lead.id for lead in leads}) == 25


async def test_over_http(web: Web) -> None:
    body = {"source": "x", "leads": [record(f"+156155501{n:02d}").model_dump(mode="json") for n in range(3)]}
    taken = await web.ask("POST", "/v1/imports/leads", body)
    assert (taken.status, [answer["result"] for answer in taken.body["records"]]) == (200, ["taken"] * 3)
    first = (await web.ask("GET", "/v1/exports/leads?limit=2")).body
    last = (await web.ask("GET", f"/v1/exports/leads?limit=2&after={first['next_after']}")).body
    assert (len(first["leads"]), len(last["leads"]), last["next_after"]) == (2, 1, None)
    assert ImportedLead.model_validate(first["leads"][0]["record"]).attempts == 3
    for query in ("limit=0", "limit=501", "after=7", "before=7"):
        assert (await web.ask("GET", f"/v1/exports/leads?{query}")).code == "invalid_query"
