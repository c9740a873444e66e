"""Requests to our own service are made again until a deadline."""

import aiohttp
import pytest

from leadline.runtime.retry import LONGEST_WAIT_SECONDS, TransientAnswer, queue_service_retry


class Flaky:
    """Fails with these errors, one after the other, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


async def test_what_may_pass_is_tried_again() -> None:
    flaky = Flaky(aiohttp.ServerDisconnectedError(), TimeoutError(), TransientAnswer(503, retry_after_seconds=0.01))
    assert await queue_service_retry(20)(flaky) == "answer"
    assert flaky.asked == 4


async def test_what_will_not_pass_is_raised_at_once() -> None:
    flaky = Flaky(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await queue_service_retry(20)(flaky)
    assert flaky.asked == 1


async def test_the_last_error_is_raised_at_the_deadline() -> None:
    flaky = Flaky(*[TransientAnswer(503) for _ in range(1000)])
    with pytest.raises(TransientAnswer):
        await queue_service_retry(0.3)(flaky)
    assert 1 < flaky.asked < 30


async def test_a_wait_that_is_asked_for_is_bounded() -> None:
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    retrying = queue_service_retry(20).copy(sleep=note)
    await retrying(Flaky(TransientAnswer(503, 3600), TransientAnswer(429, 0.5), TransientAnswer(502)))
    assert waits[:2] == [LONGEST_WAIT_SECONDS, 0.5]
    assert 0 < waits[2] <= LONGEST_WAIT_SECONDS
