"""`leadline suppress ...`."""

import json

import pytest

from tests.services.cli.conftest import Cli
from tests.services.cli.fake_queue import NUMBER, FakeQueue


def test_a_number_is_added_checked_and_removed(cli: Cli, queue: FakeQueue) -> None:
    assert "suppressed" in cli.done("suppress", "add", "(561) 555-0123", "--reason", "asked by mail")
    assert queue.suppressed[NUMBER].reason == "asked by mail"
    assert "asked by mail" in cli.done("suppress", "check", NUMBER)
    assert "no longer suppressed" in cli.done("suppress", "remove", NUMBER, "-r", "typed wrong", "--yes")
    assert queue.suppressed == {}
    assert len(set(queue.operation_ids)) == 2


def test_check_says_by_its_exit_code_whether_a_number_is_suppressed(cli: Cli) -> None:
    result = cli("suppress", "check", NUMBER)
    assert (result.exit_code, result.stdout, result.stderr) == (3, "not suppressed\n", "")


def test_check_prints_stable_json(cli: Cli) -> None:
    assert json.loads(cli("suppress", "check", NUMBER, "--json").stdout) == {"suppressed": False, "suppression": None}
    cli.done("suppress", "add", NUMBER, "-r", "x", "--source", "mail")
    assert json.loads(cli.done("suppress", "check", NUMBER, "--json")) == {
        "suppressed": True,
        "suppression": {
            "phone_number": "+1******0123",
            "reason": "x",
            "source": "mail",
            "created_at": "2026-01-06T17:12:00Z",
        },
    }


def test_numbers_are_masked_unless_asked_for(cli: Cli) -> None:
    assert NUMBER not in cli.done("suppress", "add", NUMBER, "-r", "x")
    assert NUMBER in cli.done("suppress", "add", NUMBER, "-r", "x", "--show-pii")


@pytest.mark.parametrize("typed", ["n\n", ""])
def test_remove_does_nothing_without_a_yes(cli: Cli, queue: FakeQueue, typed: str) -> None:
    cli.done("suppress", "add", NUMBER, "-r", "x")
    result = cli("suppress", "remove", NUMBER, "-r", "x", typed=typed)
    assert (result.exit_code, result.stdout) == (1, "")
    assert NUMBER in queue.suppressed
    cli.done("suppress", "remove", NUMBER, "-r", "x", typed="y\n")
    assert NUMBER not in queue.suppressed


def test_removing_what_is_not_there_is_not_found(cli: Cli) -> None:
    assert cli.fails(3, "suppress", "remove", NUMBER, "-r", "x", "--yes") == "The number is not on the list"


def test_what_is_no_number_is_wrong_usage(cli: Cli) -> None:
    assert cli.fails(2, "suppress", "check", "12").startswith("The text is no telephone number")
