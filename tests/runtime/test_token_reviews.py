"""Callers that a cluster vouches for: who is believed, for how long, and what strangers cannot do to us."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from leadline.runtime.http import token_reviews
from leadline.runtime.http.token_review_api import ReviewFailed, Verdict
from leadline.runtime.http.token_reviews import TokenReviews, TokensNotReviewed
from leadline.runtime.settings.types import ServiceAccount
from tests.support.api_server import (
    AUDIENCE,
    jwt,
    username,
)

GATEWAY = "leadline-gateway"


class Clock:
    """Both clocks, and the cluster: counts what it is asked."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: list[str] = []
        self.answer: Callable[[str], Awaitable[Verdict]] = self.good

    def __call__(self) -> float:
        return self.now

    async def review(self, token: str) -> Verdict:
        self.asked.append(token)
        return await self.answer(token)

    async def good(self, _token: str) -> Verdict:
        return Verdict(authenticated=True, username=username(GATEWAY), audiences=frozenset({AUDIENCE}))

    async def bad(self, _token: str) -> Verdict:
        return Verdict(authenticated=False, username="", audiences=frozenset())

    async def away(self, _token: str) -> Verdict:
        raise ReviewFailed("away")

    async def never(self, _token: str) -> Verdict:
        await asyncio.Event().wait()
        raise AssertionError


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reviews(clock: Clock) -> TokenReviews:
    accounts = [ServiceAccount("gateway", "leadline", GATEWAY)]
    return TokenReviews(clock.review, accounts, AUDIENCE, monotonic=clock, wall=clock)


def token(n: int = 0, **claims: object) -> str:
    return jwt({"sub": username(GATEWAY), "exp": 10_000, "jti": n} | claims)


class TestKept:
    async def test_a_good_token_is_believed_for_a_minute(self, reviews: TokenReviews, clock: Clock) -> None:
        for after, asked in ((0, 1), (59.9, 1), (60, 2), (119, 2), (120, 3)):
            clock.now = 1000.0 + after
            assert await reviews.caller(token()) == "gateway"
            assert len(clock.asked) == asked

    async def test_never_longer_than_the_token_lives(self, reviews: TokenReviews, clock: Clock) -> None:
        short = token(exp=1010)
        assert await reviews.caller(short) == "gateway"
        clock.now, clock.answer = 1010.0, clock.bad
        assert await reviews.caller(short) is None

    @pytest.mark.parametrize("exp", [10**400, 1e308, "soon", None, True, [], float("nan"), float("inf")])
    async def test_an_odd_end_is_no_longer_life(self, reviews: TokenReviews, clock: Clock, exp: object) -> None:
        assert await reviews.caller(token(exp=exp)) == "gateway"
        clock.now += 60
        await reviews.caller(token(exp=exp))
        assert len(clock.asked) == 2

    async def test_a_clock_that_is_ahead_keeps_nothing(self, reviews: TokenReviews, clock: Clock) -> None:
        for _ in range(3):
            assert await reviews.caller(token(exp=999)) == "gateway"
        assert len(clock.asked) == 3

    async def test_a_refused_token_is_refused_for_some_seconds(self, reviews: TokenReviews, clock: Clock) -> None:
        clock.answer = clock.bad
        for after, asked in ((0, 1), (4.9, 1), (5, 2)):
            clock.now = 1000.0 + after
            assert await reviews.caller(token()) is None
            assert len(clock.asked) == asked

    async def test_a_caller_that_is_refused_later_is_out(self, reviews: TokenReviews, clock: Clock) -> None:
        assert await reviews.caller(token()) == "gateway"
        clock.now, clock.answer = 1060.0, clock.bad
        assert await reviews.caller(token()) is None
        clock.answer = clock.good
        assert await reviews.caller(token()) is None

    async def test_while_the_server_is_away_only_fresh_verdicts_count(
        self, reviews: TokenReviews, clock: Clock
    ) -> None:
        assert await reviews.caller(token()) == "gateway"
        clock.answer = clock.away
        with pytest.raises(TokensNotReviewed):
            await reviews.caller(token(1))
        assert await reviews.caller(token()) == "gateway"
        clock.now = 1060.0
        with pytest.raises(TokensNotReviewed):
            await reviews.caller(token())
        clock.now, clock.answer = 1061.0, clock.good
        assert await reviews.caller(token()) == "gateway"

    async def test_a_server_that_is_away_is_asked_once_a_second(self, reviews: TokenReviews, clock: Clock) -> None:
        clock.answer = clock.away
        for n in range(50):
            clock.now += 0.1
            with pytest.raises(TokensNotReviewed):
                await reviews.caller(token(n))
        assert len(clock.asked) == pytest.approx(5, abs=1)


