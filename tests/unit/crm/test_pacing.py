"""Slots are even, in order, and nobody waits for one that comes too late for him."""

from leadline.crm.pacing import Pace


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_slots_are_evenly_spaced_without_a_burst() -> None:
    pace = Pace(4, Time())
    assert [pace.take() for _ in range(5)] == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_time_that_passed_unused_is_not_made_up_for() -> None:
    time = Time()
    pace = Pace(4, time)
    pace.take()
    time.now += 60
    assert [pace.take() for _ in range(3)] == [0.0, 0.25, 0.5]


def test_never_more_in_a_second_than_the_rate() -> None:
    time = Time()
    pace = Pace(3, time)
    starts = []
    for _ in range(50):
        time.now += 0.05
        wait_seconds = pace.take()
        assert wait_seconds is not None
        starts.append(time.now + wait_seconds)
    assert all(later - earlier > 1 - 1e-6 for earlier, later in zip(starts, starts[3:], strict=False))


def test_nought_is_no_limit() -> None:
    pace = Pace(0, Time())
    assert {pace.take(0.0) for _ in range(100)} == {0.0}


def test_a_slot_that_comes_too_late_is_not_taken() -> None:
    pace = Pace(1, Time())
    assert pace.take(within_seconds=0.1) == 0.0
    assert pace.take(within_seconds=1.0) is None
    assert pace.take(within_seconds=1.1) == 1.0


def test_who_is_told_to_slow_down_slows_down_everybody() -> None:
    time = Time()
    pace = Pace(10, time)
    pace.hold(3)
    pace.hold(1)
    assert pace.take() == 3.0
    time.now += 60
    assert pace.take() == 0.0
