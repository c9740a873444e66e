"""Calls go as scripted or as the seed has it, and every result says what was meant."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from leadline.contracts.campaign_file import DEFAULT_DISPOSITIONS
from leadline.domain.outcome import REACHED_OUTCOMES, Outcome
from leadline.domain.rules.outcomes import derive
from leadline.telephony.bland_result import EventKind, parse_result
from services.simulator.carrier import Carrier, Rates
from tests.services.simulator.support import NUMBER, START, Receiver, Servers, Simulator, eventually

SAMPLES = Path(__file__).parents[2] / "samples" / "bland"
NOON = START.timestamp()


def derived(body: Any) -> Outcome:
    parsed = parse_result(body)
    assert parsed.kind is EventKind.RESULT, body
    return derive(parsed.result, {}).outcome


def meant(outcome: str) -> Outcome:
    """DNC and DO_NOT_CALL are told alike: both are a stop."""
    return Outcome.DO_NOT_CALL if outcome == "DNC" else Outcome(outcome)


async def results_of(simulator: Simulator, calls: Iterable[str]) -> list[Any]:
    await simulator.advance(24 * 3600)

    async def over() -> bool:
        return not (await simulator.done("GET", "/v1/calls/active"))["data"]

    await eventually(over, "all calls end")
    return [await simulator.details(call_id) for call_id in calls]


@pytest.mark.parametrize("dispositions", [[], list(DEFAULT_DISPOSITIONS)], ids=["no dispositions", "our dispositions"])
@pytest.mark.parametrize("outcome", Outcome)
async def test_every_spelling_of_every_outcome_says_what_was_meant(
    simulator: Simulator, outcome: Outcome, dispositions: list[str]
) -> None:
    variants = [n / 20 for n in range(20)]
    await simulator.script(*({"outcome": outcome, "variant": variant} for variant in variants))
    calls = [
        await simulator.place(f"+156155501{n:02}", dispositions=dispositions, request_data={"state": "FL"})
        for n in range(len(variants))
    ]
    assert [derived(body) for body in await results_of(simulator, calls)] == [meant(outcome)] * len(variants)
    assert [row["outcome"] for row in await simulator.rows()] == [outcome] * len(variants)


async def test_every_drawn_result_says_what_was_meant(simulator: Simulator) -> None:
    calls = [await simulator.place(f"+1561555{n:04}", dispositions=list(DEFAULT_DISPOSITIONS)) for n in range(600)]
    bodies = await results_of(simulator, calls)
    rows = await simulator.rows()
    assert [derived(body) for body in bodies] == [meant(row["outcome"]) for row in rows]
    assert len({row["outcome"] for row in rows}) >= 10
    promised = {body["call_id"] for body in bodies if parse_result(body).result.callback_requested_at}
    assert promised == {row["call_id"] for row in rows if row["callback_promised"]}


async def test_a_stopped_call_says_what_the_ledger_says(simulator: Simulator) -> None:
    outcomes = ["SALE", "VOICEMAIL", "NO_ANSWER", "CALLBACK"]
    for seconds in (3, 30):
        await simulator.script(*({"outcome": outcome, "talk_seconds": 600} for outcome in outcomes))
        calls = [await simulator.place(f"+15615550{seconds:02}{n}") for n in range(len(outcomes))]
        await simulator.advance(seconds)
        for call_id in calls:
            await simulator.done("POST", f"/v1/calls/{call_id}/stop")
        for call_id in calls:
            body = await simulator.details(call_id)
            (row,) = [row for row in await simulator.rows() if row["call_id"] == call_id]
            assert derived(body) == meant(row["outcome"])


async def test_scripts_are_used_up_in_order_by_number_before_those_for_all(simulator: Simulator) -> None:
    await simulator.script({"outcome": "BUSY"}, {"outcome": "SALE"}, number=NUMBER)
    await simulator.script({"outcome": "VOICEMAIL", "times": 2}, {"outcome": "NO_ANSWER"})
    assert await simulator.done("GET", "/simulator/script") == {NUMBER: 2, "*": 3}
    seen = []
    for number in (NUMBER, "+15615550124", NUMBER, NUMBER, "+15615550124"):
        await simulator.ended(await simulator.place(number))
        seen.append((await simulator.rows())[-1]["outcome"])
    assert seen == ["BUSY", "VOICEMAIL", "SALE", "VOICEMAIL", "NO_ANSWER"]
    assert await simulator.done("GET", "/simulator/script") == {}


async def test_a_scripted_body_replaces_fields_in_webhook_and_details(simulator: Simulator, receiver: Receiver) -> None:
    body = {"answered_by": None, "summary": "as told", "extra": 1}
    await simulator.script({"outcome": "CONFUSED", "talk_seconds": 42, "body": body})
    details = await simulator.ended(await simulator.place(webhook=receiver.url))
    (event,) = await receiver.got(1)
    assert event.json == details
    assert {key: details[key] for key in body} == body
    assert details["corrected_duration"] == "42"


async def test_a_scripted_callback_names_its_time(simulator: Simulator) -> None:
    await simulator.script({"outcome": "CALLBACK", "callback_at": "2026-01-07T15:30:00"}, {"outcome": "CALLBACK"})
    with_time = await simulator.ended(await simulator.place())
    without = await simulator.ended(await simulator.place())
    assert with_time["variables"]["callback_requested_at"] == "2026-01-07T15:30:00"
    assert "callback_requested_at" not in without["variables"]
    assert [row["callback_promised"] for row in await simulator.rows()] == [True, False]


async def test_a_time_can_be_named_in_a_call_of_any_outcome(simulator: Simulator) -> None:
    await simulator.script({"outcome": "CONFUSED", "callback_at": "2026-01-07T15:30:00"})
    body = await simulator.ended(await simulator.place())
    assert derived(body) is Outcome.CONFUSED
    assert parse_result(body).result.callback_requested_at == "2026-01-07T15:30:00"
    assert [row["callback_promised"] for row in await simulator.rows()] == [True]


async def test_numbers_of_a_script_are_read_like_those_of_requests(simulator: Simulator) -> None:
    await simulator.script({"outcome": "SALE"}, number="5615550123")
    await simulator.ended(await simulator.place())
    assert [row["outcome"] for row in await simulator.rows()] == ["SALE"]
    assert (await simulator.ask("POST", "/simulator/script", {"nobody": []}))[0] == 400


@pytest.mark.parametrize(
    "step", [{"outcome": "RAIN"}, {}, {"outcome": "SALE", "talk": 3}, {"outcome": "SALE", "times": 0}]
)
async def test_a_step_that_makes_no_sense_is_refused(simulator: Simulator, step: dict[str, Any]) -> None:
    assert (await simulator.ask("POST", "/simulator/script", {"*": [step]}))[0] == 400


async def test_a_script_is_cleared(simulator: Simulator) -> None:
    await simulator.script({"outcome": "SALE"})
    await simulator.done("DELETE", "/simulator/script")
    assert await simulator.done("GET", "/simulator/script") == {}


async def day_of_calls(simulator: Simulator) -> list[tuple[str, str, str]]:
    calls = [await simulator.place(f"+156155501{n:02}") for n in range(60)]
    return [(body["to"], str(body["answered_by"]), body["end_at"]) for body in await results_of(simulator, calls)]


async def test_the_same_seed_gives_the_same_day(servers: Servers) -> None:
    first, second, other = [await day_of_calls(await servers.simulator(seed=seed)) for seed in (11, 11, 12)]
    assert first == second
    assert first != other


async def test_rates_can_be_changed(simulator: Simulator) -> None:
    await simulator.done("PUT", "/simulator/rates", {"bad_number_share": 1})
    await simulator.ended(await simulator.place())
    assert (await simulator.rows())[0]["outcome"] == "BAD_NUMBER"
    assert (await simulator.done("GET", "/simulator/rates"))["bad_number_share"] == 1
    wrongs: list[dict[str, Any]] = [{"answered": {"SALE": -1}}, {"unanswered": {}}, {"answer_decay": 0}, {"mood": 1}]
    for wrong in wrongs:
        assert (await simulator.ask("PUT", "/simulator/rates", wrong))[0] == 400


def test_a_draw_does_not_depend_on_the_process() -> None:
    carrier = Carrier(Rates(seed=1))
    drawn = [carrier.draw(f"+156155501{n:02}", 1, NOON).outcome.value for n in range(8)]
    assert drawn == [
        "NO_ANSWER",
        "VOICEMAIL",
        "VOICEMAIL",
        "CALLBACK",
        "NO_ANSWER",
        "TRANSFERRED",
        "NOT_INTERESTED",
        "NO_ANSWER",
    ]


def shares(carrier: Carrier, ordinal: int, at: float = NOON) -> Counter[Outcome]:
    return Counter(carrier.draw(f"+1561555{n:04}", ordinal, at).outcome for n in range(4000))


def test_the_mix_is_realistic_and_answering_declines_with_each_attempt() -> None:
    carrier = Carrier(Rates())
    people = []
    for ordinal in (1, 2, 4, 8):
        found = shares(carrier, ordinal)
        assert 0.03 <= found[Outcome.BUSY] / 4000 <= 0.06
        assert 0.24 <= found[Outcome.NO_ANSWER] / 4000 <= 0.35
        assert 0.36 <= found[Outcome.VOICEMAIL] / 4000 <= 0.52
        people.append(sum(found[outcome] for outcome in REACHED_OUTCOMES) / 4000)
    assert 0.22 <= people[0] <= 0.32
    assert people == sorted(people, reverse=True)


def test_early_evening_answers_better_than_early_morning() -> None:
    carrier = Carrier(Rates())
    evening, morning = (shares(carrier, 1, datetime(2026, 1, 5, hour, tzinfo=UTC).timestamp()) for hour in (22, 13))
    assert sum(evening[o] for o in REACHED_OUTCOMES) > sum(morning[o] for o in REACHED_OUTCOMES)


def test_bad_numbers_are_bad_every_time() -> None:
    carrier = Carrier(Rates())
    numbers = [f"+1561555{n:04}" for n in range(2000)]
    bad = [{n for n in numbers if carrier.draw(n, k, NOON).outcome is Outcome.BAD_NUMBER} for k in (1, 2, 5)]
    assert bad[0] == bad[1] == bad[2]
    assert 10 <= len(bad[0]) <= 90


def test_most_answers_come_after_6_to_10_or_18_to_22_seconds() -> None:
    drawn = [Carrier(Rates()).draw(f"+1561555{n:04}", 1, NOON) for n in range(500)]
    rings = [fate.ring_seconds for fate in drawn if fate.reached]
    assert all(6 <= ring <= 10 or 18 <= ring <= 22 for ring in rings)


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("[01]*.json")), ids=lambda path: path.stem)
async def test_results_have_every_field_of_a_real_one_in_its_type(simulator: Simulator, sample: Path) -> None:
    real = json.loads(sample.read_text())
    outcome = derived(real)
    await simulator.script({"outcome": outcome, "callback_at": "2026-01-07T15:30:00"}, {"outcome": "VOICEMAIL"})
    ours = await simulator.ended(await simulator.place(metadata={"attempt_id": "a1"}))
    assert set(real) - {"isRetry"} <= set(ours)
    for key in set(real) & set(ours):
        if real[key] is not None and ours[key] is not None:
            kinds = {type(real[key]), type(ours[key])}
            assert len(kinds - {int, float}) <= 1, key
            assert kinds <= {int, float} or len(kinds) == 1, key
