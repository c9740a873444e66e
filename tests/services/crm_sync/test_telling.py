"""The outbox: every message reaches the CRM at least once, and what became of it reaches the queue-service."""

import asyncio

import pytest

from leadline.contracts.crm import OutboxKind, SendResult
from services.crm_sync import carrying
from tests.services.crm_sync.conftest import Stage, until
from tests.services.crm_sync.fake_queue import NUMBER

UPDATE, INSERT = "leads/update", "dnc/insert"


async def test_a_result_is_told_and_reported(stage: Stage) -> None:
    await stage.start()
    message = stage.queue.add("VOICEMAIL", crm_lead_id="410233")
    await until(lambda: stage.queue.results)
    (form,) = stage.convoso.forms(UPDATE)
    assert (form["lead_id"], form["list_id"], form["status"]) == ("410233", "9", "A")
    assert (form["call_summary"], form["call_duration"]) == ("Left a message.", "25")
    (result,) = stage.queue.of(message)
    assert (result.result, result.problem) == (SendResult.SENT, None)


async def test_a_suppression_is_told_and_needs_no_lead(stage: Stage) -> None:
    await stage.start()
    stage.queue.add(None, kind=OutboxKind.SUPPRESSION, reason="said stop", crm_lead_id=None, crm_list_id=None)
    await until(lambda: stage.queue.results)
    (form,) = stage.convoso.forms(INSERT)
    assert (form["phone_number"], form["reason"]) == (NUMBER.removeprefix("+1"), "said stop")
    assert stage.queue.results[0].result is SendResult.SENT


@pytest.mark.parametrize("crm_lead_id", [None, ""])
async def test_a_lead_without_an_id_of_the_crm_is_a_dead_letter(stage: Stage, crm_lead_id: str | None) -> None:
    await stage.start()
    stage.queue.add(crm_lead_id=crm_lead_id)
    await until(lambda: stage.queue.results)
    (result,) = stage.queue.results
    assert (result.result, result.problem) == (SendResult.REFUSED, "the lead has no id of the CRM")
    assert stage.convoso.forms(UPDATE) == []


async def test_what_the_crm_refuses_holds_back_nobody(stage: Stage) -> None:
    stage.convoso.refusals = {"lead-1": 6001}
    await stage.start()
    refused, told = stage.queue.add(), stage.queue.add()
    await until(lambda: len(stage.queue.results) == 2)
    assert stage.queue.of(told)[0].result is SendResult.SENT
    assert stage.queue.of(refused)[0].result is SendResult.REFUSED
    assert "6001" in (stage.queue.of(refused)[0].problem or "")


async def test_an_outcome_of_a_newer_version_waits_for_it(stage: Stage) -> None:
    await stage.start()
    stage.queue.add("RANG_TWICE")
    await until(lambda: stage.queue.results)
    assert (stage.queue.results[0].result, stage.convoso.forms(UPDATE)) == (SendResult.LATER, [])


@pytest.mark.parametrize("failing", [500, 503, 429, 403])
async def test_a_crm_that_is_away_loses_nothing_and_catches_up(stage: Stage, failing: int) -> None:
    messages = [stage.queue.add() for _ in range(20)]
    stage.convoso.failing = failing
    await stage.start(batch=5)
    await until(lambda: len(stage.queue.results) >= 5)
    assert {result.result for result in stage.queue.results} == {SendResult.LATER}
    stage.convoso.failing = 0
    sent = SendResult.SENT
    await until(lambda: all(any(r.result is sent for r in stage.queue.of(message)) for message in messages))
    assert (stage.queue.waiting, stage.queue.taken) == ([], {})


async def test_a_crm_that_is_away_is_tried_by_one_message_at_a_time(stage: Stage) -> None:
    for _ in range(50):
        stage.queue.add()
    stage.convoso.failing = 503
    await stage.start(batch=10)
    await until(lambda: len(stage.queue.takes) >= 4)
    assert stage.queue.takes[0].limit == 10
    assert {take.limit for take in stage.queue.takes[2:]} == {1}


async def test_a_slow_crm_holds_back_taking(stage: Stage) -> None:
    for _ in range(40):
        stage.queue.add()
    stage.convoso.held = asyncio.Event()
    await stage.start(batch=8, convoso_timeout_seconds=60, convoso_concurrency=4)
    # The first reading of the statuses is held as well.
    await until(lambda: stage.convoso.in_flight)
    held, stage.convoso.held = stage.convoso.held, None
    held.set()
    await until(lambda: len(stage.queue.results) == 40)
    assert stage.queue.most_taken <= 8


async def test_messages_are_told_side_by_side(stage: Stage) -> None:
    await stage.start(convoso_concurrency=8, convoso_timeout_seconds=60)
    await until(lambda: stage.queue.tables)
    stage.convoso.held = asyncio.Event()
    for _ in range(8):
        stage.queue.add()
    await until(lambda: stage.convoso.in_flight == 8)
    stage.convoso.held.set()
    await until(lambda: len(stage.queue.results) == 8)


async def test_a_queue_service_that_is_away_is_waited_for(stage: Stage) -> None:
    stage.queue.failing["outbox/take"] = 503
    await stage.start()
    await until(lambda: stage.queue.failures >= 2)
    stage.queue.add()
    stage.queue.failing.clear()
    await until(lambda: stage.queue.results)


async def test_a_report_is_repeated_until_it_is_taken(stage: Stage) -> None:
    stage.queue.failing["outbox/report"] = 503
    await stage.start()
    stage.queue.add()
    await until(lambda: stage.queue.failures >= 2)
    stage.queue.failing.clear()
    await until(lambda: stage.queue.results)
    assert len(stage.convoso.forms(UPDATE)) == 1


async def test_one_report_that_is_refused_keeps_no_other_back(stage: Stage) -> None:
    wrong = stage.queue.add()
    others = [stage.queue.add() for _ in range(5)]
    stage.queue.refuse_report = lambda result: result.id == wrong
    await stage.start()
    await until(lambda: all(stage.queue.of(message) for message in others))
    assert stage.queue.of(wrong) == []
    stage.queue.refuse_report = lambda _: False
    stage.queue.come_back()
    await until(lambda: stage.queue.of(wrong))


async def test_nothing_is_told_after_somebody_else_may_have_taken_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(carrying, "SETTLE_SECONDS", carrying.TAKEN_SECONDS - 3)
    await stage.start(convoso_timeout_seconds=60)
    await until(lambda: stage.queue.tables)
    stage.convoso.held = asyncio.Event()
    message = stage.queue.add()
    await until(lambda: stage.convoso.in_flight)
    await until(lambda: "crm_work_took_too_long" in caplog.messages)
    assert (stage.queue.of(message), list(stage.queue.taken)) == ([], [message])
    stage.convoso.held.set()
    stage.queue.come_back()
    await until(lambda: stage.queue.of(message))


async def test_no_log_line_holds_a_number_in_full(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        await stage.start()
        stage.queue.add()
        stage.queue.add(None, kind=OutboxKind.SUPPRESSION, reason="said stop")
        stage.queue.ask()
        await until(lambda: len(stage.queue.results) == 2 and stage.queue.answers)
    told = str([vars(record) for record in caplog.records])
    assert "crm_message_told" in told
    assert NUMBER.removeprefix("+1") not in told
