"""Which outcome stands when two results of one call disagree."""

from typing import Final

from leadline.domain.outcome import Outcome

_ORDER: Final = (
    Outcome.DO_NOT_CALL,
    Outcome.DNC,
    Outcome.SALE,
    Outcome.ACA,
    Outcome.NOT_INTERESTED,
    Outcome.CALLBACK,
    Outcome.TRANSFERRED,
    Outcome.BAD_NUMBER,
    Outcome.VOICEMAIL,
    Outcome.BUSY,
    Outcome.NO_ANSWER,
    Outcome.FAILED,
    Outcome.CONFUSED,
    Outcome.UNKNOWN,
)
"""DNC > sale > NOT_INTERESTED > CALLBACK > others; among the others the order of the spec's table.

A total order, so that the result is the same in whatever order the events arrive.
"""

_RANK: Final = {outcome: rank for rank, outcome in enumerate(_ORDER)}


def prevailing(old: Outcome | None, new: Outcome | None) -> Outcome:
    """The outcome that stands: nothing is overwritten by less. UNKNOWN if neither says anything."""
    return min(old or Outcome.UNKNOWN, new or Outcome.UNKNOWN, key=_RANK.__getitem__)
