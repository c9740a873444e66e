"""The account at Bland: which calls there are, how they live and end. No HTTP here."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import floor
from typing import Final
from uuid import uuid4

from leadline.domain.outcome import Outcome
from leadline.runtime.logging import get_logger
from services.simulator.answer import Answer
from services.simulator.bland import answers, result
from services.simulator.bland.call import Call
from services.simulator.bland.index import CallIndex, Span
from services.simulator.bland.limits import PLAN_CAPS, Limits
from services.simulator.bland.request import CallRequest
from services.simulator.bland.webhooks import WebhookSender
from services.simulator.fate import Fate
from services.simulator.ledger import LedgerRow, Origin
from services.simulator.phone import e164
from services.simulator.settings import SimulatedWorldPart
from services.simulator.world import World

log = get_logger(__name__)

_LEAST_DOLLARS: Final = 0.015
_CITATIONS_SECONDS: Final = 45.0
_OUR_EXCHANGE: Final = "5550900"


class Exchange:
    """All calls of one account, in order of creation. Single-threaded; every method returns at once."""

    def __init__(self, settings: SimulatedWorldPart, world: World, sender: WebhookSender) -> None:
        """No calls, full balance."""
        self._settings = settings
        self._world = world
        self._sender = sender
        self.on_end: Callable[[Call], None] = _nobody_cares
        """Told of each call that has ended, after its result was sent on its way."""
        self._caps = PLAN_CAPS[settings.plan]
        self.clear()

    def clear(self) -> None:
        """Forget every call; its end and its webhooks never come."""
        self._calls = CallIndex()
        self._live: dict[str, Call] = {}
        self._limits = Limits(
            self._caps, self._settings.same_number_business_seconds, self._settings.calls_per_business_second
        )
        self.balance_dollars = self._settings.balance_dollars

    @property
    def total_calls(self) -> int:
        """How many calls the account ever had."""
        return len(self._calls)

    def knows_call(self, call_id: str) -> bool:
        """Whether there is a call of this id."""
        return self._calls.get(call_id) is not None

    def accept(self, request: CallRequest, row: LedgerRow) -> Answer:
        """Judge a request that fits the interface, and place the call unless something speaks against it."""
        number = e164(request.phone_number)
        refusal = self._refusal(request, number, row)
        if refusal is not None:
            row.refusal = refusal.refusal
            return refusal
        call = self._place(request, number or "", row)
        body = {
            "status": "success",
            "message": "Call successfully queued.",
            "call_id": call.id,
            "batch_id": None,
        }
        return Answer(200, body)

    def place_elsewhere(self, request: CallRequest, number: str, row: LedgerRow, fate: Fate | None) -> Call:
        """A call that the account has without anybody having asked for it here: foreign, or inbound."""
        return self._place(request, number, row, fate=fate)

    def _refusal(self, request: CallRequest, number: str | None, row: LedgerRow) -> Answer | None:
        if number is None:
            return answers.invalid_number(request.phone_number)
        if request.pathway_id and self._settings.pathway_ids and request.pathway_id not in self._settings.pathway_ids:
            return answers.pathway_not_found()
        if self.balance_dollars <= 0:
            return answers.insufficient_balance()
        if not number.startswith("+1"):
            return answers.destination_blocked()
        if not self._world.ledger.keeps(row):
            log.error("ledger_full", rows=len(self._world.ledger))
            return answers.server_error()
        return self._limits.refusal(number, self._world.clock.now(), len(self._live))

    def _place(
        self, request: CallRequest, number: str, row: LedgerRow, *, fate: Fate | None = None, is_retry: bool = False
    ) -> Call:
        now = self._world.clock.now()
        self._limits.note_call(number, now)
        earlier = self._calls.count_of(number)
        fate = fate or self._world.fate(number, earlier + 1)
        real_now = self._world.clock.real_now()
        call = Call(
            id=str(uuid4()),
            request=request,
            number=number,
            our_number=request.from_number or our_number_near(number),
            listed_number=self.spelling(number, earlier),
            fate=fate,
            row=row,
            created_at=floor(now * 1000) / 1000,
            listed_real=real_now + self._settings.listing_lag_seconds,
            started_at=max(now, request.start_at or 0.0) + fate.queue_seconds,
            is_retry=is_retry,
            inbound=row.origin is Origin.INBOUND,
        )
        row.phone_number, row.call_id, row.wants_result = number, call.id, request.webhook is not None
        row.crm_word = self._world.convoso.word(number)
        self._calls.add([call], real_now)
        self._begin(call)
        if request.in_call_events and fate.answered:
            self._world.timers.at_business(call.answered_at, partial(self._announce, call))
        return call

    def add_past(self, calls: Sequence[Call]) -> None:
        """Calls that were made before anybody looked; those without an end go on, and end when they are due to."""
        self._calls.add(calls, self._world.clock.real_now())
        for call in calls:
            if call.live:
                self._begin(call)
            else:
                call.price_dollars = self._price_dollars(call)

    def _begin(self, call: Call) -> None:
        self._live[call.id] = call
        self._world.timers.at_business(call.planned_end, partial(self._end, call))

    def _announce(self, call: Call) -> None:
        if call.live:
            self._sender.send_in_call_event(call)

    def spelling(self, number: str, ordinal: int) -> str:
        """How the list spells a person's number (E.164) in the call after `ordinal` others."""
        chance = random.Random(f"{self._settings.seed}|list|{number}|{ordinal}").random()  # noqa: S311 -- no secret
        return number.removeprefix("+1") if chance < self._settings.national_form_share else number

    def _end(self, call: Call) -> None:
        if call.live:
            self._close(call, call.planned_end)
            self._dial_again(call)

    def _close(self, call: Call, ended_at: float) -> None:
        """The call is over: write it down, then tell whoever asked to be told."""
        call.ended_at = ended_at
        self._live.pop(call.id, None)
        call.price_dollars = self._price_dollars(call)
        self.balance_dollars -= call.price_dollars
        self._limits.note_minutes(ended_at, result.length_seconds(call) / 60)
        row = call.row
        row.started_business, row.ended_business = min(call.started_at, ended_at), ended_at
        row.outcome = Outcome.FAILED if call.canceled else call.fate.outcome
        row.callback_promised = call.fate.callback_at is not None and not call.stopped
        self._sender.send_result(call)
        self.on_end(call)
        if call.request.citation_schema_ids or self._cites(call):
            follow = partial(self._sender.send_citations, call)
            self._world.timers.at_business(ended_at + _CITATIONS_SECONDS, follow)

    def _price_dollars(self, call: Call) -> float:
        return max(_LEAST_DOLLARS, result.length_seconds(call) / 60 * self._caps.dollars_per_minute)

    def _cites(self, call: Call) -> bool:
        share = self._settings.citations_share
        return bool(share) and random.Random(f"{call.id}|citations").random() < share  # noqa: S311 -- no secret

    def _dial_again(self, call: Call) -> None:
        """Bland's own `retry`: a second call under the same metadata, which is why Leadline must not send the field."""
        wait_seconds = call.request.retry_wait_seconds
        if wait_seconds is None or call.is_retry or call.fate.outcome is not Outcome.VOICEMAIL:
            return

        def dial() -> None:
            if not self._world.ledger.full:
                clock = self._world.clock
                row = self._world.ledger.open(Origin.PROVIDER_RETRY, clock.real_now(), clock.now())
                row.attempt_id, row.campaign = call.row.attempt_id, call.row.campaign
                self._place(call.request, call.number, row, is_retry=True)

        self._world.timers.at_business(call.planned_end + wait_seconds, dial)

    def stop(self, call_id: str) -> Answer:
        """End a call now, queued ones included."""
        call = self._live.get(call_id)
        if call is None:
            return answers.sid_not_found()
        now = self._world.clock.now()
        call.stopped = True
        call.row.stopped_real = self._world.clock.real_now()
        call.canceled = now < call.answered_at or not call.fate.answered
        if call.fate.reached:
            # Whatever the person would still have said, was not said.
            call.fate = replace(call.fate, outcome=Outcome.CONFUSED, variant=0.0, callback_at=None, body=None, raw=None)
        self._close(call, now)
        return Answer(200, {"status": "success", "message": "Call ended successfully."})

    def details(self, call_id: str) -> Answer:
        """`GET /v1/calls/{id}`."""
        call = self._calls.get(call_id)
        if call is None:
            return answers.call_not_found()
        return Answer(200, result.details(call, self._world.clock.now()))

    def active(self) -> Answer:
        """`GET /v1/calls/active`."""
        now = self._world.clock.now()
        return Answer(200, {"data": [result.active_item(call, now) for call in self._live.values()], "errors": None})

    def number_of(self, call_id: str) -> str | None:
        """The person's number of a call, for faults that concern a number."""
        call = self._calls.get(call_id)
        return None if call is None else call.number

    def resend(self, call_ids: Sequence[str]) -> Answer:
        """`POST /v1/postcall/webhooks/resend`: only results that were sent before, to the same address."""
        calls = [self._calls.get(call_id) for call_id in call_ids]
        resent = [call.id for call in calls if call is not None and self._sender.resend_result(call)]
        return Answer(200, {"data": {"resent": resent, "failed": sorted(set(call_ids) - set(resent))}, "errors": None})

    def knows_number(self, number: str) -> bool:
        """Whether any call was made to (or came from) this person."""
        return self._calls.count_of(number) > 0

    def listed(self, created_from: float, created_to: float, number: str | None) -> Span:
        """Calls that the list knows already, created within [from, to] business time, oldest first.

        `number` as E.164 narrows the search; how a call spells it is the caller's to compare.
        """
        return self._calls.between(created_from, created_to, number, self._world.clock.real_now())


def _nobody_cares(_call: Call) -> None:
    """Until somebody does."""


def our_number_near(number: str) -> str:
    """The number of ours that calls a person (E.164) when the request names none: one of the same area."""
    return f"{number[:5]}{_OUR_EXCHANGE}"
