"""Faults on demand: which request or webhook goes wrong, how, and how often."""

import random
from collections.abc import Collection
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, model_validator

from services.simulator.phone import e164_or_raise


class Place(StrEnum):
    """Where a fault strikes."""

    CREATE = "create"
    LIST = "list"
    DETAILS = "details"
    ACTIVE = "active"
    STOP = "stop"
    ME = "me"
    RESEND = "resend"
    WEBHOOK = "webhook"
    CONVOSO = "convoso"
    """Every request to Convoso."""
    CONVOSO_STATUSES = "convoso_statuses"
    CONVOSO_SEARCH = "convoso_search"
    CONVOSO_UPDATE = "convoso_update"
    CONVOSO_INSERT = "convoso_insert"
    CONVOSO_DNC = "convoso_dnc"
    CONVOSO_CONNECT = "convoso_connect"
    """What Convoso posts to us."""

    def covers(self, place: "Place") -> bool:
        """Whether a rule for this place strikes there."""
        return self is place or (self is Place.CONVOSO and place in CONVOSO_REQUESTS)


CONVOSO_REQUESTS: Final = frozenset(
    {
        Place.CONVOSO_STATUSES,
        Place.CONVOSO_SEARCH,
        Place.CONVOSO_UPDATE,
        Place.CONVOSO_INSERT,
        Place.CONVOSO_DNC,
    }
)
_POSTED: Final = frozenset({Place.WEBHOOK, Place.CONVOSO_CONNECT})


class FaultKind(StrEnum):
    """What goes wrong. Requests: `accept_*` do what was asked and spoil the answer; the others do nothing else."""

    LATENCY = "latency"
    """`seconds` pass before the request is looked at; it goes on as usual."""
    RESET_BEFORE_ACCEPT = "reset_before_accept"
    """The connection is reset, nothing was done."""
    HANG_BEFORE_ACCEPT = "hang_before_accept"
    """No answer for `seconds`, then a reset; nothing was done."""
    REFUSE = "refuse"
    """`status`, `body`, `headers` as given; nothing was done. `error` names one of the party's own refusals instead."""
    REDIRECT_307 = "redirect_307"
    """To the same address; a client that follows it posts again."""
    ACCEPT_THEN_RESET = "accept_then_reset"
    ACCEPT_THEN_500 = "accept_then_500"
    ACCEPT_THEN_400 = "accept_then_400"
    """400 `Unable to queue call`, although it was done."""
    ACCEPT_THEN_HTML = "accept_then_html"
    """200 with a page of a proxy."""
    ACCEPT_NO_ID = "accept_no_id"
    """200 without the id."""
    ACCEPT_THEN_DRIP = "accept_then_drip"
    """The answer comes byte by byte over `seconds`."""
    ACCEPT_THEN_HANG = "accept_then_hang"
    """No answer for `seconds`, then a reset."""
    BARE_ARRAY = "bare_array"
    """List only: the items without their envelope."""
    DUPLICATE = "duplicate"
    """Webhook: sent `copies` times more, at once."""
    REORDER = "reorder"
    """Webhook: held back until another one was delivered, at most `seconds`."""
    NEVER = "never"
    """Webhook: not sent."""
    LATE = "late"
    """Webhook: sent after `seconds`."""
    BAD_SIGNATURE = "bad_signature"
    """Webhook: this try carries a wrong signature; the next try is judged anew."""
    CITATIONS = "citations"
    """Webhook: a second POST with citations follows at once."""
    CITATIONS_FIRST = "citations_first"
    """Webhook: a second POST with citations comes first, the result `seconds` later."""
    IN_CALL_EVENT = "in_call_event"
    """Webhook: an in-call event comes first, at once."""


BEFORE: Final = frozenset(
    {
        FaultKind.RESET_BEFORE_ACCEPT,
        FaultKind.HANG_BEFORE_ACCEPT,
        FaultKind.REFUSE,
        FaultKind.REDIRECT_307,
    }
)
AFTER: Final = frozenset(
    {
        FaultKind.ACCEPT_THEN_RESET,
        FaultKind.ACCEPT_THEN_500,
        FaultKind.ACCEPT_THEN_400,
        FaultKind.ACCEPT_THEN_HTML,
        FaultKind.ACCEPT_NO_ID,
        FaultKind.ACCEPT_THEN_DRIP,
        FaultKind.ACCEPT_THEN_HANG,
        FaultKind.BARE_ARRAY,
    }
)
_REQUEST_KINDS: Final = BEFORE | AFTER | {FaultKind.LATENCY}
_CONNECT_KINDS: Final = frozenset({FaultKind.NEVER, FaultKind.LATE, FaultKind.DUPLICATE})
_ONLY_AT: Final = {
    FaultKind.ACCEPT_NO_ID: Place.CREATE,
    FaultKind.ACCEPT_THEN_400: Place.CREATE,
    FaultKind.BARE_ARRAY: Place.LIST,
}
_DEFAULT_SECONDS: Final = {
    FaultKind.LATENCY: 1.0,
    FaultKind.REORDER: 5.0,
    FaultKind.LATE: 5.0,
    FaultKind.CITATIONS_FIRST: 1.0,
}


