"""`leadline campaigns ...` and `leadline account ...`."""

import json

from tests.services.cli.conftest import Cli
from tests.services.cli.fake_queue import FakeQueue


def test_campaigns_are_listed(cli: Cli) -> None:
    shown = cli.done("campaigns", "list")
    assert any("awhealth" in line and "open" in line for line in shown.splitlines())
    assert any("spanish" in line and "opens 2026-01-06" in line for line in shown.splitlines())
    document = json.loads(cli.done("campaigns", "list", "--json"))
    assert [campaign["campaign"] for campaign in document["campaigns"]] == ["awhealth", "spanish"]


def test_a_campaign_is_paused_and_resumed(cli: Cli, queue: FakeQueue) -> None:
    assert "new script" in cli.done("campaigns", "pause", "awhealth", "--reason", "new script")
    assert queue.paused_campaigns == {"awhealth": "new script"}
    assert json.loads(cli.done("campaigns", "resume", "awhealth", "-r", "live", "--json"))["paused"] is False
    assert len(set(queue.operation_ids)) == 2


def test_an_unknown_campaign_is_not_found(cli: Cli) -> None:
    assert "configured are: awhealth, spanish" in cli.fails(3, "campaigns", "pause", "aw/health", "-r", "x")


def test_the_account_is_paused_and_resumed(cli: Cli, queue: FakeQueue) -> None:
    assert "paused: storm" in cli.done("account", "pause", "--reason", "storm")
    assert queue.account_reason == "storm"
    assert json.loads(cli.done("account", "resume", "-r", "over", "--json")) == {
        "account_paused": False,
        "account_pause_reason": None,
        "dispatch_held": False,
        "dispatch_held_reason": None,
    }
