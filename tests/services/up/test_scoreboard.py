"""The scoreboard fails a run for each thing that must not happen, and for nothing else."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from leadline.contracts.operators import LeadView
from services.cli.up.errors import EXIT_FAILED, EXIT_OK
from services.cli.up.scoreboard import Miss, as_json, find_misses, judge
from services.simulator.scoreboard import Scoreboard

END = datetime.fromisoformat("2026-01-05T20:05-05:00")
NUMBER = "+12125550102"


def scores(**changed: Any) -> Scoreboard:
    clean: dict[str, Any] = {
        "calls_out_of_hours": 0,
        "overlapping_calls": 0,
        "calls_over_a_cap": 0,
        "calls_after_final_result": 0,
        "second_posts": 0,
        "calls_after_stop": 0,
        "calls_after_bad_number": 0,
        "calls_after_sale_in_crm": 0,
        "calls": 100,
        "people_reached": 20,
        "numbers_called": 50,
        "posts": 100,
        "refusals": {},
        "answers": {"answered": 100},
        "outcomes": {"VOICEMAIL": 100},
        "over_a_cap": {},
        "most_calls_in_a_business_second": 5,
        "most_posts_in_a_real_second": 9,
        "live_calls": 0,
        "undelivered_results": 0,
        "webhook_tries": 100,
        "examples": {},
    }
    return Scoreboard(**(clean | changed))


def lead(status: str, due: datetime | None = None) -> LeadView:
    return LeadView(
        id=uuid4(),
        campaign="awhealth",
        lead_id="1",
        list_id="1",
        phone_number=NUMBER,
        first_name=None,
        last_name=None,
        state=None,
        status=status,
        status_reason=None,
        attempts=0,
        attempts_today=0,
        created_at=END,
        updated_at=END,
        next_redial_at=due,
        last_call_at=None,
        last_outcome=None,
        scheduled_callback_at=None,
        outcomes=[],
    )


def test_a_clean_run_passes() -> None:
    verdict = judge(scores(), [])
    assert verdict.exit_code == EXIT_OK
    assert verdict.failures == []
    assert [row.value for row in verdict.rows if row.label == "people reached"] == ["20"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("calls_out_of_hours", "1 calls out of hours"),
        ("overlapping_calls", "1 overlapping calls"),
        ("calls_over_a_cap", "1 calls over a cap"),
        ("calls_after_final_result", "1 calls after a final result"),
        ("second_posts", "1 second POSTs of one attempt"),
        ("calls_after_stop", "1 calls after a stop"),
        ("calls_after_bad_number", "1 calls to a number known as bad"),
        ("calls_after_sale_in_crm", "1 calls after a sale in the CRM"),
    ],
)
def test_each_thing_that_must_not_happen_fails_the_run(name: str, words: str) -> None:
    verdict = judge(scores(**{name: 1}), [])
    assert verdict.exit_code == EXIT_FAILED
    assert verdict.failures == [words]
    assert [row.good for row in verdict.rows if row.value == "1"] == [False]


def test_a_run_without_calls_fails() -> None:
    verdict = judge(scores(calls=0), [])
    assert verdict.exit_code == EXIT_FAILED
    assert verdict.failures == ["nothing was called"]


def test_a_lead_that_was_never_called_fails_the_run() -> None:
    verdict = judge(scores(), [Miss(NUMBER, "pending, due at 11:00")])
    assert verdict.exit_code == EXIT_FAILED
    assert verdict.failures == [f"{NUMBER} was never called: pending, due at 11:00"]


def test_a_ledger_that_was_lost_fails_the_run() -> None:
    assert judge(scores(), [], ledger_is_whole=False).exit_code == EXIT_FAILED


def test_refusals_calls_that_go_on_and_speed_are_told_and_fail_nothing() -> None:
    verdict = judge(scores(refusals={"PLAN_CAP": 3}, live_calls=2, most_calls_in_a_business_second=50), [])
    assert verdict.exit_code == EXIT_OK
    told = {row.label: row.value for row in verdict.rows}
    assert told["refused by Bland: PLAN_CAP"] == "3"
    assert told["calls still live at the end"] == "2"
    assert told["most calls in any business second"] == "50"


def misses(*leads: LeadView, called: tuple[str, ...] = ()) -> list[Miss]:
    return find_misses([NUMBER], set(called), {NUMBER: list(leads)}, END)


def test_who_was_called_was_not_missed() -> None:
    assert misses(lead("pending", END - timedelta(hours=9)), called=(NUMBER,)) == []


@pytest.mark.parametrize("status", ["completed", "held", "paused", "suppressed"])
def test_who_is_not_to_be_called_was_not_missed(status: str) -> None:
    assert misses(lead(status)) == []


def test_who_is_due_after_the_end_was_not_missed() -> None:
    assert misses(lead("pending", END + timedelta(seconds=1))) == []


@pytest.mark.parametrize("status", ["pending", "rescheduled", "calling"])
def test_who_was_due_and_not_called_was_missed(status: str) -> None:
    (miss,) = misses(lead(status, END - timedelta(hours=9)))
    assert miss.why.startswith(f"{status}, due 2026-01-05T11:05")


def test_a_lead_that_is_gone_was_missed() -> None:
    assert misses() == [Miss(NUMBER, "posted, and there is no such lead")]


def test_the_json_says_the_same() -> None:
    board = scores(overlapping_calls=2)
    verdict = judge(board, [])
    told = as_json(board, [], verdict, END)
    assert told["overlapping_calls"] == 2
    assert told["passed"] is False
    assert told["failures"] == ["2 overlapping calls"]
