"""How people and machines take calls: a seeded model, realistic by hour and by attempt.

Sources: answering declines with each attempt (Velocify: 85 % of those ever reached within three tries, 95 % within
six); busy 3-6 %, no answer 25-35 %, answers after 6-10 s or 18-22 s of ringing (Unicom dialler manual); early evening
answers best. A number's calls depend on the seed, the number, the how-manieth call it is and the local hour alone.
"""

import random
from bisect import bisect
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from leadline.domain.ids import PhoneNumber
from leadline.domain.outcome import Outcome
from leadline.domain.phone import number_zones
from services.simulator.clock import instant
from services.simulator.fate import Fate

_FALLBACK_ZONE: Final = "America/New_York"
_HOUR_FACTOR: Final[Mapping[int, float]] = dict(
    zip(range(8, 21), (0.75, 0.9, 1.0, 1.05, 0.95, 0.9, 0.9, 0.95, 1.1, 1.2, 1.2, 1.1, 0.9), strict=True)
)
"""How much likelier than usual a person answers, by local hour from 8 on."""
_NIGHT_FACTOR: Final = 0.4
_HIGHEST_ANSWER_SHARE: Final = 0.9
_CALLBACK_WITHOUT_TIME_SHARE: Final = 0.3
_CALLBACK_WITH_OFFSET_SHARE: Final = 0.5
_TALK_SECONDS: Final[Mapping[Outcome, tuple[float, float]]] = {
    Outcome.VOICEMAIL: (15, 40),
    Outcome.CONFUSED: (8, 150),
    Outcome.NOT_INTERESTED: (15, 90),
    Outcome.CALLBACK: (40, 180),
    Outcome.TRANSFERRED: (180, 900),
    Outcome.SALE: (420, 1200),
    Outcome.ACA: (420, 1200),
    Outcome.DO_NOT_CALL: (8, 45),
    Outcome.UNKNOWN: (1, 10),
}
_RING_SECONDS: Final[Mapping[Outcome, tuple[float, float]]] = {
    Outcome.NO_ANSWER: (25, 35),
    Outcome.BUSY: (2, 4),
    Outcome.VOICEMAIL: (18, 28),
    Outcome.FAILED: (1, 6),
    Outcome.BAD_NUMBER: (0.5, 2),
}
_PERSON_RING_SECONDS: Final = ((6.0, 10.0), (18.0, 22.0))


def _usable_weights(weights: dict[Outcome, float]) -> dict[Outcome, float]:
    if min(weights.values(), default=0.0) < 0 or sum(weights.values()) <= 0:
        raise ValueError("weights must not be negative, and one must be above 0")
    return weights


Weights = Annotated[dict[Outcome, float], AfterValidator(_usable_weights)]


