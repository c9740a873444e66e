"""Ids sort by the time they were made."""

import threading
import time
from uuid import RFC_4122

import pytest

from leadline.runtime import ids
from leadline.runtime.ids import new_uuid7


def test_it_is_a_uuid7_of_now() -> None:
    before = time.time_ns() // 1_000_000
    made = new_uuid7()
    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000 + 1


def test_each_is_greater_than_the_one_before() -> None:
    made = [new_uuid7() for _ in range(20_000)]
    assert made == sorted(set(made))


def test_order_survives_a_clock_that_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_uuid7()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert new_uuid7() > first


def test_a_full_counter_borrows_from_the_next_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_counter", 2**32 - 1)
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    last_ms = ids._last_ms
    assert new_uuid7().int >> 80 == last_ms + 1


def test_threads_never_make_the_same() -> None:
    made: list[object] = []
    threads = [threading.Thread(target=lambda: made.extend(new_uuid7() for _ in range(2000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8000
