"""The breaker: when it opens, for how long, and what a dialer does meanwhile."""

import asyncio

import pytest

from leadline.contracts.leases import RejectionClass, ReportKind
from leadline.domain.ids import CallId
from leadline.telephony.port import Doubt, NotSent, PlaceAnswer, Placed, Rejected
from services.dialer import breaker as breaker_module
from services.dialer.breaker import OPENS_AFTER_FAILURES, Breaker, BreakerState
from tests.services.dialer.conftest import Stage, until
from tests.services.dialer.fake_bland import Told
from tests.services.dialer.fake_queue import go, wait

PLACED = Placed(CallId("c"))
DOUBT = Doubt("http_500", 500)
BAD_NUMBER = Rejected(RejectionClass.BAD_NUMBER, "x", 400)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def made() -> tuple[Breaker, Clock]:
    clock = Clock()
    return Breaker(now=clock, dice=lambda _, most: most), clock


def record(breaker: Breaker, answer: PlaceAnswer, times: int = OPENS_AFTER_FAILURES) -> None:
    for _ in range(times):
        breaker.record(answer)


@pytest.mark.parametrize("failure", [DOUBT, Doubt("timeout"), NotSent("connect_failed"), NotSent("dns_failed")])
def test_opens_after_failures_in_a_row(failure: PlaceAnswer) -> None:
    breaker, _ = made()
    record(breaker, failure, OPENS_AFTER_FAILURES - 1)
    assert breaker.slots(50, 10) == 40
    breaker.record(failure)
    assert breaker.state is BreakerState.OPEN
    assert breaker.slots(50, 0) == 0


@pytest.mark.parametrize("success", [PLACED, BAD_NUMBER])
def test_an_answer_between_begins_anew(success: PlaceAnswer) -> None:
    breaker, _ = made()
    for answer in (DOUBT, DOUBT, DOUBT, DOUBT, success) * 5:
        breaker.record(answer)
    assert breaker.state is BreakerState.CLOSED


@pytest.mark.parametrize(
    "answer",
    [NotSent("gate_closed"), NotSent("cancelled"), Doubt("same_number_rule", 429), Doubt("unable_to_queue", 400)],
)
def test_what_is_not_the_providers_fault(answer: PlaceAnswer) -> None:
    breaker, _ = made()
    record(breaker, answer, 100)
    assert breaker.state is BreakerState.CLOSED


def test_half_open_tries_one() -> None:
    breaker, clock = made()
    record(breaker, DOUBT)
    clock.now += 1.0
    assert (breaker.slots(50, 0), breaker.slots(50, 1)) == (1, 0)
    breaker.record(PLACED)
    assert breaker.state is BreakerState.CLOSED


def test_pauses_double_up_to_a_minute_and_begin_anew_after_a_success() -> None:
    breaker, clock = made()
    record(breaker, DOUBT)
    pauses = []
    for _ in range(8):
        pauses.append(breaker.seconds_until_half_open)
        clock.now += pauses[-1]
        breaker.record(DOUBT)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    clock.now += 60
    breaker.record(PLACED)
    record(breaker, DOUBT)
    assert breaker.seconds_until_half_open == 1


def test_fifty_failures_in_flight_are_one_pause() -> None:
    breaker, _ = made()
    record(breaker, DOUBT, 50)
    assert breaker.seconds_until_half_open == 1


def test_a_success_that_was_asked_for_before_does_not_close() -> None:
    breaker, _ = made()
    record(breaker, DOUBT)
    breaker.record(PLACED)
    assert breaker.state is BreakerState.OPEN


def test_capacity_opens_at_once_and_honours_retry_after() -> None:
    breaker, clock = made()
    breaker.record(Rejected(RejectionClass.CAPACITY, "x", 429, 7.0))
    assert breaker.seconds_until_half_open == 7
    clock.now += 7
    breaker.record(Rejected(RejectionClass.CAPACITY, "x", 429))
    assert breaker.seconds_until_half_open == 2


def test_account_opens_at_once() -> None:
    breaker, _ = made()
    breaker.record(Rejected(RejectionClass.ACCOUNT, "x", 402))
    assert breaker.state is BreakerState.OPEN


def test_jitter_is_never_less_than_half() -> None:
    for _ in range(50):
        breaker = Breaker(now=lambda: 0.0)
        record(breaker, DOUBT)
        assert 0.5 <= breaker.seconds_until_half_open <= 1


async def test_an_open_breaker_leases_nothing_and_gives_back_what_is_unmarked(stage: Stage) -> None:
    clock = Clock()
    stage.bland.told = Told(500)
    stage.queue.marks_by_turn = [go(), wait(20_000)]
    await stage.start(concurrency=OPENS_AFTER_FAILURES + 3, breaker=Breaker(now=clock))
    stage.queue.add(OPENS_AFTER_FAILURES)
    await until(lambda: stage.bland.posts)
    waiting = stage.queue.add(3)
    await until(lambda: len(stage.queue.reports) == OPENS_AFTER_FAILURES + 3)
    assert [report.kind for attempt in waiting for report in stage.queue.reports_of(attempt)] == [
        ReportKind.RETURNED
    ] * 3
    assert len(stage.bland.posts) == OPENS_AFTER_FAILURES
    stage.queue.add(4)
    await asyncio.sleep(0.1)
    assert len(stage.bland.posts) == OPENS_AFTER_FAILURES


async def test_a_provider_that_is_away_for_long_is_hardly_asked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 24: the queue stays intact, no attempt is sent twice, and few are sent at all."""
    monkeypatch.setattr(breaker_module, "FIRST_PAUSE_SECONDS", 0.05)
    stage.bland.told = Told(503)
    stage.queue.add(200)
    await stage.start(concurrency=10)
    await until(lambda: len(stage.bland.posts) >= 13)
    stage.bland.told = Told()
    await until(lambda: len(stage.queue.reports) == 200)
    assert len(set(stage.bland.attempts())) == len(stage.bland.posts)
    doubtful = [report for report in stage.queue.reports if report.kind is ReportKind.DOUBT]
    assert len(doubtful) < 30


async def test_capacity_backs_off(stage: Stage) -> None:
    clock = Clock()
    stage.bland.by_turn = [Told(429, {"message": "Rate limit exceeded"}, {"Retry-After": "30"})]
    await stage.start(concurrency=1, breaker=Breaker(now=clock))
    stage.queue.add(3)
    await until(lambda: stage.queue.reports)
    await asyncio.sleep(0.1)
    assert len(stage.bland.posts) == 1
    assert stage.queue.reports[0].retry_after_seconds == 30