class Rates(BaseModel):
    """`PUT /simulator/rates`: the mix of outcomes; what is left out has its default. Weights need not sum to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 1
    bad_number_share: float = Field(default=0.02, ge=0, le=1)
    """Share of numbers that do not exist; the same numbers every time."""
    first_answer_share: float = Field(default=0.27, ge=0, le=1)
    """How often a person answers the first call, at an hour of factor 1."""
    answer_decay: float = Field(default=0.82, gt=0, le=1)
    """Each further call is answered so much less often."""
    unanswered: Weights = {
        Outcome.VOICEMAIL: 0.54,
        Outcome.NO_ANSWER: 0.36,
        Outcome.BUSY: 0.06,
        Outcome.FAILED: 0.03,
        Outcome.UNKNOWN: 0.01,
    }
    """What calls come to that no person answers, by weight."""
    answered: Weights = {
        Outcome.CONFUSED: 0.46,
        Outcome.NOT_INTERESTED: 0.20,
        Outcome.CALLBACK: 0.13,
        Outcome.TRANSFERRED: 0.12,
        Outcome.DO_NOT_CALL: 0.07,
        Outcome.SALE: 0.02,
    }
    """What calls come to that a person answers, by weight."""


class Carrier:
    """Draws the fate of calls that no script decides."""

    def __init__(self, rates: Rates) -> None:
        """Deterministic: the same rates give the same calls."""
        self.rates = rates
        self._unanswered = Wheel(rates.unanswered)
        self._answered = Wheel(rates.answered)

    def draw(self, number: str, ordinal: int, business_now: float) -> Fate:
        """The fate of the `ordinal`-th call (from 1) to a number, placed at a business instant."""
        # Not the hash of a tuple: that differs from process to process.
        dice = random.Random(f"{self.rates.seed}|{number}|{ordinal}")  # noqa: S311 -- a simulation, not a secret
        local = instant(business_now).astimezone(local_zone(number))
        return draw_fate(dice, self._outcome(dice, number, ordinal, local.hour), local)

    def _outcome(self, dice: random.Random, number: str, ordinal: int, hour: int) -> Outcome:
        if random.Random(f"{self.rates.seed}|{number}").random() < self.rates.bad_number_share:  # noqa: S311 -- see above
            return Outcome.BAD_NUMBER
        factor = _HOUR_FACTOR.get(hour, _NIGHT_FACTOR)
        share = self.rates.first_answer_share * self.rates.answer_decay ** (ordinal - 1) * factor
        answered = dice.random() < min(share, _HIGHEST_ANSWER_SHARE)
        return (self._answered if answered else self._unanswered).turn(dice.random())


def draw_fate(dice: random.Random, outcome: Outcome, local: datetime) -> Fate:
    """A call that comes to this outcome, placed at this local time."""
    return Fate(
        outcome=outcome,
        queue_seconds=dice.uniform(0.3, 2.5),
        ring_seconds=_ring_seconds(dice, outcome),
        talk_seconds=_talk_seconds(dice, outcome),
        variant=dice.random(),
        callback_at=_callback_text(dice, local) if outcome is Outcome.CALLBACK else None,
    )


class Wheel:
    """Draws outcomes by weight."""

    def __init__(self, weights: Mapping[Outcome, float]) -> None:
        """Weights need not sum to 1."""
        self._outcomes = tuple(weights)
        self._edges = tuple(accumulate(weights.values()))

    def turn(self, chance: float) -> Outcome:
        """The outcome at a chance in [0, 1)."""
        found = bisect(self._edges, chance * self._edges[-1])
        return self._outcomes[min(found, len(self._outcomes) - 1)]


def _ring_seconds(dice: random.Random, outcome: Outcome) -> float:
    return dice.uniform(*_RING_SECONDS.get(outcome, dice.choice(_PERSON_RING_SECONDS)))


def _talk_seconds(dice: random.Random, outcome: Outcome) -> float:
    shortest, longest = _TALK_SECONDS.get(outcome, (0.0, 0.0))
    # Most talks are short: squaring leans the draw towards the shortest.
    return shortest + (longest - shortest) * dice.random() ** 2


def _callback_text(dice: random.Random, local: datetime) -> str | None:
    """A time as people name them: today in some hours or one of the next days, on the half hour, local."""
    if dice.random() < _CALLBACK_WITHOUT_TIME_SHARE:
        return None
    if dice.random() < 0.5:
        wanted = local + timedelta(hours=dice.choice((1, 2, 3)))
    else:
        wanted = local.replace(hour=dice.choice((10, 11, 13, 15, 17, 18))) + timedelta(days=dice.choice((1, 1, 2, 3)))
    wanted = wanted.replace(minute=dice.choice((0, 30)), second=0, microsecond=0, fold=0)
    if dice.random() < _CALLBACK_WITH_OFFSET_SHARE:
        return wanted.isoformat()
    return wanted.replace(tzinfo=None).isoformat()


@lru_cache(maxsize=65_536)
def local_zone(number: str) -> ZoneInfo:
    """The zone in which a number's owner lives, as good as the number tells."""
    zones = number_zones(PhoneNumber(number))
    return ZoneInfo(min(zones, default=_FALLBACK_ZONE))
