"""The state machines: what a message does to an attempt, and what a verb does to a lead. Anything else raises or keeps.

`ALLOWED_ARROWS` and `LEAD_ARROWS` are the single source that the database's rules and the drawing in ARCHITECTURE.md
are compared with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from leadline.domain.attempt import AttemptState
from leadline.domain.errors import IllegalTransition
from leadline.domain.lead import LeadStatus


class AttemptMessage(StrEnum):
    """What can be said of an attempt."""

    GO = "go"
    """A send mark is asked for, and every rule allows it."""
    PLACED = "placed"
    """The provider accepted the call and gave it an id, or was found to have it."""
    NOT_SENT = "not_sent"
    """No byte of the request was written."""
    REJECTED = "rejected"
    """The provider said no."""
    RETURNED = "returned"
    """Given back unused."""
    EXPIRED = "expired"
    """The lease's time is over."""
    SILENCE = "silence"
    """Marked, past its time, and nobody reported."""
    DOUBT = "doubt"
    """Perhaps sent, perhaps accepted."""
    ABSENT = "absent"
    """Proven not to exist at the provider, after the quiet time."""
    LOST = "lost"
    """Placed, past its longest end, and the provider no longer knows the call."""
    DEADLINE = "deadline"
    """The doubt has lasted too long."""
    RESULT = "result"
    """The call ended, and this is how."""


class Record(StrEnum):
    """What the store keeps of a message besides the new state."""

    NOTHING = "nothing"
    STATE = "state"
    """The move itself."""
    CALL_ID = "call_id"
    """The call id, if it is not known yet."""
    RESULT = "result"
    """The result."""
    PREVAILING_RESULT = "prevailing_result"
    """The result beside the earlier one; `precedence.prevailing` says which outcome stands."""
    LATE_CALL = "late_call"
    """A call of an attempt that was closed: recorded and counted all the same."""
    LATE_RESULT = "late_result"
    """A result of an attempt that was closed: recorded and counted all the same."""
    SECOND_CALL = "second_call"
    """A second call under one attempt: a counted row of its own."""
    CALL_ELSEWHERE = "call_elsewhere"
    """The attempt is not ours: a call made elsewhere."""
    SAME_ANSWER = "same_answer"
    """The answer that was given before."""
    REFUSAL = "refusal"
    """No permission."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a message does. `state` None keeps the present state; `alarm`: an operator must hear of it."""

    state: AttemptState | None = None
    alarm: bool = False
    record: Record = Record.NOTHING


_S = AttemptState
_M = AttemptMessage
_KEEP: Final = Effect()
_KEEP_WITH_ALARM: Final = Effect(alarm=True)
_REFUSE: Final = Effect(record=Record.REFUSAL)

CLOSED_WITHOUT_CALL: Final = (_S.RELEASED, _S.REJECTED, _S.NOT_PLACED, _S.ABANDONED)
"""Closed states in which no call is known; a later message may still bring one."""


def _to(state: AttemptState, record: Record = Record.STATE, *, alarm: bool = False) -> Effect:
    return Effect(state, alarm=alarm, record=record)


_TABLE: Final[Mapping[AttemptMessage, Mapping[AttemptState, Effect]]] = {
    _M.GO: {
        _S.LEASED: _to(_S.SENDING),
        _S.SENDING: Effect(record=Record.SAME_ANSWER),
        **dict.fromkeys((_S.UNKNOWN, _S.PLACED, _S.ENDED, *CLOSED_WITHOUT_CALL), _REFUSE),
    },
    _M.PLACED: {
        _S.LEASED: _to(_S.PLACED, Record.CALL_ID, alarm=True),
        _S.SENDING: _to(_S.PLACED, Record.CALL_ID),
        _S.UNKNOWN: _to(_S.PLACED, Record.CALL_ID),
        _S.PLACED: _KEEP,
        _S.ENDED: Effect(record=Record.CALL_ID),
        **dict.fromkeys(CLOSED_WITHOUT_CALL, _to(_S.PLACED, Record.LATE_CALL, alarm=True)),
    },
    _M.NOT_SENT: {
        **dict.fromkeys((_S.LEASED, _S.SENDING, _S.UNKNOWN), _to(_S.RELEASED)),
        _S.PLACED: _KEEP_WITH_ALARM,
    },
    _M.REJECTED: {
        # A rejection of a lease that was never marked is a POST without permission.
        _S.LEASED: _KEEP_WITH_ALARM,
        **dict.fromkeys((_S.SENDING, _S.UNKNOWN), _to(_S.REJECTED)),
        _S.PLACED: _KEEP_WITH_ALARM,
    },
    _M.RETURNED: {
        # A dialer that never saw its `go` gives the lease back: nothing was sent, whatever was marked.
        **dict.fromkeys((_S.LEASED, _S.SENDING, _S.UNKNOWN), _to(_S.RELEASED)),
        _S.PLACED: _KEEP_WITH_ALARM,
    },
    _M.EXPIRED: {_S.LEASED: _to(_S.RELEASED)},
    _M.SILENCE: {_S.SENDING: _to(_S.UNKNOWN)},
    _M.DOUBT: {
        _S.LEASED: _to(_S.UNKNOWN, alarm=True),
        _S.SENDING: _to(_S.UNKNOWN),
        # Sent after it was thought closed: nobody will look for this call unless an operator hears of it.
        **dict.fromkeys((_S.RELEASED, _S.REJECTED, _S.NOT_PLACED), _KEEP_WITH_ALARM),
    },
    _M.ABSENT: {_S.UNKNOWN: _to(_S.NOT_PLACED)},
    _M.LOST: {_S.PLACED: _to(_S.ENDED, Record.RESULT)},
    _M.DEADLINE: {_S.UNKNOWN: _to(_S.ABANDONED, alarm=True)},
    _M.RESULT: {
        **dict.fromkeys((_S.LEASED, _S.SENDING, _S.UNKNOWN, _S.PLACED), _to(_S.ENDED, Record.RESULT)),
        _S.ENDED: Effect(record=Record.PREVAILING_RESULT),
        **dict.fromkeys(CLOSED_WITHOUT_CALL, _to(_S.ENDED, Record.LATE_RESULT, alarm=True)),
    },
}
"""Design, "States of an attempt". What is not listed keeps the state and records nothing."""

