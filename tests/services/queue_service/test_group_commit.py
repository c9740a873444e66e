"""Group commit: requests that arrive together share a transaction, each gets its own answer, none is forgotten."""

import asyncio
from collections.abc import Sequence

import pytest

from services.queue_service.group_commit import GroupCommit


class Away(Exception):
    """Nobody is to blame."""


class Ledger:
    """Stands for the database: keeps each group, refuses what the test says, and waits where it says so."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.bad: set[str] = set()
        self.away = False
        self.open = asyncio.Event()
        self.open.set()
        self.running = 0
        self.most_running = 0

    async def commit(self, items: Sequence[str]) -> list[str]:
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            await self.open.wait()
            await asyncio.sleep(0)
            if self.away:
                raise Away
            if found := self.bad.intersection(items):
                raise ValueError(min(found))
            self.groups.append(list(items))
            return [item.upper() for item in items]
        finally:
            self.running -= 1


def group_of(ledger: Ledger, *, most: int = 100, groups: int = 2) -> GroupCommit[str, str]:
    """Keys are first letters: `a1` and `a2` are about the same thing."""
    return GroupCommit(
        ledger.commit,
        lambda item: item[0],
        gather_seconds=0.001,
        max_items=most,
        max_groups=groups,
        is_hopeless=lambda error: isinstance(error, Away),
    )


async def test_what_arrives_together_is_one_group_with_an_answer_for_each() -> None:
    ledger = Ledger()
    group = group_of(ledger)
    assert await asyncio.gather(*(group.submit(item) for item in "abc")) == ["A", "B", "C"]
    assert ledger.groups == [["a", "b", "c"]]


async def test_one_key_is_never_twice_in_a_group_and_keeps_its_order() -> None:
    ledger = Ledger()
    group = group_of(ledger)
    items = ["a1", "b1", "a2", "a3", "b2"]
    assert await asyncio.gather(*(group.submit(item) for item in items)) == [item.upper() for item in items]
    assert ledger.groups == [["a1", "b1"], ["a2", "b2"], ["a3"]]


async def test_an_item_waits_while_its_key_is_in_a_running_group_and_others_do_not() -> None:
    ledger = Ledger()
    group = group_of(ledger)
    ledger.open.clear()
    first = asyncio.create_task(group.submit("a1"))
    await asyncio.sleep(0.01)
    later = [asyncio.create_task(group.submit(item)) for item in ("a2", "b1")]
    await asyncio.sleep(0.02)
    assert ledger.running == 2
    ledger.open.set()
    assert await asyncio.gather(first, *later) == ["A1", "A2", "B1"]
    assert ledger.groups == [["a1"], ["b1"], ["a2"]]


async def test_groups_have_a_size_and_so_many_run_at_once() -> None:
    ledger = Ledger()
    group = group_of(ledger, most=3)
    items = [chr(ord("a") + n) for n in range(20)]
    ledger.open.clear()
    answers = asyncio.gather(*(group.submit(item) for item in items))
    await asyncio.sleep(0.05)
    ledger.open.set()
    assert await answers == [item.upper() for item in items]
    assert [item for found in ledger.groups for item in found] == items
    assert max(len(found) for found in ledger.groups) == 3
    assert ledger.most_running == 2


async def test_one_bad_item_spoils_nothing_for_the_others() -> None:
    ledger = Ledger()
    ledger.bad = {"b"}
    group = group_of(ledger)
    answers = await asyncio.gather(*(group.submit(item) for item in "abc"), return_exceptions=True)
    assert [answers[0], answers[2]] == ["A", "C"]
    assert isinstance(answers[1], ValueError)
    assert ledger.groups == [["a"], ["c"]]
    assert await group.submit("d") == "D"


async def test_a_hopeless_error_fails_the_whole_group_at_once() -> None:
    ledger = Ledger()
    ledger.away = True
    group = group_of(ledger)
    answers = await asyncio.gather(*(group.submit(item) for item in "abc"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Away] * 3
    ledger.away = False
    assert await group.submit("a") == "A", "and the keys are free again"


async def test_a_waiter_that_leaves_takes_nothing_away_from_the_others() -> None:
    ledger = Ledger()
    group = group_of(ledger)
    ledger.open.clear()
    gone, stays = (asyncio.create_task(group.submit(item)) for item in "ab")
    await asyncio.sleep(0.01)
    gone.cancel()
    ledger.open.set()
    assert await stays == "B"
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert ledger.groups == [["a", "b"]], "what was handed over is committed"
    assert await group.submit("a2") == "A2"


async def test_a_waiter_that_leaves_a_group_which_fails_is_not_told() -> None:
    ledger = Ledger()
    ledger.bad = {"a"}
    group = group_of(ledger)
    ledger.open.clear()
    gone, stays = (asyncio.create_task(group.submit(item)) for item in "ab")
    await asyncio.sleep(0.01)
    gone.cancel()
    ledger.open.set()
    assert await stays == "B"


async def test_closing_waits_for_everything_that_was_submitted() -> None:
    ledger = Ledger()
    group = group_of(ledger, most=1, groups=1)
    tasks = [asyncio.create_task(group.submit(item)) for item in ("a1", "b", "a2", "c")]
    await asyncio.sleep(0)
    await group.close()
    assert all(task.done() for task in tasks)
    assert sorted(item for found in ledger.groups for item in found) == ["a1", "a2", "b", "c"]


async def test_a_storm_is_answered_to_the_last() -> None:
    ledger = Ledger()
    ledger.bad = {f"{letter}7" for letter in "abcdefgh"}
    group = group_of(ledger, most=5)
    items = [f"{letter}{n}" for n in range(25) for letter in "abcdefgh"]
    answers = await asyncio.gather(*(group.submit(item) for item in items), return_exceptions=True)
    wrong = [item for item, answer in zip(items, answers, strict=True) if answer != item.upper()]
    assert wrong == sorted(ledger.bad)
    for letter in "abcdefgh":
        kept = [item for found in ledger.groups for item in found if item[0] == letter]
        assert kept == [f"{letter}{n}" for n in range(25) if n != 7], "in order of arrival"
