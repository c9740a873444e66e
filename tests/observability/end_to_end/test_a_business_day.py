"""Metrics, database and ledger tell the same of one day, and every panel and every recording rule has data."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.observability.end_to_end.day import CAMPAIGN, PEOPLE, Day, live
from tests.observability.prometheus import needs_prometheus

pytestmark = [needs_prometheus, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def day() -> Iterator[Day]:
    parent = Path(tempfile.mkdtemp(prefix="leadline-day-"))
    parent.chmod(0o711)  # PostgreSQL's own user must pass
    try:
        yield asyncio.run(live(parent / "data"))
    finally:
        shutil.rmtree(parent, ignore_errors=True)


def test_attempts_are_the_ledger_s_and_the_database_s(day: Day) -> None:
    by_result = day.by("leadline_attempts_total", "result")
    sent = sum(count for (result,), count in by_result.items() if result != "not_sent")
    assert sent == len(day.posts) == day.sql["sent"]
    assert sent > PEOPLE


def test_outcomes_are_the_database_s_by_attempt(day: Day) -> None:
    expected = {(outcome, "9+" if band == "9" else band): n for (outcome, band), n in day.sql["outcomes"].items()}
    assert day.by("leadline_outcomes_total", "outcome", "attempt_band") == expected
    assert day.total("leadline_outcomes_total", campaign=CAMPAIGN) == sum(expected.values())


def test_outcomes_are_as_many_as_calls_that_ended_at_the_provider(day: Day) -> None:
    ended = [row for row in day.posts if row["ended_business_at"]]
    assert day.total("leadline_outcomes_total") == len(ended)
    assert day.total("leadline_calls_by_local_hour_total") == len(ended)


def test_the_outcomes_that_matter_most_are_the_ledger_s(day: Day) -> None:
    ledger = Counter(row["outcome"] for row in day.posts if row["outcome"])
    metrics = {outcome: n for (outcome,), n in day.by("leadline_outcomes_total", "outcome").items()}
    for outcome in ("DO_NOT_CALL", "BUSY", "BAD_NUMBER"):
        assert metrics.get(outcome, 0) == ledger[outcome], outcome


def test_money_is_the_provider_s_and_the_database_s(day: Day) -> None:
    cost = day.total("leadline_cost_dollars_total")
    assert cost == pytest.approx(day.sql["price"], abs=1e-6)
    assert cost == pytest.approx(day.spent_dollars, abs=1e-4 * len(day.posts))
    assert cost > 0
    assert day.total("leadline_talk_seconds_total") == pytest.approx(day.sql["talk"], abs=1e-6)


def test_leads_are_the_database_s(day: Day) -> None:
    received = day.by("leadline_leads_received_total", "status")
    assert received == day.by("leadline_gateway_leads_total", "status")
    assert received["queued",] == PEOPLE == day.sql["leads"]
    assert day.by("leadline_leads_completed_total", "reason") == day.sql["completed"]
    assert day.total("leadline_suppressions_added_total") == day.sql["suppressions"]


def test_every_panel_shows_something(day: Day) -> None:
    troubles = {f"{query.dashboard}: {query.panel}: {query.expr}": found for query, found in day.answers.items()}
    silent = [name for name, found in troubles.items() if not isinstance(found, int) or found == 0]
    assert silent == []
    assert len({query.dashboard for query in day.answers}) == 4


def test_every_recording_rule_records_something(day: Day) -> None:
    assert {name for name, series in day.recorded.items() if not series} == set()
    assert day.troubles == []
    assert day.recorded


def test_a_good_day_wakes_nobody(day: Day) -> None:
    assert day.firing == set()
