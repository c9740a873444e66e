"""Plan caps, the ten-second rule and the optional rate: enforced in business time, counted from accepted calls."""

import pytest

from services.simulator.bland.limits import PLAN_CAPS, Limits
from tests.services.simulator.support import NUMBER, Servers, Simulator


def code(answer: dict[str, list[dict[str, str]]]) -> str:
    return answer["errors"][0]["error"]


async def test_a_number_is_called_once_in_ten_business_seconds(simulator: Simulator) -> None:
    await simulator.place()
    status, answer = await simulator.post("5615550123")
    assert (status, answer["status"]) == (429, "error")
    assert answer["message"].startswith("Calls can only be sent every 10 seconds to the same number")
    await simulator.place("+15615550124")
    await simulator.advance(9)
    assert (await simulator.post())[0] == 429
    await simulator.advance(1.5)
    assert (await simulator.post())[0] == 200


async def test_a_refused_request_does_not_start_the_ten_seconds_anew(simulator: Simulator) -> None:
    await simulator.place()
    await simulator.advance(9)
    assert (await simulator.post())[0] == 429
    await simulator.advance(2)
    assert (await simulator.post())[0] == 200


async def test_the_start_plan_has_ten_calls_at_once(servers: Servers) -> None:
    simulator = await servers.simulator(plan="start")
    ids = [await simulator.place(f"+156155501{n:02}") for n in range(10)]
    status, answer = await simulator.post("+15615550150")
    assert (status, code(answer)) == (429, "CALL_RL_PLAN_CONCURRENCY")
    await simulator.done("POST", f"/v1/calls/{ids[3]}/stop")
    assert (await simulator.post("+15615550150"))[0] == 200


async def test_the_agent_plan_has_twenty_calls_an_hour_and_fifty_a_day(servers: Servers) -> None:
    simulator = await servers.simulator(plan="agent")
    await simulator.script({"outcome": "BUSY", "times": 1000})
    codes = []
    for _hour in range(4):
        for _ in range(21):
            status, answer = await simulator.post()
            codes.append("accepted" if status == 200 else code(answer))
            await simulator.advance(60)
        await simulator.advance(3600)
    assert codes.count("accepted") == 50
    assert codes.index("CALL_RL_PLAN_HOURLY") == 20
    assert codes[-1] == "CALL_RL_PLAN_DAILY"
    await simulator.advance(24 * 3600)
    assert (await simulator.post())[0] == 200


async def test_minutes_of_a_day_are_capped_too(servers: Servers) -> None:
    simulator = await servers.simulator(plan="agent")
    await simulator.script({"outcome": "CONFUSED", "talk_seconds": 36_000, "times": 2})
    for _ in range(2):
        await simulator.place(max_duration=600)
        await simulator.advance(36_100)
    status, answer = await simulator.post()
    assert (status, code(answer)) == (429, "CALL_RL_PLAN_DAILY_MINUTES")


@pytest.mark.parametrize("plan", ["start", "build", "scale"])
def test_each_plan_refuses_beyond_its_published_caps(plan: str) -> None:
    caps = PLAN_CAPS[plan]  # type: ignore[index]  # the parameters are the literals
    assert caps.per_hour is not None
    assert caps.per_day is not None
    assert caps.concurrent is not None
    limits = Limits(caps, 0, 0)
    assert limits.refusal(NUMBER, 0.0, caps.concurrent - 1) is None
    assert limits.refusal(NUMBER, 0.0, caps.concurrent) is not None
    now = 0.0
    for n in range(caps.per_day):
        assert limits.refusal(NUMBER, now, 0) is None, n
        limits.note_call(NUMBER, now)
        now += 3601 / caps.per_hour
    refusal = limits.refusal(NUMBER, now, 0)
    assert refusal is not None
    assert refusal.refusal in {"CALL_RL_PLAN_DAILY", "CALL_RL_PLAN_HOURLY"}
    assert limits.refusal(NUMBER, 86_400.0, 0) is None


def test_the_enterprise_plan_has_no_cap() -> None:
    limits = Limits(PLAN_CAPS["enterprise"], 0, 0)
    for n in range(10_000):
        limits.note_call(NUMBER, float(n))
    assert limits.refusal(NUMBER, 10_000.0, 10_000) is None


async def test_an_optional_rate_refuses_what_comes_too_fast(servers: Servers) -> None:
    simulator = await servers.simulator(calls_per_business_second=2)
    statuses = [(await simulator.post(f"+156155501{n:02}"))[0] for n in range(3)]
    assert statuses == [200, 200, 429]
    assert (await simulator.post("+15615550150"))[1]["message"] == "Rate limit exceeded"
    await simulator.advance(1)
    assert (await simulator.post("+15615550150"))[0] == 200
