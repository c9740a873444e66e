"""Every sample of Bland has the outcome that is expected of it, from its bytes to the rules."""

from pathlib import Path

import pytest

from leadline.domain.outcome import Outcome
from leadline.domain.rules.outcomes import derive
from leadline.telephony.bland_result import EventKind, parse_event

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "bland"

OUTCOMES = {
    "01": Outcome.VOICEMAIL,
    "02": Outcome.NO_ANSWER,
    "03": Outcome.BUSY,
    "04": Outcome.TRANSFERRED,
    "05": Outcome.CONFUSED,
    "06": Outcome.CALLBACK,
    "07": Outcome.CALLBACK,
    "08": Outcome.DO_NOT_CALL,
    "09": Outcome.CONFUSED,
    "10": Outcome.NOT_INTERESTED,
    "11": Outcome.CONFUSED,
    "12": Outcome.BAD_NUMBER,
    "13": Outcome.CONFUSED,
    "14": Outcome.CONFUSED,
    "15": Outcome.SALE,
    "16": Outcome.VOICEMAIL,
    "17": Outcome.CONFUSED,
    "18": Outcome.VOICEMAIL,
    "19": Outcome.NO_ANSWER,
    "22": Outcome.CONFUSED,
}
NO_RESULT = {"20", "21", "23"}


def test_the_table_is_complete() -> None:
    assert {path.name[:2] for path in SAMPLES.iterdir()} == OUTCOMES.keys() | NO_RESULT


@pytest.mark.parametrize("number", sorted(OUTCOMES))
def test_outcome_of_sample(number: str) -> None:
    (path,) = SAMPLES.glob(f"{number}-*")
    parsed = parse_event(path.read_bytes())
    assert parsed.kind is EventKind.RESULT
    derived = derive(parsed.result, {})
    assert derived.outcome is OUTCOMES[number], derived
    assert bool(derived.callback_at_text) is (number == "06")
