"""The answer to "why is nothing dialling": the first gate that is shut, and none if calls can go out."""

import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml

from deploy.dashboards.gates import VERDICT, VERDICT_WORDS
from tests.observability.dashboards.queries import PanelQuery
from tests.observability.tools import ABSENT, find

NOW: Final = 3600
"""promtool's clock begins at 0; the question is asked after an hour."""
WELL: Final = {
    'leadline_figures_timestamp_seconds{namespace="n", pod="a", reading="fast"}': NOW,
    'leadline_gate_closed{namespace="n", pod="a", gate="account_pause"}': 0,
    'leadline_gate_closed{namespace="n", pod="a", gate="dispatch_hold"}': 0,
    'leadline_campaign_paused{namespace="n", pod="a", campaign="one"}': 0,
    'leadline_campaign_paused{namespace="n", pod="a", campaign="two"}': 0,
    'leadline_window_open{namespace="n", pod="a", campaign="one"}': 1,
    'leadline_window_open{namespace="n", pod="a", campaign="two"}': 1,
    'leadline_leads_due_now{namespace="n", pod="a"}': 3,
    'leadline_attempts_in_hand{namespace="n", pod="a"}': 0,
    'leadline_last_lease_request_timestamp_seconds{namespace="n", pod="a"}': NOW - 5,
    'leadline_dialer_breaker_state{namespace="n", pod="d"}': 0,
    'leadline_cap_used{namespace="n", pod="a", cap="hour"}': 10,
    'leadline_cap_limit{namespace="n", pod="a", cap="hour"}': 100,
}


def _set(*changes: tuple[str, float | None]) -> dict[str, float]:
    """All is well but for these: of every series whose text has the words, the value; None takes it away."""
    state: dict[str, float | None] = dict(WELL)
    for words, value in changes:
        found = [series for series in state if all(word in series for word in words.split())]
        assert found, words
        state |= dict.fromkeys(found, value)
    return {series: value for series, value in state.items() if value is not None}


CASES: Final[dict[str, list[dict[str, float]]]] = {
    "Dialling": [
        _set(),
        _set(("campaign_paused one", 1)),
        _set(("window_open one", 0)),
        _set(("due_now", 0), ("attempts_in_hand", 2)),
        _set(("leadline_cap", None)),
        _set(("breaker", 1)),
    ],
    "No figures": [_set(("figures", NOW - 121)), {"up": 1}, _set(("figures", None), ("account_pause", 1))],
    "Account paused": [_set(("account_pause", 1)), _set(("account_pause", 1), ("window_open", 0))],
    "Dispatch held": [_set(("dispatch_hold", 1), ("campaign_paused", 1))],
    "Campaign paused": [_set(("campaign_paused", 1), ("window_open", 0))],
    "Outside hours": [
        _set(("window_open", 0), ("due_now", 0)),
        _set(("campaign_paused one", 1), ("window_open two", 0)),
    ],
    "Nothing due": [_set(("due_now", 0), ("last_lease_request", None), ("breaker", None))],
    "No dialer asks": [_set(("last_lease_request", NOW - 181)), _set(("last_lease_request", None))],
    "Breaker open": [_set(("breaker", 2))],
    "Plan's cap full": [_set(("cap_used", 100))],
}


def test_every_word_has_its_cases() -> None:
    assert [word for word, _ in VERDICT_WORDS.of.values()] == list(CASES)


@pytest.mark.skipif(find("promtool") is None, reason=ABSENT)
@pytest.mark.parametrize("word", CASES)
def test_the_first_shut_gate_is_named(word: str, tmp_path: Path) -> None:
    [number] = [number for number, (said, _) in VERDICT_WORDS.of.items() if said == word]
    expr = PanelQuery("queue", "Now", VERDICT).resolved(namespace="n")
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": series, "values": f"{value:g}x60"} for series, value in state.items()],
            "promql_expr_test": [
                {"expr": expr, "eval_time": f"{NOW}s", "exp_samples": [{"labels": "{}", "value": number}]}
            ],
        }
        for state in CASES[word]
    ]
    file = tmp_path / "gates.yaml"
    file.write_text(yaml.safe_dump({"tests": tests}), encoding="utf-8")
    ran = subprocess.run(
        [str(find("promtool")), "test", "rules", str(file)], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
