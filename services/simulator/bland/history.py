"""Calls of the past: a year of them in seconds, as an account has it that others have used before. No HTTP here.

They stand in no ledger and send no webhook: nobody is judged by them. The same order makes the same calls each time.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import floor
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from leadline.domain.outcome import Outcome
from services.simulator.bland.call import Call
from services.simulator.bland.exchange import Exchange, our_number_near
from services.simulator.bland.request import CallRequest
from services.simulator.carrier import Weights, Wheel, draw_fate, local_zone
from services.simulator.clock import instant
from services.simulator.fate import Fate, ScriptStep
from services.simulator.ledger import LedgerRow, Origin
from services.simulator.phone import e164_or_raise

Number = Annotated[str, AfterValidator(e164_or_raise)]
Share = Annotated[float, Field(ge=0, le=1)]

MOST_CALLS: Final = 1_000_000
_AREA_CODES: Final = (
    *("205", "212", "213", "215", "303", "305", "312", "313", "404", "407", "415", "469", "503", "504", "512", "561"),
    *("602", "612", "617", "619", "702", "704", "713", "718", "801", "805", "808", "813", "907", "916", "919", "954"),
)
_LINES: Final = 1_000_000
_TOLL_FREE: Final = "+18005550"
_STILL_RUNNING_SECONDS: Final = 3600.0
_RUNNING_WITHIN_SECONDS: Final = 3600.0
_LONGEST_CALL_MINUTES: Final = 720.0
_PLAIN: Final = CallRequest(phone_number="")
_ENDED_ROW: Final = LedgerRow(0, Origin.ELSEWHERE, 0.0, 0.0)
"""Stands for the row that past calls do not have; one for all of them, because nothing is written into it."""


class Mix(BaseModel):
    """What past calls came to, and what else there is among them. Shares are of all calls."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcomes: Weights = {
        Outcome.VOICEMAIL: 0.40,
        Outcome.NO_ANSWER: 0.26,
        Outcome.CONFUSED: 0.12,
        Outcome.NOT_INTERESTED: 0.05,
        Outcome.BUSY: 0.04,
        Outcome.CALLBACK: 0.035,
        Outcome.TRANSFERRED: 0.03,
        Outcome.BAD_NUMBER: 0.02,
        Outcome.DO_NOT_CALL: 0.015,
        Outcome.FAILED: 0.01,
        Outcome.UNKNOWN: 0.008,
        Outcome.SALE: 0.006,
        Outcome.DNC: 0.004,
        Outcome.ACA: 0.002,
    }
    """By weight; they need not sum to 1."""
    inbound: Share = 0.02
    own_numbers: Share = 0.002
    """The person is a number of ours."""
    toll_free: Share = 0.002
    """The person is a toll-free number."""
    running: Share = 0.0005
    """Begun within the last hour of the range, and not over yet."""
    foreign_metadata: Share = 0.3
    """With `metadata` that names no attempt of ours; the others have none."""


class HistoryOrder(BaseModel):
    """`POST /simulator/history`: make so many past calls, evenly over a range of business time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls: int = Field(ge=1, le=MOST_CALLS)
    numbers: int = Field(ge=1, le=len(_AREA_CODES) * _LINES // 10)
    """People to whom they were made, each as likely as the other."""
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    """Exclusive."""
    seed: int = 1
    lag_seconds: float = Field(default=0.0, ge=0, le=86_400)
    """Real time until the list shows them."""
    shares: Mix = Mix()
    own_numbers: tuple[Number, ...] = Field(default=("+15615550900",), min_length=1)
    """Ours: they take inbound calls, and now and then somebody dials one."""

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.starts_at >= self.ends_at:
            raise ValueError("starts_at must be before ends_at")
        return self


class PastCall(BaseModel):
    """One call of `POST /simulator/history/calls`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phone_number: Number
    """The person's."""
    created_at: AwareDatetime
    step: ScriptStep
    inbound: bool = False
    from_number: Number | None = None
    """Ours; without it one of the person's area."""
    metadata: dict[str, Any] = Field(default_factory=dict)
    running: bool = False
    """Not over yet, and for another hour not."""
    lag_seconds: float = Field(default=0.0, ge=0, le=86_400)
    """Real time until the list shows it."""
    call_id: str | None = Field(default=None, pattern=r"[!-~]{1,128}")
    """Without it, one that nobody else has."""


