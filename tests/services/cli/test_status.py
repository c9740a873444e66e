"""`leadline status`: one screen; what is wrong is followed by what to do."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.services.cli.conftest import Cli
from tests.services.cli.fake_queue import NOW, FakeQueue

HELD = {
    "account_paused": False,
    "account_pause_reason": None,
    "dispatch_held": True,
    "dispatch_held_reason": "failover",
}


def test_a_healthy_system_has_no_hints(cli: Cli) -> None:
    shown = cli.done("status")
    assert "->" not in shown
    assert "wrong" not in shown
    for words in ("awhealth open", "spanish closed until", "42 calls", "VOICEMAIL 30", "placed 2", "pending 10"):
        assert words in shown
    assert len(shown.splitlines()) <= 24


@pytest.mark.parametrize(
    ("wrong", "words", "then"),
    [
        ({"gates": HELD}, "all held: failover", "leadline sweep"),
        ({"due_now": 3, "oldest_due_seconds": 4000.0}, "3 now, the oldest 1 h 6 min late", "leadline dialer"),
        ({"last_sweep_at": None}, "never", "leadline sweep"),
        ({"last_sweep_at": NOW - timedelta(hours=2)}, "2026-01-06", "overdue"),
        ({"last_sweep_counters": {"promises.violated": 2}}, "2 promises broken", "incident"),
        (
            {"open_attempts": {"unknown": 1}, "oldest_open_seconds": {"unknown": 9000.0}},
            "unknown for 2 h 30 min",
            "leadline sweep",
        ),
        ({"caps": [{"cap": "hour", "used": 100, "limit": 100}]}, "100 of 100 in an hour", "LEADLINE_BLAND_PLAN"),
        ({"caps": [{"cap": "concurrent", "used": 9, "limit": 9}]}, "9 of 9 at once", "until a call ends"),
        ({"unapplied_events": 7}, "7 events not applied", "log"),
        ({"unconfirmed_stop_orders": 1}, "1 stop orders not confirmed", "leadline sweep"),
        ({"crm_dead": 3}, "3 messages that the CRM refused", "leadline crm dead-letters"),
        ({"alarms": {"two_live_calls": 1}}, "1 two_live_calls", "incident"),
        ({"alarms": {"something_new": 1}}, "1 something_new", "log"),
    ],
)
def test_what_is_wrong_says_what_to_do(
    cli: Cli, queue: FakeQueue, wrong: dict[str, Any], words: str, then: str
) -> None:
    queue.stats_more = wrong
    (line,) = [line for line in cli.done("status").splitlines() if "->" in line]
    before, _, after = line.partition("->")
    assert words in before
    assert then in after


def test_held_leads_are_shown_by_what_they_wait_for(cli: Cli, queue: FakeQueue) -> None:
    queue.stats_more = {"held_by_reason": {"crm_unknown": 4, "backfill": 2}}
    assert "crm_unknown 4" in cli.done("status")


def test_what_is_left_of_the_plan_is_no_alarm(cli: Cli, queue: FakeQueue) -> None:
    queue.stats_more = {"caps": [{"cap": "hour", "used": 3, "limit": 100}, {"cap": "day", "used": 5, "limit": 400}]}
    shown = cli.done("status")
    assert "3 of 100 in an hour, 5 of 400 in a day" in shown
    assert "->" not in shown


def test_pauses_name_the_command_that_ends_them(cli: Cli) -> None:
    cli.done("account", "pause", "-r", "storm")
    cli.done("campaigns", "pause", "spanish", "-r", "script")
    shown = cli.done("status")
    assert "all paused: storm  -> leadline account resume --reason TEXT" in shown
    assert "spanish paused: script  -> leadline campaigns resume spanish --reason TEXT" in shown


def test_late_leads_are_no_alarm_while_nothing_may_be_dialled(cli: Cli, queue: FakeQueue) -> None:
    queue.stats_more = {"due_now": 3, "oldest_due_seconds": 4000.0}
    cli.done("campaigns", "pause", "awhealth", "-r", "x")
    (line,) = [line for line in cli.done("status").splitlines() if "3 now" in line]
    assert "->" not in line


def test_an_unknown_call_is_no_alarm(cli: Cli, queue: FakeQueue) -> None:
    queue.stats_more = {"open_attempts": {"unknown": 1}}
    shown = cli.done("status")
    assert "unknown 1 (the sweep looks unknown ones up at Bland)" in shown
    assert "->" not in shown


def test_status_prints_the_figures_as_json(cli: Cli) -> None:
    document = json.loads(cli.done("status", "--json"))
    assert document["calls_today"] == 42
    assert document["as_of"] == "2026-01-06T17:12:00Z"
    assert document["gates"]["account_paused"] is False
