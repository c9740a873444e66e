"""What a decision notes for the figures. Everything here is about one number's state under its lock."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from leadline.contracts.leases import MarkAnswer, SendMark
from leadline.domain.attempt import AttemptOrigin, AttemptState
from leadline.domain.outcome import Outcome
from leadline.store.changes import Changes
from leadline.store.clock import Clock
from leadline.store.happenings import (
    AttemptMoved,
    CallbackMissed,
    CallBilled,
    CallMet,
    CallRefused,
    Dispatched,
    EndHeard,
)
from leadline.store.numbers import AttemptRow, LeadRow, NumberState
from leadline.store.records import NewAttempt
from leadline.telephony.bland_result import EventKind, ParsedEvent

_NO_REASON: Final = "none"


def note_refusals(changes: Changes, answers: Iterable[SendMark]) -> None:
    """Every answer to `go?` that is not `go`; one that is to wait was refused as well, for the moment."""
    changes.happened += [
        CallRefused("mark", answer.reason or _NO_REASON) for answer in answers if answer.answer is not MarkAnswer.GO
    ]


def note_dispatch(
    changes: Changes, clock: Clock, number: NumberState, lead: LeadRow, attempt: AttemptRow, send_after_ms: int
) -> None:
    """A leased attempt gets its send mark now."""
    changes.happened.append(
        Dispatched(
            campaign=lead.campaign,
            opens_at=clock.now + clock.business(send_after_ms / 1000),
            speed=clock.speed,
            due_at=lead.due_at,
            band=lead.band,
            received_at=lead.created_at if _is_first_call(number, lead, attempt) else None,
            promised_at=_promise_to_keep(lead, clock.now),
        )
    )
    lead.last_marked_at = clock.now


def _is_first_call(number: NumberState, lead: LeadRow, attempt: AttemptRow) -> bool:
    """Whether nobody ever called for this lead: neither we, in whichever life, nor anybody else that we know of."""
    called = lead.last_marked_at is not None or lead.attempts_before > 0 or lead.last_call_before is not None
    return not called and all(
        a.id == attempt.id or a.lead_id != lead.id or a.origin is AttemptOrigin.LEADLINE
        for a in number.attempts.values()
    )


def _promise_to_keep(lead: LeadRow, now: datetime) -> datetime | None:
    """The promised time if it has come and no call was made for it yet."""
    at = lead.scheduled_callback_at
    waits = at is not None and at <= now and (lead.last_marked_at is None or lead.last_marked_at < at)
    return at if waits else None


def note_promise_gone(changes: Changes, lead: LeadRow, promise: datetime | None) -> None:
    """The lead's promise gives way to another one, or none: missed, if its time had come and nobody called."""
    waited = _promise_to_keep(lead, changes.now)
    if waited is not None and waited != promise:
        changes.happened.append(CallbackMissed(lead.campaign))


def note_move(changes: Changes, attempt: AttemptRow, to_state: AttemptState, columns: Mapping[str, Any]) -> None:
    """An attempt is about to move, with these columns; of what it cost, only what is more than was known is new."""
    outcome: Outcome | None = columns.get("outcome")
    changes.happened.append(
        AttemptMoved(
            campaign=attempt.campaign,
            phone_number=attempt.phone_number,
            attempt_no=attempt.attempt_no,
            origin=attempt.origin,
            dispatched_at=attempt.dispatched_at,
            from_state=attempt.state,
            to_state=to_state,
            outcome=outcome if attempt.outcome is None else None,
        )
    )
    talked = _more(columns.get("talk_seconds"), attempt.talk_seconds)
    price = _more(columns.get("price_dollars"), attempt.price_dollars)
    if (talked or price) and attempt.origin is not AttemptOrigin.ELSEWHERE:
        changes.happened.append(CallBilled(attempt.campaign, talked, price))


def _more(new: float | None, known: float | None) -> float:
    return max(0.0, (new or 0.0) - (known or 0.0))


def note_second_call(changes: Changes, row: NewAttempt) -> None:
    """The provider called twice for one attempt: billed like any call, and no attempt of ours."""
    changes.happened += [
        CallMet(row.origin, row.outcome or Outcome.UNKNOWN),
        CallBilled(row.campaign, row.talk_seconds or 0.0, row.price_dollars or 0.0),
    ]


def ends_heard(stored: Sequence[tuple[str, ParsedEvent]], clock: Clock) -> list[EndHeard]:
    """The ends of calls of which bodies tell that were stored just now, each with its source."""
    return [
        EndHeard(source, event.result.ended_at, clock.now, clock.speed)
        for source, event in stored
        if event.kind is EventKind.RESULT and event.result.ended_at is not None
    ]