class TestBounds:
    @pytest.mark.parametrize(
        "shown",
        [
            "",
            "shared-token",
            "a.b.c",
            "....",
            "\udcff.e30.x",
            f"{'A' * 20_000}.e30.x",
            jwt([]),
            jwt("text"),
            jwt({}),
            jwt({"sub": None}),
            jwt({"sub": [username(GATEWAY)]}),
            jwt({"sub": username("stranger")}),
            "x." + "W1tb" * 4000 + ".x",
        ],
    )
    async def test_what_cannot_be_ours_is_not_asked_about(
        self, reviews: TokenReviews, clock: Clock, shown: str
    ) -> None:
        assert await reviews.caller(shown) is None
        assert clock.asked == []

    async def test_many_requests_with_one_token_are_one_review(self, reviews: TokenReviews, clock: Clock) -> None:
        assert set(await asyncio.gather(*(reviews.caller(token()) for _ in range(100)))) == {"gateway"}
        assert len(clock.asked) == 1

    async def test_a_request_that_is_given_up_does_not_end_the_review(
        self, reviews: TokenReviews, clock: Clock
    ) -> None:
        done = asyncio.Event()

        async def slow(_token: str) -> Verdict:
            await done.wait()
            return await clock.good(_token)

        clock.answer = slow
        first, second = (asyncio.ensure_future(reviews.caller(token())) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        done.set()
        assert await second == "gateway"
        assert len(clock.asked) == 1

    async def test_a_failure_that_nobody_waits_for_is_no_noise(self, reviews: TokenReviews, clock: Clock) -> None:
        clock.answer = clock.away
        asking = asyncio.ensure_future(reviews.caller(token()))
        await asyncio.sleep(0)
        asking.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        assert reviews._under_way == {}

    async def test_strangers_are_reviewed_a_few_at_once(self, reviews: TokenReviews, clock: Clock) -> None:
        clock.answer = clock.never
        asking = [asyncio.ensure_future(reviews.caller(token(n))) for n in range(100)]
        await asyncio.sleep(0.01)
        assert len(clock.asked) == token_reviews.MOST_STRANGERS_AT_ONCE
        shed = [task for task in asking if task.done()]
        assert {type(task.exception()) for task in shed} == {TokensNotReviewed}
        assert len(shed) == 100 - token_reviews.MOST_STRANGERS_AT_ONCE
        for task in [*asking, *reviews._under_way.values()]:
            task.cancel()
        await asyncio.sleep(0)

    async def test_strangers_do_not_make_us_flood_the_server(self, reviews: TokenReviews, clock: Clock) -> None:
        clock.answer = clock.bad
        for n in range(5000):
            clock.now += 0.001
            with suppress(TokensNotReviewed):
                assert await reviews.caller(token(n)) is None
        assert len(clock.asked) <= token_reviews.STRANGERS_A_SECOND * 6
        assert len(reviews._refused) <= len(clock.asked)

    async def test_strangers_cost_no_memory_and_push_nobody_out(
        self, reviews: TokenReviews, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(token_reviews, "MOST_REFUSED", 10)
        monkeypatch.setattr(token_reviews, "MOST_KEPT", 3)
        assert await reviews.caller(token()) == "gateway"
        clock.answer = clock.bad
        for n in range(1, 100):
            clock.now += 0.1
            assert await reviews.caller(token(n)) is None
        assert len(reviews._refused) == 10
        assert await reviews.caller(token()) == "gateway"
        clock.answer = clock.good
        for n in range(100, 110):
            clock.now += 0.1
            assert await reviews.caller(token(n)) == "gateway"
        assert len(reviews._kept) == 3

    async def test_known_callers_are_reviewed_again_while_strangers_press(
        self, reviews: TokenReviews, clock: Clock
    ) -> None:
        assert await reviews.caller(token()) == "gateway"
        clock.now, clock.answer = 1060.0, clock.never
        pressing = [asyncio.ensure_future(reviews.caller(token(n))) for n in range(1, 50)]
        await asyncio.sleep(0.01)
        clock.answer = clock.good
        assert await reviews.caller(token()) == "gateway"
        for task in [*pressing, *reviews._under_way.values()]:
            task.cancel()
        await asyncio.gather(*pressing, return_exceptions=True)
