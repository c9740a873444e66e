"""Numbers that must not be called, in bulk."""

from leadline.contracts.imports import NumberResult, NumbersKind
from tests.services.queue_service.desk import PHONE, Desk
from tests.services.queue_service.imported import bring, record, stop, whole_database
from tests.services.queue_service.web import Web

OTHER = "+15615550124"
ADDED, KNOWN, INVALID, UNMATCHED = NumberResult


async def test_suppressed_numbers_are_called_by_nobody(desk: Desk) -> None:
    lead_id = (await desk.post_lead()).id
    results = await stop(desk, NumbersKind.SUPPRESSED, "(561) 555-0123", "+1 800 555 0199", "12345", "5615550123")
    assert results == [ADDED, ADDED, INVALID, KNOWN]
    rows = await desk.fetch("SELECT phone_number, reason, source FROM suppressions ORDER BY 1")
    assert [tuple(row) for row in rows] == [
        (PHONE, "asked by mail", "legacy_blocklist"),
        ("+18005550199", "asked by mail", "legacy_blocklist"),
    ]
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason) == ("completed", "dnc")
    assert (await desk.lease(1, 0.3)).leases == []


async def test_bad_numbers_complete_every_lead(desk: Desk) -> None:
    lead_id = (await desk.post_lead()).id
    assert await stop(desk, NumbersKind.BAD_NUMBER, PHONE, OTHER, "nobody") == [ADDED, ADDED, INVALID]
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason) == ("completed", "bad_number")
    assert len(await desk.fetch("SELECT FROM phones WHERE bad_number_reason = 'asked by mail'")) == 2


async def test_blocked_leads_are_found_by_their_senders_id(desk: Desk) -> None:
    await bring(desk, record(lead_id="7"), record(OTHER, lead_id="7"), record("+15615550125", lead_id="8"))
    assert await stop(desk, NumbersKind.BLOCKED_LEADS, " 7", "9") == [ADDED, UNMATCHED]
    rows = await desk.fetch("SELECT phone_number FROM suppressions ORDER BY 1")
    assert [row["phone_number"] for row in rows] == [PHONE, OTHER]
    assert (await desk.leads_of("+15615550125"))[0].status == "pending"


async def test_what_rings_is_stopped(desk: Desk) -> None:
    await desk.post_lead()
    await desk.place()
    await stop(desk, NumbersKind.SUPPRESSED, PHONE)
    (order,) = (await desk.lease(0, 1)).stop_orders
    assert order.phone_number == PHONE


async def test_a_repetition_changes_no_row(desk: Desk) -> None:
    await bring(desk, record(lead_id="7"))
    for kind, text in (
        (NumbersKind.BLOCKED_LEADS, "7"),
        (NumbersKind.SUPPRESSED, PHONE),
        (NumbersKind.BAD_NUMBER, OTHER),
    ):
        await stop(desk, kind, text)
    before = await whole_database(desk)
    for kind, text in (
        (NumbersKind.BLOCKED_LEADS, "7"),
        (NumbersKind.SUPPRESSED, PHONE),
        (NumbersKind.BAD_NUMBER, OTHER),
    ):
        assert await stop(desk, kind, text) == [KNOWN]
    assert await whole_database(desk) == before


async def test_a_dry_run_changes_no_row(desk: Desk) -> None:
    await bring(desk, record(lead_id="7"))
    before = await whole_database(desk)
    for kind, text in (
        (NumbersKind.BLOCKED_LEADS, "7"),
        (NumbersKind.SUPPRESSED, OTHER),
        (NumbersKind.BAD_NUMBER, OTHER),
    ):
        assert await stop(desk, kind, text, "x" * 64, dry_run=True) == [
            ADDED,
            UNMATCHED if kind is NumbersKind.BLOCKED_LEADS else INVALID,
        ]
    assert await whole_database(desk) == before


async def test_over_http(web: Web) -> None:
    entry = {"phone_number": PHONE, "reason": "asked by mail"}
    body = {"kind": "suppressed", "source": "list.csv", "numbers": [entry, entry]}
    answer = await web.ask("POST", "/v1/imports/numbers", body)
    assert (answer.status, answer.body) == (200, {"results": ["added", "known"]})
    (trail,) = await web.desk.fetch("SELECT actor, verb FROM audit_log")
    assert tuple(trail) == ("operator", "suppressed")
    refused = await web.ask("POST", "/v1/imports/numbers", body, caller="backfill")
    assert refused.status == 403
