"""The CRM is asked between lease and `go?` where the lease says so, and its word goes with the question."""

import asyncio

import pytest

from leadline.contracts.crm import Clearance
from leadline.contracts.leases import ReportKind
from leadline.domain.crm import CrmStanding
from services.dialer import clearing, statuses
from tests.services.dialer.conftest import Stage, until
from tests.services.dialer.fake_queue import NUMBER, no, wait

SEARCH = "leads/search"
OTHER = "+18135550142"


def clearances(stage: Stage) -> list[list[Clearance]]:
    return [request.clearances for request in stage.queue.mark_requests]


async def test_a_lease_that_needs_no_word_is_not_asked_about(stage: Stage) -> None:
    await stage.start()
    stage.queue.add()
    await until(lambda: stage.queue.reports)
    assert stage.convoso.forms(SEARCH) == []
    assert clearances(stage) == [[]]


async def test_an_open_number_is_cleared_and_dialled(stage: Stage) -> None:
    stage.convoso.lead(NUMBER, "A")
    await stage.start()
    (attempt,) = stage.queue.add(clearance_needed=True)
    await until(lambda: stage.queue.reports)
    ((word,),) = clearances(stage)
    assert (word.attempt_id, word.standing, word.status) == (attempt, CrmStanding.OPEN, "A")
    assert (word.crm_lead_id, word.crm_list_id) == ("77", "9")
    assert stage.queue.kinds() == [ReportKind.PLACED]


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("SALE", CrmStanding.SALE),
        ("ACA", CrmStanding.ACA),
        ("DNCA", CrmStanding.DNC),
        ("NI", CrmStanding.FINAL),
        ("NOTLISTED", CrmStanding.UNKNOWN),
    ],
)
async def test_every_word_is_the_queue_services_to_judge(stage: Stage, status: str, standing: CrmStanding) -> None:
    stage.convoso.lead(NUMBER, status)
    stage.queue.mark = no
    await stage.start()
    (attempt,) = stage.queue.add(clearance_needed=True)
    await until(lambda: stage.queue.mark_requests)
    ((word,),) = clearances(stage)
    assert (word.attempt_id, word.standing) == (attempt, standing)
    await stage.drain()
    assert stage.bland.posts == []


@pytest.mark.parametrize("failing", [429, 500, 403])
async def test_a_crm_that_does_not_say_is_unknown_with_the_reason(stage: Stage, failing: int) -> None:
    stage.convoso.failing = failing
    stage.queue.mark = no
    await stage.start()
    stage.queue.add(clearance_needed=True)
    await until(lambda: stage.queue.mark_requests)
    ((word,),) = clearances(stage)
    assert word.standing is CrmStanding.UNKNOWN
    assert word.problem
    assert NUMBER.removeprefix("+1") not in word.problem


async def test_without_a_token_nothing_is_learned(stage: Stage) -> None:
    stage.queue.mark = no
    await stage.start(convoso_auth_token=None)
    stage.queue.add(clearance_needed=True)
    await until(lambda: stage.queue.mark_requests)
    ((word,),) = clearances(stage)
    assert word.standing is CrmStanding.UNKNOWN
    assert stage.convoso.asked == []


async def test_a_silent_crm_holds_up_no_other_lease_and_is_unknown_in_time(stage: Stage) -> None:
    stage.convoso.held = asyncio.Event()
    await stage.start(convoso_timeout_seconds=60)
    (waiting,) = stage.queue.add(clearance_needed=True, lease_seconds=4)
    await until(lambda: stage.convoso.in_flight)
    (other,) = stage.queue.add(phone_number=OTHER)
    await until(lambda: stage.queue.reports_of(other))
    assert stage.queue.reports_of(waiting) == []
    stage.queue.mark = no
    await until(lambda: len(stage.queue.mark_requests) == 2)
    (word,) = stage.queue.mark_requests[1].clearances
    assert (word.attempt_id, word.standing) == (waiting, CrmStanding.UNKNOWN)
    assert stage.bland.attempts() == [str(other)]


async def test_a_lease_that_runs_out_while_asking_is_given_back(stage: Stage) -> None:
    stage.convoso.held = asyncio.Event()
    await stage.start(convoso_timeout_seconds=60)
    (attempt,) = stage.queue.add(clearance_needed=True, lease_seconds=1.5)
    await until(lambda: stage.queue.reports)
    (report,) = stage.queue.reports
    assert (report.attempt_id, report.kind, report.message) == (attempt, ReportKind.RETURNED, "lease_ran_out")
    assert stage.queue.mark_requests == []


