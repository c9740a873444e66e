"""Two results of one call: the weightier stands, in whatever order they come."""

from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.domain.outcome import Outcome
from leadline.domain.rules.precedence import prevailing


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        *pairwise((Outcome.DNC, Outcome.SALE, Outcome.NOT_INTERESTED, Outcome.CALLBACK, Outcome.TRANSFERRED)),
        (Outcome.DO_NOT_CALL, Outcome.SALE),
        (Outcome.ACA, Outcome.NOT_INTERESTED),
        *((Outcome.CALLBACK, other) for other in (Outcome.VOICEMAIL, Outcome.BUSY, Outcome.FAILED, Outcome.CONFUSED)),
        *((other, Outcome.UNKNOWN) for other in Outcome if other is not Outcome.UNKNOWN),
        (Outcome.VOICEMAIL, Outcome.CONFUSED),
    ],
)
def test_precedence(stronger: Outcome, weaker: Outcome) -> None:
    assert prevailing(stronger, weaker) is stronger
    assert prevailing(weaker, stronger) is stronger


def test_nothing_is_overwritten_with_nothing() -> None:
    assert prevailing(Outcome.VOICEMAIL, None) is Outcome.VOICEMAIL
    assert prevailing(None, Outcome.VOICEMAIL) is Outcome.VOICEMAIL
    assert prevailing(None, None) is Outcome.UNKNOWN


@given(
    st.lists(st.sampled_from(Outcome), min_size=1).flatmap(
        lambda events: st.tuples(st.just(events), st.permutations(events))
    )
)
def test_the_order_of_arrival_does_not_matter(arrivals: tuple[list[Outcome], list[Outcome]]) -> None:
    one, other = arrivals
    assert reduce(prevailing, one) is reduce(prevailing, other)
    assert reduce(prevailing, one + one) is reduce(prevailing, one)
