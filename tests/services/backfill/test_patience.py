"""Waiting, without waiting: how long is asked for, how often, and that an order to stop ends it."""

import asyncio

import pytest

from leadline.telephony.port import ProviderError, ProviderNonsense, ProviderRefused, ProviderUnreachable
from services.backfill.errors import ToldToStop
from services.backfill.patience import JITTER_SHARE, LONGEST_ASKED_SECONDS, Pacer, Patience, side_by_side

WAITS = (2, 4, 8, 16, 32)


class Recording(Patience):
    """Takes down how long it was to wait."""

    def __init__(self, waits: tuple[float, ...] = WAITS) -> None:
        super().__init__(waits, asyncio.Event())
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Asked:
    """Fails with these errors, one after the other, then answers."""

    def __init__(self, *errors: ProviderError) -> None:
        self._errors = list(errors)
        self.times = 0

    async def __call__(self) -> str:
        self.times += 1
        if self._errors:
            raise self._errors.pop(0)
        return "answer"


async def test_a_provider_that_fails_is_asked_again_after_each_wait() -> None:
    patience, question = Recording(), Asked(*[ProviderUnreachable("500")] * 4, ProviderNonsense("no JSON"))
    assert await patience.ask(question) == "answer"
    assert len(patience.slept) == len(WAITS)
    for slept, wait in zip(patience.slept, WAITS, strict=True):
        assert wait <= slept <= wait * (1 + JITTER_SHARE)


async def test_after_the_last_wait_its_error_is_raised() -> None:
    patience, question = Recording(), Asked(*[ProviderUnreachable("503")] * 10)
    with pytest.raises(ProviderUnreachable, match="503"):
        await patience.ask(question)
    assert question.times == len(WAITS) + 1


@pytest.mark.parametrize(("asked", "least"), [(7.0, 7.0), (1e9, LONGEST_ASKED_SECONDS)])
async def test_a_wait_that_the_provider_asks_for_is_kept_within_bounds(asked: float, least: float) -> None:
    patience = Recording()
    await patience.ask(Asked(ProviderUnreachable("429", asked)))
    assert patience.slept == [least]


async def test_a_shorter_wait_than_ours_changes_nothing() -> None:
    patience = Recording()
    await patience.ask(Asked(ProviderUnreachable("429", 0.5)))
    assert patience.slept[0] >= WAITS[0]


async def test_a_refused_key_is_not_asked_again() -> None:
    question = Asked(ProviderRefused("401"))
    with pytest.raises(ProviderRefused):
        await Recording().ask(question)
    assert question.times == 1


async def test_an_order_to_stop_ends_a_long_wait() -> None:
    stop = asyncio.Event()
    patience = Patience((3600,), stop)
    asking = asyncio.create_task(patience.ask(Asked(ProviderUnreachable("500"))))
    await asyncio.sleep(0)
    stop.set()
    with pytest.raises(ToldToStop):
        await asking


async def test_turns_come_no_closer_than_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("services.backfill.patience.time.monotonic", lambda: now)
    patience = Recording()
    pacer = Pacer(2.0, patience)
    for _ in range(3):
        await pacer.turn()
    assert patience.slept == [2.0, 4.0]
    now = 200.0
    await pacer.turn()
    assert patience.slept == [2.0, 4.0]


async def test_without_a_pace_nobody_waits() -> None:
    patience = Recording()
    pacer = Pacer(None, patience)
    for _ in range(3):
        await pacer.turn()
    assert patience.slept == []


async def test_side_by_side_keeps_the_order_and_the_bound() -> None:
    running, most = 0, 0

    async def work(item: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return item * 2

    assert await side_by_side(range(20), work, at_once=3) == [n * 2 for n in range(20)]
    assert most == 3


async def test_side_by_side_ends_with_the_first_failure() -> None:
    ended: list[int] = []

    async def work(item: int) -> None:
        if item == 1:
            raise ProviderUnreachable("no")
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(item)

    with pytest.raises(ProviderUnreachable):
        await side_by_side(range(5), work, at_once=2)
    assert ended == [0]
