"""`leadline leads ...`."""

import json

import pytest

from tests.services.cli.conftest import Cli
from tests.services.cli.fake_queue import LEAD, NUMBER, TWICE, FakeQueue


@pytest.mark.parametrize("who", [NUMBER, "(561) 555-0123", "5615550123", str(LEAD)])
def test_a_lead_is_shown_by_number_in_any_spelling_or_by_id(cli: Cli, who: str) -> None:
    shown = cli.done("leads", "show", who)
    assert str(LEAD) in shown
    assert "VOICEMAIL" in shown
    assert "lead_created" in shown


def test_numbers_and_names_are_hidden_unless_asked_for(cli: Cli) -> None:
    for arguments in (("show", NUMBER), ("show", NUMBER, "--json"), ("explain", NUMBER), ("explain", NUMBER, "--json")):
        hidden = cli.done("leads", *arguments)
        assert NUMBER not in hidden
        assert "+1******0123" in hidden
        assert "Ada" not in hidden
        assert NUMBER in cli.done("leads", *arguments, "--show-pii")


def test_what_people_wrote_is_printed_and_not_interpreted(cli: Cli) -> None:
    shown = cli.done("leads", "show", NUMBER, "--show-pii")
    assert "Ada [red]Lovelace?[2J" in shown
    assert "\x1b" not in shown


def test_show_prints_stable_json(cli: Cli) -> None:
    document = json.loads(cli.done("leads", "show", TWICE, "--json"))
    assert [lead["lead"]["campaign"] for lead in document["leads"]] == ["awhealth", "spanish"]
    (first, _) = document["leads"]
    assert set(first) == {"lead", "attempts", "history"}
    assert first["lead"]["phone_number"] == "+1******0177"
    assert first["lead"]["next_redial_at"] == "2026-01-06T17:17:00Z"
    assert first["attempts"][1]["call_id"] == "call-2"
    assert first["history"][0]["details"] == {"to": "+1******0123"}


def test_explain_prints_the_verdict_and_every_rule_in_the_words_of_the_queue_service(cli: Cli) -> None:
    shown = cli.done("leads", "explain", NUMBER)
    assert "Not called now: outside of calling hours." in shown
    lines = shown.splitlines()
    assert any("status" in line and "yes" in line and "The lead is pending." in line for line in lines)
    assert any("calling_hours" in line and "NO" in line and "from 11:00" in line for line in lines)


def test_explain_prints_stable_json(cli: Cli) -> None:
    (explanation,) = json.loads(cli.done("leads", "explain", str(LEAD), "--json"))["explanations"]
    assert set(explanation) == {"lead_id", "at", "verdict", "next_call_at", "rules"}
    assert explanation["rules"][0]["allowed"] is True


@pytest.mark.parametrize(("verb", "status"), [("pause", "paused"), ("resume", "pending"), ("complete", "completed")])
def test_a_verb_changes_a_lead_and_says_why(cli: Cli, queue: FakeQueue, verb: str, status: str) -> None:
    shown = cli.done("leads", verb, NUMBER, "--reason", "in hospital")
    assert f"{status} (in hospital)" in shown
    assert queue.changes == [f"{verb} awhealth: in hospital"]
    assert len(queue.operation_ids) == 1


def test_a_verb_prints_json(cli: Cli) -> None:
    document = json.loads(cli.done("leads", "pause", NUMBER, "-r", "x", "--json"))
    assert document["status"] == "paused"
    assert document["phone_number"] == "+1******0123"


def test_reschedule_takes_a_time_with_an_offset(cli: Cli) -> None:
    document = json.loads(
        cli.done("leads", "reschedule", NUMBER, "--at", "2026-01-07T15:30-05:00", "-r", "asked", "--json")
    )
    assert document["next_redial_at"] == "2026-01-07T20:30:00Z"


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("tomorrow", "--at tomorrow: is no ISO 8601 time such as 2026-01-06T15:30-05:00"),
        (
            "2026-01-07T15:30",
            "--at 2026-01-07T15:30: says no offset; write it with one, such as 2026-01-07T15:30-05:00",
        ),
    ],
)
def test_reschedule_refuses_times_that_may_mean_several(cli: Cli, queue: FakeQueue, at: str, words: str) -> None:
    assert cli.fails(2, "leads", "reschedule", NUMBER, "--at", at, "-r", "x") == words
    assert queue.changes == []


def test_a_number_with_several_leads_must_be_told_apart(cli: Cli, queue: FakeQueue) -> None:
    line = cli.fails(2, "leads", "pause", TWICE, "-r", "x")
    assert "2 leads" in line
    assert "--campaign" in line
    cli.done("leads", "pause", TWICE, "-r", "x", "--campaign", "spanish")
    assert queue.changes == ["pause spanish: x"]


def test_a_campaign_without_the_number_is_not_found(cli: Cli) -> None:
    line = cli.fails(3, "leads", "show", TWICE, "--campaign", "french")
    assert line == "that number has no lead in 'french', but in awhealth, spanish"


def test_nobody_is_not_found(cli: Cli) -> None:
    assert "no lead has that number" in cli.fails(3, "leads", "show", "+15615550199")
    assert cli.fails(3, "leads", "show", "01940b2e-7c3f-7a51-9d2e-5b1f0c6a8e99") == "There is no such lead"


def test_what_is_no_number_is_wrong_usage(cli: Cli) -> None:
    assert cli.fails(2, "leads", "show", "banana").startswith("The text is no telephone number")


class TestReopen:
    def test_asks_first(self, cli: Cli, queue: FakeQueue) -> None:
        cli.done("leads", "complete", NUMBER, "-r", "by mistake")
        assert cli.done("leads", "reopen", NUMBER, "-r", "mistake", typed="y\n").count(str(LEAD)) == 1
        assert queue.changes[-1] == "reopen awhealth: mistake"

    @pytest.mark.parametrize("typed", ["n\n", ""])
    def test_does_nothing_without_a_yes(self, cli: Cli, queue: FakeQueue, typed: str) -> None:
        result = cli("leads", "reopen", NUMBER, "-r", "mistake", typed=typed)
        assert result.exit_code == 1
        assert result.stderr.endswith("leadline: nothing was changed\n")
        assert "--yes" in result.stderr
        assert queue.changes == []

    def test_does_not_ask_with_yes(self, cli: Cli) -> None:
        cli.done("leads", "complete", NUMBER, "-r", "x")
        cli.done("leads", "reopen", NUMBER, "-r", "x", "--yes")

    def test_tells_why_not(self, cli: Cli) -> None:
        line = cli.fails(1, "leads", "reopen", NUMBER, "-r", "x", "--yes")
        assert line == "The lead is pending; only a completed lead is reopened"


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_reason_is_needed_and_bounded(cli: Cli, reason: str) -> None:
    assert cli.fails(2, "leads", "pause", NUMBER, "--reason", reason) == "--reason: must have 1 to 500 characters"
