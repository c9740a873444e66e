"""Outcomes as the old files spell them, the CRM's codes among them."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from leadline.domain.outcome import STOP_OUTCOMES, Outcome
from leadline.domain.rules.outcome_names import DEFAULT_NAMES, normal_name
from leadline.legacy.values import cleaned

_CODES: Final[Mapping[str, Outcome]] = {
    "a": Outcome.VOICEMAIL,
    "b": Outcome.BUSY,
    "bpn": Outcome.BAD_NUMBER,
    "cb": Outcome.CALLBACK,
    "cd": Outcome.CONFUSED,
    "dc": Outcome.BAD_NUMBER,
    "dnca": Outcome.DNC,
    "dncl": Outcome.DNC,
    "dncq": Outcome.DNC,
    "n": Outcome.FAILED,
    "na": Outcome.NO_ANSWER,
    "ni": Outcome.NOT_INTERESTED,
    "s": Outcome.SALE,
    "stop": Outcome.DNC,
    "error": Outcome.FAILED,
    "noanswer": Outcome.NO_ANSWER,
}
_OWN: Final = {normal_name(outcome): outcome for outcome in Outcome}
_NAMES: Final[Mapping[str, Outcome]] = {**_CODES, **DEFAULT_NAMES, **_OWN}
_STOP_PARTS: Final = (
    "dnc",
    "do_not_c",
    "dont_call",
    "never_call",
    "remove_from",
    "stop_call",
    "opt_out",
    "unsubscribe",
)
_LONGEST: Final = 200


def read_outcome(value: object) -> Outcome | None:
    """What a text in the place of an outcome means: UNKNOWN if nothing known, None if it is blank or no text. Total.

    A longer text that speaks of stopping is a stop: a word too many must not cost somebody's wish.
    """
    return _named(value[:_LONGEST]) if isinstance(value, str) else None


@lru_cache(maxsize=4096)
def _named(text: str) -> Outcome | None:
    if not (name := normal_name(cleaned(text))):
        return None
    if name in _NAMES:
        return _NAMES[name]
    return Outcome.DNC if any(part in name for part in _STOP_PARTS) else Outcome.UNKNOWN


def says_stop(value: object) -> bool:
    """Whether a value, or one in a list, is an outcome that stops calls. Total over any JSON."""
    if isinstance(value, list):
        return any(says_stop(item) for item in value)
    if isinstance(value, dict):
        return says_stop(value.get("outcome"))
    return read_outcome(value) in STOP_OUTCOMES
