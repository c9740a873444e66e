"""A lead that is called three times: four traces that know of each other, and nobody's number in any of them."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.observability.tracing.collector import Collector, Exported, collecting
from tests.support.phones import fresh_phone
from tests.support.simulated import step
from tests.support.stack import Stack
from tests.support.system import System, running, system_open

ATTEMPTS = 3
NEXT_ATTEMPT = timedelta(minutes=61)
FIRST_NAME, LAST_NAME, SENDER_LEAD_ID = "Wilhelmina", "Featherstonehaugh", "sender-77413"
OUTCOMES = ("NO_ANSWER", "VOICEMAIL", "NO_ANSWER")


@dataclass(frozen=True)
class Told:
    """The system's story of one lead."""

    collector: Collector
    phone: str
    lead: dict[str, Any]
    attempts: list[dict[str, Any]]
    logs: list[dict[str, Any]]
    raw_logs: str

    def lines(self, trace_id: str) -> list[tuple[str, str]]:
        """(process, event) of every line that carries a trace."""
        return [(line["process"], line["event"]) for line in self.logs if line.get("trace_id") == trace_id]


@pytest.fixture(scope="module")
def told(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Everything that was exported and logged, once all processes have ended."""
    folder = tmp_path_factory.mktemp("stack")
    with collecting() as collector:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "REDIAL_PROGRESSIVE_INTERVALS": "0,60,60"}
        with running(Stack(module_database_url, folder, settings)) as stack:
            phone, lead, attempts = asyncio.run(_call_three_times(stack))
        raw_logs = "".join(path.read_text(encoding="utf-8") for path in _logs(folder))
        logs = [json.loads(line) for line in raw_logs.splitlines() if line.startswith('{"at"')]
        yield Told(collector, phone, lead, attempts, logs, raw_logs)


def _logs(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.log")) if path.stem != "simulator"]


async def _call_three_times(stack: Stack) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    phone = fresh_phone()
    async with system_open(stack) as system:
        await system.simulator.script(phone, *(step(outcome) for outcome in OUTCOMES))
        async with system.dialer() as dialer:
            await system.add_lead(phone, first_name=FIRST_NAME, last_name=LAST_NAME, lead_id=SENDER_LEAD_ID)
            for number in range(ATTEMPTS):
                await _until_ended(system, phone, number + 1)
                if number + 1 < ATTEMPTS:
                    await system.jump(NEXT_ATTEMPT)
            assert await dialer.terminate() == 0
        await system.sweep()
        lead = dict(await system.db.fetchrow("SELECT * FROM leads WHERE phone_number = $1", phone) or {})
        attempts = await system.attempts(phone)
    for process in (stack.gateway, *stack.queues):  # what they still hold is sent at their end
        assert await process.terminate() == 0
    return phone, lead, attempts


async def _until_ended(system: System, phone: str, count: int) -> None:
    while len(await system.attempts(phone)) < count:
        await asyncio.sleep(0.05)
    await system.until_state(phone, "ended")


def _ids(traceparent: str) -> tuple[str, str]:
    _, trace_id, span_id, _ = traceparent.split("-")
    return trace_id, span_id


def _only(found: list[Exported]) -> Exported:
    (one,) = found
    return one


def test_the_leads_first_trace_goes_from_the_gateway_to_where_it_is_stored(told: Told) -> None:
    trace_id, stored_in = _ids(told.lead["traceparent"])
    received = _only(told.collector.find(trace_id, "POST /webhooks/{campaign}-outbound", "SERVER"))
    asked = _only(told.collector.find(trace_id, "POST /v1/leads", "CLIENT"))
    stored = _only(told.collector.find(trace_id, "POST /v1/leads", "SERVER"))
    assert (received.service, stored.service) == ("leadline-gateway", "leadline-queue")
    assert (received.parent_id, asked.parent_id, stored.parent_id) == ("", received.span_id, asked.span_id)
    assert stored.span_id == stored_in
    for span in (received, stored):
        assert span.attributes["leadline.lead_id"] == str(told.lead["id"])
        assert span.attributes["leadline.campaign"] == "awhealth"
    assert received.attributes["http.response.status_code"] == 202


def test_each_attempt_is_a_trace_linked_to_the_lead_and_to_the_attempt_before(told: Told) -> None:
    assert len(told.attempts) == ATTEMPTS
    first = _ids(told.lead["traceparent"])
    before: tuple[str, str] | None = None
    for number, attempt in enumerate(told.attempts, start=1):
        trace_id, span_id = _ids(attempt["traceparent"])
        root = _only([span for span in told.collector.trace(trace_id) if not span.parent_id])
        assert (root.name, root.service, root.kind, root.span_id) == ("lease", "leadline-queue", "PRODUCER", span_id)
        links = [("lead", *first)] + ([("previous_attempt", *before)] if before else [])
        assert list(root.links) == links
        assert root.attributes["leadline.attempt_id"] == str(attempt["id"])
        assert root.attributes["leadline.lead_id"] == str(told.lead["id"])
        assert root.attributes["leadline.attempt_no"] == number
        assert root.attributes["leadline.delay_seconds"] >= 0
        before = trace_id, span_id
    traces = {first[0], *(_ids(attempt["traceparent"])[0] for attempt in told.attempts)}
    assert len(traces) == ATTEMPTS + 1


def test_everything_about_an_attempt_is_in_its_trace(told: Told) -> None:
    for attempt, outcome in zip(told.attempts, OUTCOMES, strict=True):
        trace_id, root = _ids(attempt["traceparent"])

        def find(name: str, kind: str = "INTERNAL", trace_id: str = trace_id) -> Exported:
            return _only(told.collector.find(trace_id, name, kind))

        dial, placed = find("dial", "CONSUMER"), find("POST /v1/calls", "CLIENT")
        received, stored = find("receive event", "CONSUMER"), find("POST /v1/events", "SERVER")
        mark, report, decide = find("mark"), find("report"), find("decide")
        assert {span.parent_id for span in (dial, mark, report, decide)} == {root}
        assert {span.parent_id for span in (placed, received, find("ask for mark"))} == {dial.span_id}
        assert stored.parent_id == find("POST /v1/events", "CLIENT").span_id
        assert placed.attributes["peer.service"] == "bland"
        assert [span.service for span in (dial, received, stored, decide)] == [
            "leadline-dialer",
            "leadline-gateway",
            "leadline-queue",
            "leadline-queue",
        ]
        assert mark.attributes["leadline.answer"] == "go"
        assert report.attributes["leadline.report"] == "placed"
        assert decide.attributes["leadline.outcome"] == outcome
        assert decide.attributes["leadline.due_at"] > attempt["leased_at"].isoformat()
        assert decide.attributes["leadline.attempt_id"] == str(attempt["id"])
        assert not [span for span in told.collector.trace(trace_id) if span.failed]


def test_an_event_is_linked_to_the_request_that_brought_it(told: Told) -> None:
    requests = {
        (span.trace_id, span.span_id): span
        for span in told.collector.spans
        if span.name == "POST /webhooks/bland-callback"
    }
    for attempt in told.attempts:
        received = _only(told.collector.find(_ids(attempt["traceparent"])[0], "receive event"))
        ((what, *request),) = received.links
        assert what == "delivery"
        assert requests[request[0], request[1]].parent_id == ""


def test_the_wait_for_leads_is_no_span(told: Told) -> None:
    assert not [span for span in told.collector.spans if "/v1/leases" in span.name]


def test_requests_for_many_attempts_have_traces_of_their_own(told: Told) -> None:
    attempts = {_ids(attempt["traceparent"])[0] for attempt in told.attempts}
    for name in ("POST /v1/send-marks", "POST /v1/reports"):
        spans = [span for span in told.collector.spans if span.name == name]
        assert {span.kind for span in spans} == {"CLIENT", "SERVER"}
        assert not {span.trace_id for span in spans} & attempts


def test_a_sweep_is_one_trace(told: Told) -> None:
    root = _only([span for span in told.collector.spans if span.name == "sweep"])
    asked = {span.service for span in told.collector.trace(root.trace_id)}
    assert asked == {"leadline-sweep", "leadline-queue"}


def test_nobodys_number_or_name_is_anywhere(told: Told) -> None:
    exported = b"".join(told.collector.bodies).decode("latin-1")
    secrets = (told.phone, told.phone.removeprefix("+1"), FIRST_NAME, LAST_NAME, SENDER_LEAD_ID, "Sell a health plan")
    for text in (exported, told.raw_logs):
        assert not [secret for secret in secrets if secret.casefold() in text.casefold()]
        assert not re.findall(r"\+1[2-9]\d{9}", text)
    assert f"+1******{told.phone[-4:]}" in told.raw_logs


def test_the_logs_of_an_attempt_share_its_trace(told: Told) -> None:
    for attempt in told.attempts:
        trace_id, _ = _ids(attempt["traceparent"])
        assert sorted(told.lines(trace_id)) == sorted(
            [
                ("queue", "lead_leased"),
                ("queue", "attempt_marked"),
                ("dialer", "call_placed"),
                ("queue", "attempt_reported"),
                ("gateway", "event_stored"),
                ("queue", "attempt_decided"),
            ]
        )
    trace_id, _ = _ids(told.lead["traceparent"])
    assert sorted(told.lines(trace_id)) == [("gateway", "lead_stored"), ("queue", "lead_decided")]


def test_lines_about_an_attempt_say_which(told: Told) -> None:
    ids = [str(attempt["id"]) for attempt in told.attempts]
    for event in ("lead_leased", "attempt_marked", "call_placed", "attempt_reported", "attempt_decided"):
        lines = [line for line in told.logs if line["event"] == event]
        assert [line["attempt_id"] for line in lines] == ids, event
        assert {len(line["span_id"]) for line in lines} == {16}
    decided = [line for line in told.logs if line["event"] == "attempt_decided"]
    assert [line["outcome"] for line in decided] == list(OUTCOMES)
    assert all(line["due_at"] and line["status"] for line in decided)
