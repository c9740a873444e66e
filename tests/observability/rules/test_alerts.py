"""Every alert by promtool: it fires in these words, it stays quiet, and it knows its edge."""

import subprocess
from pathlib import Path

import pytest

from tests.observability.rules import objectives, platform, provider, queue
from tests.observability.rules.cases import Case, Kind, write
from tests.observability.rules.files import alerts
from tests.observability.tools import ABSENT, find

CASES: dict[str, tuple[Case, ...]] = {**objectives.CASES, **queue.CASES, **provider.CASES, **platform.CASES}
needs_promtool = pytest.mark.skipif(find("promtool") is None, reason=ABSENT)


@pytest.mark.parametrize("alert", alerts())
def test_every_alert_has_a_case_of_each_kind(alert: str) -> None:
    assert {case.kind for case in CASES.get(alert, ())} == set(Kind)


@pytest.mark.parametrize("alert", alerts())
def test_cases_differ_by_name(alert: str) -> None:
    """A case's name is its file's: a second one of the name would take the first one's place."""
    names = [case.what for case in CASES.get(alert, ())]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("alert", alerts())
def test_every_rule_of_an_alert_fires_in_some_case(alert: str) -> None:
    """An alert with a page and a ticket has a case for both."""
    fired = [{"severity": f.severity, **f.labels} for case in CASES.get(alert, ()) for f in case.fired]
    assert not [rule["expr"] for rule in alerts()[alert] if not any(rule["labels"].items() <= f.items() for f in fired)]


def test_no_case_is_of_an_alert_that_is_gone() -> None:
    assert not CASES.keys() - alerts().keys()


@needs_promtool
@pytest.mark.parametrize("alert", CASES)
def test_every_case(alert: str, tmp_path: Path) -> None:
    tested = subprocess.run(
        [str(find("promtool")), "test", "rules", *map(str, write(alert, CASES[alert], tmp_path))],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
