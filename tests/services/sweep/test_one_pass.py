"""A whole pass: its order, its record, its exit code; and any number of passes at once (crash matrix, row 19)."""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from leadline.clients.queue import QueueError
from leadline.contracts.sweep import PromiseViolation
from services.sweep.counts import Count, Miss, Step
from tests.services.sweep.fake_queue import FakeAttempt
from tests.services.sweep.support import NUMBER, Scene
from tests.support.environment import clean_environ

VIOLATION = PromiseViolation(promise=1, sentence="One live attempt per phone number.", subject="+1******0123")


async def populate(scene: Scene) -> dict[str, FakeAttempt]:
    """One of everything that a pass can meet."""
    add, bland = scene.queue.add, scene.bland
    over = add(FakeAttempt("+15615550101"))
    await bland.call(over)
    ended = add(FakeAttempt("+15615550102", state="placed"))
    ended.call_id = await bland.call(ended)
    await bland.end_all()
    found = add(FakeAttempt("+15615550103"))
    await bland.call(found)
    ringing = add(FakeAttempt("+15615550104", state="placed"))
    ringing.call_id = await bland.call(ringing)
    lost = add(FakeAttempt("+15615550105", state="placed", call_id="no-such-call", overdue=True))
    absent = add(FakeAttempt("+15615550106"))
    early = add(FakeAttempt("+15615550107", quiet_until=time.monotonic() + 3600))
    stopped = add(FakeAttempt("+15615550108", state="placed"))
    stopped.call_id = await bland.call(stopped)
    scene.queue.order_stop(stopped, stopped.call_id)
    unnamed = add(FakeAttempt("+15615550109"))
    call_id = await bland.call(unnamed)
    scene.queue.order_stop(unnamed)
    scene.queue.undetermined = [call_id]
    scene.queue.account_paused = scene.queue.pause_automatic = True
    scene.queue.held_since = datetime.now(UTC)
    return {
        "over": over,
        "ended": ended,
        "found": found,
        "ringing": ringing,
        "lost": lost,
        "absent": absent,
        "early": early,
        "stopped": stopped,
        "unnamed": unnamed,
    }


@pytest.mark.parametrize("copies", [1, 2, 5])
async def test_any_number_of_passes_at_once_reach_the_same_end_state(scene: Scene, copies: int) -> None:
    attempts = await populate(scene)
    await asyncio.gather(*(scene.sweep() for _ in range(copies)))
    await scene.sweep()
    assert {name: attempt.state for name, attempt in attempts.items()} == {
        "over": "ended",
        "ended": "ended",
        "found": "placed",
        "ringing": "placed",
        "lost": "ended",
        "absent": "not_placed",
        "early": "unknown",
        "stopped": "ended",
        "unnamed": "ended",
    }
    assert {name: attempt.results for name, attempt in attempts.items() if attempt.results > 1} == {}
    assert not any(attempt.other_calls for attempt in attempts.values())
    assert all(order.confirmed for order in scene.queue.stops.values())
    assert await scene.bland.live() == {attempts["found"].call_id, attempts["ringing"].call_id}
    assert (scene.queue.account_paused, scene.queue.held_since, scene.queue.undetermined) == (False, None, [])
    assert await scene.bland.posts() == 0
    assert all(run is not None for run in scene.queue.runs.values())


async def test_a_pass_writes_itself_down(scene: Scene) -> None:
    scene.queue.missed_callbacks = 3
    result = await scene.sweep()
    (finished,) = scene.queue.runs.values()
    assert finished is not None
    assert finished.succeeded
    assert finished.counters == result.counters
    assert finished.counters == {
        "apply_events.events_applied": 1,
        "expire.leases_expired": 2,
        "plan.missed_callbacks": 3,
        "promises.checked": 9,
    }


async def test_broken_promises_are_returned_and_counted(scene: Scene) -> None:
    scene.queue.violations = [VIOLATION]
    result = await scene.sweep()
    assert result.violations == [VIOLATION]
    assert result.counters["promises.violated"] == 1


@pytest.mark.parametrize(
    ("path", "step"),
    [
        ("/v1/sweep/expire", Step.EXPIRE),
        ("/v1/sweep/apply-events", Step.APPLY_EVENTS),
        ("/v1/sweep/plan", Step.PLAN),
        ("/v1/account/resume", Step.ACCOUNT),
        ("/v1/dispatch/release", Step.DISPATCH),
        ("/v1/sweep/check-promises", Step.PROMISES),
    ],
)
async def test_a_step_that_fails_stops_no_other(scene: Scene, path: str, step: Step) -> None:
    attempts = await populate(scene)
    scene.queue.failing.add(path)
    result = await scene.sweep()
    assert result.counters[f"{step}.{Miss.STEP_FAILED}"] == 1
    assert result.partial
    (finished,) = scene.queue.runs.values()
    assert finished is not None
    assert not finished.succeeded
    if step is not Step.PLAN:
        assert attempts["over"].state == "ended"
    if step is not Step.PROMISES:
        assert result.counters["promises.checked"] == 9


async def test_a_pass_that_cannot_begin_does_nothing(scene: Scene) -> None:
    attempts = await populate(scene)
    scene.queue.failing.add("/v1/sweep/runs")
    with pytest.raises(QueueError):
        await scene.sweep()
    assert attempts["over"].state == "unknown"


