"""Events: kept first and byte for byte, counted once, applied in whatever order they come."""

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import pytest

from leadline.contracts.events import EventSource
from leadline.contracts.leases import ReportKind
from leadline.domain.attempt import AttemptState
from services.queue_service import inbox
from services.queue_service.applying import apply_event
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, result
from tests.services.queue_service.scenes import bring_to, call, call_of, due_lead, go, lease_all, state_of
from tests.support.phones import fresh_phones

POISON = {
    "empty": b"",
    "no JSON": b"upstream connect error",
    "a list": b"[1, 2]",
    "no call id": b'{"status": "completed"}',
    "NUL": b"\x00\x00",
    "not UTF-8": b'{"call_id": "\xff\xfe"}',
    "a lone surrogate": b'{"call_id": "\\ud800"}',
    "too deep": b'{"a":' * 50_000,
    "NaN": b'{"call_id": NaN}',
    "a BOM": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("what", POISON)
async def test_poison_is_kept_and_quarantined(desk: Desk, what: str) -> None:
    stored = await desk.event(POISON[what])
    assert (stored.disposition, stored.kind) == ("quarantined", "nonsense")
    (kept,) = await desk.fetch("SELECT body, problem FROM events")
    assert bytes(kept["body"]) == POISON[what]
    assert kept["problem"]


async def test_a_result_without_any_number_is_quarantined(desk: Desk) -> None:
    stored = await desk.event({"call_id": "x", "status": "completed", "to": "anonymous"})
    assert (stored.disposition, stored.kind) == ("quarantined", "no_number")


async def test_one_event_two_hundred_times_at_once_counts_once(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.place()
    stored = await asyncio.gather(*(desk.event(result(lease.attempt_id)) for _ in range(200)))
    assert sorted(s.disposition for s in stored) == ["applied"] + ["duplicate"] * 199
    assert {s.event_id for s in stored} == {stored[0].event_id}
    assert (await desk.lead(lead_id)).attempts == 1


async def test_an_event_may_come_before_the_report(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.lease_one()
    await go(desk, lease)
    assert (await desk.event(result(lease.attempt_id))).kind == "result"
    late = await desk.report(lease.attempt_id, ReportKind.PLACED, call_id="call-1")
    assert (late.state, late.changed, late.alarm) == ("ended", False, None)
    assert (await desk.lead(lead_id)).attempts == 1


async def test_an_event_names_its_call_where_it_names_no_attempt(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.place("call-7")
    assert (await desk.event(result(None, "call-7"))).kind == "result"
    assert await state_of(desk, lease.attempt_id) is AttemptState.ENDED


async def test_a_running_call_that_the_sweep_found_is_placed(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await bring_to(desk, lease, AttemptState.UNKNOWN)
    running = {"call_id": "call-1", "queue_status": "started", "metadata": {"attempt_id": str(lease.attempt_id)}}
    assert (await desk.event(running, EventSource.LOOKUP)).kind == "in_call"
    assert await state_of(desk, lease.attempt_id) is AttemptState.PLACED


RESULTS: dict[str, dict[str, Any]] = {
    "voicemail": {"status": "completed", "answered_by": "voicemail"},
    "callback": {"status": "completed", "answered_by": "human", "variables": {"callback_requested": True}},
    "no interest": {"status": "completed", "answered_by": "human", "pathway_tags": ["not interested"]},
    "stop": {"status": "completed", "answered_by": "human", "disposition_tag": "DO_NOT_CONTACT"},
}


@pytest.mark.parametrize("order", list(itertools.permutations(("voicemail", "callback", "no interest"))))
async def test_results_that_disagree_end_alike_in_any_order(desk: Desk, order: tuple[str, ...]) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.place()
    for name in order:
        await desk.event(result(lease.attempt_id, **RESULTS[name]))
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason, lead.outcomes) == ("completed", "not_interested", ["NOT_INTERESTED"])


async def test_a_stop_that_is_heard_later_still_counts(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.place()
    await desk.event(result(lease.attempt_id, **RESULTS["voicemail"]))
    assert (await desk.event(result(lease.attempt_id, **RESULTS["stop"]))).kind == "amended"
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason, lead.last_outcome) == ("completed", "dnc", "DO_NOT_CALL")


async def test_a_callback_time_that_comes_with_the_second_post_is_kept(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.place()
    await desk.event(result(lease.attempt_id, **RESULTS["callback"]))
    wanted = {"callback_requested": True, "callback_requested_at": "2026-01-07T15:30:00-05:00"}
    more = await desk.event(result(lease.attempt_id, **{**RESULTS["callback"], "variables": wanted}))
    assert (more.kind, more.outcome) == ("amended", "CALLBACK")
    assert (await desk.lead(lead_id)).status == "rescheduled"


LEDGER = "SELECT outcome, evidence, answered_by, talk_seconds, price_dollars, provider_ended_at FROM attempts"


async def test_richer_data_is_kept_whichever_comes_first(desk: Desk) -> None:
    phones = fresh_phones(2)
    for phone in phones:
        await desk.post_lead(phone)
    leases = await lease_all(desk, 2)
    poor: dict[str, Any] = {"status": "completed", "answered_by": None, "price": None}
    rich: dict[str, Any] = {
        "status": "completed",
        "answered_by": "human",
        "corrected_duration": "25",
        "price": 0.12,
        "end_at": (TUESDAY_NOON - timedelta(minutes=1)).isoformat(),
    }
    for phone, bodies in zip(phones, ((poor, rich), (rich, poor)), strict=True):
        await bring_to(desk, leases[phone], AttemptState.PLACED)
        for body in bodies:
            await desk.event(result(leases[phone].attempt_id, call_of(leases[phone]), to=phone, **body))
    one, other = await desk.fetch(LEDGER)
    assert tuple(one) == tuple(other)
    assert (one["outcome"], one["answered_by"], one["talk_seconds"], one["price_dollars"]) == (
        "CONFUSED",
        "human",
        25,
        0.12,
    )


async def test_after_a_sale_only_a_stop_is_heard(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    lease = await call(desk, status="completed", answered_by="human", disposition_tag="SALE")
    await desk.event(result(lease.attempt_id, **RESULTS["voicemail"]))
    await desk.event(result(None, "elsewhere", **RESULTS["callback"]))
    lead = await desk.lead(lead_id)
    assert (lead.status, lead.status_reason) == ("completed", "sale")
    await desk.event(result(lease.attempt_id, **RESULTS["stop"]))
    assert (await desk.lead(lead_id)).status_reason == "sale"
    assert len(await desk.fetch("SELECT FROM suppressions WHERE phone_number = $1", PHONE)) == 1


class Bug(Exception):
    """What nobody thought of."""


async def test_an_event_that_cannot_be_applied_is_kept_told_and_applied_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead_id = await due_lead(desk)
    lease = await desk.place()

    def buggy(*_: object) -> None:
        raise Bug("a null where none was ever seen")

    with monkeypatch.context() as patched:
        patched.setattr(inbox, "apply_event", buggy)
        stored = await desk.event(result(lease.attempt_id))
        assert (stored.disposition, stored.kind) == ("unapplied", None)
        assert await desk.service.apply_events() == {"events_applied": 0, "events_still_unapplied": 1}
    (kept,) = await desk.fetch("SELECT disposition, tries, problem FROM events")
    assert tuple(kept) == ("unapplied", 2, "Bug: a null where none was ever seen")
    assert await desk.alarms() == ["event_not_applied"]
    assert (await desk.lead(lead_id)).status == "calling"
    assert await desk.service.apply_events() == {"events_applied": 1, "events_still_unapplied": 0}
    assert (await desk.lead(lead_id)).outcomes == ["NO_ANSWER"]
    assert await desk.service.apply_events() == {"events_applied": 0, "events_still_unapplied": 0}


async def test_one_bad_event_spoils_none_of_its_group(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    phones = fresh_phones(5)
    for phone in phones:
        await desk.post_lead(phone)
    leases = await lease_all(desk, len(phones))
    for lease in leases.values():
        await go(desk, lease)
    real = apply_event

    def picky(applying: Any, incoming: Any, number: Any) -> Any:
        if number is not None and number.phone_number == phones[2]:
            raise Bug
        return real(applying, incoming, number)

    monkeypatch.setattr(inbox, "apply_event", picky)
    stored = await asyncio.gather(*(desk.event(result(leases[p].attempt_id, call_of(leases[p]), to=p)) for p in phones))
    assert [s.disposition for s in stored] == ["applied", "applied", "unapplied", "applied", "applied"]


async def test_results_of_one_number_that_arrive_together_are_applied_one_after_the_other(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    bodies = [result(None, f"elsewhere-{n}", start_at=str(n)) for n in range(8)]
    stored = await asyncio.gather(*(desk.event(body) for body in bodies))
    assert {s.kind for s in stored} == {"foreign"}
    lead = await desk.lead(lead_id)
    assert (lead.attempts, lead.status, lead.status_reason) == (8, "completed", "exhausted")
    rows = await desk.fetch("SELECT attempt_no FROM attempts ORDER BY attempt_no")
    assert [row["attempt_no"] for row in rows] == list(range(1, 9))
