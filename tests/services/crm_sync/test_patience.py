"""How long a CRM that says later is left alone."""

from services.crm_sync.patience import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Patience


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def patience(clock: Clock) -> Patience:
    return Patience(now=clock, dice=lambda _, most: most)


def later(kept: Patience, times: int) -> None:
    for _ in range(times):
        kept.note(later=True)


def test_one_answer_changes_nothing() -> None:
    kept = patience(Clock())
    later(kept, 2)
    assert (kept.seconds, kept.most(50, 10)) == (0, 50)


def test_several_in_a_row_pause_and_then_one_is_tried() -> None:
    clock = Clock()
    kept = patience(clock)
    later(kept, 3)
    assert (kept.seconds, kept.most(50, 0)) == (FIRST_PAUSE_SECONDS, 0)
    clock.now += FIRST_PAUSE_SECONDS
    assert (kept.most(50, 0), kept.most(50, 1), kept.most(0, 0)) == (1, 0, 0)


def test_answers_of_what_was_in_flight_already_make_it_no_longer() -> None:
    kept = patience(Clock())
    later(kept, 30)
    assert kept.seconds == FIRST_PAUSE_SECONDS


def test_each_pause_is_twice_as_long_up_to_a_bound() -> None:
    clock = Clock()
    kept = patience(clock)
    later(kept, 2)
    pauses = []
    for _ in range(12):
        later(kept, 1)
        pauses.append(kept.seconds)
        clock.now += kept.seconds
    assert pauses[:4] == [FIRST_PAUSE_SECONDS * 2**n for n in range(4)]
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


def test_one_success_ends_it() -> None:
    kept = patience(Clock())
    later(kept, 5)
    kept.note(later=False)
    assert (kept.seconds, kept.most(50, 3)) == (0, 50)


def test_what_the_crm_asks_for_is_kept_within_the_bound() -> None:
    kept = patience(Clock())
    kept.note(later=True, retry_after_seconds=7)
    assert (kept.seconds, kept.most(50, 0)) == (7, 50)
    kept.note(later=True, retry_after_seconds=7000)
    assert kept.seconds == LONGEST_PAUSE_SECONDS
