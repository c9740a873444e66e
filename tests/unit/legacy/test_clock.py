"""The clock of the old files: constant for a host in UTC, with the seasons for one in New York."""

from datetime import UTC, datetime, timedelta

import pytest

from leadline.legacy.clock import ClockSample, HostClock, find_clock

WINTER = datetime(2026, 1, 6, 17, 0, tzinfo=UTC)
SUMMER = datetime(2025, 7, 8, 16, 0, tzinfo=UTC)


def sample(
    true: datetime, slow_hours: float, *, written_after_seconds: int = 0, talked_minutes: int = 2
) -> ClockSample:
    written = true + timedelta(seconds=written_after_seconds) - timedelta(hours=slow_hours)
    return ClockSample(written, true, true + timedelta(minutes=talked_minutes))


def test_a_host_in_utc_is_five_hours_slow_all_year() -> None:
    clock = find_clock([sample(WINTER, 5), sample(SUMMER, 5)])
    assert clock == HostClock(18_000, proven=True)


def test_a_host_in_new_york_is_right_in_winter_and_an_hour_slow_in_summer() -> None:
    clock = find_clock([sample(WINTER, 0), sample(SUMMER, 1)])
    assert clock == HostClock(None, proven=True)
    assert clock.true(WINTER) == WINTER
    assert clock.true(SUMMER) == SUMMER + timedelta(hours=1)


@pytest.mark.parametrize("hours", [-3, 0.5, 2, 8])
def test_any_other_host_is_found_too(hours: float) -> None:
    clock = find_clock([sample(WINTER, hours), sample(SUMMER, hours)])
    assert clock == HostClock(int(hours * 3600), proven=True)


def test_a_row_may_have_been_written_when_the_result_came() -> None:
    late = [sample(WINTER, 5, written_after_seconds=27 * 60, talked_minutes=25), sample(SUMMER, 5)]
    assert find_clock(late) == HostClock(18_000, proven=True)


def test_calls_that_contradict_each_other_prove_nothing() -> None:
    assert find_clock([sample(WINTER, 5), sample(WINTER, 2), sample(WINTER, 9)]) is None
    assert find_clock([]) is None


def test_one_call_in_ten_may_be_another_one() -> None:
    known = [sample(WINTER + timedelta(days=day), 5) for day in range(9)]
    assert find_clock([*known, sample(WINTER, 11)]) == HostClock(18_000, proven=True)