class PastCalls(BaseModel):
    """`POST /simulator/history/calls`: calls that turn up in the past now, one by one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls: list[PastCall] = Field(min_length=1, max_length=1000)


def people_of(order: HistoryOrder) -> list[str]:
    """Everybody whom the ordinary calls of an order are made to or come from, E.164."""
    return [_person(order.seed, n) for n in range(order.numbers)]


def _person(seed: int, n: int) -> str:
    lap, area = divmod(n, len(_AREA_CODES))
    # 3,571 and a million are coprime: no line comes twice. From 2,000,000 on every exchange code is a real one.
    line = 2_000_000 + (lap * 3_571 + seed * 977) % _LINES
    return f"+1{_AREA_CODES[area]}{line}"


class Historian:
    """Makes past calls for an exchange, from business time and real time of this moment."""

    def __init__(self, exchange: Exchange, now: float, real_now: float) -> None:
        """`now` is business time."""
        self._exchange = exchange
        self._now = now
        self._real_now = real_now

    def drawn(self, order: HistoryOrder) -> Iterator[Call]:
        """The calls of an order, in no order of time."""
        dice = random.Random(f"{order.seed}|history")  # noqa: S311 -- a simulation, not a secret
        wheel, people = Wheel(order.shares.outcomes), people_of(order)
        for n in range(order.calls):
            yield self._drawn(dice, wheel, people, order, n)

    def _drawn(self, dice: random.Random, wheel: Wheel, people: list[str], order: HistoryOrder, n: int) -> Call:
        shares, start, end = order.shares, order.starts_at.timestamp(), order.ends_at.timestamp()
        running = dice.random() < shares.running
        if running:
            start = max(start, end - _RUNNING_WITHIN_SECONDS)
        created_at = _milliseconds(dice.uniform(start, end))
        person = _whom(dice, people, order)
        inbound = dice.random() < shares.inbound
        outcome = wheel.turn(dice.random())
        fate = draw_fate(dice, outcome, instant(created_at).astimezone(local_zone(person)))
        foreign = dice.random() < shares.foreign_metadata
        return self._call(
            call_id=_uuid(dice),
            person=person,
            our_number=dice.choice(order.own_numbers) if inbound else our_number_near(person),
            created_at=min(created_at, _milliseconds(end - 0.001)),
            fate=fate,
            metadata={"attempt_id": _uuid(dice), "source": "elsewhere"} if foreign else {},
            ordinal=n,
            inbound=inbound,
            running=running,
            lag_seconds=order.lag_seconds,
        )

    def inserted(self, past: PastCall) -> Call:
        """One call as it was described."""
        return self._call(
            call_id=past.call_id or _uuid(random.SystemRandom()),
            person=past.phone_number,
            our_number=past.from_number or our_number_near(past.phone_number),
            created_at=_milliseconds(past.created_at.timestamp()),
            fate=past.step.fate(),
            metadata=past.metadata,
            ordinal=0,
            inbound=past.inbound,
            running=past.running,
            lag_seconds=past.lag_seconds,
        )

    def _call(
        self,
        *,
        call_id: str,
        person: str,
        our_number: str,
        created_at: float,
        fate: Fate,
        metadata: Mapping[str, Any],
        ordinal: int,
        inbound: bool,
        running: bool,
        lag_seconds: float,
    ) -> Call:
        request = CallRequest(phone_number=person, metadata=metadata) if metadata else _PLAIN
        row = _ENDED_ROW
        if running:
            talk_seconds = max(self._now - created_at, 0.0) + _STILL_RUNNING_SECONDS
            # Begun however long ago: an account has calls that hang for ever.
            request = replace(request, max_duration_minutes=max(_LONGEST_CALL_MINUTES, talk_seconds / 60))
            fate = replace(fate, outcome=Outcome.CONFUSED, callback_at=None, talk_seconds=talk_seconds)
            row = LedgerRow(0, Origin.ELSEWHERE, self._real_now, created_at, person)
        call = Call(
            id=call_id,
            request=request,
            number=person,
            our_number=our_number,
            listed_number=self._exchange.spelling(person, ordinal),
            fate=fate,
            row=row,
            created_at=created_at,
            listed_real=self._real_now + lag_seconds,
            started_at=created_at + fate.queue_seconds,
            inbound=inbound,
        )
        if not running:
            call.ended_at = call.planned_end
        return call


def _whom(dice: random.Random, people: list[str], order: HistoryOrder) -> str:
    chance, shares = dice.random(), order.shares
    if chance < shares.own_numbers:
        return dice.choice(order.own_numbers)
    if chance < shares.own_numbers + shares.toll_free:
        return f"{_TOLL_FREE}{dice.randrange(100, 200):03}"
    return people[dice.randrange(len(people))]


def _milliseconds(epoch: float) -> float:
    return floor(epoch * 1000) / 1000


def _uuid(dice: random.Random) -> str:
    return str(UUID(int=dice.getrandbits(128), version=4))