async def test_a_stop_order_while_asking_sends_nothing(stage: Stage) -> None:
    stage.convoso.held = asyncio.Event()
    await stage.start(convoso_timeout_seconds=60)
    (attempt,) = stage.queue.add(clearance_needed=True)
    await until(lambda: stage.convoso.in_flight)
    order = stage.queue.order_stop(attempt)
    await until(lambda: stage.queue.stop_reports and stage.queue.reports)
    assert stage.queue.stop_reports[order.id].message == "nothing was sent"
    assert [(r.kind, r.message) for r in stage.queue.reports_of(attempt)] == [(ReportKind.RETURNED, "stop_order")]
    assert (stage.queue.mark_requests, stage.bland.posts) == ([], [])


async def test_a_drain_while_asking_gives_the_lease_back_at_once(stage: Stage) -> None:
    stage.convoso.held = asyncio.Event()
    await stage.start(convoso_timeout_seconds=60, drain_seconds=100)
    stage.queue.add(clearance_needed=True)
    await until(lambda: stage.convoso.in_flight)
    await stage.drain()
    assert [(report.kind, report.message) for report in stage.queue.reports] == [(ReportKind.RETURNED, "draining")]
    assert stage.queue.mark_requests == []


async def test_a_repeated_go_carries_the_same_word(stage: Stage) -> None:
    stage.convoso.lead(NUMBER, "A")
    stage.queue.failing["send-marks"] = 503
    await stage.start()
    stage.queue.add(clearance_needed=True)
    await until(lambda: len(stage.queue.mark_requests) >= 3)
    del stage.queue.failing["send-marks"]
    await until(lambda: stage.queue.reports)
    assert len({request.model_dump_json() for request in stage.queue.mark_requests}) == 1
    assert clearances(stage)[0][0].standing is CrmStanding.OPEN
    assert len(stage.convoso.forms(SEARCH)) == 1


async def test_after_a_wait_a_fresh_word_is_used_again(stage: Stage) -> None:
    stage.convoso.lead(NUMBER, "A")
    stage.queue.marks_by_turn = [wait(), wait()]
    await stage.start()
    stage.queue.add(clearance_needed=True)
    await until(lambda: stage.queue.reports)
    assert len(stage.queue.mark_requests) == 3
    assert [len(words) for words in clearances(stage)] == [1, 1, 1]
    assert len(stage.convoso.forms(SEARCH)) == 1


async def test_after_a_wait_an_old_word_is_asked_for_anew(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent sells while the lease waits for its `go`."""
    monkeypatch.setattr(clearing, "STALE_AFTER_SECONDS", 0.05)
    stage.convoso.lead(NUMBER, "A")

    async def sold() -> None:
        stage.convoso.lead(NUMBER, "SALE")

    stage.queue.before_mark = sold
    stage.queue.marks_by_turn = [wait(200)]
    stage.queue.mark = no
    await stage.start()
    stage.queue.add(clearance_needed=True)
    await until(lambda: len(stage.queue.mark_requests) == 2)
    assert [words[0].standing for words in clearances(stage)] == [CrmStanding.OPEN, CrmStanding.SALE]


async def test_in_a_group_every_attempt_has_its_own_word(stage: Stage) -> None:
    numbers = [f"+1561555{1000 + n}" for n in range(12)]
    for n, number in enumerate(numbers):
        stage.convoso.lead(number, "A", lead_id=f"lead-{n}")
    attempts = [stage.queue.add(clearance_needed=n % 3 != 0, phone_number=phone)[0] for n, phone in enumerate(numbers)]
    await stage.start(concurrency=12)
    await until(lambda: len(stage.queue.reports) == 12)
    words = {word.attempt_id: word.crm_lead_id for request in stage.queue.mark_requests for word in request.clearances}
    assert words == {attempt: f"lead-{n}" for n, attempt in enumerate(attempts) if n % 3}
    for request in stage.queue.mark_requests:
        assert {word.attempt_id for word in request.clearances} <= set(request.attempt_ids)


async def test_no_log_line_holds_a_number_in_full(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.convoso.lead(NUMBER, "A")
    await stage.start()
    with caplog.at_level("INFO"):
        stage.queue.add(clearance_needed=True)
        await until(lambda: stage.queue.reports)
    told = [vars(record) for record in caplog.records]
    assert any(record.get("msg") == "clearance_asked" for record in told)
    assert NUMBER.removeprefix("+1") not in str(told)


async def test_what_a_status_means_is_read_anew(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account makes a status final while the dialer runs."""
    monkeypatch.setattr(statuses, "READ_AGAIN_SECONDS", 0.02)
    await stage.start()
    await until(lambda: stage.convoso.forms("status/search"))
    stage.convoso.statuses["CB"] = "final"
    stage.convoso.lead(NUMBER, "CB")
    seen = len(stage.convoso.forms("status/search"))
    await until(lambda: len(stage.convoso.forms("status/search")) > seen + 1)
    stage.queue.mark = no
    stage.queue.add(clearance_needed=True)
    await until(lambda: stage.queue.mark_requests)
    assert clearances(stage)[0][0].standing is CrmStanding.FINAL
