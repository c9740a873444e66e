"""Decisions are told once each, when they are committed: a line, and a span of the attempt's trace."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from leadline.contracts.leases import Lease, RejectionClass, ReportKind
from leadline.domain.ids import PhoneNumber
from leadline.runtime.logging import configure_logging
from leadline.runtime.postgres import Pool
from leadline.runtime.tracing import set_up_tracing
from leadline.store.connection import Connection
from services.queue_service import operating
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.scenes import call, campaign, due_lead, end_lease, go, policy_with
from tests.services.queue_service.web import BECAUSE, Web
from tests.support.spans import Spans, exported_spans, tracing_restored

MASKED = "+1******0123"
WORDS = "I am Maria, stop calling 561-555-0123"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Lines:
    """What was logged so far."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    def events(self) -> list[str]:
        return [line["event"] for line in self.all()]

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def one(self, event: str) -> dict[str, Any]:
        (found,) = [line for line in self.all() if line["event"] == event]
        return found

    def forget(self) -> None:
        self._stream.seek(0)
        self._stream.truncate()


@pytest.fixture
def lines() -> Iterator[Lines]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("queue", log_format="json", stream=stream)
    yield Lines(stream)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def spans() -> Iterator[Spans]:
    with exported_spans() as made:
        yield made


def chosen(line: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(line.get(name) for name in names)


async def test_the_life_of_an_attempt_is_five_lines(desk: Desk, lines: Lines) -> None:
    lead_id = await due_lead(desk, first_name="Maria")
    await desk.set_now(TUESDAY_NOON + timedelta(seconds=40))
    lease = await call(desk)
    assert lines.events() == [
        "lead_decided",
        "lead_leased",
        "attempt_marked",
        "attempt_reported",
        "attempt_decided",
    ]
    received, leased, marked, reported, decided = lines.all()
    for line in (leased, marked, reported, decided):
        about = chosen(line, "attempt_id", "lead_id", "attempt_no", "campaign", "phone", "level")
        assert about == (str(lease.attempt_id), str(lead_id), 1, "awhealth", MASKED, "info")
    assert chosen(received, "kind", "lead_id", "status", "phone") == ("received", str(lead_id), "pending", MASKED)
    assert leased["dialer"] == "d1"
    assert 39 < leased["delay_seconds"] < 60
    assert chosen(marked, "answer", "send_after_ms", "due_at") == ("go", 0, None)
    assert chosen(reported, "report", "state", "changed", "due_at") == ("placed", "placed", True, None)
    assert chosen(decided, "kind", "outcome", "status") == ("result", "NO_ANSWER", "pending")
    assert decided["due_at"] == (await desk.lead(lead_id)).next_redial_at.isoformat()  # type: ignore[union-attr]  # it is due again
    assert PHONE not in lines.text
    assert "Maria" not in lines.text


async def test_a_repetition_decides_nothing(desk: Desk, lines: Lines) -> None:
    lead_id = await due_lead(desk)
    lease, operation_id = await desk.lease_one(), uuid4()
    await desk.mark(lease.attempt_id, operation_id=operation_id)
    event = result(lease.attempt_id)
    await desk.event(event)
    lines.forget()
    await desk.mark(lease.attempt_id, operation_id=operation_id)
    await desk.event(event)
    await desk.event({**event, "again": True})
    assert (await desk.post_lead()).id == lead_id
    assert lines.events() == []


async def test_a_refusal_at_the_mark_has_every_reason_and_says_when_again(web: Web, lines: Lines) -> None:
    desk = web.desk
    await due_lead(desk)
    lease = await desk.lease_one()
    await web.change("PUT", f"/v1/suppressions/{PHONE}", {"reason": WORDS, "source": "operator"})
    lines.forget()
    await desk.mark(lease.attempt_id)
    line = lines.one("attempt_refused")
    assert chosen(line, "answer", "status", "status_reason", "due_at") == ("no", "completed", "dnc", None)
    assert {"status_completed", "suppressed"} <= set(line["reasons"])
    assert chosen(line, "attempt_id", "phone") == (str(lease.attempt_id), MASKED)


async def test_a_gate_refuses_with_its_own_reason(web: Web, lines: Lines) -> None:
    await due_lead(web.desk)
    lease = await web.desk.lease_one()
    await web.change("POST", "/v1/campaigns/awhealth/pause", BECAUSE)
    await web.desk.mark(lease.attempt_id)
    line = lines.one("attempt_refused")
    assert chosen(line, "reasons", "status") == (["campaign_paused"], "pending")
    assert line["due_at"]
    assert chosen(lines.one("campaign_paused"), "actor", "campaign") == ("operator", "awhealth")


async def test_a_refusal_at_the_lease_says_what_the_lead_waits_for(pool: Pool, lines: Lines) -> None:
    async with desk_open(pool, policy_with(campaign(max_daily_attempts=1))) as desk:
        lead_id = await due_lead(desk)
        await call(desk)
        await desk.pool.execute("UPDATE due_leads SET due_at = business_now()")
        assert (await desk.lease(1, 0.5)).leases == []
    line = lines.one("lead_refused")
    assert chosen(line, "lead_id", "reasons", "status", "phone") == (
        str(lead_id),
        ["too_soon", "day_cap_reached"],
        "pending",
        MASKED,
    )


async def test_a_rejection_is_told_by_its_class_and_not_by_its_words(desk: Desk, lines: Lines) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await go(desk, lease)
    await desk.report(
        lease.attempt_id, ReportKind.REJECTED, rejection=RejectionClass.BAD_NUMBER, http_status=400, message=WORDS
    )
    told = chosen(lines.one("attempt_reported"), "report", "rejection", "http_status", "status", "status_reason")
    assert told == ("rejected", "bad_number", 400, "completed", "bad_number")
    assert "Maria" not in lines.text


async def test_what_time_alone_ends_is_told(desk: Desk, lines: Lines) -> None:
    await due_lead(desk)
    await desk.lease_one()
    await end_lease(desk)
    await desk.service.expire()
    assert chosen(lines.one("attempt_expired"), "state", "status") == ("released", "pending")


async def test_a_sweep_that_learns_nothing_says_nothing(desk: Desk, lines: Lines) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await go(desk, lease)
    await desk.report(lease.attempt_id, ReportKind.DOUBT, message="timeout")
    lines.forget()
    for kind in (ReportKind.UNREACHABLE, ReportKind.ABSENT, ReportKind.INCONCLUSIVE):
        await desk.report(lease.attempt_id, kind)
    assert lines.events() == []


async def test_calls_that_are_not_ours_decide_about_leads(desk: Desk, lines: Lines) -> None:
    lead_id = await due_lead(desk)
    lines.forget()
    await desk.event(result(None, "call-7"))
    line = lines.one("lead_decided")
    assert chosen(line, "kind", "outcome", "lead_id", "attempt_id") == ("foreign", "NO_ANSWER", str(lead_id), None)
    lines.forget()
    await desk.event(result(None, "call-8", inbound=True, to="+15615550900", **{"from": PHONE}))
    assert chosen(lines.one("lead_decided"), "kind", "lead_id") == ("inbound", str(lead_id))


async def test_what_operators_do_is_told_without_their_words(web: Web, lines: Lines) -> None:
    lead_id = await due_lead(web.desk)
    for verb, status in (("pause", "paused"), ("resume", "pending"), ("complete", "completed"), ("reopen", "pending")):
        lines.forget()
        answer = await web.change("POST", f"/v1/leads/{lead_id}/{verb}", {"reason": WORDS})
        assert answer.status == 200, answer.body
        line = lines.one("lead_decided")
        assert chosen(line, "kind", "actor", "lead_id", "status") == (verb, "operator", str(lead_id), status)
        assert "Maria" not in lines.text
    await web.change("PUT", f"/v1/suppressions/{PHONE}", {"reason": WORDS, "source": "operator"})
    assert chosen(lines.one("number_suppressed"), "actor", "phone") == ("operator", MASKED)
    await web.change("DELETE", f"/v1/suppressions/{PHONE}", {"reason": WORDS})
    assert lines.one("suppression_removed")["phone"] == MASKED
    assert "Maria" not in lines.text
    assert "555-0123" not in lines.text


async def test_what_is_rolled_back_is_not_told(desk: Desk, lines: Lines) -> None:
    await due_lead(desk)
    lines.forget()

    async def suppress(conn: Connection) -> None:
        await operating.suppress(conn, desk.service.policy, PhoneNumber(PHONE), WORDS, "operator", "operator")

    await desk.service.rehearse(suppress)
    assert lines.events() == []


async def test_every_line_of_an_attempt_has_its_trace_though_nothing_is_exported(desk: Desk, lines: Lines) -> None:
    with tracing_restored():
        set_up_tracing("queue")
        await due_lead(desk)
        lease = await call(desk)
    assert lease.traceparent is not None
    _, *told = lines.all()
    assert {line["trace_id"] for line in told} == {lease.traceparent.split("-")[1]}
    assert told[0]["span_id"] == lease.traceparent.split("-")[2]
    assert len({line["span_id"] for line in told}) == len(told)


async def _call_again(desk: Desk, number: int) -> Lease:
    await desk.set_now(TUESDAY_NOON + timedelta(hours=number))
    return await call(desk, f"call-{number}")


async def test_a_later_attempt_links_to_the_last_that_got_its_mark(desk: Desk, spans: Spans) -> None:
    lead_id = await due_lead(desk)
    await desk.pool.execute("UPDATE leads SET traceparent = $1", TRACEPARENT)
    first = await _call_again(desk, 1)
    await desk.set_now(TUESDAY_NOON + timedelta(hours=2))
    unused = await desk.lease_one()
    await desk.report(unused.attempt_id, ReportKind.RETURNED)
    second = await _call_again(desk, 3)
    roots = {f"{made.context.span_id:016x}": made for made in spans.all() if made.name == "lease" and made.context}
    linked = {
        lease.attempt_id: [f"{link.context.span_id:016x}" for link in roots[_span_id(lease)].links]
        for lease in (first, second)
    }
    lead = TRACEPARENT.split("-")[2]
    assert linked == {first.attempt_id: [lead], second.attempt_id: [lead, _span_id(first)]}
    told = roots[_span_id(second)].attributes or {}
    assert (told["leadline.lead_id"], told["leadline.attempt_no"]) == (str(lead_id), 2)
    assert not [made for made in spans.all() if PHONE.removeprefix("+1") in made.to_json()]


def _span_id(lease: Lease) -> str:
    assert lease.traceparent is not None
    return lease.traceparent.split("-")[2]
