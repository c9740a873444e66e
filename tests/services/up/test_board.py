"""The board fits a small terminal and tells what matters; the plain line tells the same."""

import io
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from leadline.contracts.operators import CampaignView, Gates, Stats
from leadline.domain.campaign import Campaign
from leadline.domain.ids import CampaignName
from leadline.domain.outcome import Outcome
from leadline.domain.rules.hours import parse_calling_hours
from services.cli.up.board import board, plain_line
from services.cli.up.clock import BusinessClock
from services.cli.up.figures import Snapshot, moment, windows_in_words
from services.cli.up.supervisor import ChildState
from services.cli.up.welcome import opening_hint

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 1, 5, 11, 42, 17, tzinfo=ZONE)


def stats(**changed: Any) -> Stats:
    usual: dict[str, Any] = {
        "as_of": NOW,
        "leads_by_status": {"pending": 362, "calling": 31, "completed": 98},
        "due_now": 12,
        "oldest_due_seconds": 3.0,
        "next_due_at": NOW + timedelta(minutes=1),
        "open_attempts": {"leased": 2, "placed": 28},
        "calls_today": 1440,
        "outcomes_today": {"VOICEMAIL": 600, "NO_ANSWER": 400, "SALE": 3},
        "suppressions": 21,
        "unapplied_events": 0,
        "unconfirmed_stop_orders": 0,
        "gates": Gates(account_paused=False, account_pause_reason=None, dispatch_held=False, dispatch_held_reason=None),
        "campaigns": [],
        "last_sweep_at": NOW - timedelta(minutes=2),
        "last_sweep_counters": {"leases_expired": 4, "other": 0},
        "alarms": {},
    }
    return Stats(**(usual | changed))


def snapshot(**changed: Any) -> Snapshot:
    usual: dict[str, Any] = {
        "now": NOW,
        "zone": ZONE,
        "speed": 120.0,
        "moved": True,
        "windows": "open until 20:00",
        "is_open": True,
        "stats": stats(),
        "is_stale": False,
        "calls_per_minute": 12.34,
        "processes": dict.fromkeys(
            ("postgres", "simulator", "queue", "gateway", "dialer", "crm-sync", "sweep"), ChildState.RUNNING
        ),
        "simulated": True,
    }
    return Snapshot(**(usual | changed))


def drawn(shot: Snapshot) -> str:
    console = Console(width=80, height=24, file=io.StringIO(), force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(board(shot))
    return capture.get()


EVERYTHING_BAD = stats(
    outcomes_today={outcome.value: 1234567 for outcome in Outcome},
    open_attempts=dict.fromkeys(("leased", "sending", "placed", "unknown"), 99999),
    alarms={"second_call": 7, "late_truth": 3, "missed_callback": 1, "not_sent": 200},
    gates=Gates(
        account_paused=True, account_pause_reason="HTTP 402 " * 30, dispatch_held=False, dispatch_held_reason=None
    ),
    last_sweep_counters={f"counter_{n}": n for n in range(30)},
    unapplied_events=5,
    unconfirmed_stop_orders=2,
    held_by_reason={"crm_unknown": 1234567},
    crm_waiting=1234567,
    crm_dead=1234567,
)


@pytest.mark.parametrize("shot", [snapshot(), snapshot(stats=None), snapshot(stats=EVERYTHING_BAD, is_stale=True)])
def test_it_fits_eighty_by_twenty_four(shot: Snapshot) -> None:
    lines = drawn(shot).splitlines()
    assert len(lines) < 24
    assert all(len(line) <= 80 for line in lines)


def test_it_tells_what_matters() -> None:
    text = drawn(snapshot())
    for words in (
        "nobody is called",
        "Mon 5 Jan 2026 11:42:17 EST",
        "120x",
        "open until 20:00",
        "1,440 today, 12.3 a minute",
        "flight 30: 2 leased, 28 placed",
        "12 now (oldest 3 s late), the next at 11:43",
        "11:40, 4 leases expired",
        "crm    0 to be told",
        "alarms none",
    ):
        assert words in text


def test_what_the_crm_is_to_be_told_and_what_it_refused() -> None:
    told = stats(crm_waiting=7, crm_dead=2, held_by_reason={"crm_unknown": 3, "backfill": 9})
    text = drawn(snapshot(stats=told))
    assert "7 to be told, 3 leads wait for it, 2 refused (leadline crm)" in text
    assert "crm: 7 to be told, 2 dead" in plain_line(snapshot(stats=told))
    without = {name: state for name, state in snapshot().processes.items() if name != "crm-sync"}
    assert "to be told" not in drawn(snapshot(stats=told, processes=without))


def test_alarms_and_pauses_are_told() -> None:
    paused = CampaignView(campaign="other", paused=True, pause_reason="x", window_open=True, next_opening_at=None)
    text = drawn(snapshot(stats=stats(alarms={"second_call": 2}, campaigns=[paused]), is_stale=True))
    assert "does not answer; paused: other; 2 second call" in text


def test_the_plain_line_is_one_line() -> None:
    line = plain_line(snapshot())
    assert "\n" not in line
    assert "calls today 1,440; talks with people 3; in flight 30; due now 12" in line
    assert "has not answered yet" in plain_line(snapshot(stats=None))


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (NOW.replace(hour=20, minute=0), "20:00"),
        (NOW + timedelta(days=2), "Wed 11:42"),
        (NOW + timedelta(days=30), "Wed 4 Feb 2026 11:42"),
        (NOW - timedelta(days=1), "Sun 4 Jan 2026 11:42"),
    ],
)
def test_moments_are_told_briefly(at: datetime, words: str) -> None:
    assert moment(at, NOW, ZONE) == words


def campaign(hours: str) -> Campaign:
    return Campaign(CampaignName("awhealth"), parse_calling_hours(hours, ZONE))


def standing_at(at: datetime) -> BusinessClock:
    return BusinessClock(at, at, 1e-9)


def test_calling_hours_in_words() -> None:
    saturday = datetime(2026, 1, 10, 12, tzinfo=ZONE)
    usual = campaign("Mon-Fri 11:00-20:00")
    assert windows_in_words([usual], standing_at(NOW)) == (True, "open until 20:00")
    assert windows_in_words([usual], standing_at(saturday)) == (False, "closed until Mon 11:00")
    assert windows_in_words([usual, campaign("Sat 10:00-14:00")], standing_at(saturday)) == (True, "open until 14:00")


def test_a_demo_while_hours_are_closed_is_told_when_they_open() -> None:
    usual = campaign("Mon-Fri 11:00-20:00")
    assert opening_hint([usual], standing_at(NOW), 20) == []
    first, second = opening_hint([usual], standing_at(datetime(2026, 1, 10, 12, tzinfo=ZONE)), 20)
    assert "next opening is Mon 11:00 EST" in first
    assert "leadline up --demo 20 --start-at 2026-01-12T11:00-05:00 --speed 120" in second
