"""One window listed to its end, whatever the provider does meanwhile."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from leadline.contracts.backfill import BackfillWindow
from leadline.telephony.history import HistoryRow
from leadline.telephony.port import ProviderNonsense, ProviderRefused, ProviderUnreachable
from services.backfill.listing import MOST_LISTINGS, WindowRead, WindowReader
from services.backfill.patience import Pacer, Patience
from services.backfill.provider import PAGE_CALLS, PatientProvider
from tests.services.backfill.fake_history import HOUR, START, FakeHistory, calls, listed

WINDOW = BackfillWindow(starts_at=START, ends_at=START + HOUR)


class Reading:
    """Reads windows of a history and remembers what was taken."""

    def __init__(self, history: FakeHistory) -> None:
        self.history = history
        self.taken: list[str] = []

    async def take(self, rows: Sequence[HistoryRow]) -> None:
        self.taken += [row.call_id for row in rows]

    async def read(self, window: BackfillWindow = WINDOW, *, most_calls: int = 5000) -> WindowRead:
        patience = Patience((0.0, 0.0, 0.0), asyncio.Event())
        pacer = Pacer(None, patience)
        provider = PatientProvider(self.history, patience, pages=pacer, details=pacer)
        return await WindowReader(provider, patience, self.take, most_calls=most_calls).read(window)


async def read_all(history: FakeHistory, wanted: int) -> Reading:
    """Read; every call must have been taken once."""
    reading = Reading(history)
    assert await reading.read() == WindowRead(wanted)
    assert sorted(reading.taken) == sorted({row["call_id"] for row in history.rows})
    assert len(reading.taken) == wanted
    return reading


async def test_pages_follow_one_another_by_index() -> None:
    reading = await read_all(FakeHistory(calls(2500)), 2500)
    assert [first for _, _, first, _ in reading.history.asked] == [0, PAGE_CALLS, 2 * PAGE_CALLS]


@pytest.mark.parametrize("number", [0, 1, PAGE_CALLS, PAGE_CALLS + 1])
async def test_no_page_is_asked_for_in_vain(number: int) -> None:
    reading = await read_all(FakeHistory(calls(number)), number)
    assert len(reading.history.asked) == max(1, -(-number // PAGE_CALLS))


async def test_shorter_pages_than_asked_for_leave_nothing_out() -> None:
    reading = await read_all(FakeHistory(calls(950), page_rows=100), 950)
    assert [first for _, _, first, _ in reading.history.asked] == list(range(0, 950, 100))


async def test_calls_that_come_at_the_end_while_paging_are_listed_too() -> None:
    def come(history: FakeHistory) -> None:
        n = len(history.asked)
        if n <= 3:
            history.add([listed(f"new-{n}", START + timedelta(minutes=50, seconds=n))])

    await read_all(FakeHistory(calls(300), page_rows=100, before_page=come), 303)


async def test_calls_that_appear_behind_our_back_are_found_by_another_listing() -> None:
    def appear(history: FakeHistory) -> None:
        if len(history.asked) in {2, 3}:
            history.add([listed(f"late-{len(history.asked)}", START + timedelta(milliseconds=1))])

    reading = await read_all(FakeHistory(calls(300), page_rows=100, before_page=appear), 302)
    assert [first for _, _, first, _ in reading.history.asked].count(0) == 2


async def test_calls_that_appear_all_the_time_fail_the_window_and_say_how_many_are_missing() -> None:
    def appear(history: FakeHistory) -> None:
        if len(history.asked) % 3 == 2:
            history.add([listed(f"late-{len(history.asked)}", START + timedelta(milliseconds=len(history.asked)))])

    reading = Reading(FakeHistory(calls(250), page_rows=100, before_page=appear, extra_total=1))
    read = await reading.read()
    assert read.problem is not None
    assert f"{read.listed} of " in read.problem
    assert [first for _, _, first, _ in reading.history.asked].count(0) == MOST_LISTINGS


async def test_a_page_that_repeats_for_ever_ends_the_window() -> None:
    reading = Reading(FakeHistory(calls(2000, seconds_apart=0.1), stuck=True))
    read = await reading.read()
    assert read.problem is not None
    assert read.problem.startswith("1000 of 2000 calls listed")
    assert len(reading.history.asked) == 2 * MOST_LISTINGS


async def test_a_total_that_is_too_high_fails_the_window() -> None:
    read = await Reading(FakeHistory(calls(10), extra_total=1)).read()
    assert read == WindowRead(10, "10 of 11 calls listed; the provider's list did not hold still or leaves calls out")


async def test_a_total_that_is_too_low_harms_nobody() -> None:
    reading = Reading(FakeHistory(calls(10), extra_total=-3))
    assert await reading.read() == WindowRead(10)


async def test_a_bare_array_proves_nothing() -> None:
    reading = Reading(FakeHistory(calls(10), bare=True))
    read = await reading.read()
    assert read.listed == 10
    assert read.problem is not None
    assert "no total_count" in read.problem
    assert len(reading.taken) == 10


async def test_a_bare_array_now_and_then_costs_a_repetition() -> None:
    def bare_at_first(history: FakeHistory) -> None:
        history.bare = len(history.asked) < 3

    reading = Reading(FakeHistory(calls(10), before_page=bare_at_first))
    assert await reading.read() == WindowRead(10)
    assert len(reading.taken) == 10


async def test_rows_without_an_id_are_missing_calls() -> None:
    rows = [*calls(5), {**listed("x"), "call_id": None}]
    read = await Reading(FakeHistory(rows)).read()
    assert read.problem is not None
    assert read.problem.startswith("5 of 6 calls listed")


async def test_a_window_that_holds_too_many_calls_is_halved_before_anything_is_taken() -> None:
    reading = Reading(FakeHistory(calls(101)))
    assert await reading.read(most_calls=100) == WindowRead(0, halve=True)
    assert reading.taken == []


async def test_the_shortest_window_is_read_whole_however_much_it_holds() -> None:
    window = BackfillWindow(starts_at=START, ends_at=START + timedelta(seconds=2))
    reading = Reading(FakeHistory(calls(101, seconds_apart=0.001)))
    assert await reading.read(window, most_calls=100) == WindowRead(101)


async def test_failures_in_between_are_no_harm() -> None:
    history = FakeHistory(calls(250), page_rows=100)
    history.failures = [ProviderUnreachable("500"), ProviderNonsense("no JSON"), ProviderUnreachable("429", 0.0)]
    await read_all(history, 250)


async def test_a_provider_that_stays_away_fails_the_window_with_its_last_words() -> None:
    history = FakeHistory(calls(10), failures=[ProviderUnreachable("Bland answered 503: busy")] * 4)
    assert await Reading(history).read() == WindowRead(0, "Bland answered 503: busy")


async def test_a_refused_key_is_no_matter_of_one_window() -> None:
    with pytest.raises(ProviderRefused):
        await Reading(FakeHistory(failures=[ProviderRefused("401")])).read()