async def test_a_bug_in_a_step_stops_no_other(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = await populate(scene)

    async def crash(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("services.sweep.placed._compare", crash)
    result = await scene.sweep()
    assert result.counters["placed.step_failed"] == 1
    assert attempts["over"].state == "ended"


async def test_a_pass_that_is_told_to_stop_asks_nothing_more(scene: Scene) -> None:
    attempts = await populate(scene)
    scene.stop.set()
    result = await scene.sweep()
    assert attempts["over"].state == "unknown"
    assert await scene.bland.live() >= {attempts["stopped"].call_id}
    (finished,) = scene.queue.runs.values()
    assert finished is not None
    assert not finished.succeeded
    assert result.counters["doubtful.left_over"] == 1


async def test_every_counter_belongs_to_the_closed_vocabulary(scene: Scene) -> None:
    await populate(scene)
    counters = (await scene.sweep()).counters
    own = {count.value for count in Count} | {f"{step}.{miss}" for step in Step for miss in Miss}
    theirs = {name for name in counters if name.startswith((f"{Step.EXPIRE}.", f"{Step.APPLY_EVENTS}."))}
    assert set(counters) <= own | theirs
    assert all(count.value.split(".")[0] in set(Step) for count in Count)


async def run(scene: Scene, *arguments: str, **settings: str) -> tuple[int, str, str]:
    """`python -m services.sweep` in a process of its own."""
    environ = clean_environ(scene.environ() | settings)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.sweep",
        *arguments,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


class TestProcess:
    async def test_a_pass_prints_its_counters(self, scene: Scene) -> None:
        attempts = await populate(scene)
        code, out, _ = await run(scene, "--json")
        assert code == 0
        document = json.loads(out)
        assert document["partial"] is False
        assert document["violations"] == []
        assert document["counters"]["doubtful.absent"] == 1
        assert attempts["absent"].state == "not_placed"

    async def test_a_broken_promise_is_printed_and_exit_code_1(self, scene: Scene) -> None:
        scene.queue.violations = [VIOLATION]
        code, out, _ = await run(scene)
        assert code == 1
        assert "promise 1 is broken: One live attempt per phone number. (+1******0123)" in out

    async def test_a_pass_that_could_not_do_everything_exits_with_4(self, scene: Scene) -> None:
        scene.queue.add(FakeAttempt(NUMBER))
        await scene.bland.fault("list", status=500)
        code, out, _ = await run(scene)
        assert code == 4
        assert "doubtful.unreachable" in out

    async def test_a_dry_run_changes_nothing(self, scene: Scene) -> None:
        attempts = await populate(scene)
        code, out, _ = await run(scene, "--dry-run", "--json", LEADLINE_BLAND_API_KEY="")
        assert code == 0
        plan = json.loads(out)
        assert {item["phone_number"][:8] for item in plan["doubtful"]} == {"+1******"}
        assert len(plan["doubtful"]) == sum(attempt.state == "unknown" for attempt in attempts.values())
        assert set(scene.queue.asked) == {"GET /v1/sweep/plan"}

    async def test_a_dry_run_is_readable(self, scene: Scene) -> None:
        await populate(scene)
        code, out, _ = await run(scene, "--dry-run", "--show-pii", COLUMNS="200")
        assert code == 0
        assert "doubtful attempts" in out
        assert "+15615550106" in out

    async def test_an_unreachable_queue_service_is_one_line(self, scene: Scene) -> None:
        scene.queue.failing.add("/v1/sweep/runs")
        code, out, err = await run(scene, LEADLINE_LOG_LEVEL="error")
        assert (code, out) == (1, "")
        assert err.count("\n") == 1
        assert "LEADLINE_QUEUE_URL" in err

    async def test_wrong_settings_are_one_line(self, scene: Scene) -> None:
        code, _, err = await run(scene, LEADLINE_SWEEP_CONCURENCY="3")
        assert code == 2
        assert err == "sweep: LEADLINE_SWEEP_CONCURENCY: no such setting; did you mean LEADLINE_SWEEP_CONCURRENCY?\n"

    async def test_a_wrong_argument_is_refused(self, scene: Scene) -> None:
        code, _, err = await run(scene, "--force")
        assert code == 2
        assert "--force" in err

    async def test_a_pass_that_is_told_to_stop_writes_that_down(self, scene: Scene) -> None:
        for n in range(5):
            scene.queue.add(FakeAttempt(f"+1561555010{n}"))
        await scene.bland.fault("list", "latency", seconds=1)
        environ = clean_environ(scene.environ() | {"LEADLINE_SWEEP_CONCURRENCY": "1"})
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "services.sweep", env=environ)
        while not scene.queue.asked["GET /v1/sweep/plan"]:
            await asyncio.sleep(0.01)
        process.terminate()
        assert await process.wait() == 130
        (finished,) = scene.queue.runs.values()
        assert finished is not None
        assert not finished.succeeded

    async def test_two_processes_at_once(self, scene: Scene) -> None:
        attempts = await populate(scene)
        codes = [code for code, _, _ in await asyncio.gather(run(scene), run(scene))]
        assert codes == [0, 0]
        assert attempts["over"].results == 1


async def test_an_attempt_that_is_not_ours_does_no_harm(scene: Scene) -> None:
    scene.queue.undetermined = [await scene.bland.call(uuid4())]
    result = await scene.sweep()
    assert result.counters["undetermined.ours"] == 1
    assert not result.partial
