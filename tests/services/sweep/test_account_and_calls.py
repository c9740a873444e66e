"""Steps e and g: calls without our metadata, and an account that was paused by the provider's refusal."""

import pytest

from leadline.contracts.leases import ReportKind
from tests.services.sweep.fake_queue import FakeAttempt
from tests.services.sweep.support import NUMBER, Scene


async def test_the_details_of_an_undetermined_call_decide_whose_it_is(scene: Scene) -> None:
    attempt = scene.queue.add(FakeAttempt(NUMBER))
    ours, foreign = await scene.bland.call(attempt), await scene.bland.call(None, number="+15615550155")
    scene.queue.undetermined = [ours, foreign]
    result = await scene.sweep()
    assert attempt.call_id == ours
    assert scene.queue.kinds(attempt)[0] is ReportKind.PLACED
    assert scene.queue.undetermined == []
    assert result.counters["undetermined.stored"] == 2
    assert result.counters["undetermined.ours"] == 1


async def test_an_undetermined_call_that_the_provider_does_not_know_is_counted(scene: Scene) -> None:
    scene.queue.undetermined = ["no-such-call"]
    result = await scene.sweep()
    assert result.counters["undetermined.not_known"] == 1
    assert scene.queue.bodies == {}


async def test_an_undetermined_call_that_cannot_be_read_waits(scene: Scene) -> None:
    scene.queue.undetermined = [await scene.bland.call(None)]
    await scene.bland.fault("details", status=500)
    result = await scene.sweep()
    assert result.counters["undetermined.unreadable"] == 1
    assert result.partial


async def test_an_undetermined_call_that_cannot_be_applied_waits(scene: Scene) -> None:
    scene.queue.undetermined = [await scene.bland.call(None)]
    scene.queue.unappliable = True
    assert (await scene.sweep()).counters["undetermined.not_reported"] == 1


class TestAccount:
    @pytest.fixture(autouse=True)
    def paused(self, scene: Scene) -> None:
        scene.queue.account_paused = scene.queue.pause_automatic = True

    async def test_an_account_that_answers_again_is_resumed(self, scene: Scene) -> None:
        result = await scene.sweep()
        assert not scene.queue.account_paused
        assert result.counters["account.resumed"] == 1

    @pytest.mark.parametrize("status", [401, 402, 403])
    async def test_an_account_that_is_still_refused_stays_paused(self, scene: Scene, status: int) -> None:
        await scene.bland.fault("me", status=status)
        result = await scene.sweep()
        assert scene.queue.account_paused
        assert result.counters["account.refused"] == 1
        assert not result.partial

    async def test_an_account_without_balance_stays_paused(self, scene: Scene) -> None:
        await scene.bland.fault("me", status=200, body={"status": "active", "billing": {"current_balance": 0}})
        result = await scene.sweep()
        assert scene.queue.account_paused
        assert result.counters["account.without_balance"] == 1

    async def test_an_account_that_cannot_be_asked_stays_paused(self, scene: Scene) -> None:
        await scene.bland.fault("me", status=500)
        result = await scene.sweep()
        assert scene.queue.account_paused
        assert result.counters["account.unreachable"] == 1
        assert result.partial

    async def test_an_operators_pause_is_left_alone(self, scene: Scene) -> None:
        scene.queue.pause_automatic = False
        result = await scene.sweep()
        assert scene.queue.account_paused
        assert result.counters["account.left_paused"] == 1
        assert scene.queue.asked["POST /v1/account/resume"] == 0
