"""What a call comes to, decided when it is accepted: by a script, or by the carrier's seeded draw."""

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel

from leadline.domain.outcome import REACHED_OUTCOMES, Outcome
from services.simulator.phone import e164_or_raise

ANY_NUMBER: Final = "*"

_RING_SECONDS: Final[Mapping[Outcome, float]] = {Outcome.NO_ANSWER: 30.0, Outcome.BUSY: 3.0, Outcome.BAD_NUMBER: 1.0}
_TALK_SECONDS: Final[Mapping[Outcome, float]] = {
    Outcome.VOICEMAIL: 25.0,
    Outcome.TRANSFERRED: 360.0,
    Outcome.SALE: 540.0,
    Outcome.ACA: 540.0,
    Outcome.UNKNOWN: 10.0,
}
_SILENT: Final = frozenset({Outcome.NO_ANSWER, Outcome.BUSY, Outcome.BAD_NUMBER, Outcome.FAILED})
"""Outcomes of calls that nothing and nobody took."""


@dataclass(frozen=True, slots=True)
class Fate:
    """How one call goes. Seconds are business time."""

    outcome: Outcome
    queue_seconds: float
    ring_seconds: float
    talk_seconds: float
    """0 if nobody and nothing answered."""
    variant: float
    """In [0, 1): which of the provider's spellings of this outcome is used."""
    callback_at: str | None = None
    """As it stands in `variables.callback_requested_at`, whatever the outcome."""
    body: Mapping[str, Any] | None = None
    """Fields of the result that are replaced."""
    raw: str | None = None
    """Sent instead of the result, byte for byte."""

    @property
    def answered(self) -> bool:
        """Whether a person or a machine took the call."""
        return self.outcome not in _SILENT

    @property
    def reached(self) -> bool:
        """Whether a person took the call."""
        return self.outcome in REACHED_OUTCOMES


class ScriptStep(BaseModel):
    """One scripted call. What is left out has a plain default; `times` repeats the step."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Outcome
    times: int = Field(default=1, ge=1, le=1_000_000)
    queue_seconds: float = Field(default=1.0, ge=0, le=86_400)
    ring_seconds: float | None = Field(default=None, ge=0, le=600)
    talk_seconds: float | None = Field(default=None, ge=0, le=43_200)
    variant: float = Field(default=0.0, ge=0, lt=1)
    callback_at: str | None = None
    body: dict[str, Any] | None = None
    raw: str | None = None

    def fate(self) -> Fate:
        """The call that this step describes."""
        talk = 0.0 if self.outcome in _SILENT else _TALK_SECONDS.get(self.outcome, 60.0)
        return Fate(
            outcome=self.outcome,
            queue_seconds=self.queue_seconds,
            ring_seconds=_RING_SECONDS.get(self.outcome, 6.0) if self.ring_seconds is None else self.ring_seconds,
            talk_seconds=talk if self.talk_seconds is None else self.talk_seconds,
            variant=self.variant,
            callback_at=self.callback_at,
            body=self.body,
            raw=self.raw,
        )


ScriptKey = Annotated[str, AfterValidator(lambda key: key if key == ANY_NUMBER else e164_or_raise(key))]


class ScriptBody(RootModel[dict[ScriptKey, list[ScriptStep]]]):
    """`POST /simulator/script`: steps by number, in order; `*` is for numbers without steps of their own."""


class Script:
    """Scripted calls that are still to come."""

    def __init__(self) -> None:
        """Empty: every call is drawn."""
        self._steps: defaultdict[str, deque[ScriptStep]] = defaultdict(deque)

    def add(self, body: ScriptBody) -> None:
        """Append steps behind those that are there."""
        for number, steps in body.root.items():
            self._steps[number].extend(steps)

    def take(self, number: str) -> Fate | None:
        """The next scripted call to this number, used up by the asking; None if there is none."""
        for key in (number, ANY_NUMBER):
            if steps := self._steps.get(key):
                step = steps.popleft()
                if step.times > 1:
                    steps.appendleft(step.model_copy(update={"times": step.times - 1}))
                return step.fate()
        return None

    def waiting(self) -> dict[str, int]:
        """How many calls are scripted, by number."""
        return {number: sum(step.times for step in steps) for number, steps in self._steps.items() if steps}

    def clear(self) -> None:
        """Forget every step."""
        self._steps.clear()
