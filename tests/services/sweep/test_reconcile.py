"""Step h: dispatch is held after a failover until the provider's history is reconciled (crash matrix, row 17)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from leadline.contracts.leases import ReportKind
from tests.services.sweep.fake_queue import FakeAttempt
from tests.services.sweep.support import NUMBER, Scene


@pytest.fixture(autouse=True)
def held(scene: Scene) -> None:
    scene.queue.held_since = datetime.now(UTC)


def stored_calls(scene: Scene) -> set[str]:
    return {json.loads(raw)["call_id"] for raw in scene.queue.bodies.values()}


async def test_every_call_is_stored_and_dispatch_released(scene: Scene) -> None:
    over = scene.queue.add(FakeAttempt(NUMBER, state="ended"))
    calls = {await scene.bland.call(over), await scene.bland.call(None, number="+15615550155")}
    await scene.bland.end_all()
    running = scene.queue.add(FakeAttempt("+15615550166", state="ended"))
    calls.add(await scene.bland.call(running))
    calls.add(await scene.bland.inbound("+15615550188"))
    result = await scene.sweep()
    assert stored_calls(scene) == calls
    assert scene.queue.kinds(running) == [ReportKind.PLACED]
    assert scene.queue.kinds(over) == [], "the result alone says it all"
    assert scene.queue.held_since is None
    assert result.counters["dispatch.listed"] == result.counters["dispatch.stored"] == 4
    assert result.counters["dispatch.released"] == 1
    assert not result.partial


async def test_an_empty_history_releases_dispatch(scene: Scene) -> None:
    assert (await scene.sweep()).counters["dispatch.released"] == 1
    assert scene.queue.held_since is None


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        pytest.param("list", {"status": 500}, id="no list"),
        pytest.param("list", {"status": 200, "body": {"total_count": 9, "calls": []}}, id="an incomplete list"),
        pytest.param("details", {"status": 500}, id="no details"),
        pytest.param("details", {"status": 404}, id="a call that is gone"),
    ],
)
async def test_dispatch_stays_held_while_anything_is_missing(scene: Scene, place: str, fault: dict[str, Any]) -> None:
    await scene.bland.call(None)
    await scene.bland.fault(place, **fault)
    result = await scene.sweep()
    assert scene.queue.held_since is not None
    assert result.counters["dispatch.still_held"] == 1
    assert result.partial
    await scene.bland.heal()
    await scene.sweep()
    assert scene.queue.held_since is None


@pytest.mark.parametrize("path", ["/v1/events", "/v1/reports"])
async def test_dispatch_stays_held_while_the_history_cannot_be_told(scene: Scene, path: str) -> None:
    await scene.bland.call(scene.queue.add(FakeAttempt(NUMBER, state="ended")))
    scene.queue.failing.add(path)
    result = await scene.sweep()
    assert scene.queue.held_since is not None
    assert result.counters["dispatch.not_reported"] == 1


async def test_dispatch_stays_held_while_a_result_cannot_be_applied(scene: Scene) -> None:
    await scene.bland.call(None)
    scene.queue.unappliable = True
    assert (await scene.sweep()).counters["dispatch.still_held"] == 1
    assert scene.queue.held_since is not None


async def test_a_second_failover_in_the_meantime_is_not_released(scene: Scene) -> None:
    await scene.bland.call(None)
    scene.queue.hold_again_on_event = True
    result = await scene.sweep()
    assert scene.queue.held_since is not None
    assert result.counters["dispatch.still_held"] == 1


async def test_the_bound_of_look_ups_does_not_keep_dispatch_held(scene: Scene) -> None:
    for n in range(5):
        await scene.bland.call(None, number=f"+1561555010{n}")
    await scene.sweep(sweep_max_lookups=1)
    assert scene.queue.held_since is None


async def test_a_pass_that_is_told_to_stop_does_not_release(scene: Scene) -> None:
    await scene.bland.call(None)
    scene.stop.set()
    result = await scene.sweep()
    assert scene.queue.held_since is not None
    assert result.counters["dispatch.still_held"] == 1
