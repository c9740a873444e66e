"""How an outcome shows in a result: which fields differ from those of any other call, and what was said.

Each outcome has several spellings (the call's `variant` chooses), because real results do: tags as text, object or
null, `answered_by` null although a person spoke, a transfer tag without a transfer, error texts on completed calls.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from leadline.domain.outcome import Outcome
from services.simulator.fate import Fate

Line = tuple[str, str]
"""Who speaks (`assistant` or `user`) and what."""

AGENT_NUMBER: Final = "+15615550901"
"""The human agent to whom people are transferred."""

_GREETING: Final[Line] = ("assistant", "Hi, this is Ashley from the health plan desk. How are you today?")
_AGENT_ONLY: Final[Line] = ("assistant", "If you ever want us to stop calling, say do not call.")
_STOP_LINES: Final = (
    "Take me off your list and don't call me again.",
    "Please stop calling me.",
    "Remove me from your list.",
    "Do not call me again.",
)
_SMALL_TALK: Final[tuple[Line, ...]] = (
    _GREETING,
    ("user", "Who is this?"),
    ("assistant", "Ashley, on a recorded line."),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What one outcome looks like."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    """Instead of the fields of an ordinary answered call."""
    lines: tuple[Line, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    only_concatenated: bool = False
    """Whether the transcript is only there as one text."""


def scene(fate: Fate) -> Scene:
    """The scene of a call. Total over outcomes."""
    return _SCENES[fate.outcome](fate)


def _voicemail(fate: Fate) -> Scene:
    tag = "NO_CONTACT_MADE" if fate.variant >= 0.8 else None
    return Scene({"answered_by": "voicemail", "disposition_tag": tag}, (_GREETING,))


def _no_answer(fate: Fate) -> Scene:
    return Scene({"status": "no-answer", "answered_by": None if fate.variant >= 0.7 else "no-answer"})


def _busy(_fate: Fate) -> Scene:
    error = "The number you dialed is busy. Please try again later."
    return Scene({"status": "busy", "answered_by": None, "error_message": error})


def _not_completed(error: str) -> Scene:
    fields = {
        "completed": False,
        "queue_status": "call_error",
        "status": "failed",
        "answered_by": None,
        "error_message": error,
    }
    return Scene(fields)


def _bad_number(_fate: Fate) -> Scene:
    return _not_completed("Call failed. The number you dialed is not found.")


def _failed(fate: Fate) -> Scene:
    if fate.variant < 0.6:
        return _not_completed("Call failed. The number you dialed is temporarily unavailable.")
    if fate.variant < 0.8:
        return _not_completed("Call failed. Service Provider Blocked Call due to Spam or Number Reputation.")
    return _not_completed("Call failed.")


def _unknown(_fate: Fate) -> Scene:
    return Scene({"status": "unknown", "answered_by": None})


def _confused(fate: Fate) -> Scene:
    if fate.variant < 0.5:
        return Scene(lines=_SMALL_TALK)
    if fate.variant < 0.6:
        return Scene({"answered_by": None}, (_GREETING, ("user", "Yes, speaking.")))
    if fate.variant < 0.7:
        return Scene({"answered_by": "unknown"}, (_GREETING, ("user", "Okay, what is this about?"), _AGENT_ONLY))
    if fate.variant < 0.8:
        unanswered = {"state": "NO_ANSWER", "proxy_agent_calls": []}
        return Scene({"disposition_tag": "TRANSFERRED", "warm_transfer_call": unanswered}, _SMALL_TALK)
    if fate.variant < 0.9:
        return Scene({"pathway_tags": [None, "Intro Node", {"color": "blue"}, 7]}, _SMALL_TALK)
    return Scene({"error_message": "Call failed."}, _SMALL_TALK)


def _not_interested(fate: Fate) -> Scene:
    lines = (*_SMALL_TALK, ("user", "No thanks, I am not interested."))
    if fate.variant < 0.4:
        return Scene({"pathway_tags": [{"name": "Not Interested", "color": "red"}]}, lines)
    if fate.variant < 0.7:
        return Scene({"pathway_tags": ["Not Interested"]}, lines)
    return Scene({"disposition_tag": "NOT_INTERESTED"}, lines)


def _callback(fate: Fate) -> Scene:
    lines = (*_SMALL_TALK, ("user", "I am at work, can you try me another time?"))
    if fate.callback_at is None:
        return Scene({}, lines, {"callback_requested": True})
    return Scene({"disposition_tag": "CALL_BACK_SCHEDULED"}, lines, {"callback_requested": "true"})


def _do_not_call(fate: Fate) -> Scene:
    said = _STOP_LINES[int(fate.variant * len(_STOP_LINES))]
    lines = (_GREETING, ("user", said), ("assistant", "Understood, goodbye."))
    tag = "DO_NOT_CONTACT" if 0.5 <= fate.variant < 0.7 else None
    return Scene({"disposition_tag": tag}, lines, only_concatenated=fate.variant >= 0.85)


def _dnc(_fate: Fate) -> Scene:
    return Scene({"disposition_tag": "DNC"}, _SMALL_TALK)


def _sold(fate: Fate) -> Scene:
    lines = (*_SMALL_TALK, ("user", "Yes, sign me up please."))
    if fate.variant < 0.7:
        return Scene({"disposition_tag": fate.outcome.value}, lines)
    return Scene({}, lines, {"disposition": fate.outcome.value})


def _transferred(_fate: Fate) -> Scene:
    """Who was merged when is the result's to say: it depends on the length of the call."""
    fields = {"disposition_tag": "TRANSFERRED", "transferred_to": AGENT_NUMBER}
    return Scene(fields, (*_SMALL_TALK, ("user", "Sure, put me through.")))


_SCENES: Final[Mapping[Outcome, Callable[[Fate], Scene]]] = {
    Outcome.VOICEMAIL: _voicemail,
    Outcome.NO_ANSWER: _no_answer,
    Outcome.BUSY: _busy,
    Outcome.BAD_NUMBER: _bad_number,
    Outcome.FAILED: _failed,
    Outcome.UNKNOWN: _unknown,
    Outcome.CONFUSED: _confused,
    Outcome.NOT_INTERESTED: _not_interested,
    Outcome.CALLBACK: _callback,
    Outcome.DO_NOT_CALL: _do_not_call,
    Outcome.DNC: _dnc,
    Outcome.SALE: _sold,
    Outcome.ACA: _sold,
    Outcome.TRANSFERRED: _transferred,
}
