"""The bounds of a pass: look-ups, time, a provider that falls silent, a process that is told to stop."""

import asyncio
from datetime import UTC, datetime

import pytest

from leadline.domain.ids import CallId, PhoneNumber
from leadline.telephony.bland import BlandClient
from leadline.telephony.port import ProviderNonsense, ProviderUnreachable
from services.sweep.asking import SILENT_AFTER_FAILURES, Asking, PassOver
from tests.services.sweep.support import KEY, NUMBER, Bland, Scene

CALL = CallId("no-such-call")


def asking(provider: BlandClient, *, most_lookups: int = 100, seconds: float = 60.0) -> Asking:
    return Asking(provider, at_once=2, most_lookups=most_lookups, seconds=seconds, stop=asyncio.Event())


@pytest.fixture
async def bland(scene: Scene) -> Bland:
    return scene.bland


@pytest.fixture
async def provider(bland: Bland) -> BlandClient:
    return BlandClient(base_url=bland.url, api_key=KEY, timeout_seconds=5)


@pytest.fixture(autouse=True)
async def closed(provider: BlandClient) -> object:
    yield
    await provider.close()


async def test_look_ups_are_bounded(provider: BlandClient) -> None:
    bounded = asking(provider, most_lookups=2)
    await bounded.details(CALL)
    await bounded.find(PhoneNumber(NUMBER), datetime.now(UTC))
    with pytest.raises(PassOver):
        await bounded.details(CALL)
    assert await bounded.active() == []
    assert await bounded.reconciled_details(CALL) is None


async def test_time_is_bounded_but_not_for_a_reconciliation(provider: BlandClient) -> None:
    over = asking(provider, seconds=0.0)
    for question in (over.details(CALL), over.active(), over.me(), over.stop(CALL)):
        with pytest.raises(PassOver):
            await question
    assert (await over.history(datetime.now(UTC))).calls == ()
    assert await over.reconciled_details(CALL) is None


async def test_a_provider_is_silent_after_some_failures_in_a_row(provider: BlandClient, bland: Bland) -> None:
    patient = asking(provider)
    await bland.fault("details", status=503)
    for number in range(SILENT_AFTER_FAILURES):
        assert not patient.silent, number
        with pytest.raises(ProviderUnreachable):
            await patient.details(CALL)
    assert patient.silent
    await bland.heal()
    with pytest.raises(ProviderUnreachable, match="not asked again"):
        await patient.details(CALL)
    assert (await patient.me()).balance_dollars, "the account's probe is asked all the same"


@pytest.mark.parametrize("answer", ["fine", "nonsense"])
async def test_any_answer_shows_that_the_provider_is_there(provider: BlandClient, bland: Bland, answer: str) -> None:
    patient = asking(provider)
    for _ in range(2):
        await bland.fault("details", status=503, count=SILENT_AFTER_FAILURES - 1)
        for _ in range(SILENT_AFTER_FAILURES - 1):
            with pytest.raises(ProviderUnreachable):
                await patient.details(CALL)
        if answer == "fine":
            await patient.details(CALL)
        else:
            await bland.fault("active", status=200, body="?", count=1)
            with pytest.raises(ProviderNonsense):
                await patient.active()
    assert not patient.silent