class FaultRule(BaseModel):
    """One rule of `POST /simulator/faults`. With neither `count` nor `probability` it strikes every time."""

    model_config = ConfigDict(extra="forbid")

    on: Place
    kind: FaultKind
    count: int | None = Field(default=None, ge=1)
    """Strikes so many more times."""
    probability: float | None = Field(default=None, ge=0, le=1)
    phone_number: Annotated[str, AfterValidator(e164_or_raise)] | None = None
    """Only requests and webhooks that concern this number."""
    seconds: float = Field(default=60.0, ge=0, le=86_400)
    """Real time; the default depends on the kind."""
    copies: int = Field(default=1, ge=1, le=10_000)
    error: str | None = None
    status: int = Field(default=500, ge=200, le=599)
    body: Any = None
    """JSON; a string is sent as it stands."""
    headers: dict[str, str] = {}

    @model_validator(mode="before")
    @classmethod
    def _named_refusal(cls, data: object) -> object:
        """`{"kind": "error_402"}` is short for `{"kind": "refuse", "error": "error_402"}`."""
        if isinstance(data, dict) and str(data.get("kind")).startswith("error_"):
            return {**data, "kind": FaultKind.REFUSE, "error": data["kind"]}
        return data

    @model_validator(mode="after")
    def _fits(self) -> Self:
        wrong_for_connect = self.on is Place.CONVOSO_CONNECT and self.kind not in _CONNECT_KINDS
        if (self.on in _POSTED) == (self.kind in _REQUEST_KINDS) or wrong_for_connect:
            raise ValueError(f"{self.kind} is no fault of {self.on}")
        only = _ONLY_AT.get(self.kind)
        if only is not None and self.on is not only:
            raise ValueError(f"{self.kind} is a fault of {only} alone")
        if "seconds" not in self.model_fields_set:
            self.seconds = _DEFAULT_SECONDS.get(self.kind, self.seconds)
        return self


class FaultRules(RootModel[list[FaultRule] | FaultRule]):
    """`POST /simulator/faults`: one rule or several, added behind those that are there."""

    @property
    def rules(self) -> list[FaultRule]:
        """Always a list."""
        return self.root if isinstance(self.root, list) else [self.root]


class Faults:
    """The rules in force, in order; the first that fits strikes. Probabilities are drawn from a seeded sequence."""

    def __init__(self, seed: int) -> None:
        """No rules."""
        self._rules: list[FaultRule] = []
        self._dice = random.Random(seed)  # noqa: S311 -- a simulation, not a secret

    def add(self, rules: FaultRules) -> None:
        """Put rules in force."""
        self._rules.extend(rule.model_copy() for rule in rules.rules)

    def take(self, place: Place, kinds: Collection[FaultKind], phone_number: str | None) -> FaultRule | None:
        """The rule that strikes here and now, its count used up by one; None if none does."""
        for rule in self._rules:
            if rule.on.covers(place) and rule.kind in kinds and self._strikes(rule, phone_number):
                return rule
        return None

    def _strikes(self, rule: FaultRule, phone_number: str | None) -> bool:
        if rule.phone_number is not None and rule.phone_number != phone_number:
            return False
        if rule.probability is not None and self._dice.random() >= rule.probability:
            return False
        if rule.count is None:
            return True
        rule.count -= 1
        if rule.count == 0:
            self._rules.remove(rule)
        return True

    def give_back(self, rule: FaultRule) -> None:
        """A rule that was taken did not strike after all."""
        if rule.count is None:
            return
        rule.count += 1
        if rule.count == 1:
            self._rules.insert(0, rule)

    def view(self) -> list[dict[str, Any]]:
        """The rules in force, without what has its default."""
        return [rule.model_dump(mode="json", exclude_defaults=True) for rule in self._rules]

    def clear(self) -> None:
        """No more faults."""
        self._rules.clear()