_NOT_OURS: Final = {
    _M.GO: _REFUSE,
    _M.PLACED: Effect(record=Record.CALL_ELSEWHERE),
    _M.RESULT: Effect(record=Record.CALL_ELSEWHERE),
}
_SECOND_CALL: Final = Effect(alarm=True, record=Record.SECOND_CALL)
_LATE_BESIDE_ANOTHER: Final = _to(_S.ENDED, Record.LATE_CALL, alarm=True)

INITIAL_STATES: Final = frozenset({_S.LEASED, _S.PLACED, _S.ENDED})
"""States in which a row may be born: a lease, or a call that was found."""


def attempt_effect(
    state: AttemptState | None, message: AttemptMessage, *, same_call: bool = True, number_busy: bool = False
) -> Effect:
    """What a message does to an attempt in a state (None: the attempt is not ours). Total; it never raises.

    `same_call` False: the message names another call id than the one that the attempt has. `number_busy`: another
    attempt holds the number, so that a late call cannot take it back and is closed at once; one of the two is stopped.
    """
    if state is None:
        return _NOT_OURS.get(message, _KEEP)
    if not same_call and message in (AttemptMessage.PLACED, AttemptMessage.RESULT):
        return _SECOND_CALL
    if number_busy and message is AttemptMessage.PLACED and state in CLOSED_WITHOUT_CALL:
        return _LATE_BESIDE_ANOTHER
    return _TABLE[message].get(state, _KEEP)


def _arrows() -> dict[tuple[AttemptState, AttemptState], frozenset[AttemptMessage]]:
    arrows: dict[tuple[AttemptState, AttemptState], frozenset[AttemptMessage]] = {}
    for message, row in _TABLE.items():
        for state in row:
            for busy in (False, True):
                new = attempt_effect(state, message, number_busy=busy).state
                if new is not None:
                    arrows[state, new] = arrows.get((state, new), frozenset()) | {message}
    return arrows


ARROW_MESSAGES: Final[Mapping[tuple[AttemptState, AttemptState], frozenset[AttemptMessage]]] = _arrows()
"""Every arrow of the drawing with the messages on it."""

ALLOWED_ARROWS: Final[frozenset[tuple[AttemptState, AttemptState]]] = frozenset(ARROW_MESSAGES)
"""Every move of an attempt's state that the database may see."""


class LeadVerb(StrEnum):
    """What can be done to a lead."""

    PLAN = "plan"
    PAUSE = "pause"
    RESUME = "resume"
    COMPLETE = "complete"
    RESCHEDULE = "reschedule"
    REOPEN = "reopen"
    HOLD = "hold"


_L = LeadStatus
_V = LeadVerb
_LEAD_TABLE: Final[Mapping[LeadVerb, tuple[frozenset[LeadStatus], LeadStatus]]] = {
    _V.PLAN: (frozenset({_L.PENDING, _L.RESCHEDULED, _L.HELD}), _L.PENDING),
    _V.PAUSE: (frozenset({_L.PENDING, _L.RESCHEDULED, _L.HELD}), _L.PAUSED),
    _V.RESUME: (frozenset({_L.PAUSED, _L.HELD}), _L.PENDING),
    _V.COMPLETE: (frozenset({_L.PENDING, _L.RESCHEDULED, _L.HELD, _L.PAUSED}), _L.COMPLETED),
    _V.RESCHEDULE: (frozenset({_L.PENDING, _L.RESCHEDULED, _L.HELD}), _L.RESCHEDULED),
    _V.REOPEN: (frozenset({_L.COMPLETED}), _L.PENDING),
    _V.HOLD: (frozenset({_L.PENDING, _L.RESCHEDULED, _L.HELD}), _L.HELD),
}
_ADVICE: Final[Mapping[LeadStatus, str]] = {
    _L.PENDING: "it is planned already; read its explanation for when and why.",
    _L.RESCHEDULED: "it has a promised time already; read its explanation for when and why.",
    _L.HELD: "resume it first, or complete it.",
    _L.PAUSED: "resume it first.",
    _L.COMPLETED: "completed is final; only reopening it begins a new life.",
}


def lead_transition(status: LeadStatus, verb: LeadVerb) -> LeadStatus:
    """The status that a verb leads to. A plan that keeps a promise may store RESCHEDULED where this says PENDING.

    Raises IllegalTransition with what to do instead.
    """
    allowed_from, new = _LEAD_TABLE[verb]
    if status not in allowed_from:
        raise IllegalTransition(f"A {status.value} lead cannot be changed by {verb.value!r}: {_ADVICE[status]}")
    return new


LEAD_ARROWS: Final[frozenset[tuple[LeadStatus, LeadStatus]]] = frozenset(
    (old, new)
    for allowed_from, to in _LEAD_TABLE.values()
    for old in allowed_from
    for new in ({to, _L.RESCHEDULED} if to is _L.PENDING and old is not _L.COMPLETED else {to})
    if old is not new
)
"""Every move of a lead's status that the database may see."""
