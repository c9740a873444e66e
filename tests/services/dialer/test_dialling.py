"""From lease to report: one mark, one POST, one report, and nothing after a no."""

import asyncio
from typing import Any

import pytest

from leadline.contracts.leases import AttemptReport, ReportKind
from tests.services.dialer.conftest import Stage, until
from tests.services.dialer.fake_bland import Told
from tests.services.dialer.fake_queue import NUMBER, go, no, wait


async def test_a_lead_is_called_and_reported(stage: Stage) -> None:
    await stage.start()
    (attempt,) = stage.queue.add(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    await until(lambda: stage.queue.reports)
    (post,) = stage.bland.posts
    assert post["phone_number"] == NUMBER
    assert post["metadata"]["attempt_id"] == str(attempt)
    assert post["metadata"]["traceparent"].startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert post["request_data"] == {"first_name": "Maria"}
    assert post["webhook"] == "https://leads.example/webhooks/bland-callback"
    assert "retry" not in post
    assert stage.queue.reports == [AttemptReport(attempt_id=attempt, kind=ReportKind.PLACED, call_id="call-1")]


ANSWERS: dict[str, tuple[Told, dict[str, Any]]] = {
    "500": (Told(500), {"kind": "doubt", "message": "http_500", "http_status": 500}),
    "reset": (Told(0), {"kind": "doubt", "message": "connection_lost", "http_status": None}),
    "dnc": (
        Told(400, {"status": "DNC Error", "message": "Number found in DNC list"}),
        {"kind": "rejected", "rejection": "dnc", "http_status": 400},
    ),
    "bad number": (
        Told(429, {"status": "error", "message": "This number is blacklisted."}),
        {"kind": "rejected", "rejection": "bad_number", "http_status": 429},
    ),
    "account": (Told(402, {"message": "Insufficient balance."}), {"kind": "rejected", "rejection": "account"}),
    "campaign": (Told(404, {"message": "Pathway not found"}), {"kind": "rejected", "rejection": "campaign"}),
    "capacity": (
        Told(429, {"message": "Rate limit exceeded"}, {"Retry-After": "7"}),
        {"kind": "rejected", "rejection": "capacity", "retry_after_seconds": 7.0},
    ),
    "same number": (
        Told(429, {"message": "Calls can only be sent every 10 seconds to the same number"}),
        {"kind": "doubt", "message": "same_number_rule"},
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_every_answer_is_reported_once(stage: Stage, name: str) -> None:
    stage.bland.told, expected = ANSWERS[name]
    await stage.start()
    (attempt,) = stage.queue.add()
    await until(lambda: stage.queue.reports)
    (report,) = stage.queue.reports
    assert report.attempt_id == attempt
    assert expected.items() <= report.model_dump(mode="json").items()
    assert len(stage.bland.posts) == 1


async def test_provider_away_is_not_sent(stage: Stage) -> None:
    stage.bland.port = 1
    await stage.start()
    stage.queue.add()
    await until(lambda: stage.queue.reports)
    assert (stage.queue.reports[0].kind, stage.queue.reports[0].message) == (ReportKind.NOT_SENT, "connect_failed")


async def test_go_is_asked_for_the_group(stage: Stage) -> None:
    stage.queue.add(30)
    await stage.start(concurrency=30)
    await until(lambda: len(stage.queue.reports) == 30)
    assert len(stage.queue.mark_requests) == 1
    assert len({str(report.attempt_id) for report in stage.queue.reports}) == 30
    assert sorted(stage.bland.attempts()) == sorted(str(a) for a in stage.queue.mark_requests[0].attempt_ids)


async def test_no_is_dropped_without_a_report_and_frees_the_slot(stage: Stage) -> None:
    stage.queue.marks_by_turn = [no]
    await stage.start(concurrency=1)
    refused, called = stage.queue.add()[0], stage.queue.add()[0]
    await until(lambda: stage.queue.reports)
    assert stage.bland.attempts() == [str(called)]
    assert stage.queue.reports_of(refused) == []


async def test_wait_asks_again_with_a_new_operation_id(stage: Stage) -> None:
    stage.queue.marks_by_turn = [wait(), wait()]
    await stage.start()
    (attempt,) = stage.queue.add()
    await until(lambda: stage.queue.reports)
    assert [request.attempt_ids for request in stage.queue.mark_requests] == [[attempt]] * 3
    assert len({request.operation_id for request in stage.queue.mark_requests}) == 3
    assert stage.queue.kinds() == [ReportKind.PLACED]


async def test_a_lease_that_runs_out_while_waiting_is_given_back(stage: Stage) -> None:
    stage.queue.mark = wait(50)
    await stage.start()
    stage.queue.add(lease_seconds=1.2)
    await until(lambda: stage.queue.reports)
    assert stage.queue.kinds() == [ReportKind.RETURNED]
    assert stage.bland.posts == []


async def test_an_unanswered_go_is_repeated_with_the_same_operation_id(stage: Stage) -> None:
    stage.queue.failing["send-marks"] = 503
    await stage.start()
    stage.queue.add()
    await until(lambda: len(stage.queue.mark_requests) >= 3)
    del stage.queue.failing["send-marks"]
    await until(lambda: stage.queue.reports)
    assert len({request.operation_id for request in stage.queue.mark_requests}) == 1
    assert stage.queue.kinds() == [ReportKind.PLACED]


async def test_the_gate_counts_from_before_the_first_question(stage: Stage) -> None:
    """The answer took longer than the send window: nothing may be sent."""

    async def slowly() -> None:
        await asyncio.sleep(0.3)

    stage.queue.before_mark = slowly
    stage.queue.mark = go(send_within_ms=200)
    await stage.start()
    stage.queue.add()
    await until(lambda: stage.queue.reports)
    assert (stage.queue.reports[0].kind, stage.queue.reports[0].message) == (ReportKind.NOT_SENT, "gate_closed")
    assert stage.bland.posts == []


async def test_a_go_that_nobody_answers_is_not_sent(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.dialer.marks.DEADLINE_SECONDS", 0.2)
    stage.queue.failing["send-marks"] = 503
    await stage.start()
    stage.queue.add()
    await until(lambda: stage.queue.reports)
    assert (stage.queue.reports[0].kind, stage.queue.reports[0].message) == (ReportKind.NOT_SENT, "mark_unanswered")
    assert stage.bland.posts == []


async def test_pace_is_waited_for(stage: Stage) -> None:
    stage.queue.mark = go(send_after_ms=300, send_within_ms=5000)
    await stage.start()
    stage.queue.add()
    await until(lambda: stage.queue.mark_requests)
    asked_at = asyncio.get_running_loop().time()
    await until(lambda: stage.bland.posts)
    assert asyncio.get_running_loop().time() - asked_at > 0.2


async def test_a_campaign_that_is_not_configured(stage: Stage) -> None:
    await stage.start()
    stage.queue.add(campaign="solar")
    await until(lambda: stage.queue.reports)
    assert stage.queue.reports[0].message == "campaign_not_configured"
    assert stage.queue.mark_requests == []


async def test_slots_bound_what_is_in_hand(stage: Stage) -> None:
    held = asyncio.Event()
    stage.bland.told = Told(held=held)
    stage.queue.add(10)
    await stage.start(concurrency=3, provider_timeout_seconds=30)
    await until(lambda: len(stage.bland.posts) == 3)
    await asyncio.sleep(0.1)
    assert (len(stage.bland.posts), len(stage.queue.due)) == (3, 7)
    held.set()
    await until(lambda: len(stage.queue.reports) == 10)
    assert stage.queue.most_in_hand == 3
    assert all(request.slots <= 3 for request in stage.queue.lease_requests)


async def test_reports_outlive_the_queue_service_and_hold_their_slots(stage: Stage) -> None:
    stage.queue.failing["reports"] = 503
    stage.queue.add(5)
    await stage.start(concurrency=2)
    await until(lambda: stage.queue.failures > 2)
    assert len(stage.bland.posts) == 2
    del stage.queue.failing["reports"]
    await until(lambda: len(stage.queue.reports) == 5)
    assert sorted(stage.bland.attempts()) == sorted(str(report.attempt_id) for report in stage.queue.reports)


async def test_a_poison_report_does_not_keep_the_others_back(stage: Stage) -> None:
    attempts = stage.queue.add(5)
    stage.queue.refuse_report = lambda report: report.attempt_id == attempts[2]
    await stage.start()
    await until(lambda: len(stage.queue.reports) == 4)
    await stage.drain()
    assert attempts[2] not in {report.attempt_id for report in stage.queue.reports}


async def test_a_queue_service_that_comes_back(stage: Stage) -> None:
    stage.queue.failing["leases"] = 503
    stage.queue.add()
    await stage.start()
    await until(lambda: stage.queue.failures > 3)
    del stage.queue.failing["leases"]
    await until(lambda: stage.queue.reports)
    assert stage.queue.kinds() == [ReportKind.PLACED]
