"""Rules in a hurry are the same rules, and Prometheus takes them."""

import subprocess
from pathlib import Path

import pytest

from tests.observability.hastened import hasten
from tests.observability.rules.files import ALERTS, FILES, RECORDING, names_in, rules
from tests.observability.tools import ABSENT, find


def test_every_time_is_divided(tmp_path: Path) -> None:
    found = {rule["alert"]: rule for rule in rules(hasten(ALERTS, 60, tmp_path))}
    stalled, sweep, falling = (
        found[f"Leadline{name}"] for name in ("QueueStalled", "SweepNotSucceeding", "AnswerRateFalling")
    )
    assert stalled["for"] == "5000ms"
    assert "> 5 " in stalled["expr"]
    assert "[5000ms]" in stalled["expr"]
    assert "> 15 " in sweep["expr"]
    assert "offset 20000ms" in sweep["expr"]
    assert ">= 150" in falling["expr"], "a count of calls is no time"


@pytest.mark.skipif(find("promtool") is None, reason=ABSENT)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_promtool_takes_them(path: Path, tmp_path: Path) -> None:
    hastened = hasten(path, 60, tmp_path)
    assert [names_in(rule["expr"]) for rule in rules(hastened)] == [names_in(rule["expr"]) for rule in rules(path)]
    checked = subprocess.run(
        [str(find("promtool")), "check", "rules", str(hastened)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_ranges_keep_a_few_scrapes(tmp_path: Path) -> None:
    shortest = [rule for rule in rules(hasten(RECORDING, 3600, tmp_path)) if rule["record"].endswith("_events:rate5m")]
    assert shortest
    assert all("[5000ms]" in rule["expr"] for rule in shortest)
